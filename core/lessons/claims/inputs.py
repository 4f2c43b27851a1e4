"""Claims about what the model reads: tokens, padding, and a head that nobody trained."""

import numpy as np

from core.base.words import listed, plural, verb
from core.lessons.claims.claim import Found, Models, Outcome, claim
from core.lessons.material import ENCODER, PLAIN, SPACED, alone, answers, fresh_heads, snippets, without_mask
from core.models.classifier import Classifier
from core.models.predict import readable
from core.studies.study import study
from core.text.perturb import perturbations
from core.text.visible import visible

WHITE_SPACE = ("leading_space", "trailing_space", "doubled_space", "tab", "newline", "trailing_newline")
CASE = ("lower", "upper", "title", "swapcase")
READ = 100
"""Snippets that are encoded only."""
RUN = 60
"""Snippets that are run as the article runs them."""
LOADS = 10
"""How often the encoder without a trained head is loaded."""
WIDEST = 512
"""What the article's `padding="max_length"` means with its checkpoint."""


@claim(
    "C5",
    "Tokenization is deterministic, but another tokenizer or another preprocessing on another occasion changes the input and "
    "with it the prediction.",
    "True. By how much depends on the text: keep the tokenizer and the preprocessing with the model.",
    """
from transformers import AutoTokenizer

text = "This is a test sentence."
for folder in ("minilm-uncased", "bpe-cased", "unigram-cased"):
    tokenizer = AutoTokenizer.from_pretrained(f"assets/models/{folder}")
    assert tokenizer(text) == tokenizer(text)  # deterministic
    print(folder, tokenizer.tokenize(text), tokenizer.tokenize(text.upper()))
""",
    on_base=True,
)
def tokenization(models: Models) -> Found:
    """Encode twice, and try every preprocessing step on one snippet."""
    text = "Even in this less than magic kingdom, Reese rules."
    repeated = all(model.encoder([text])[0].ids == model.encoder([text])[0].ids for model in models)
    lengths = {model.id: len(model.encoder([text])[0].ids) for model in models}
    rows = {model.id: study(model, text, ["preprocessing"])["preprocessing"] for model in models}
    reach = {id: row.tried - row.absorbed for id, row in rows.items()}
    flips = {id: row.flips or 0 for id, row in rows.items()}
    said = [
        f"{id} reads {lengths[id]} tokens, and of {reach[id]} preprocessing steps that change them {flips[id] or 'none'} "
        f"{verb(flips[id] or 1, 'flips', 'flip')}"
        for id in rows
    ]
    return Found(
        "holds" if repeated and any(reach.values()) else "does not hold",
        f"Encoded twice, the ids are equal. “{text}”: {'; '.join(said)}.",
        {"repeated": repeated, "reach": sum(reach.values()), "flips": sum(flips.values())},
    )


@claim(
    "C6",
    "White space and case change tokens, above all with byte-pair encodings.",
    "It depends on the tokenizer: an uncased WordPiece absorbs both before it cuts, byte-level BPE keeps every space and every "
    "capital, a Unigram with Metaspace keeps capitals and some spaces.",
    """
from transformers import AutoTokenizer

for folder in ("minilm-uncased", "bpe-cased", "unigram-cased"):
    tokenizer = AutoTokenizer.from_pretrained(f"assets/models/{folder}")
    plain = tokenizer("This is a test.")["input_ids"]
    for text in ("This  is a test.", "This is a test. ", "THIS IS A TEST."):
        print(folder, repr(text), "changes the ids" if tokenizer(text)["input_ids"] != plain else "is absorbed")
""",
    on_base=True,
)
def white_space_and_case(models: Models) -> Found:
    """The share of white-space and of case edits that change the ids, without running a model."""
    rules = {rule.name: rule for rule in perturbations(["whitespace", "casing"])}
    texts = snippets(READ).texts
    shares: dict[str, float] = {}
    said = []
    for model in models:
        before = [encoding.ids for encoding in model.encoder(list(texts))]
        parts = []
        for what, names in (("white-space", WHITE_SPACE), ("case", CASE)):
            changed = total = 0
            for name in names:
                edited = [rules[name].apply(text) or text for text in texts]
                read = [encoding.ids for encoding in model.encoder(edited)]
                pairs = zip(before, read, texts, edited, strict=True)
                kept = [old != new for old, new, text, edit in pairs if text != edit]
                changed, total = changed + sum(kept), total + len(kept)
            shares[f"{model.id} {what}"] = changed / total
            parts.append(f"{changed:,} of {total:,} {what} edits")
        said.append(f"for {model.id} {listed(parts)}")
    outcome: Outcome = (
        "holds" if min(shares.values()) == 1 else "does not hold" if max(shares.values()) == 0 else "depends"
    )
    return Found(outcome, f"Of {READ} snippets these change the ids: {'; '.join(said)}.", shares)


