"""Files of a model from the Hugging Face hub: fetched once for all who wait for them, who are told the progress and may leave."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from fnmatch import fnmatch
from io import StringIO
from pathlib import Path
from typing import Any

from huggingface_hub import HfApi, constants, snapshot_download
from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError
from tqdm import tqdm  # type: ignore[import-untyped]

from core.base.errors import WobbleError, first_line
from core.base.hub import HUB_SECONDS, endpoint, hub_answers, within

Progress = Callable[[int, int], None]
"""Told, several times a second, how many bytes have arrived and how many are wanted (0 while unknown). What it raises ends the
waiting, and the download with it unless others are waiting too."""

HUB_FILES = ["*.json", "*.safetensors", "*.txt", "*.model"]

LOOK = 0.2
"""Seconds between two looks at a download."""

PATIENCE = 5.0
"""Seconds that a download goes on while nobody waits for it: a page that reruns leaves, and asks for it again at once."""

# The library reports once per chunk, which is 10 MB: half a minute on a slow line.
constants.DOWNLOAD_CHUNK_SIZE = 2**20


class _AbandonedError(Exception):
    """Nobody waits for the download any more."""


@dataclass
class _Transfer:
    """A download that goes on in a thread of its own."""

    here: int = 0
    wanted: int = 0
    """Bytes."""
    waiting: int = 0
    """How many wait for it."""
    left: float = 0.0
    """When the last of them left, by the monotonic clock."""
    outcome: Future[Path] = field(default_factory=Future)


_lock = threading.Lock()
_transfers: dict[tuple[str, str], _Transfer] = {}


def download(id: str, progress: Progress | None = None) -> Path:
    """Fetch a hub model into the hub's own cache: small files and safetensors alone.

    Raises:
        WobbleError: the hub does not answer, has no such model, or the model has no safetensors. What `progress` raises passes
            through.
    """
    unreachable = WobbleError(f"The Hugging Face hub cannot be reached, and {id} is not on this machine.")
    if not hub_answers():
        raise unreachable
    try:
        api = HfApi(endpoint=endpoint())
        info = within(HUB_SECONDS, lambda: api.model_info(id, timeout=HUB_SECONDS, files_metadata=True))
    except GatedRepoError as error:
        raise WobbleError(f"{id} is gated: accept its terms on the hub and log in first.") from error
    except RepositoryNotFoundError as error:
        raise WobbleError(f"The hub has no model named {id} (or it is private).") from error
    except HfHubHTTPError as error:
        raise WobbleError(f"The hub refused {id}: {first_line(error)}") from error
    except (OSError, TimeoutError) as error:
        raise unreachable from error
    files = [file for file in info.siblings or [] if "/" not in file.rfilename]
    if not any(file.rfilename.endswith(".safetensors") for file in files):
        raise WobbleError(
            f"{id} has no safetensors weights, only formats that can run code when opened or that are not PyTorch's; "
            "ask its authors to convert it."
        )
    transfer = _joined(id, sum(file.size or 0 for file in files if any(fnmatch(file.rfilename, p) for p in HUB_FILES)))
    try:
        while not wait([transfer.outcome], LOOK).done:
            if progress is not None:
                progress(transfer.here, transfer.wanted)
        return transfer.outcome.result()
    except (OSError, HfHubHTTPError) as error:
        raise WobbleError(f"Downloading {id} from the hub failed: {first_line(error)}") from error
    finally:
        with _lock:
            transfer.waiting -= 1
            transfer.left = time.monotonic()


def _joined(id: str, wanted: int) -> _Transfer:
    """The download of a model, which begins with the first who waits for it.

    Args:
        wanted: bytes of its files, as the hub says.
    """
    key = endpoint(), id
    with _lock:
        transfer = _transfers.get(key)
        if transfer is None:
            transfer = _transfers[key] = _Transfer(wanted=wanted)
            threading.Thread(target=_fetch, args=(key, transfer), daemon=True).start()
        transfer.waiting += 1
        return transfer


def _fetch(key: tuple[str, str], transfer: _Transfer) -> None:
    address, id = key
    try:
        found = snapshot_download(
            id,
            endpoint=address,
            allow_patterns=HUB_FILES,
            ignore_patterns=["*/*"],
            etag_timeout=HUB_SECONDS,
            tqdm_class=_bar(key, transfer),
        )
        transfer.outcome.set_result(Path(found))
    except BaseException as error:  # handed to whoever waits
        transfer.outcome.set_exception(error)
    finally:
        with _lock:
            _forget(key, transfer)


def _forget(key: tuple[str, str], transfer: _Transfer) -> None:
    """Whoever asks from now on starts a new download."""
    if _transfers.get(key) is transfer:
        del _transfers[key]


def _bar(key: tuple[str, str], transfer: _Transfer) -> type[Any]:
    """A progress bar that draws nothing: it notes how far a download has come, and ends it where nobody waits for it any more."""

    class Bar(tqdm):  # type: ignore[misc]
        # Without a thread that watches over bars.
        monitor_interval = 0

        def __init__(self, *args: Any, **settings: Any) -> None:
            super().__init__(*args, **{**settings, "file": StringIO()})
            # Of two bars that count bytes the later one counts what is written.
            self.counts = self.unit == "B"

        def update(self, n: float | None = 1) -> None:
            super().update(n)
            with _lock:
                if self.counts:
                    # What the bar is to reach grows file by file.
                    transfer.here, transfer.wanted = int(self.n), max(transfer.wanted, int(self.total or 0))
                if not transfer.waiting and time.monotonic() - transfer.left > PATIENCE:
                    _forget(key, transfer)
                    raise _AbandonedError

        def display(self, *_: Any, **__: Any) -> bool:
            return True

    return Bar
