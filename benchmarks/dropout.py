"""Stochastic passes against the usual loop: `model.train()`, one pass at a time, on a copy of the same model."""

import copy
from typing import Any

import torch

from benchmarks.edits import sentence_of
from benchmarks.timing import medians
from core.base.cache import forget
from core.factors.dropout import Dropout, run_passes
from core.models import catalog
from core.models.heads import Logits
from core.models.predict import model_inputs

PASSES = 100


def hundred_passes(rounds: int = 5) -> list[dict[str, Any]]:
    """100 passes of a 34-token sentence, all sites on, and only the head's."""
    classifier = catalog.load()
    text = sentence_of(classifier)
    trained = copy.deepcopy(classifier.model).train()
    encoding = classifier.encoder([text])[0]
    inputs = model_inputs(classifier, [encoding])

    def loop() -> None:
        with torch.inference_mode():
            for _ in range(PASSES):
                trained(**inputs)

    def passes(dropout: Dropout) -> tuple[Logits, int]:
        forget(classifier)
        return run_passes(classifier, encoding, PASSES, dropout)

    every, head = Dropout(), Dropout(sites=("head",))
    seconds = medians(
        {
            "loop": loop,
            "all_sites": lambda: passes(every)[0],
            "head_only": lambda: passes(head)[0],
        },
        rounds,
    )
    return [
        {
            "benchmark": f"{PASSES} passes of one 34-token sentence, {name.replace('_', ' ')}",
            "model": classifier.id,
            "device": str(classifier.device),
            "rows_run": passes(dropout)[1],
            "seconds": {"model_train_loop": seconds["loop"], "wobble": seconds[name]},
            "times_as_fast": seconds["loop"] / seconds[name],
        }
        for name, dropout in (("all_sites", every), ("head_only", head))
    ]
