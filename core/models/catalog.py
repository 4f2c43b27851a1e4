"""Which models there are, where their files are, and the bounded set of loaded ones.

An id names an embedded model (`minilm-uncased`), a local directory under the operator's folders (`models/mine`) or a
model of the Hugging Face hub (`ProsusAI/finbert`). Whatever it names, loading happens from a local directory.
"""

import math
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from huggingface_hub import snapshot_download
from huggingface_hub.errors import LocalEntryNotFoundError

from core.base.cache import Kept
from core.base.errors import WobbleError
from core.base.files import read_json
from core.base.hub import HUB_ID, hub_answers
from core.base.settings import settings
from core.models.classifier import Classifier, Kind, Source, tensors
from core.models.download import Progress, download
from core.text.tokens import algorithm

if TYPE_CHECKING:
    import torch

EMBEDDED = Path(__file__).parent.parent.parent / "assets" / "models"
DEFAULT = "minilm-uncased"

CURATED = (
    ("distilbert/distilbert-base-uncased-finetuned-sst-2-english", "distilbert"),
    ("cardiffnlp/twitter-roberta-base-sentiment-latest", "roberta"),
    ("ProsusAI/finbert", "bert"),
    ("nlptown/bert-base-multilingual-uncased-sentiment", "bert"),
    ("j-hartmann/emotion-english-distilroberta-base", "roberta"),
    ("SamLowe/roberta-base-go_emotions", "roberta"),
    ("unitary/toxic-bert", "bert"),
    ("papluca/xlm-roberta-base-language-detection", "xlm-roberta"),
    ("textattack/bert-base-uncased-SST-2", "bert"),
    ("facebook/bart-large-mnli", "bart"),
)
"""Well-known classifiers of the hub and their model types, offered by name; any other hub id works too."""

BASES = (
    "google-bert/bert-base-uncased",
    "distilbert/distilbert-base-uncased",
    "FacebookAI/roberta-base",
    "answerdotai/ModernBERT-base",
)
"""Well-known encoders of the hub to fine-tune, offered by name."""

CONFIGS = ("adapter_config.json", "config.json")
"""What makes a directory a model."""

Available = Literal["yes", "cached", "downloadable", "unreachable"]


@dataclass(frozen=True)
class Entry:
    """One line of the catalog, read from small files: no weights are loaded for it."""

    id: str
    source: Kind
    family: str | None
    """The model type of transformers."""
    labels: tuple[str, ...]
    parameters: int | None
    tokenizer: str | None
    """The tokenizer's algorithm."""
    available: Available


def model_roots() -> tuple[Path, ...]:
    """The folders that the operator allows (`WOBBLE_MODEL_DIRS`), and the folder of finished trainings."""
    chosen = settings()
    return tuple(dict.fromkeys(root for root in (*chosen.model_dirs, chosen.runs_dir) if root is not None))


def local_ids() -> tuple[str, ...]:
    """Ids of the embedded models (the default first) and of the local directories; asks no network."""
    return (*_embedded(), *_local())


def base_ids() -> tuple[str, ...]:
    """Ids of what can be fine-tuned: embedded encoders and whole classifiers, local ones, then well-known ones of the hub."""
    embedded = [d for d in _model_directories(EMBEDDED, depth=1) if not _is_adapter(d)]
    trained = settings().runs_dir
    local = [id for id, d in _local().items() if not (_is_adapter(d) or (trained and d.is_relative_to(trained)))]
    # Encoders first: a classifier has learned its task already.
    return (*(d.name for d in sorted(embedded, key=lambda d: (_is_classifier(d), d.name))), *local, *BASES)


def stamp(id: str) -> int:
    """When a local model was last written, in nanoseconds; 0 for all others. The same id may come to mean another model."""
    for root in model_roots():
        rest = id.removeprefix(f"{root.name}/")
        try:
            # An id below the folder's name, or a path.
            directory = (root / rest if rest != id else Path(id).expanduser()).resolve()
            if directory.is_relative_to(root) and any((directory / name).is_file() for name in CONFIGS):
                return max(file.stat().st_mtime_ns for file in directory.iterdir() if file.is_file())
        except (OSError, ValueError, RuntimeError):
            continue  # not a path, or one that is being written: loading it says what is wrong
    return 0


