"""Lessons about what the model reads."""

import numpy as np

from core.base.words import listed, number, plural, verb
from core.lessons.guided.lesson import Opens, Shown, lesson
from core.lessons.material import MODELS, answers, models, snippets
from core.models import catalog
from core.studies.study import study

ON_THE_EDGE = "Even in this less than magic kingdom, Reese rules."
"""A snippet on which the default model is nearly undecided."""
DEMAND = "If we don't demand a standard of quality for the art that we choose, we deserve the trash that we get."
MIXED = "An often watchable, though goofy and lurid, blast of a costume drama set in the late 15th century."
REVIEWS = 60


@lesson(
    "trailing-space",
    "Does a trailing space matter?",
    "Somebody pastes a sentence with one space after its last period. Three classifiers read it, each with a tokenizer of "
    "another kind. What does the space do?",
    (
        "Nothing: no model sees it",
        "It changes what every model says",
        "It depends on the tokenizer: for some it is gone, for some it changes the label",
    ),
    right=2,
    why="BERT's uncased tokenizer throws white space away before it cuts, so the token ids are the same and the prediction "
    "must be too. Byte-level BPE has a piece for a space, so the model reads one token more, and a sentence on the edge can fall. "
    "Look at the token ids first: if they are equal, no model can tell the difference.",
    read=(
        ("The tokenization pipeline, Hugging Face", "https://huggingface.co/docs/tokenizers/pipeline"),
        (
            "Language models are unsupervised multitask learners (byte-level BPE)",
            "https://openai.com/index/better-language-models/",
        ),
    ),
    opens=Opens("perturb", DEMAND, MODELS, {"variant": "trailing_space"}),
)
def trailing_space() -> Shown:
    """Ids and labels of one snippet without and with a space after it."""
    rows, changed, flipped = [], [], []
    for model in models():
        before, after = model.encoder([DEMAND, f"{DEMAND} "])
        p, q = answers(model, [DEMAND, f"{DEMAND} "])
        labels = [model.head.label(row, model.labels) for row in (p, q)]
        changed += [model.id] if before.ids != after.ids else []
        flipped += [model.id] if labels[0] != labels[1] else []
        rows.append(
            (
                model.id,
                f"{len(before.ids)} → {len(after.ids)}" if before.ids != after.ids else f"{len(before.ids)}, all equal",
                f"{labels[0]} {p.max():.3f}",
                f"{labels[1]} {q.max():.3f}",
            )
        )
    answer = 0 if not changed else 1 if len(flipped) == len(rows) else 2
    return Shown(
        answer,
        f"The space reaches {plural(len(changed), 'model')} of {len(rows)} ({listed(changed)}) and flips "
        f"{listed(flipped) or 'none'}.",
        ("model", "tokens without and with the space", "without", "with"),
        tuple(rows),
        study(models()[1], DEMAND, ["whitespace"]),
        {"changed": len(changed), "flipped": len(flipped)},
    )


@lesson(
    "capitals",
    "DO CAPITALS MATTER?",
    f"{REVIEWS} reviews are typed again with the Caps Lock key on. Of how many does the predicted label change?",
    (
        "Of hardly any, whatever the model",
        "Of about half, whatever the model",
        "Of none or of about half: the tokenizer decides",
    ),
    right=2,
    why="An uncased tokenizer puts every letter in lower case first, so capitals never arrive. A cased one has few pieces in "
    "capitals: the words fall into short, rare pieces, about which the model has learned little. Lower-casing the input of a cased "
    "model is no free remedy either, because it costs accuracy; the article's claim C15 has the numbers.",
    read=(("BERT's README on cased and uncased models", "https://github.com/google-research/bert#pre-trained-models"),),
    opens=Opens("perturb", ON_THE_EDGE, MODELS, {"variant": "upper"}),
)
def capitals() -> Shown:
    """Labels of snippets as they are and in capitals."""
    texts = list(snippets(REVIEWS).texts)
    shares, rows = {}, []
    for model in models():
        p, q = answers(model, texts), answers(model, [text.upper() for text in texts])
        flips, shift = int((p.argmax(-1) != q.argmax(-1)).sum()), float(np.abs(p - q).max(axis=-1).mean())
        pieces = np.mean([len(one.ids) for one in model.encoder([text.upper() for text in texts])])
        usual = np.mean([len(one.ids) for one in model.encoder(texts)])
        shares[model.id] = flips / REVIEWS
        rows.append((model.id, f"{usual:.0f} → {pieces:.0f}", f"{flips} of {REVIEWS}", f"{shift:.3f}"))
    high = [id for id, share in shares.items() if share > 0.25]
    return Shown(
        0 if not high else 1 if len(high) == len(shares) else 2,
        f"In capitals {listed([f'{id} changes {share:.0%} of its labels' for id, share in shares.items()])}.",
        ("model", "mean tokens, as written and in capitals", "labels changed", "mean shift"),
        tuple(rows),
        None,
        shares,
    )


