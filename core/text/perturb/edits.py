"""Where a variant differs from its original, as spans of characters."""

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

# Past either limit the whole differing middle is one edit: nobody can tell thousands of edits apart on a page. The
# search for the fewest differences takes time and memory in the square of its limit.
_MOST_DIFFERENCES = 200
_MOST_EDITS = 2000

_Run = tuple[int, int, int]
"""An equal run: its start in either text, and its length."""

_Path = tuple[_Run, "_Path"] | None


@dataclass(frozen=True, slots=True)
class Edit:
    """Characters of the original and what stands in their place in the variant: half-open spans of code points.

    An empty span in the original is an insertion, an empty one in the variant a removal.
    """

    original: tuple[int, int]
    variant: tuple[int, int]


def edits(original: str, variant: str) -> tuple[Edit, ...]:
    """The edits that turn `original` into `variant`, left to right; outside their spans the two texts are equal.

    Linear in the length of the texts: where they differ in very many places and in length, the edits are not told
    apart, and one edit spans from the first difference to the last.
    """
    start = _common_prefix(original, variant)
    end = _common_prefix(original[start:][::-1], variant[start:][::-1])
    a, b = original[start : len(original) - end], variant[start : len(variant) - end]
    found = []
    i = j = 0
    for run_i, run_j, length in [*_equal_runs(a, b), (len(a), len(b), 0)]:
        if i < run_i or j < run_j:
            found.append(Edit((start + i, start + run_i), (start + j, start + run_j)))
        i, j = run_i + length, run_j + length
    return tuple(found)


def _common_prefix(a: str, b: str) -> int:
    """How many characters the texts share at their start; by halves, as comparing slices is fast."""
    return bisect_left(range(min(len(a), len(b))), True, key=lambda i: a[: i + 1] != b[: i + 1])


def _equal_runs(a: str, b: str) -> list[_Run]:
    if len(a) != len(b):
        return (_fewest_differences(a, b, _MOST_DIFFERENCES) if a and b else None) or []
    # Texts of one length differ mostly character by character (casing, look-alikes, swapped letters), and read best
    # so, unless something was moved along.
    ends = [i for i, (x, y) in enumerate(zip(a, b, strict=True)) if x != y] + [len(a)]
    in_place = [(start + 1, start + 1, end - start - 1) for start, end in pairwise([-1, *ends]) if end > start + 1]
    if len(in_place) > _MOST_EDITS:
        return []
    changed = len(a) - _total(in_place)
    # Whatever moves, a character that only one text has is removed or inserted: that mostly tells that the search is in vain.
    in_vain = 2 * (Counter(a) - Counter(b)).total() >= changed
    return (None if in_vain else _fewest_differences(a, b, min(changed - 1, _MOST_DIFFERENCES))) or in_place


def _total(runs: list[_Run]) -> int:
    return sum(length for _, _, length in runs)


def _fewest_differences(a: str, b: str, most: int) -> list[_Run] | None:
    """The equal runs that leave the fewest characters removed and inserted; None where those are more than `most`.

    The greedy algorithm of E. Myers, "An O(ND) difference algorithm and its variations", Algorithmica 1 (1986).
    """
    # By diagonal (position in a minus position in b): the furthest position in a, and the last run on the path to it.
    reach: dict[int, tuple[int, _Path]] = {1: (0, None)}
    for differences in range(most + 1):
        for diagonal in range(-differences, differences + 1, 2):
            inserted = reach.get(diagonal + 1, (-1, None))
            removed = reach.get(diagonal - 1, (-1, None))
            start, path = inserted if removed[0] < inserted[0] else (removed[0] + 1, removed[1])
            i = start
            while i < len(a) and i - diagonal < len(b) and a[i] == b[i - diagonal]:
                i += 1
            if i > start:
                path = (start, start - diagonal, i - start), path
            reach[diagonal] = i, path
            if i >= len(a) and i - diagonal >= len(b):
                runs = []
                while path:
                    run, path = path
                    runs.append(run)
                return runs[::-1]
    return None
