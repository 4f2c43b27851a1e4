"""Claims about chance: seeds, dropout, devices, data."""

from dataclasses import replace

import numpy as np
import torch

from core.base.statistics import wilson
from core.base.words import listed
from core.factors.dropout import Dropout, run_passes
from core.families.interpolation import NO_BARRIER, interpolate
from core.lessons.claims.claim import Found, Models, claim
from core.lessons.claims.inputs import CASE, WHITE_SPACE
from core.lessons.material import PAIR, SENTENCE, answers, seeds, snippets
from core.lessons.training import EXAMPLES, SEEDS, train_twice
from core.models import catalog
from core.models.heads import Probabilities
from core.models.predict import Condition, forward
from core.text.perturb import perturbations

COMPARED = 600
BETWEEN = 150
REPEATS, PASSES = 10, 30
ROUNDED = 30
EDITED, SCORED = 40, 300


@claim(
    "C1",
    "Random initial weights and optimization steps lead equal recipes to different local minima.",
    "Only the head (with LoRA its factors too), the order of the data and dropout are random when an encoder is fine-tuned. Two "
    "seeds end in different places; whether a barrier lies between them has to be measured: here one does.",
    """
import torch
from transformers import AutoModelForSequenceClassification

# All randomness in one place: before the model is made, since the head is drawn then.
torch.manual_seed(42)
model, info = AutoModelForSequenceClassification.from_pretrained(
    "assets/models/minilm", num_labels=2, output_loading_info=True
)
drawn = sum(p.numel() for name, p in model.named_parameters() if name in info["missing_keys"])
print(f"{drawn:,} of {sum(p.numel() for p in model.parameters()):,} parameters were drawn:", sorted(info["missing_keys"]))
""",
)
def minima(_: Models) -> Found:
    """The barrier of loss between two seeds of one family (Frankle et al., arXiv 1912.05671)."""
    one, other = (catalog.load(id).model.get_parameter("classifier.weight") for id in PAIR)
    apart = float((one - other).norm() / one.norm())
    found = interpolate(seeds(), snippets(BETWEEN), "42", "43", points=7)
    rises = f"rises above the straight line by at most {max(found.barrier, 0):.3f} nats"
    return Found(
        "holds" if found.has_barrier else "does not hold",
        f"Seeds 42 and 43 end in different places (their heads are {apart:.0%} of the first one's length apart), but between them "
        f"the loss on {BETWEEN} snippets {rises} ({found.loss[0]:.3f} and {found.loss[-1]:.3f} at the ends): "
        f"{'a barrier' if found.has_barrier else f'no barrier (below {NO_BARRIER:g})'}.",
        {"apart": apart, "barrier": found.barrier},
    )


@claim(
    "C2",
    "Runs are not bitwise repeatable even with equal data and hyperparameters.",
    "With every seed set they are, on one machine with the same versions. With another seed they are not.",
    """
import torch
from transformers import AutoModelForSequenceClassification, set_seed

torch.use_deterministic_algorithms(True, warn_only=True)
weights = []
for seed in (42, 42, 43):
    set_seed(seed)  # before the model is made: Trainer's own seed comes too late for the head
    model = AutoModelForSequenceClassification.from_pretrained("assets/models/minilm", num_labels=2)
    # ... Trainer(model=model, args=TrainingArguments(..., seed=seed, data_seed=seed)).train() ...
    weights.append(model.classifier.weight.detach())
print("42 twice:", torch.equal(weights[0], weights[1]), "42 and 43:", torch.equal(weights[0], weights[2]))
""",
)
def repeatable(_: Models) -> Found:
    """Train twice and compare the hashes of the weights."""
    found = train_twice()
    same, other = found.first == found.again, found.first == found.other
    return Found(
        "does not hold" if same else "holds",
        f"Fine-tuned on {EXAMPLES} snippets in two processes, seed {SEEDS[0]} gives {'equal' if same else 'different'} weights "
        f"(sha256 {found.first[:8]} and {found.again[:8]}); seed {SEEDS[1]} gives {'the same' if other else 'others'} "
        f"({found.other[:8]}).",
        {"equal": same, "other_equal": other},
    )


def _pair(count: int) -> tuple[Probabilities, Probabilities]:
    """Probabilities of some snippets by the two seeds: each `[n_texts, n_labels]`."""
    texts = snippets(count).texts
    p, q = (answers(catalog.load(id), texts) for id in PAIR)
    return p, q


