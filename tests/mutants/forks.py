"""Runs tests of a mutant in a fork of a process that has imported the libraries, but nothing of Wobble."""

import contextlib
import gc
import math
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
OWN = {"assets", "benchmarks", "core", "pages", "tests"}
LINKED = ("assets", "docs")
FAILED = "FAILED ", "ERROR "


@dataclass(frozen=True)
class Outcome:
    """How a run of tests ended."""

    code: int | None
    """pytest's exit status, 0 when all pass; None after the time limit."""
    seconds: float
    """Of the processor, which what else runs on the machine hardly changes."""
    output: str

    @property
    def by(self) -> str:
        """The first test that fails, or what else ended it."""
        if self.code is None:
            return "the time limit"
        lines = (line for line in self.output.splitlines() if line.startswith(FAILED))
        return next((line.split(" - ")[0].split(" ", 1)[1] for line in lines), f"exit status {self.code}")


def warm() -> None:
    """Import what every test needs, in one thread, before anything is forked."""
    import _pytest.assertion.rewrite  # noqa: F401
    import datasets  # noqa: F401
    import ftfy  # noqa: F401
    import pandas  # noqa: F401
    import scipy.optimize  # noqa: F401
    import torch
    import torch._dynamo
    from transformers import AutoModelForSequenceClassification, AutoTokenizer  # noqa: F401

    torch.set_num_threads(1)
    gc.freeze()  # else each fork looks through all of it


class Tree:
    """A private copy of the working tree in which one mutant at a time takes the place of its module."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="mutants-"))
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT, check=True, capture_output=True, text=True,
        ).stdout.split("\0")  # fmt: skip
        for name in listed:
            if name and name.split("/")[0] not in LINKED and (ROOT / name).is_file():
                (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, self.folder / name)
        for name in LINKED:
            (self.folder / name).symlink_to(ROOT / name)

    def remove(self) -> None:
        """Delete the copy."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def replace(self, file: str, source: str) -> Callable[[], None]:
        """Put a mutant in the place of its module; the answer puts the module back."""
        path = self.folder / file
        before, times = path.read_bytes(), path.stat()
        path.write_text(source, encoding="utf-8")
        # Python knows a stale .pyc by the time of its source in seconds, so no mutant may share one with its module.
        os.utime(path, (times.st_atime, times.st_mtime + 1000))

        def back() -> None:
            path.write_bytes(before)
            os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))

        return back


class Run:
    """Tests that run in a fork, in a tree, until they have ended or used so many seconds of the processor.

    What waits for ever uses none: it has ten times as long.
    """

    def __init__(self, tree: Tree, files: Iterable[str], limit: float, *, compile: bool = False) -> None:
        self.limit = limit
        self._log = tree.folder / ".mutant.log"
        self._started = time.monotonic()
        self._child = os.fork()
        if not self._child:
            resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(limit), math.ceil(limit) + 5))
            _in_child(tree.folder, list(files), self._log, compile)

    def outcome(self) -> Outcome | None:
        """How it ended; None while it runs."""
        # Left unreaped until its group is killed, so that no other process can have taken its number.
        ended = os.waitid(os.P_PID, self._child, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        late = time.monotonic() - self._started > 10 * self.limit
        if not ended and not late:
            return None
        # Also what the tests started and left behind.
        for process in (-self._child, self._child):
            with contextlib.suppress(OSError):
                os.kill(process, signal.SIGKILL)
        _, status, used = os.wait4(self._child, 0)
        code = os.waitstatus_to_exitcode(status)
        over = late or code in (-signal.SIGXCPU, -signal.SIGKILL)
        output = self._log.read_text(encoding="utf-8", errors="replace")
        return Outcome(None if over else code, used.ru_utime + used.ru_stime, output)


def _in_child(folder: Path, files: list[str], log: Path, compile: bool) -> None:
    code = 99
    try:
        os.setpgid(0, 0)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.chdir(folder)
        for name in [name for name in sys.modules if name.split(".")[0] in OWN]:
            del sys.modules[name]
        sys.path[:] = [str(folder), *(path for path in sys.path if Path(path or ".").resolve() not in {ROOT, folder})]
        sys.argv = ["pytest"]
        sys.dont_write_bytecode = not compile
        os.environ["PYTHONPATH"] = str(folder)
        if not compile:
            os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
        shutil.rmtree(folder / ".hypothesis", ignore_errors=True)
        import pytest

        options = ["-x", "-q", "--no-header", "--tb=line", "--durations=0", "-p", "no:cacheprovider", "-m", "not slow"]
        code = int(pytest.main([*options, "--hypothesis-seed=0", f"--rootdir={folder}", *files]))
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
