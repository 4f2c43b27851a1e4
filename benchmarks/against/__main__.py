"""`python -m benchmarks.against [ROUNDS] [COMMIT]`: each task on an old engine and on the present one in turn; the ratio."""

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.golden.__main__ import OLD, ROOT, checkout


class Engine:
    """A process with one engine."""

    def __init__(self, which: str, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.against.tasks", which],
            cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.tasks: list[str] = json.loads(self._answer())

    def _answer(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def seconds(self, task: str) -> float:
        """The seconds of a task."""
        assert self.process.stdin is not None
        print(task, file=self.process.stdin, flush=True)
        return float(self._answer())


def main(rounds: int, commit: str) -> None:
    """Print a line per task, as JSON."""
    with tempfile.TemporaryDirectory() as directory:
        checkout(commit, Path(directory))
        engines = {"old": Engine("old", Path(directory)), "new": Engine("new", ROOT)}
        try:
            for task in engines["new"].tasks:
                for engine in engines.values():
                    engine.seconds(task)  # the first time loads kernels
                found = [{which: engine.seconds(task) for which, engine in engines.items()} for _ in range(rounds)]
                ratios = sorted(one["new"] / one["old"] for one in found)
                medians = {which: statistics.median(one[which] for one in found) for which in engines}
                print(json.dumps({"task": task, "seconds": medians, "new/old": statistics.median(ratios),
                                  "range": [ratios[0], ratios[-1]], "rounds": rounds}), flush=True)  # fmt: skip
        finally:
            for engine in engines.values():
                engine.process.kill()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 9, sys.argv[2] if len(sys.argv) > 2 else OLD)