@claim(
    "C3",
    "Differences show where confidence is low.",
    "True: two seeds disagree mostly where the margin is small.",
    """
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("assets/models/bpe-cased")
model = AutoModelForSequenceClassification.from_pretrained("assets/models/bpe-cased", dtype=torch.float32).eval()
with torch.inference_mode():
    for text in ("A wonderful film.", "Melodrama with a message."):
        first, second = model(**tokenizer(text, return_tensors="pt")).logits.softmax(-1)[0].topk(2).values
        print(text, "margin", float(first - second))  # the smaller, the less to be relied on
""",
)
def low_confidence(_: Models) -> Found:
    """Disagreement of two seeds by quarters of the margin."""
    p, q = _pair(COMPARED)
    order = np.argsort(np.abs(p[:, 0] - p[:, 1]), kind="stable")
    quarters = [float((p[part].argmax(-1) != q[part].argmax(-1)).mean()) for part in np.array_split(order, 4)]
    return Found(
        "holds" if quarters[0] > quarters[1] >= quarters[3] else "does not hold",
        f"Of {COMPARED} snippets, in quarters from the smallest margin to the largest, seeds 42 and 43 disagree on "
        f"{listed([f'{share:.1%}' for share in quarters])}.",
        {f"quarter {number}": share for number, share in enumerate(quarters, start=1)},
    )


@claim(
    "C4",
    "Dropout adds to the non-deterministic behaviour of the model.",
    "While training, or when someone left it on. In eval mode, in which from_pretrained returns a model, nothing is drawn.",
    """
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("assets/models/bpe-cased")
model = AutoModelForSequenceClassification.from_pretrained("assets/models/bpe-cased", dtype=torch.float32)
inputs = tokenizer("This is a test sentence.", return_tensors="pt")
with torch.inference_mode():
    model.eval()  # after training, and after any constructor or from_config, which return train mode
    assert torch.equal(model(**inputs).logits, model(**inputs).logits)
    model.train()
    print("left on:", model(**inputs).logits.tolist(), model(**inputs).logits.tolist())
""",
    on_base=True,
)
def dropout(models: Models) -> Found:
    """Repeat in eval mode and with dropout on, and count answers that differ in any bit."""
    model = models[0]
    (encoding,) = model.encoder([SENTENCE])
    off = {forward(model, [encoding]).tobytes() for _ in range(REPEATS)}
    on, _ = run_passes(model, encoding, PASSES, Dropout())
    different, flips = (
        len({row.tobytes() for row in on}),
        int((on.argmax(-1) != forward(model, [encoding]).argmax()).sum()),
    )
    return Found(
        "depends" if len(off) == 1 and different > 1 else "holds" if len(off) > 1 else "does not hold",
        f"In eval mode {REPEATS} runs of “{SENTENCE}” by {model.id} give {len(off)} answer, bit for bit; with dropout left on "
        f"{PASSES} passes give {different}, and {flips} flip.",
        {"off": len(off), "on": different, "flips": flips},
    )


@claim(
    "C9",
    "Example 1: seeds 42 and 43 give slightly different predictions.",
    "True near the boundary, but rarely for a sentence chosen beforehand. Head, order and dropout have three separate seeds.",
    """
import numpy as np
import torch
from peft import PeftModel
from transformers import AutoModelForSequenceClassification, AutoTokenizer

texts = ["Melodrama with a message.", "A wonderful film.", "Slick piece of cross promotion."]
tokenizer = AutoTokenizer.from_pretrained("assets/models/minilm-uncased")
labels = []
for folder in ("minilm-uncased", "minilm-uncased-43"):  # many sentences and both seeds, not sentence 0
    base = AutoModelForSequenceClassification.from_pretrained("assets/models/minilm", num_labels=2)
    model = PeftModel.from_pretrained(base, f"assets/models/{folder}").eval()
    with torch.inference_mode():
        labels.append(model(**tokenizer(texts, padding=True, return_tensors="pt")).logits.argmax(-1).numpy())
print("disagreement", np.mean(labels[0] != labels[1]))
""",
)
def two_seeds(_: Models) -> Found:
    """Sentence 0, and disagreement and accuracies on many."""
    p, q = _pair(COMPARED)
    apart = p.argmax(-1) != q.argmax(-1)
    low, high = wilson(int(apart.sum()), COMPARED)
    right = snippets(COMPARED).numbered_as(catalog.load(PAIR[0]).labels)
    accuracy = [float((one.argmax(-1) == right).mean()) for one in (p, q)]
    first = "different classes" if apart[0] else "the same class"
    return Found(
        "holds" if apart.any() else "does not hold",
        f"Seeds 42 and 43 give sentence 0 {first} ({p[0].max():.3f} and {q[0].max():.3f}). They disagree on {apart.mean():.1%} of "
        f"{COMPARED} snippets (95% interval {low:.1%} to {high:.1%}), with accuracies of {accuracy[0]:.1%} and {accuracy[1]:.1%}.",
        {
            "disagreement": float(apart.mean()),
            "sentence_0": bool(apart[0]),
            "accuracies": float(accuracy[0] - accuracy[1]),
        },
    )


