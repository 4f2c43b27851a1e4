"""What is timed, on either engine: a process that reads one task per line and answers with its seconds."""

import importlib
import json
import random
import sys
import time
from collections.abc import Callable
from types import ModuleType

TOKENS = range(18, 24)


def main(which: str) -> None:
    """Answer tasks from the standard input until it ends.

    Args:
        which: "old" or "new": `benchmarks.against.old` or `benchmarks.against.new`.
    """
    engine = importlib.import_module(f"benchmarks.against.{which}")
    tasks = _tasks(engine)
    print(json.dumps(list(tasks)), flush=True)
    for line in sys.stdin:
        engine.forget()
        start = time.perf_counter()
        tasks[line.strip()]()
        print(time.perf_counter() - start, flush=True)


def _tasks(engine: ModuleType) -> dict[str, Callable[[], object]]:
    texts = list(dict.fromkeys(engine.texts()))
    random.Random(0).shuffle(texts)
    lengths = engine.lengths(texts)
    sentence = texts[lengths.index(34)]
    # Each profile takes a text of its own, since the noise floor of a text is kept.
    short = iter([text for text, length in zip(texts, lengths, strict=True) if length in TOKENS])
    edits = [sentence[:i] + " " + sentence[i:] for i in range(len(sentence))]
    return {
        f"{len(edits)} one-character edits of one 34-token sentence": lambda: engine.predict(edits),
        "500 different snippets": lambda: engine.predict(texts[:500]),
        "100 dropout passes of one 34-token sentence": lambda: engine.passes(sentence, None),
        "100 dropout passes, head only": lambda: engine.passes(sentence, ("head",)),
        "edits of a sentence of about 20 tokens, with its noise floor": lambda: engine.compare(next(short)),
        "profile of a sentence of about 20 tokens, nine factors": lambda: engine.profile(next(short)),
    }


if __name__ == "__main__":
    main(sys.argv[1])
