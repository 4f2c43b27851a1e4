"""What golden records are made of: 60 texts by name, the models, and which text meets which model in which way."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import MODELS

GALLERY = Path(__file__).parents[2] / "assets" / "data" / "gallery.json"

HOSTILE: dict[str, str] = {
    "empty": "",
    "only spaces": "   ",
    "lone newline": "\n",
    "tabs and newlines": "\tA fine\t\tfilm.\r\n\r\nReally\n",
    "control characters": "A \x00fine\x07 film\x1b[31m, \u200bhonestly\ufeff.",
    "combining marks": "Cafe\u0301 nai\u0308ve, z\u0336\u0361a\u0330l\u0325g\u0301o.",
    "emoji": "\U0001f600\U0001f600 \U0001f44d\U0001f3fd great \U0001f1e9\U0001f1ea!!!",
    "zero-width joiners": "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466",
    "right to left": "\u202ea fine film\u202c, \u05e1\u05e8\u05d8 \u05d8\u05d5\u05d1",
    "Arabic": "\u0641\u064a\u0644\u0645 \u0631\u0627\u0626\u0639 \u062c\u062f\u0627\u060c \u0623\u062d\u0628\u0628\u062a\u0647.",
    "Hindi": "\u092f\u0939 \u092b\u093f\u0932\u094d\u092e \u0905\u091a\u094d\u091b\u0940 \u0939\u0948\u0964",
    "Chinese": "\u8fd9\u90e8\u7535\u5f71\u5f88\u65e0\u804a\uff0c\u4f46\u662f\u97f3\u4e50\u5f88\u597d\u3002",
    "special tokens": "Not good</s></s>not bad <s> [CLS] [MASK] <pad> [UNK] <|endoftext|>",
    "markup": "<script>alert('bad')</script> <b>A &amp; B</b> isn't &quot;good&quot;",
    "numbers": "3.14159 1,000,000 50% -7e10 0x1F 10/10 No. 5 (2002)",
    "shouting": "WORST. FILM. EVER!!! Why, WHY, why???",
    "one letter": "a",
    "one long word": "good" * 200,
    "5,000 words": " ".join(["A slow, sad film that is not without its charms, and", "yet"] * 417) + " dull.",
}
"""Texts that a careless engine stumbles on."""

TINY: dict[str, dict[str, Any]] = {
    "bert": {},
    # Makes a family with the one above, whose members answer one after the other.
    "bert-43": {"of": "bert", "seed": 43},
    "bert-topics": {"of": "bert", "num_labels": 7, "seed": 1},
    "bert-yes-or-no": {"of": "bert", "num_labels": 1, "seed": 4},
    "bert-no-dropout": {
        "of": "bert", "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0, "classifier_dropout": 0.0, "seed": 5,
    },
    "roberta": {"num_labels": 3},
    "roberta-sigmoid": {"of": "roberta", "num_labels": 4, "problem_type": "multi_label_classification", "seed": 2},
    "roberta-regression": {"of": "roberta", "num_labels": 1, "problem_type": "regression", "seed": 3},
    "roberta-sentiment": {"of": "roberta", "labels": ["negative", "positive"], "seed": 7},
    "deberta-v2": {"num_labels": 3},
    "xlnet": {},
    "gpt2": {},
    "qwen2": {},
    "bart": {},
    "modernbert": {},
}  # fmt: skip
"""Small random classifiers by name: their architecture in `tests.architectures`, if that is another one, and its options."""

TINY_TEXTS = ("gallery 00", "gallery 01", "gallery 39", "empty", "special tokens", "numbers")
SHORTEST_TEXTS = (*(f"gallery {number:02}" for number in range(0, 20, 2)), "shouting", "only spaces", "Chinese")
"""Each search may take some hundred forward passes."""
PASSES = 20
FIXTURE_TEXTS = (
    "gallery 00",
    "gallery 01",
    "gallery 19",
    "gallery 39",
    "gallery 40",
    "special tokens",
    "numbers",
    "empty",
)
FIXTURE_TINY = ("roberta-sentiment", "roberta-sigmoid", "roberta-regression", "gpt2")
"""Byte-level BPE alone: the trainers of WordPiece and Unigram give another vocabulary in each process."""


@dataclass(frozen=True)
class Job:
    """One model and what it is asked."""

    model: str
    """In the catalog."""
    texts: tuple[str, ...]
    """By name; each gets every kind of record but the search."""
    shortest: tuple[str, ...]
    """Those of them for which the shortest flip is searched."""
    calibrate: bool = False
    """Whether a temperature is fitted on the embedded movie snippets, for which the labels must be theirs."""


def all_texts() -> dict[str, str]:
    """The 60 texts by name: the gallery's, then the hostile ones."""
    gallery = json.loads(GALLERY.read_text(encoding="utf-8"))
    return {f"gallery {number:02}": entry["text"] for number, entry in enumerate(gallery)} | HOSTILE


def evenly(names: Iterable[str], count: int | None) -> tuple[str, ...]:
    """At most `count` of some names, taken in even steps so that they represent all."""
    names = tuple(names)
    if count is None or count >= len(names):
        return names
    return tuple(names[i * len(names) // count] for i in range(count))


def jobs(texts: int | None = None, models: Iterable[str] | None = None) -> list[Job]:
    """Everything that is recorded, or a part of it.

    Args:
        texts: how many for each embedded model; None: all.
        models: ids; None: the embedded ones and the small random ones.
    """
    chosen = evenly(all_texts(), texts)
    searched = tuple(name for name in chosen if name in SHORTEST_TEXTS)
    found = [Job(model, chosen, searched, calibrate=model == MODELS[0]) for model in MODELS]
    found += [Job(f"tiny/{name}", TINY_TEXTS, TINY_TEXTS[:2], _has_sentiments(name)) for name in TINY]
    wanted = None if models is None else set(models)
    if wanted is not None and (unknown := wanted - {job.model for job in found}):
        raise ValueError(f"No golden record is made of {', '.join(sorted(unknown))}.")
    return [job for job in found if wanted is None or job.model in wanted]


def fixture_jobs() -> list[Job]:
    """What the committed fixture holds: small enough to be computed in every run of the tests."""
    searched = ("gallery 01", "numbers")
    found = [Job(model, FIXTURE_TEXTS, searched) for model in MODELS]
    return found + [Job(f"tiny/{name}", TINY_TEXTS[:3], TINY_TEXTS[:1], _has_sentiments(name)) for name in FIXTURE_TINY]


def _has_sentiments(name: str) -> bool:
    return "labels" in TINY[name]


def save_tiny(root: Path, names: Iterable[str] = TINY) -> Path:
    """Write small random classifiers below a folder; `WOBBLE_MODEL_DIRS` set to it makes them `tiny/NAME`.

    Returns:
        The folder that they are in.
    """
    from tests.architectures import save  # it imports torch, which the command itself does not need

    for name in names:
        options: Mapping[str, Any] = TINY[name]
        settings = {key: value for key, value in options.items() if key != "of"}
        save(options.get("of", name), root / "tiny" / name, **settings)
    return root / "tiny"