@claim(
    "C10",
    "Setting seeds does not make runs equal across devices and versions.",
    "True: sums of floating-point numbers depend on their order, and the order on the kernel, the device and the version. Within "
    "one of each, equal seeds give equal runs.",
    """
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("assets/models/bpe-cased")
inputs = tokenizer("This is a test sentence.", return_tensors="pt")
with torch.inference_mode():
    one, other = (
        AutoModelForSequenceClassification.from_pretrained(
            "assets/models/bpe-cased", dtype=torch.float32, attn_implementation=kernel
        )(**inputs).logits
        for kernel in ("sdpa", "eager")
    )
# Compare with a tolerance, and keep torch.__version__ and the device with every number.
print("largest difference", float((one - other).abs().max()))
assert torch.allclose(one, other, atol=1e-4)
""",
    on_base=True,
)
def across_devices(models: Models) -> Found:
    """The same snippets twice, and on the CPU or with another attention kernel."""
    model = models[0]
    encodings = model.encoder(list(snippets(ROUNDED).texts))
    own, again, other = [], [], []
    cpu = None if model.device.type == "cpu" else catalog.load(model.id, torch.device("cpu"))
    for encoding in encodings:
        own.append(forward(model, [encoding])[0])
        again.append(forward(model, [encoding])[0])
        elsewhere = forward(model, [encoding], Condition(kernel="eager")) if cpu is None else forward(cpu, [encoding])
        other.append(elsewhere[0])
    same = np.array_equal(own, again)
    moved = int((np.array(own) != np.array(other)).any(axis=-1).sum())
    largest = float(np.abs(np.array(own) - np.array(other)).max())
    where = (
        f"the CPU instead of {model.device.type}"
        if cpu
        else "another attention kernel, which stands here for another device"
    )
    return Found(
        "holds" if same and moved else "does not hold",
        f"On one device and version {ROUNDED} snippets run twice by {model.id} give {'equal' if same else 'different'} bits. With "
        f"{where}, {moved} of {ROUNDED} answers differ, by at most {largest:.1g} in a logit; no seed controls that.",
        {"same": same, "moved": moved, "largest": largest},
    )


@claim(
    "C11",
    "Keep the data set locally if results are to be repeated.",
    "True: keep it and its fingerprint, because a data set on a hub can change while its name stays.",
    """
import hashlib
from pathlib import Path

data = Path("assets/data/snippets.parquet")
print(data.name, hashlib.sha256(data.read_bytes()).hexdigest())  # beside every result that rests on it
""",
)
def keep_the_data(_: Models) -> Found:
    """The fingerprint of the data, and of the data with one space more."""
    data = snippets(COMPARED)
    changed = replace(data, texts=(data.texts[0] + " ", *data.texts[1:]))
    equal, noticed = data.fingerprint == snippets(COMPARED).fingerprint, data.fingerprint != changed.fingerprint
    return Found(
        "holds" if equal and noticed else "does not hold",
        f"The fingerprint of {COMPARED} snippets is {data.fingerprint[:8]} whenever it is taken; with one space after the first "
        f"text it is {changed.fingerprint[:8]}.",
        {"equal": equal, "noticed": noticed},
    )


@claim(
    "C15",
    "Fixed seeds and standardised tokenization and inference make outputs more consistent.",
    "True, and it has a price: the model can no longer read what standardising takes away.",
    """
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("assets/models/bpe-cased")
model = AutoModelForSequenceClassification.from_pretrained("assets/models/bpe-cased", dtype=torch.float32).eval()


def predict(text):
    text = " ".join(text.split()).lower()  # one standard for every caller
    with torch.inference_mode():
        return int(model(**tokenizer(text, return_tensors="pt")).logits.argmax(-1))


assert predict("This  is a TEST. ") == predict("This is a test.")
""",
)
def standardised(models: Models) -> Found:
    """Flips by white-space and case edits with and without a standard form, and what that costs in accuracy."""
    model = models[1]
    rules = [rule for rule in perturbations(["whitespace", "casing"]) if rule.name in (*WHITE_SPACE, *CASE)]
    texts = snippets(EDITED).texts
    pairs = [(text, edit) for text in texts for rule in rules if (edit := rule.apply(text)) and edit != text]

    def flips(standard: bool) -> float:
        read = [tuple(_standard(part) if standard else part for part in pair) for pair in pairs]
        before, after = (answers(model, list(side)).argmax(-1) for side in zip(*read, strict=True))
        return float((before != after).mean())

    data = snippets(SCORED)
    right = data.numbered_as(model.labels)
    accuracy = [
        float((answers(model, some).argmax(-1) == right).mean())
        for some in (data.texts, tuple(map(_standard, data.texts)))
    ]
    rate, then = flips(False), flips(True)
    return Found(
        "holds" if then < rate else "does not hold",
        f"Of {len(pairs)} white-space and case edits {rate:.1%} flip {model.id}; with white space and case standardised first "
        f"{f'{then:.1%}' if then else 'none'} do. The price: accuracy on {SCORED} snippets goes from {accuracy[0]:.1%} to "
        f"{accuracy[1]:.1%}.",
        {"before": rate, "after": then, "accuracy_before": accuracy[0], "accuracy_after": accuracy[1]},
    )


def _standard(text: str) -> str:
    return " ".join(text.split()).lower()
