"""What is computed once for a classifier and kept: bounded, safe for threads, and gone with the classifier."""

import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

Value = TypeVar("Value")


class _Place(Generic[Value]):
    """Room for one value, with the lock of whoever makes it."""

    def __init__(self, owner: "weakref.ref[Any]") -> None:
        self.owner = owner
        self.lock = threading.Lock()
        self.value: tuple[Value] | None = None


_results: "list[Kept[Any]]" = []


def forget(owner: Any) -> None:
    """Forget all answers of a classifier, so that a benchmark measures the model and not the memory."""
    for kept in _results:
        kept.drop(owner)


class Kept(Generic[Value]):
    """At most `limit` values by classifier and key, least recently used first out.

    The classifier is held weakly: what was made of it must not keep a model in memory that nobody uses any more.
    """

    def __init__(self, limit: int, results: bool = False) -> None:
        """`results`: whether `forget` drops the values, because they are answers and not parts of a classifier."""
        self._limit = limit
        if results:
            _results.append(self)
        self._places: OrderedDict[tuple[int, Hashable], _Place[Value]] = OrderedDict()
        # Re-entrant: the garbage collector may call `_drop` while this very thread holds the lock.
        self._lock = threading.RLock()

    def get(self, owner: Any, key: Hashable, make: Callable[[], Value]) -> Value:
        """The value of a key; who asks while another thread makes it waits for that one. What `make` raises passes through."""
        number = id(owner)
        with self._lock:
            place = self._places.get((number, key))
            if place is None or place.owner() is not owner:
                place = self._places[number, key] = _Place(weakref.ref(owner, lambda _: self._drop(number)))
            self._places.move_to_end((number, key))
            while len(self._places) > self._limit:
                self._places.popitem(last=False)
        with place.lock:
            if place.value is None:
                place.value = (make(),)
            return place.value[0]

    def put(self, owner: Any, key: Hashable, value: Value) -> None:
        """Replace the value of a key."""
        self.get(owner, key, lambda: value)
        with self._lock:
            if (place := self._places.get((id(owner), key))) is not None:
                place.value = (value,)

    def drop(self, owner: Any) -> None:
        """Forget the values of a classifier."""
        with self._lock:
            for key in [key for key, place in self._places.items() if place.owner() is owner]:
                del self._places[key]

    def _drop(self, number: int) -> None:
        with self._lock:
            for key in [key for key, place in self._places.items() if key[0] == number and place.owner() is None]:
                del self._places[key]
