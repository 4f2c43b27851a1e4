"""What is computed once for a classifier and kept: bounded, safe for threads, and gone with the classifier."""

import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

Value = TypeVar("Value")

_results: "list[Kept[Any]]" = []


def forget(owner: Any) -> None:
    """Forget all results of a classifier, so that a benchmark measures the model and not the memory."""
    for kept in _results:
        kept._drop(weakref.ref(owner))


class Kept(Generic[Value]):
    """At most `limit` values (which may change) by owner (a classifier) and key, least recently used first out.

    The owner is held weakly: what was made from it must not keep a model in memory that nobody uses any more.
    """

    def __init__(self, limit: int, results: bool = False) -> None:
        """`results`: whether `forget` drops the values, because they are results and not parts of a classifier."""
        self.limit = limit
        if results:
            _results.append(self)
        # Each value with the lock of the thread that makes it: a list that is empty until then.
        self._places: OrderedDict[tuple[weakref.ref[Any], Hashable], tuple[threading.Lock, list[Value]]] = OrderedDict()
        # Re-entrant: the garbage collector may call `_drop` while this very thread holds the lock.
        self._lock = threading.RLock()

    def get(self, owner: Any, key: Hashable, make: Callable[[], Value]) -> Value:
        """The value of a key; a thread that asks while another one makes it waits. What `make` raises passes through."""
        place = weakref.ref(owner, self._drop), key
        with self._lock:
            making, value = self._places.setdefault(place, (threading.Lock(), []))
            self._places.move_to_end(place)
        with making:
            if not value:
                try:
                    value.append(make())
                except BaseException:
                    # What could not be made displaces nothing.
                    with self._lock:
                        self._places.pop(place, None)
                    raise
        with self._lock:
            while len(self._places) > self.limit:
                self._places.popitem(last=False)
        return value[0]

    def put(self, owner: Any, key: Hashable, value: Value) -> None:
        """Replace the value of a key."""
        with self._lock:
            self._places[weakref.ref(owner, self._drop), key] = threading.Lock(), [value]

    def _drop(self, owner: weakref.ref[Any]) -> None:
        with self._lock:
            for place in [place for place in self._places if place[0] == owner]:
                del self._places[place]
