"""Claims about the temperature."""

import numpy as np

from core.base.words import plural, verb
from core.factors.temperature import HOTTEST
from core.lessons.claims.claim import Found, Models, claim
from core.lessons.material import SENTENCE, alone, answers, snippets
from core.models.predict import predict
from core.studies import temperatures

READ = 100
STEPS = (0.05, 0.5, 1.0, 2.0, 20.0)
AT = (0.5, 1.0, 2.0)
"""The article's three."""
THRESHOLD = 0.8


@claim(
    "C7",
    "A higher temperature evens the probabilities out, a lower one sharpens them.",
    "True: the entropy rises with T and the largest probability falls, for every text.",
    """
import torch

logits = torch.tensor([1.2, -0.3])
for temperature in (0.5, 1.0, 2.0):
    print(temperature, (logits / temperature).softmax(-1).tolist())
""",
    on_base=True,
)
def evens_out(models: Models) -> Found:
    """How often the entropy of a snippet falls while T rises."""
    model = models[0]
    logits = predict(model, model.encoder(list(snippets(READ).texts))).logits
    p = np.stack([model.head.probabilities(logits, t) for t in STEPS])
    against = int((np.diff(model.head.entropy(p), axis=0) < -1e-12).sum())
    largest = p.max(axis=-1).mean(axis=-1)
    return Found(
        "holds" if against == 0 else "does not hold",
        f"On {READ} snippets {model.id}'s mean largest probability is {largest[1]:.3f} at T = 0.5, {largest[2]:.3f} at 1 and "
        f"{largest[3]:.3f} at 2; from T = {STEPS[0]:g} to {STEPS[-1]:g} the entropy falls {against} times.",
        {"against": against, "cold": float(largest[1]), "own": float(largest[2]), "hot": float(largest[3])},
    )


@claim(
    "C8",
    "A temperature can look like inconsistency although the model is the same.",
    "True of probabilities, of decisions by a threshold and of sampled labels; never of the most probable label.",
    """
import torch

logits = torch.tensor([[1.2, -0.3]])
for temperature in (0.5, 1.0, 2.0):
    p = (logits / temperature).softmax(-1)
    print(temperature, "label", int(p.argmax()), "acts above 0.8:", bool(p.max() > 0.8), "another drawn:", float(1 - p.max()))
""",
    on_base=True,
)
def looks_inconsistent(models: Models) -> Found:
    """Labels, decisions by a threshold and sampled labels at the three temperatures of the article."""
    model = models[0]
    logits = predict(model, model.encoder(list(snippets(READ).texts))).logits
    p = np.stack([model.head.probabilities(logits, t) for t in AT])
    labels = int((p.argmax(-1) != p[1].argmax(-1)).any(axis=0).sum())
    acts = p.max(axis=-1) > THRESHOLD
    decisions = int((acts != acts[1]).any(axis=0).sum())
    sampled = 1 - p.max(axis=-1).mean(axis=-1)
    return Found(
        "holds" if labels == 0 and decisions > 0 else "does not hold",
        f"Between T = 0.5 and 2 {model.id} changes the label of {labels} of {READ} snippets, but crosses a threshold of "
        f"{THRESHOLD:g} on {decisions}, and a sampled label is another one with probability {sampled[0]:.2f} to {sampled[2]:.2f}.",
        {"labels": labels, "decisions": decisions, "cold": float(sampled[0]), "hot": float(sampled[2])},
    )


@claim(
    "C14",
    "Example 3: the class can change with the temperature.",
    "False for T above 0 and the most probable class: dividing by T keeps the order. What can change: a threshold other than "
    "1/2, sampling, averaging after tempering, ties from rounding in half precision or at a very high T; and near T = 1e-38 "
    "nothing is a number any more.",
    """
import torch

logits = torch.tensor([[0.7, 0.2]])
for temperature in (1.0, 0.5, 2.0):
    print(temperature, int((logits / temperature).softmax(-1).argmax()))  # always the same class
print("bfloat16 at T = 10,000:", (logits.bfloat16() / 10_000).softmax(-1).tolist())  # a tie
""",
    on_base=True,
)
def example_three(models: Models) -> Found:
    """The article's third example, every embedded model over a wide range, and the exceptions."""
    model = models[0]
    (logits,) = alone(model, [SENTENCE])
    classes = [int(model.head.probabilities(logits, t).argmax()) for t in AT]
    texts = list(snippets(READ).texts)
    every = [(one.head, predict(one, one.encoder(texts)).logits) for one in models]
    labels = np.stack([np.concatenate([head.probabilities(z, t).argmax(-1) for head, z in every]) for t in STEPS])
    moved = int((labels != labels[0]).any(axis=0).sum())
    top = float(answers(model, [SENTENCE]).max())
    where = temperatures.crossing(logits, THRESHOLD)
    tie = temperatures.first_tie(logits, "bfloat16", np.geomspace(1.0, HOTTEST, 600))
    crosses = "" if where is None else f" It passes a threshold of {THRESHOLD:g} at T = {where:.2g}."
    ties = "" if tie is None else f" In bfloat16 its two probabilities tie from T = {tie:,.0f} on."
    return Found(
        "does not hold" if len(set(classes)) == 1 and moved == 0 else "holds",
        f"{model.id} gives “{SENTENCE}” class {classes[0]} at T = 0.5, 1 and 2 ({top:.3f} at 1). Of "
        f"{plural(labels.shape[1], 'prediction')} by {plural(len(models), 'model')} {moved or 'none'} "
        f"{verb(moved or 1, 'changes', 'change')} between T = {STEPS[0]:g} and {STEPS[-1]:g}.{crosses}{ties}",
        {"classes": len(set(classes)), "moved": moved, "tie": tie or 0.0},
    )
