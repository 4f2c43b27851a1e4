"""How often a cleaning step, or a usual chain of them, flips the answer: `python -m benchmarks.preprocessing [N]`."""

import json
import sys
from collections import Counter
from collections.abc import Sequence
from typing import Any

import core
from benchmarks import MODELS
from core.base.statistics import wilson
from core.data.snippets import snippets
from core.models.classifier import Classifier

TEXTS = 200


def rates(classifier: Classifier, texts: Sequence[str]) -> dict[str, Any]:
    """For each step: the texts that it changes, those of them whose change the tokenizer erases, and those that flip.

    Shares are of all texts, with Wilson's intervals; `some` is the texts that some step flips, those aside that remove
    stop words.
    """
    changed, absorbed, flipped = Counter[str](), Counter[str](), Counter[str]()
    for text in texts:
        study = core.study(classifier, text, ["preprocessing"], {"preprocessing": {"same_sentence": False}})
        some = False
        for case in study["preprocessing"].cases:
            variant = case.variant
            assert variant is not None
            # A step that gives the same text as another one is one case with two names.
            for name in (case.name, *(other for other, factor in variant.also if factor == "preprocessing")):
                changed[name] += 1
                absorbed[name] += case.absorbed
                flipped[name] += bool(case.flip)
            some = some or (bool(case.flip) and variant.same_sentence)
        flipped["some"] += some

    def share(name: str) -> list[float]:
        return [flipped[name] / len(texts), *wilson(flipped[name], len(texts))]

    steps = {name: {"changed": changed[name], "absorbed": absorbed[name], "flips": share(name)} for name in changed}
    return {"some": share("some"), "steps": steps}


if __name__ == "__main__":
    texts = list(snippets("test", "movie")["text"])[: int(sys.argv[1]) if len(sys.argv) > 1 else TEXTS]
    for id in MODELS:
        print(json.dumps({"model": id, "texts": len(texts), **rates(core.load(id), texts)}, indent=2))
