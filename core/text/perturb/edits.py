"""Where a variant differs from its original, as spans of characters."""

from dataclasses import dataclass

# Past either limit the whole differing middle is one edit: nobody tells thousands of edits apart on a page. The
# search for the fewest differences takes time and memory in the square of its limit.
_MOST_DIFFERENCES = 200
_MOST_EDITS = 2000


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
    return tuple(
        Edit((start + a_start, start + a_end), (start + b_start, start + b_end))
        for a_start, a_end, b_start, b_end in _gaps(a, b, _equal_runs(a, b))
    )


def _common_prefix(a: str, b: str) -> int:
    """How many characters the texts share at their start; by halves, as comparing slices is fast."""
    shared, most = 0, min(len(a), len(b))
    while shared < most:
        middle = (shared + most + 1) // 2
        if a[shared:middle] == b[shared:middle]:
            shared = middle
        else:
            most = middle - 1
    return shared


def _gaps(a: str, b: str, runs: list[tuple[int, int, int]]) -> list[tuple[int, int, int, int]]:
    gaps = []
    i = j = 0
    for run_i, run_j, length in [*runs, (len(a), len(b), 0)]:
        if i < run_i or j < run_j:
            gaps.append((i, run_i, j, run_j))
        i, j = run_i + length, run_j + length
    return gaps


def _equal_runs(a: str, b: str) -> list[tuple[int, int, int]]:
    """Runs (start in a, start in b, length) that are equal, in order."""
    if not a or not b:
        return []
    if len(a) != len(b):
        return _fewest_differences(a, b) or []
    # Texts of one length differ mostly character by character (casing, look-alikes, swapped letters), and read best
    # so, unless something was moved along.
    in_place = _in_place(a, b)
    if len(in_place) > _MOST_EDITS:
        return []
    shifted = _fewest_differences(a, b)
    if shifted is not None and 2 * (len(a) - _total(shifted)) < len(a) - _total(in_place):
        return shifted
    return in_place


def _total(runs: list[tuple[int, int, int]]) -> int:
    return sum(length for _, _, length in runs)


def _in_place(a: str, b: str) -> list[tuple[int, int, int]]:
    runs = []
    start = 0
    different = [i for i, (x, y) in enumerate(zip(a, b, strict=True)) if x != y]
    for i in [*different, len(a)]:
        if i > start:
            runs.append((start, start, i - start))
        start = i + 1
    return runs


def _fewest_differences(a: str, b: str) -> list[tuple[int, int, int]] | None:
    """The equal runs that leave the fewest characters removed and inserted; None past `_MOST_DIFFERENCES`.

    The greedy algorithm of E. Myers, "An O(ND) difference algorithm and its variations", Algorithmica 1 (1986).
    """
    reach = {1: 0}  # the furthest position in a on each diagonal (position in a minus position in b)
    history = []
    for differences in range(_MOST_DIFFERENCES + 1):
        history.append(reach.copy())
        for diagonal in range(-differences, differences + 1, 2):
            i, _ = _step(reach, diagonal, differences)
            j = i - diagonal
            while i < len(a) and j < len(b) and a[i] == b[j]:
                i, j = i + 1, j + 1
            reach[diagonal] = i
            if i >= len(a) and j >= len(b):
                return _walk_back(history, len(a), len(b))
    return None


def _step(reach: dict[int, int], diagonal: int, differences: int) -> tuple[int, int]:
    """Where in a the best path comes onto `diagonal`, and from which diagonal: by an insertion or by a removal."""
    if diagonal == -differences or (diagonal != differences and reach[diagonal - 1] < reach[diagonal + 1]):
        return reach[diagonal + 1], diagonal + 1
    return reach[diagonal - 1] + 1, diagonal - 1


def _walk_back(history: list[dict[int, int]], i: int, j: int) -> list[tuple[int, int, int]]:
    runs = []
    for differences in range(len(history) - 1, -1, -1):
        diagonal = i - j
        start, came_from = _step(history[differences], diagonal, differences)
        if i > start:
            runs.append((start, start - diagonal, i - start))
        i = history[differences][came_from]
        j = i - came_from
    return runs[::-1]
