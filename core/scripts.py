"""Short scripts on plain transformers that print the numbers on the screen, without Wobble."""

from collections.abc import Sequence
from pathlib import Path

import torch

from core.classifier import Classifier
from core.dropout import Dropout, rate_at
from core.sites import FUNCTION_CALLS, attention_holder
from core.temperature import Head

ROOT = Path(__file__).parent.parent


def _answer(head: Head, temperature: str | None) -> str:
    """The expression that makes probabilities of `logits`."""
    if head == "regression":
        return "logits"
    return ("logits" if temperature is None else f"(logits / {temperature})") + f".{head}(-1)".replace(
        "sigmoid(-1)", "sigmoid()"
    )


def _where(classifier: Classifier, directory: Path) -> str:
    """How a script on the user's own machine names the files: the hub id, or a path from Wobble's folder."""
    if classifier.source.kind == "hub" and directory == classifier.source.top:
        return classifier.source.id
    return directory.relative_to(ROOT).as_posix() if directory.is_relative_to(ROOT) else str(directory)


def _load(classifier: Classifier) -> list[str]:
    source = classifier.source
    base, top = _where(classifier, source.directory), _where(classifier, source.top)
    lines = [
        f"tokenizer = AutoTokenizer.from_pretrained({_where(classifier, source.tokenizer or source.top)!r})",
        f"model = AutoModelForSequenceClassification.from_pretrained({base!r}, dtype=torch.float32)",
    ]
    if source.adapter:
        lines.append(f"model = PeftModel.from_pretrained(model, {top!r}).merge_and_unload()")
    return [*lines, "model.eval()"]


def _imports(classifier: Classifier) -> list[str]:
    peft = ["from peft import PeftModel"] if classifier.source.adapter else []
    return ["import torch", *peft, "from transformers import AutoModelForSequenceClassification, AutoTokenizer"]


def predict_script(classifier: Classifier, texts: Sequence[str], temperature: float = 1.0) -> str:
    """A script that prints the probabilities of each text, one JSON object a line, and loads nothing of Wobble.

    Embedded models are named by their path from Wobble's folder, so it runs from there.
    """
    answer = _answer(classifier.head, None if temperature == 1 else repr(temperature))
    lines = [
        "import json",
        "",
        *_imports(classifier),
        "",
        *_load(classifier),
        "",
        "texts = [",
        *(f"    {text!a}," for text in texts),
        "]",
        "for text in texts:",
        f"    inputs = tokenizer(text, return_tensors='pt', truncation=True, max_length={classifier.limit})",
        "    with torch.inference_mode():",
        "        logits = model(**inputs).logits[0].double()",
        f"    row = {answer}.tolist()",
        "    labels = [model.config.id2label[i] for i in range(len(row))]",
        "    print(json.dumps({'text': text, 'ids': inputs['input_ids'][0].tolist(), 'labels': labels, 'probabilities': row}))",
    ]
    return "\n".join(lines) + "\n"


def temperature_script(classifier: Classifier, text: str, temperatures: Sequence[float]) -> str:
    """A script that prints the probabilities of a text at some temperatures, one JSON object a line."""
    answer = _answer(classifier.head, "temperature")
    lines = [
        "import json",
        "",
        *_imports(classifier),
        "",
        *_load(classifier),
        "",
        f"inputs = tokenizer({text!a}, return_tensors='pt', truncation=True, max_length={classifier.limit})",
        "with torch.inference_mode():",
        "    logits = model(**inputs).logits[0].double()",
        f"for temperature in {list(temperatures)!r}:",
        f"    print(json.dumps({{'temperature': temperature, 'probabilities': {answer}.tolist()}}))",
    ]
    return "\n".join(lines) + "\n"


def dropout_script(
    classifier: Classifier, text: str, passes: int, dropout: Dropout, temperature: float = 1.0
) -> str | None:
    """A script that runs the same passes with `model.train()`, one by one, and prints each one's probabilities.

    None where plain transformers cannot be told apart what acts and what does not (one module that drops in two places,
    of which one is off; functions that a model calls with rates of their own).
    """
    rates: dict[str, set[float]] = {}
    lines = []
    for site in classifier.sites:
        rate = rate_at(site, dropout)
        rates.setdefault(site.name, set()).add(rate)
        if rate == site.rate:
            continue
        if site.name == FUNCTION_CALLS:
            return None
        module = classifier.model.get_submodule(site.name)
        holder = "p" if isinstance(module, torch.nn.Dropout) else attention_holder(module)
        lines.append(f"model.get_submodule({site.name!r}).{holder} = {rate!r}")
    if any(len(found) > 1 for found in rates.values()):
        return None
    answer = _answer(classifier.head, None if temperature == 1 else repr(temperature))
    load = [
        # The eager kernel drops attention probabilities through the function that the script replaces.
        line.replace("torch.float32)", "torch.float32, attn_implementation='eager')").replace(".eval()", ".train()")
        for line in _load(classifier)
    ]
    return "\n".join(
        [
            "import hashlib",
            "import json",
            "",
            *_imports(classifier),
            "",
            *load,
            *dict.fromkeys(lines),
            "",
            "",
            "def dropout(x, p=0.5, training=True, inplace=False):",
            "    # The stock function with a generator of its own, so that each pass can be repeated.",
            "    if not training or p == 0:",
            "        return x",
            "    return x * torch.empty_like(x).bernoulli_(1 - p, generator=generator).div_(1 - p)",
            "",
            "",
            "torch.nn.functional.dropout = dropout",
            f"text = {text!a}",
            f"inputs = tokenizer(text, return_tensors='pt', truncation=True, max_length={classifier.limit})",
            "ids = tuple(inputs['input_ids'][0].tolist())",
            f"for number in range({passes}):",
            f"    key = hashlib.sha256(f'{dropout.seed}/{{number}}/{{ids}}'.encode()).digest()",
            "    generator = torch.Generator().manual_seed(int.from_bytes(key[:8], 'big') >> 1)",
            "    with torch.inference_mode():",
            "        logits = model(**inputs).logits[0].double()",
            f"    print(json.dumps({{'pass': number + 1, 'probabilities': {answer}.tolist()}}))",
            "",
        ]
    )


def tokens_script(classifier: Classifier, texts: Sequence[str]) -> str:
    """A script that prints the stages of each text: normalized, pre-tokens, tokens, ids; one JSON object a line."""
    lines = [
        "import json",
        "",
        "from transformers import AutoTokenizer",
        "",
        f"tokenizer = AutoTokenizer.from_pretrained({_where(classifier, classifier.source.tokenizer or classifier.source.top)!r})",
        "backend = tokenizer.backend_tokenizer",
        "for text in [",
        *(f"    {text!a}," for text in texts),
        "]:",
        "    normalized = backend.normalizer.normalize_str(text) if backend.normalizer else text",
        "    pre_tokens = backend.pre_tokenizer.pre_tokenize_str(normalized) if backend.pre_tokenizer else [(normalized, None)]",
        f"    ids = tokenizer(text, truncation=True, max_length={classifier.limit})['input_ids']",
        "    print(json.dumps({",
        "        'normalized': normalized,",
        "        'pre_tokens': [piece for piece, _ in pre_tokens],",
        "        'tokens': tokenizer.convert_ids_to_tokens(ids),",
        "        'ids': ids,",
        "    }))",
    ]
    return "\n".join(lines) + "\n"
