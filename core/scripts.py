"""Short scripts on plain transformers that print the numbers on the screen, without Wobble."""

from collections.abc import Sequence
from pathlib import Path

from core.classifier import Classifier

ROOT = Path(__file__).parent.parent


def _where(classifier: Classifier, directory: Path) -> str:
    """How a script on the user's own machine names the files: the hub id, or a path from Wobble's folder."""
    if classifier.source.kind == "hub" and directory == classifier.source.top:
        return classifier.source.id
    return directory.relative_to(ROOT).as_posix() if directory.is_relative_to(ROOT) else str(directory)


def _load(classifier: Classifier) -> list[str]:
    source = classifier.source
    base, top = _where(classifier, source.directory), _where(classifier, source.top)
    lines = [
        f"tokenizer = AutoTokenizer.from_pretrained({top!r})",
        f"model = AutoModelForSequenceClassification.from_pretrained({base!r}, dtype=torch.float32)",
    ]
    if source.adapter:
        lines.append(f"model = PeftModel.from_pretrained(model, {top!r}).merge_and_unload()")
    return [*lines, "model.eval()"]


def _imports(classifier: Classifier) -> list[str]:
    peft = ["from peft import PeftModel"] if classifier.source.adapter else []
    return ["import torch", *peft, "from transformers import AutoModelForSequenceClassification, AutoTokenizer"]


def predict_script(classifier: Classifier, texts: Sequence[str]) -> str:
    """A script that prints the probabilities of each text, one JSON object a line, and loads nothing of Wobble.

    Embedded models are named by their path from Wobble's folder, so it runs from there.
    """
    answer = {
        "softmax": "logits.softmax(-1)",
        "sigmoid": "logits.sigmoid()",
        "regression": "logits",
    }[classifier.head]
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


def tokens_script(classifier: Classifier, texts: Sequence[str]) -> str:
    """A script that prints the stages of each text: normalized, pre-tokens, tokens, ids; one JSON object a line."""
    lines = [
        "import json",
        "",
        "from transformers import AutoTokenizer",
        "",
        f"tokenizer = AutoTokenizer.from_pretrained({_where(classifier, classifier.source.top)!r})",
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
