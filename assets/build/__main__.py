"""Rebuild the embedded data and models: `python -m assets.build [PART ...]`; without a part, all of them in order.

Every part prints what it does and measures; the same lines go to runs/assets/build.log.
"""

import argparse
import logging
import sys
import time
from collections.abc import Callable

from assets.build import adapters, cards, cased, encoder, snippets
from assets.build.paths import WORK

PARTS: dict[str, Callable[[], object]] = {
    "data": snippets.build,
    "encoder": encoder.build,
    "adapters": lambda: [adapters.build(seed) for seed in adapters.SEEDS],
    "bpe-cased": lambda: cased.build("bpe-cased"),
    "unigram-cased": lambda: cased.build("unigram-cased"),
    "cards": cards.build,
}
"""In the order in which one needs the other."""


def main() -> None:
    """Build the parts named on the command line."""
    parser = argparse.ArgumentParser(prog="python -m assets.build", description=__doc__)
    parser.add_argument("part", nargs="*", help=f"of {', '.join(PARTS)}; by default all")
    chosen = parser.parse_args().part or list(PARTS)
    if unknown := sorted(set(chosen) - set(PARTS)):
        parser.error(f"there is no part {', '.join(unknown)}: choose from {', '.join(PARTS)}")
    WORK.mkdir(parents=True, exist_ok=True)
    handlers = [logging.StreamHandler(sys.stdout), logging.FileHandler(WORK / "build.log", encoding="utf-8")]
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", handlers=handlers)
    for noisy in ("httpx", "datasets", "huggingface_hub"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    log = logging.getLogger(__name__)
    for number, part in enumerate((part for part in PARTS if part in chosen), start=1):
        log.info("part %d of %d: %s", number, len(set(chosen)), part)
        begin = time.monotonic()
        result = PARTS[part]()
        log.info("%s is built in %.0f s: %s", part, time.monotonic() - begin, result)


if __name__ == "__main__":
    main()