def entries() -> tuple[Entry, ...]:
    """The catalog: embedded models (the default first), local directories, then curated models of the hub."""
    cached = {id: _cached(id) for id, _ in CURATED}
    otherwise: Available = "downloadable" if all(cached.values()) or hub_answers() else "unreachable"
    return (
        *(_entry(id, "embedded", directory, "yes") for id, directory in _embedded().items()),
        *(_entry(id, "local", directory, "yes") for id, directory in _local().items()),
        *(
            _entry(id, "hub", directory, "cached")
            if (directory := cached[id])
            else Entry(id, "hub", family, (), None, None, otherwise)
            for id, family in CURATED
        ),
    )


def resolve(id: str, progress: Progress | None = None) -> Source:
    """Find the files of a model, downloading them from the hub when they are nowhere on this machine.

    Args:
        progress: told how far a download has come; what it raises ends the download.

    Raises:
        WobbleError: the id names nothing that may be loaded; the sentence says why.
    """
    id = id.strip()
    if not id:
        raise WobbleError("No model is named: give an id from the catalog, a local directory or a hub id.")
    if id in {d.name for d in _model_directories(EMBEDDED, depth=1)}:
        return _source(id, "embedded", EMBEDDED / id)
    if directory := _local().get(id):
        return _source(id, "local", directory, progress)
    if "\0" in id or len(id) > 1000:
        raise WobbleError("That is not a model id: give an id from the catalog, a local directory or a hub id.")
    path = Path(id)
    if path.is_absolute() or id.startswith((".", "~")) or "\\" in id or id.count("/") > 1 or path.exists():
        return _source(id, "local", _allowed(id, path.expanduser()), progress)
    if any(path.parts and path.parts[0] == root.name for root in model_roots()):
        raise WobbleError(f"There is no model at {id}.")
    if not HUB_ID.fullmatch(id):
        raise WobbleError(f"{id!r} is not a model id: give an id from the catalog, a local directory or a hub id.")
    return _source(id, "hub", _cached(id) or download(id, progress), progress)


def base_source(id: str) -> Source:
    """The files of a model to start from.

    Raises:
        WobbleError: it is none.
    """
    source = resolve(id)
    if source.adapter is not None:
        raise WobbleError(f"{id} is an adapter: train its base model, {source.directory.name}, instead.")
    return source


def _allowed(id: str, path: Path) -> Path:
    """The real directory behind a path, if the operator allows it. A refusal does not tell what exists."""
    directory = path.resolve()
    roots = model_roots()
    if not any(directory.is_relative_to(root) for root in (*roots, EMBEDDED.resolve())):
        folders = ", ".join(root.name + "/" for root in roots)
        raise WobbleError(
            f"{id} lies outside the folders that models may be loaded from ({folders}); "
            "whoever runs Wobble can add folders with WOBBLE_MODEL_DIRS."
        )
    if not directory.is_dir():
        raise WobbleError(f"There is no model at {id}.")
    return directory


def _source(id: str, kind: Kind, directory: Path, progress: Progress | None = None) -> Source:
    """The files of a directory: a model, or an adapter together with its base model."""
    adapter_config = directory / "adapter_config.json"
    if not adapter_config.is_file():
        return Source(id, kind, directory)
    base = str(read_json(adapter_config).get("base_model_name_or_path") or "")
    if not base:
        raise WobbleError(f"The adapter {id} does not name its base model.")
    beside = directory / base
    if not Path(base).is_absolute() and beside.is_dir():
        return Source(id, kind, beside.resolve() if kind == "embedded" else _allowed(base, beside), directory)
    return Source(id, kind, resolve(base, progress).directory, directory)


