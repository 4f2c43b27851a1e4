"""`python -m tests.mutants`: how many small breakages of the engine its own tests notice."""

import argparse
import os
import signal
import sys
import time
from collections.abc import Iterable
from typing import TypeVar

# Before anything imports torch or tokenizers.
os.environ |= {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}

from tests.mutants.forks import ROOT, Outcome, Run, Tree, warm
from tests.mutants.mutations import MUTATED, Mutant, mutants, sample
from tests.mutants.own import tests_of
from tests.mutants.report import Tried, equivalent, score, write

T = TypeVar("T")


def main() -> int:
    """Run a sample of mutants; 0 also where some survive."""
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))  # so that the copies are removed
    population = mutants(ROOT, options.only or MUTATED)
    chosen = sample(population, options.mutants, options.seed)
    if options.pick:
        chosen = [mutant for mutant in population if mutant.key.id in options.pick]
    print(f"{len(population)} mutants, {len(chosen)} of them sampled", flush=True)
    began = time.monotonic()
    tried = _tried(chosen, options.jobs)
    survivors = [one for one in tried if one.survived]
    for one in survivors:
        print(f"\nSURVIVED {one.mutant.diff}")
    print(f"\n{score(tried)}")
    if options.write:
        write(tried, f"make mutants MUTANTS={options.mutants} SEED={options.seed}", (time.monotonic() - began) / 60)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--mutants", type=int, default=200, help="how many are drawn (200)")
    parser.add_argument("--seed", type=int, default=0, help="of the draw (0)")
    parser.add_argument("--jobs", type=int, default=2, help="how many run at a time (2)")
    parser.add_argument("--only", nargs="+", help="modules to draw from, as patterns")
    parser.add_argument("--pick", nargs="+", help="run these mutants, by the identifiers that a run prints")
    parser.add_argument("--write", action="store_true", help="write the result into docs/TESTING.md")
    return parser.parse_args()


def _tried(chosen: Iterable[Mutant], jobs: int) -> list[Tried]:
    reasons = equivalent()
    same = [Tried(mutant, None) for mutant in chosen if mutant.key in reasons]
    work = [mutant for mutant in chosen if mutant.key not in reasons]
    warm()
    trees = [Tree() for _ in range(jobs)]
    try:
        seconds = _unbroken({test for mutant in work for test in tests_of(mutant.key.file, ROOT)}, trees)
        found = [Tried(mutant, outcome) for mutant, outcome in _run(work, trees, seconds)]
    finally:
        for tree in trees:
            tree.remove()
    return sorted(same + found, key=lambda one: (one.mutant.key.file, one.mutant.number))


def _unbroken(tests: Iterable[str], trees: list[Tree]) -> dict[str, float]:
    """How long each file of tests takes without a mutant. They must pass, or nothing could be said of one."""
    seconds = {}
    for test, outcome in _side_by_side([(test, None, [test], 600.0) for test in sorted(tests)], trees):
        if outcome.code:
            sys.exit(f"{test} fails without any mutant, by {outcome.by}:\n{outcome.output}")
        seconds[test] = outcome.seconds
        print(f"{outcome.seconds:6.1f} s  {test}", flush=True)
    return seconds


def _run(work: list[Mutant], trees: list[Tree], seconds: dict[str, float]) -> Iterable[tuple[Mutant, Outcome]]:
    jobs = []
    for mutant in work:
        # The quick ones first: most mutants are killed by them. A module without tests has survivors only.
        own = sorted(tests_of(mutant.key.file, ROOT), key=lambda test: seconds[test])
        if not own:
            yield mutant, Outcome(0, 0.0, "")
            continue
        jobs.append((mutant, mutant, own, 30 + 4 * sum(seconds[test] for test in own)))
    for number, (mutant, outcome) in enumerate(_side_by_side(jobs, trees), start=1):
        said = f"killed by {outcome.by}" if outcome.code != 0 else "SURVIVED"
        print(
            f"{number:4} {outcome.seconds:6.1f} s  {mutant.key.id} {mutant.key.file}:{mutant.number} {said}", flush=True
        )
        yield mutant, outcome


def _side_by_side(
    jobs: list[tuple[T, Mutant | None, list[str], float]], trees: list[Tree]
) -> Iterable[tuple[T, Outcome]]:
    """Run tests with a mutant, or none, each under a limit in seconds, as many at a time as there are trees."""
    waiting, running = list(reversed(jobs)), {}
    while waiting or running:
        for i in range(len(trees)):
            if i not in running and waiting:
                what, mutant, tests, limit = waiting.pop()
                back = trees[i].replace(mutant.key.file, mutant.after) if mutant else None
                running[i] = what, back, Run(trees[i], tests, limit, compile=mutant is None)
            if i in running and (outcome := running[i][2].outcome()):
                what, back, _ = running.pop(i)
                if back:
                    back()
                yield what, outcome
        time.sleep(0.05)


if __name__ == "__main__":
    sys.exit(main())
