"""Small trainings: a recipe on a tiny base, its data, one member trained in this process, and runs without a worker."""

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from core.base.errors import WobbleError
from core.base.settings import settings
from core.data.labelled import DataSource, Labelled
from core.jobs import process
from core.jobs.job import State, announce
from core.models.loading import drawn_from
from core.training import runs
from core.training.recipe import Recipe, members_of, plan
from core.training.trainer import train_member
from tests.architectures import SENTENCES

NAMES = ("bad", "fair", "good")
TEXTS = ["The movie was not bad at all.", "AN UPPER CASE SENTENCE", "do you like it?", "Few films are a test."]


def data(n: int = 44, labels: tuple[str, ...] = NAMES) -> Labelled:
    """Labelled texts that SENTENCES' words make; the first twelve are held out."""
    words = " ".join(SENTENCES).split()
    rng = np.random.default_rng(0)
    return Labelled(
        texts=tuple(" ".join(rng.choice(words, size=3 + i % 7)) + f" {i}" for i in range(n)),
        labels=np.arange(n, dtype=np.int64) % len(labels),
        names=labels,
        split=np.array(["validation" if i < 12 else "train" for i in range(n)]),
    )


def recipe(**changes: Any) -> Recipe:
    """Two seeds of `models/base` on 24 examples, three steps each."""
    some = Recipe(
        name="mine",
        base="models/base",
        data=DataSource("mine.csv"),
        members=plan((1, 2)),
        examples=24,
        learning_rate=1e-2,
    )
    return replace(some, **changes)


def trained(some: Recipe, number: int = 0, told: Callable[[dict[str, Any]], None] = lambda _: None) -> SimpleNamespace:
    """The record of one member and its folder, trained in this process, whose random state stays what it is."""
    root = settings().runs_dir
    assert root is not None
    folder = root / some.name
    folder.mkdir(parents=True, exist_ok=True)
    seeds, name, place = list(members_of(some, folder))[number]
    with drawn_from(0):
        record = train_member(some, data(), seeds, name, place, torch.device("cpu"), told)
    return SimpleNamespace(**record, folder=place)


def recorded(some: Recipe, state: State = "done") -> runs.Run:
    """A run without a worker."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(process, "start_worker", lambda *_: None)
        run = runs.submit(some, data())
    announce(run.folder, state)
    return runs.run_at(run.folder)


def refused(call: Callable[[], Any]) -> str:
    """The one sentence of what is refused."""
    with pytest.raises(WobbleError) as caught:
        call()
    said = str(caught.value)
    assert "\n" not in said and said.endswith(".")
    return said