@lesson(
    "final-period",
    "Is the final period noise?",
    f"“{ON_THE_EDGE}” The period at the end is left out. What happens?",
    (
        "Nothing: a period says nothing about the film",
        "The probabilities move a little, the label stays",
        "The label changes: for a sentence on the edge it decides",
    ),
    right=2,
    why="For the model a period is a token like any other, and in the training data it goes along with a label a little "
    "more often than not. Most sentences are far enough from the boundary that it does not matter; a sentence on the boundary "
    "falls to the side that any such token pushes it to. That is why one should look at the margin before trusting a label.",
    read=(
        (
            "ProsusAI/finbert, issue 45: a period changes the prediction",
            "https://github.com/ProsusAI/finBERT/issues/45",
        ),
        ("Naik and others on stress tests for inference", "https://arxiv.org/abs/1806.00692"),
    ),
    opens=Opens("perturb", ON_THE_EDGE, (catalog.DEFAULT,), {"variant": "drop_final_period"}),
)
def final_period() -> Shown:
    """Every punctuation edit of one snippet, and the dropped period on many."""
    model = models()[0]
    found = study(model, ON_THE_EDGE, ["punctuation"])
    (case,) = (one for one in found.cases if one.name == "drop_final_period")
    texts = [text for text in snippets(REVIEWS).texts if text.endswith(".")]
    p, q = answers(model, texts), answers(model, [text[:-1] for text in texts])
    flips, shift = int((p.argmax(-1) != q.argmax(-1)).sum()), float(np.abs(p - q).max(axis=-1).mean())
    before = found.reference
    return Shown(
        2 if case.flip else 1 if case.shift > found.noise_floor else 0,
        f"Without it {model.id} says {case.label} instead of {before.label}: the margin goes from {before.value:+.2f} to "
        f"{case.value:+.2f}. Of {len(texts)} other snippets {flips or 'none'} {verb(flips or 1, 'flips', 'flip')}; the mean "
        f"shift is {number(shift)}.",
        ("edit", "label", "margin"),
        tuple(
            (one.made.said, one.label, f"{one.value:+.3f}")
            for one in sorted((one for one in found.cases if one.reaches), key=lambda one: one.value)
        ),
        found,
        {"flip": bool(case.flip), "others": flips, "margin": case.value},
    )


@lesson(
    "segmentation",
    "The same letters in other pieces",
    "A tokenizer cuts “watchable” into pieces. Suppose it cut a few words of a sentence elsewhere: not one character changes. "
    "Can the label change?",
    (
        "No: the same characters are the same sentence",
        "The probabilities move, but the label stays",
        "Yes: other pieces are another input",
    ),
    right=2,
    why="A model never sees letters; it sees the numbers of pieces, and it has learned one usual way of cutting. Another cut "
    "of the same word is a sequence that it has hardly ever seen. A deployed tokenizer always cuts the same way, so this does not "
    "happen by itself; but a typo, a capital or a space makes the tokenizer cut differently, and this is what then happens.",
    read=(
        ("BPE-dropout (Provilkov and others)", "https://arxiv.org/abs/1910.13267"),
        ("Subword regularization (Kudo)", "https://arxiv.org/abs/1804.10959"),
    ),
    opens=Opens("tokens", MIXED, (catalog.DEFAULT,)),
)
def segmentation() -> Shown:
    """Drawn segmentations of one snippet."""
    model = models()[0]
    found = study(model, MIXED, ["segmentation"])
    (row,) = found.rows
    flips = row.flips or 0
    worst = sorted(row.cases, key=lambda one: one.value)[:5]
    return Shown(
        2 if flips else 1 if row.moving else 0,
        f"{flips} of {row.tried} other segmentations of the same characters flip “{found.reference.label}” of {model.id}.",
        ("segmentation", "label", "margin"),
        tuple(
            (" ".join(token for token, special in zip(one.encoding.tokens, one.encoding.special, strict=True) if not special),
             one.label, f"{one.value:+.3f}")
            for one in worst
        ),
        found,
        {"flips": flips, "tried": row.tried},
    )  # fmt: skip
