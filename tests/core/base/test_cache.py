"""What is kept for a classifier: made once, bounded, and gone with it."""

import gc
import threading
from concurrent.futures import ThreadPoolExecutor

from core.base.cache import Kept


class Owner:
    """Stands for a classifier."""


def test_a_value_is_made_once_whoever_asks() -> None:
    kept: Kept[object] = Kept(limit=2)
    owner, made, barrier = Owner(), [], threading.Barrier(8)

    def ask(_: int) -> object:
        barrier.wait()
        return kept.get(owner, "key", lambda: made.append(1) or object())  # type: ignore[func-returns-value]

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(ask, range(8)))) == 1
    assert made == [1]


def test_the_least_recently_used_goes_first() -> None:
    kept: Kept[int] = Kept(limit=2)
    owner = Owner()
    for key in (1, 2, 1, 3):
        kept.get(owner, key, lambda key=key: key)  # type: ignore[misc]
    assert kept.get(owner, 1, lambda: -1) == 1
    assert kept.get(owner, 2, lambda: -1) == -1


def test_values_go_with_their_owner_and_never_to_another() -> None:
    kept: Kept[int] = Kept(limit=9)
    owner = Owner()
    kept.get(owner, "key", lambda: 1)
    assert kept.get(Owner(), "key", lambda: 2) == 2
    del owner
    gc.collect()
    assert not kept._places
