"""`python -m benchmarks.golden [--old COMMIT]`: record the old engine and the present one side by side, and compare.

`--write` records the present engine into the fixture of the tests instead. Exit status 1: something differs.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.checkout import ROOT, unpack
from benchmarks.golden.compare import BOUNDED, DECLARED, REWORDED, TOLERANCE, compare
from benchmarks.golden.recorder import plan
from benchmarks.golden.texts import Job, all_texts, jobs, save_tiny

OLD = "1819f24"
"""The last commit before the engine was rebuilt."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.golden", description=__doc__)
    parser.add_argument(
        "--old", default=OLD, metavar="COMMIT", help=f"the commit of the engine to compare with ({OLD})"
    )
    parser.add_argument("--texts", type=int, metavar="N", help="texts for each embedded model (60)")
    parser.add_argument("--models", metavar="ID,...", help="embedded models, or tiny/NAME")
    parser.add_argument("--tolerance", type=float, default=TOLERANCE, help=f"tolerance of floats ({TOLERANCE:g})")
    parser.add_argument("--write", action="store_true", help="rewrite the fixture of tests/golden")
    chosen = parser.parse_args(arguments)
    if chosen.write:
        from benchmarks.golden import fixture  # it imports the engine

        file = fixture.write()
        print(f"{file.relative_to(ROOT)}: {file.stat().st_size:,} bytes")
        return 0
    start = time.perf_counter()
    models = chosen.models.split(",") if chosen.models else None
    old, new = side_by_side(chosen.old, jobs(chosen.texts, models))
    report = compare(old, new, chosen.tolerance, (*DECLARED, *REWORDED, *BOUNDED))
    print("\n".join([*report.lines(), f"{time.perf_counter() - start:.0f} s."]))
    return 0 if report.equal else 1


def side_by_side(commit: str, wanted: Sequence[Job]) -> tuple[dict, dict]:
    """The records of the engine of a commit and of the present one.

    Both run at once, each in one thread and with the same settings: the order of additions depends on the number of threads.
    """
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        (folder / "plan.json").write_text(plan(wanted, all_texts()), encoding="utf-8")
        tiny = save_tiny(folder, [job.model.removeprefix("tiny/") for job in wanted if job.model.startswith("tiny/")])
        checkout(commit, folder / "old")
        settings = os.environ | {
            "OMP_NUM_THREADS": "1",
            "TOKENIZERS_PARALLELISM": "false",
            "HF_HUB_OFFLINE": "1",
            "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
            "WOBBLE_DEVICE": "cpu",
            "WOBBLE_MODEL_DIRS": str(tiny),
            "WOBBLE_RUNS_DIR": "",
        }
        running = {
            which: subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "benchmarks.golden.recorder",
                    which,
                    folder / "plan.json",
                    folder / f"{which}.json",
                ],
                cwd=where,
                env=settings,
            )
            for which, where in (("old", folder / "old"), ("new", ROOT))
        }
        try:
            failed = [which for which, process in running.items() if process.wait()]
        finally:
            for process in running.values():
                process.kill()
        if failed:
            raise SystemExit(f"The {' and the '.join(failed)} engine could not be recorded: see above.")
        old, new = (json.loads((folder / f"{which}.json").read_text(encoding="utf-8")) for which in running)
    return old, new


def checkout(commit: str, folder: Path) -> None:
    """Put the engine of a commit into a folder, with today's models and data and this recorder beside it."""
    unpack(commit, folder, "core", "assets/build")
    for name in ("models", "data"):
        (folder / "assets" / name).symlink_to(ROOT / "assets" / name, target_is_directory=True)
    for name in ("golden", "against"):
        shutil.copytree(ROOT / "benchmarks" / name, folder / "benchmarks" / name)
    shutil.copy(ROOT / "benchmarks" / "__init__.py", folder / "benchmarks")


if __name__ == "__main__":
    sys.exit(main())