@claim(
    "C12",
    "Example 2: “This is a test . ” and “This is a test.” give different tokens, so different classes.",
    "Not with the tokenizer of bert-base-uncased: the ids are identical, so the classes are too. What does change ids: no period, "
    "! instead of ., a curly apostrophe, or a space inside a word.",
    """
from transformers import AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("assets/models/minilm-uncased")  # the vocabulary of bert-base-uncased
one, other = (tokenizer(text)["input_ids"] for text in ("This is a test . ", "This is a test."))
print(one == other)
assert one == other
""",
    on_base=True,
)
def example_two(models: Models) -> Found:
    """The ids and classes of the article's two texts, and edits that do change ids."""
    first, *others = models
    read = {model.id: [one.ids for one in readable(model, [SPACED, PLAIN])] for model in models}
    equal = {id: spaced == plain for id, (spaced, plain) in read.items()}
    p = answers(first, [SPACED, PLAIN])
    same = bool((first.head.predicted(p[0]) == first.head.predicted(p[1])).all())
    edits = ("This is a test", "This is a test!", "This is a te st.", "This isn’t a test.")
    before = [encoding.ids for encoding in first.encoder([PLAIN, PLAIN, PLAIN, "This isn't a test."])]
    changing = [
        edit for edit, old, new in zip(edits, before, first.encoder(list(edits)), strict=True) if old != new.ids
    ]
    elsewhere = [model.id for model in others if not equal[model.id]]
    rest = f" {listed(elsewhere)} {verb(len(elsewhere), 'reads', 'read')} different ids." if elsewhere else ""
    ids = "the same" if equal[first.id] else "different"
    return Found(
        "does not hold" if equal[first.id] else "holds" if not same else "depends",
        f"{first.id} reads {ids} ids in both texts ({len(read[first.id][0])} and {len(read[first.id][1])} tokens) and gives "
        f"{'the same class' if same else 'two classes'}. {len(changing)} of {len(edits)} other edits change its ids: "
        f"{', '.join(f'“{visible(edit)}”' for edit in changing)}.{rest}",
        {"equal": equal[first.id], "same_class": same, "changing": changing, "elsewhere": elsewhere},
    )


