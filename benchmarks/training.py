"""Fine-tuning, live: `python -m benchmarks.training`. Whether equal seeds give equal weights, and what a family of two costs."""

import json
import os
import tempfile
import threading
import time
from typing import Any

import psutil
import torch

from core.data.labelled import DataSource, read
from core.models import catalog
from core.models.classifier import best_device
from core.training import runs
from core.training.recipe import LEARNING_RATE, Method, Recipe, Seeds, default_precision, estimate, one_seed, plan

BASE = "minilm"
MOVIES = DataSource("movie")


def _recipe(name: str, members: tuple[Seeds, ...], examples: int, method: Method = "lora") -> Recipe:
    return Recipe(
        name=name,
        base=BASE,
        data=MOVIES,
        members=members,
        examples=examples,
        learning_rate=LEARNING_RATE[method],
        method=method,
        precision=default_precision(best_device()),
    )


def _trained(recipe: Recipe) -> tuple[list[dict[str, Any]], float, int]:
    """One row per member, the seconds from the start to the end, and the bytes that the worker held at its peak."""
    begin = time.perf_counter()
    run = runs.submit(recipe, read(MOVIES))
    ended = threading.Event()
    peak = 0

    def watch() -> None:
        nonlocal peak
        process = psutil.Process(json.loads((run.folder / "worker.json").read_text(encoding="utf-8"))["pid"])
        while not ended.wait(0.2):
            try:
                peak = max(peak, process.memory_info().rss)
            except psutil.Error:
                return

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        run = runs.wait(run, lambda _: None, pause=0.1)
    except KeyboardInterrupt:
        runs.cancel(run.name)
        raise
    finally:
        seconds = time.perf_counter() - begin
        ended.set()
        watcher.join()
    if run.state != "done":
        raise SystemExit(f"{run.name} {run.state}: {run.message}")
    return runs.results(run), seconds, peak


def three_seeds(examples: int = 100) -> dict[str, Any]:
    """Two live runs: the weights with equal seeds, and with one seed that differs."""
    held = one_seed(42)
    varied = tuple(Seeds(**{**held.__dict__, part: 43}) for part in ("head", "order", "dropout"))
    first, *others = _trained(_recipe("first", (held, *varied), examples))[0]
    again = _trained(_recipe("again", (held,), examples))[0][0]
    return {
        "benchmark": f"two live runs, {examples} examples each",
        "weights": first["weights"],
        "equal_seeds_equal_weights": first["weights"] == again["weights"],
        "one_seed_changed_other_weights": {row["name"]: row["weights"] != first["weights"] for row in others},
        "all_different": len({row["weights"] for row in (first, *others)}) == 1 + len(others),
    }


def two_seeds(method: Method, examples: int = 500) -> dict[str, Any]:
    """One epoch of two seeds: the time from the start to the end, and what was estimated before."""
    recipe = _recipe(method, plan((42, 43)), examples, method)
    expected = estimate(recipe, read(MOVIES), *catalog.size_of(BASE), best_device())
    rows, seconds, peak = _trained(recipe)
    return {
        "benchmark": f"{examples} examples, one epoch, two seeds, {method}",
        "device": str(best_device()),
        "threads": torch.get_num_threads(),
        "load": os.getloadavg()[0],
        "seconds": seconds,
        "seconds_estimated": expected.seconds,
        "seconds_a_member": [row["seconds"] for row in rows],
        "peak_mib": peak / 2**20,
        "peak_mib_estimated": expected.memory / 2**20,
        "accuracy": [row["accuracy"] for row in rows],
    }


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.environ["WOBBLE_RUNS_DIR"] = folder
        print(json.dumps([three_seeds(), two_seeds("lora"), two_seeds("full")], indent=2))