def _model_directories(root: Path, depth: int) -> list[Path]:
    """Directories at most `depth` below a root that hold a config.json or an adapter_config.json, in order."""
    if depth == 0 or not root.is_dir():
        return []
    found: list[Path] = []
    for child in sorted(p for p in root.iterdir() if p.is_dir() and not p.name.startswith(".")):
        is_model = any((child / name).is_file() for name in CONFIGS)
        found += [child] if is_model else _model_directories(child, depth - 1)
    return found


def _embedded() -> dict[str, Path]:
    found = [d for d in _model_directories(EMBEDDED, depth=1) if _is_classifier(d)]
    # The default first, and other training seeds of a model ("x-43") after all models that differ in more than that.
    found.sort(key=lambda d: (d.name != DEFAULT, d.name.rpartition("-")[2].isdigit(), d.name))
    return {d.name: d for d in found}


def _local() -> dict[str, Path]:
    """Model directories in the operator's folders, by id; of two folders with one name the first counts."""
    found: dict[str, Path] = {}
    for root in model_roots():
        for directory in _model_directories(root, depth=2):
            found.setdefault(f"{root.name}/{directory.relative_to(root).as_posix()}", directory)
    return found


def _is_classifier(directory: Path) -> bool:
    """False for an encoder that is only a base for adapters: on its own its head would be random."""
    return _is_adapter(directory) or any(
        "Classification" in name for name in read_json(directory / "config.json").get("architectures") or []
    )


def _is_adapter(directory: Path) -> bool:
    return (directory / "adapter_config.json").is_file()


def _entry(id: str, source: Kind, directory: Path, available: Available) -> Entry:
    try:
        files = _source(id, source, directory)
    except WobbleError:
        # A broken or forbidden adapter is still listed: choosing it says what is wrong.
        files = Source(id, source, directory)
    config = read_json(files.config)
    labels = sorted((config.get("id2label") or {}).items(), key=lambda item: int(item[0]))
    places = (files.top / "tokenizer.json", files.directory / "tokenizer.json")
    tokenizer = next((read_json(place) for place in places if place.is_file()), None)
    return Entry(
        id=id,
        source=source,
        family=config.get("model_type"),
        labels=tuple(str(name) for _, name in labels),
        parameters=_stored_numbers(files.directory) or None,
        tokenizer=algorithm(tokenizer) if tokenizer is not None else None,
        available=available,
    )


def size_of(id: str) -> tuple[int, int]:
    """Parameters of a model to start from and the width of its hidden states, read from small files.

    Raises:
        WobbleError: it is none.
    """
    files = base_source(id)
    config = read_json(files.directory / "config.json")
    width = next((config[name] for name in ("hidden_size", "dim", "d_model", "n_embd") if name in config), 768)
    return _stored_numbers(files.directory), int(width)


def _stored_numbers(directory: Path) -> int:
    """How many numbers the weight files hold, read from their headers; damaged files do not count."""
    total = 0
    for file in directory.glob("*.safetensors"):
        with suppress(OSError, ValueError, OverflowError, MemoryError):
            total += sum(math.prod(tensor["shape"]) for tensor in tensors([file]))
    return total


# --- the hub ---------------------------------------------------------------------------------------------------------


def _cached(id: str) -> Path | None:
    """The local snapshot of a hub model, if its weights are there; never touches the network."""
    try:
        directory = Path(snapshot_download(id, local_files_only=True))
    except (LocalEntryNotFoundError, OSError, ValueError):
        return None
    return directory if any(directory.glob("*.safetensors")) else None


# --- loaded models ---------------------------------------------------------------------------------------------------


_loaded: Kept[Classifier] = Kept(limit=1)


def load(id: str = DEFAULT, device: "torch.device | None" = None) -> Classifier:
    """The classifier of an id, shared by the whole process (at most `WOBBLE_MAX_MODELS` stay loaded).

    Raises:
        WobbleError: the id names nothing, or what it names is no usable classifier.
    """
    _loaded.limit = settings().max_models
    return _loaded.get(Classifier, (id, str(device), stamp(id)), lambda: _load(resolve(id), device))


def _load(source: Source, device: "torch.device | None") -> Classifier:
    from core.models.loading import load_classifier

    return load_classifier(source, device)
