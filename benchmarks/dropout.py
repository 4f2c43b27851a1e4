"""Stochastic passes against the usual loop: `model.train()`, one pass at a time, on a copy of the same model."""

import copy
from typing import Any

import torch

from benchmarks.edits import sentence_of
from benchmarks.timing import medians
from core.factors.dropout import Dropout, run_passes
from core.models import catalog
from core.models.classifier import model_inputs

PASSES = 100


def hundred_passes(rounds: int = 5) -> list[dict[str, Any]]:
    """100 passes of a 34-token sentence, all sites on, and only the head's."""
    classifier = catalog.load()
    text = sentence_of(classifier)
    trained = copy.deepcopy(classifier.model).train()
    inputs = model_inputs(classifier, classifier.encoder([text]))

    def loop() -> None:
        with torch.inference_mode():
            for _ in range(PASSES):
                trained(**inputs)

    head = Dropout(sites=("head",))
    seconds = medians(
        {
            "loop": loop,
            "all_sites": lambda: run_passes(classifier, [text], PASSES),
            "head_only": lambda: run_passes(classifier, [text], PASSES, head),
        },
        rounds,
    )
    return [
        {
            "benchmark": f"{PASSES} passes of one 34-token sentence, {name.replace('_', ' ')}",
            "model": classifier.id,
            "device": str(classifier.device),
            "rows_run": run_passes(classifier, [text], PASSES, dropout).rows_run,
            "seconds": {"model_train_loop": seconds["loop"], "wobble": seconds[name]},
            "times_as_fast": seconds["loop"] / seconds[name],
        }
        for name, dropout in (("all_sites", Dropout()), ("head_only", head))
    ]