@claim(
    "C13",
    "Example 2 shows that the input alone makes a pre-trained model vary.",
    "False: its head is not trained. Every load draws a new one, so the same text can get another class: the commonest cause of "
    "all.",
    """
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

CHECKPOINT = "assets/models/minilm"  # like bert-base-uncased: an encoder without a trained head
model, info = AutoModelForSequenceClassification.from_pretrained(CHECKPOINT, num_labels=2, output_loading_info=True)
print("drawn at random by this load:", sorted(info["missing_keys"]))
# Use a fine-tuned checkpoint, or fine-tune first: nothing below the head is to blame.
tokenizer = AutoTokenizer.from_pretrained("assets/models/bpe-cased")
model, info = AutoModelForSequenceClassification.from_pretrained(
    "assets/models/bpe-cased", dtype=torch.float32, output_loading_info=True
)
assert not info["missing_keys"]
with torch.inference_mode():
    print(model(**tokenizer("This is a test.", return_tensors="pt")).logits.softmax(-1))
""",
    on_base=True,
)
def untrained_head(models: Models) -> Found:
    """Load an encoder without a head again and again: how its classes differ between loads, and within one."""
    id = models[0].id if models[0].untrained else ENCODER
    logits, missing = fresh_heads(id, (SPACED, PLAIN), LOADS)
    labels = logits.argmax(axis=-1)
    between, within = len(set(labels[:, 1].tolist())), int((labels[:, 0] != labels[:, 1]).sum())
    ones = int(labels[:, 1].sum())
    spread = float(np.abs(logits[:, 1] - logits[0, 1]).max())
    apart = float(np.abs(logits[:, 0] - logits[:, 1]).max())
    return Found(
        "does not hold" if between > 1 and within == 0 else "holds",
        f"The encoder {id}, loaded {LOADS} times, calls the same text class 1 in {ones} loads and class 0 in {LOADS - ones}; "
        f"within a load the two texts never differ (largest logit difference {apart:.1g}; between loads {spread:.2f}). Drawn at "
        f"each load: {listed(missing)}.",
        {"classes": between, "differing": within, "ones": ones, "missing": list(missing), "spread": spread},
    )


def _unmasked(model: Classifier) -> tuple[int, float, float, int]:
    """Flips, mean and largest shift of some snippets that are run padded and without a mask, and what they are padded to."""
    texts, padded = snippets(RUN).texts, min(model.limit, WIDEST)
    p = model.head.probabilities(alone(model, texts))
    q = model.head.probabilities(np.array([without_mask(model, one, padded) for one in model.encoder(list(texts))]))
    shifts = 0.5 * np.abs(p - q).sum(axis=-1)
    return int((p.argmax(-1) != q.argmax(-1)).sum()), float(shifts.mean()), float(shifts.max()), padded


@claim(
    "C16",
    "Example 1 runs its model the way it was trained.",
    "The article does not say so, but its code assumes it: it trains with the attention mask, then calls model(input_ids) on ids "
    "that are padded to the maximum length, without the mask, so it reads the padding as text. That alone flips predictions.",
    """
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("assets/models/bpe-cased")
model = AutoModelForSequenceClassification.from_pretrained("assets/models/bpe-cased", dtype=torch.float32).eval()
inputs = tokenizer("This is a test sentence.", padding="max_length", max_length=256, return_tensors="pt")
with torch.inference_mode():
    wrong = model(inputs["input_ids"].to(model.device)).logits.softmax(-1)  # the article: no mask
    right = model(**inputs.to(model.device)).logits.softmax(-1)  # the mask goes along
print("without the mask", wrong.tolist(), "with it", right.tolist())
""",
    on_base=True,
    unsaid=True,
)
def padding_without_mask(models: Models) -> Found:
    """Predict as the article's first example does, and count what flips."""
    found = {model.id: _unmasked(model) for model in models}
    said = [
        f"{id}, padded to {padded}: {flips} of {RUN}, mean shift {mean:.2f}, largest {largest:.2f}"
        for id, (flips, mean, largest, padded) in found.items()
    ]
    flips = sum(one[0] for one in found.values())
    moved = max(one[2] for one in found.values())
    return Found(
        "does not hold" if moved > 1e-3 else "holds",
        f"Without the attention mask {flips} of {plural(len(found) * RUN, 'prediction')} {verb(flips, 'flips', 'flip')}. "
        f"{'; '.join(said)}.",
        {"texts": RUN}
        | {f"{id} flips": one[0] for id, one in found.items()}
        | {f"{id} mean": one[1] for id, one in found.items()},
    )
