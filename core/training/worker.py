"""The process that trains one run: `python -m core.training.worker FOLDER`, started by `core.training.runs.submit`."""

import errno
import json
import os
import sys
from pathlib import Path
from typing import Any

import torch

from core.jobs.job import PROGRESS, work
from core.training.recipe import MEMBER_RECORD, members_of
from core.training.runs import DATA, run_at


def main(folder: Path) -> int:
    """Wait for the turn, train every member that is not finished, and say how it ended."""
    work(folder, _train, _sentence)
    return 0


def _sentence(error: Exception) -> str:
    if isinstance(error, torch.OutOfMemoryError | MemoryError) or "alloc" in str(error).lower():
        return "Memory ran out: choose a smaller batch, LoRA, or a smaller base model."
    # safetensors has an error of its own.
    if (isinstance(error, OSError) and error.errno == errno.ENOSPC) or "No space left" in str(error):
        return "The disk is full: nothing of the unfinished model was kept."
    return f"Training failed with {type(error).__name__}: see worker.log in the run's folder."


def _train(folder: Path) -> None:
    # Set before CUDA is initialised: without it equal seeds need not give equal weights there.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    from core.data.labelled import from_parquet
    from core.models.classifier import best_device
    from core.training.trainer import train_member

    torch.use_deterministic_algorithms(True, warn_only=True)
    run = run_at(folder)
    data = from_parquet(folder / DATA)
    device = best_device()
    with (folder / PROGRESS).open("a", encoding="utf-8", buffering=1) as stream:
        for number, (seeds, name, place) in enumerate(members_of(run.recipe, folder), start=1):

            def report(event: dict[str, Any], name: str = name, number: int = number) -> None:
                stream.write(json.dumps({"member": name, "number": number, **event}) + "\n")

            if (place / MEMBER_RECORD).is_file():
                continue
            report({"event": "began"})
            record = train_member(run.recipe, data, seeds, name, place, device, report)
            report({"event": "saved", **{key: record[key] for key in ("accuracy", "loss", "weights", "seconds")}})


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
