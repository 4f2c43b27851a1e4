"""Lessons about chance: dropout, untrained heads, seeds."""

import numpy as np

from core.base.words import listed, plural
from core.lessons.guided.lesson import Opens, Shown, lesson
from core.lessons.guided.reading import ON_THE_EDGE
from core.lessons.material import ENCODER, PAIR, PLAIN, answers, fresh_heads, models, snippets
from core.models import catalog
from core.studies.study import study

PASSES = 50
LOADS = 10
REVIEWS = 300
FEW, MANY = 0.01, 0.15
"""Shares of the reviews below which two models hardly disagree, and above which they disagree a lot."""


@lesson(
    "forgotten-eval",
    "Someone forgot eval()",
    f"A model was fine-tuned and is asked at once, still in training mode: dropout is on. The same sentence is run {PASSES} "
    "times. What comes out?",
    (
        f"{PASSES} times the same answer",
        "Slightly different probabilities, always the same label",
        "Other probabilities each time, and both labels",
    ),
    right=2,
    why="Dropout switches off a random tenth of the numbers in every layer, to train a sturdier model. At inference it should "
    "be off; from_pretrained returns a model in eval mode, but a constructor, from_config and a model that was just trained "
    "are in training mode. One line, model.eval(), ends it, and then the same sentence gets the same answer bit for bit.",
    read=(
        (
            "Module.eval, PyTorch",
            "https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.eval",
        ),
        ("Dropout as a Bayesian approximation (Gal and Ghahramani)", "https://arxiv.org/abs/1506.02142"),
    ),
    opens=Opens("dropout", ON_THE_EDGE, (catalog.DEFAULT,), {"passes": str(PASSES)}),
)
def forgotten_eval() -> Shown:
    """Passes with dropout on beside the one answer of eval mode."""
    model = models()[0]
    found = study(model, ON_THE_EDGE, ["dropout"], {"dropout": {"passes": PASSES}})
    (row,) = found.rows
    flips, distinct = row.flips or 0, len({case.logits.tobytes() for case in row.cases})
    top = int(found.reference.probabilities.argmax())
    p = row.probabilities[:, top]
    return Shown(
        2 if flips else 1 if distinct > 1 else 0,
        f"{PASSES} passes give {plural(distinct, 'different answer')}; {flips} of them flip. The probability of "
        f"“{found.reference.label}” runs from {p.min():.2f} to {p.max():.2f}; in eval mode it is "
        f"{found.reference.probabilities[top]:.3f}, every time.",
        ("run", "label", "probability"),
        (
            ("eval mode", found.reference.label, f"{found.reference.probabilities[top]:.3f}"),
            *(
                (f"pass {n}", case.label, f"{case.probabilities[top]:.3f}")
                for n, case in enumerate(row.cases[:6], start=1)
            ),
        ),
        found,
        {"flips": flips, "distinct": distinct},
    )


@lesson(
    "untrained-head",
    "An untrained head",
    f"An encoder without a classification head is loaded as a classifier, {LOADS} times, and asked about “{PLAIN}” each time. "
    "How many classes does it give?",
    (
        "One: the weights come from the same file",
        "Both, now one and now the other",
        "None: loading fails",
    ),
    right=1,
    why="The file holds the encoder but no head, so transformers draws one at random and prints a warning that is easily "
    "missed. Everything that such a model says is chance. It is the commonest reason for “my model gives another answer each "
    "time I load it”. Look at missing_keys of from_pretrained(..., output_loading_info=True), and fine-tune before you ask.",
    read=(
        ("transformers, issue 2770", "https://github.com/huggingface/transformers/issues/2770"),
        ("transformers, issue 18120", "https://github.com/huggingface/transformers/issues/18120"),
    ),
    opens=Opens("overview", PLAIN, (ENCODER,)),
)
def untrained_head() -> Shown:
    """Classes of one text over loads of an encoder without a head."""
    logits, missing = fresh_heads(ENCODER, (PLAIN,), LOADS)
    classes = logits[:, 0].argmax(axis=-1)
    p = np.exp(logits[:, 0]) / np.exp(logits[:, 0]).sum(axis=-1, keepdims=True)
    ones = int(classes.sum())
    return Shown(
        1 if 0 < ones < LOADS else 0,
        f"Class 0 in {LOADS - ones} loads and class 1 in {ones}. Drawn afresh each time: {listed(missing)}.",
        ("load", "class", "its probability"),
        tuple((str(n), str(c), f"{row.max():.3f}") for n, (c, row) in enumerate(zip(classes, p, strict=True), start=1)),
        None,
        {"ones": ones, "missing": len(missing)},
    )


@lesson(
    "two-seeds",
    "Two training seeds",
    "Two classifiers: the same encoder, data, recipe and nearly the same accuracy. Only the training seed differs: 42 "
    f"and 43, as in the article. On how many of {REVIEWS} reviews do they disagree?",
    ("On none: they were trained alike", "On some: about one in twenty", "On many: about one in three"),
    right=1,
    why="The seed draws the new head, the order of the texts and what dropout drops. All that decides where training ends, and "
    "there are many places to end that are right equally often, about different reviews. Accuracy does not show it. The two "
    "disagree nearly only where both are unsure, so the margin warns; averaging several seeds is the usual remedy.",
    read=(
        (
            "Fine-tuning pretrained language models: weight initializations, data orders (Dodge and others)",
            "https://arxiv.org/abs/2002.06305",
        ),
        ("Measuring the instability of fine-tuning", "https://arxiv.org/abs/2302.07778"),
    ),
    opens=Opens("seeds", "Star Wars is back in a major way.", (catalog.DEFAULT,)),
)
def two_seeds() -> Shown:
    """Disagreement of seeds 42 and 43 on held-out snippets."""
    data = snippets(REVIEWS)
    pair = [catalog.load(id) for id in PAIR]
    p, q = (answers(model, data.texts) for model in pair)
    right, apart = data.numbered_as(pair[0].labels), p.argmax(-1) != q.argmax(-1)
    accuracy = [float((one.argmax(-1) == right).mean()) for one in (p, q)]
    share = float(apart.mean())
    worst = np.flatnonzero(apart)[:5]
    return Shown(
        0 if share < FEW else 1 if share < MANY else 2,
        f"They disagree on {int(apart.sum())} of {REVIEWS} reviews ({share:.1%}), with accuracies of {accuracy[0]:.1%} and "
        f"{accuracy[1]:.1%}.",
        ("review", "seed 42", "seed 43"),
        tuple(
            (
                data.texts[i],
                *(f"{pair[0].labels[int(one[i].argmax())]} {one[i].max():.3f}" for one in (p, q)),
            )
            for i in worst
        ),
        None,
        {"share": share, "accuracy": accuracy[0] - accuracy[1]},
    )
