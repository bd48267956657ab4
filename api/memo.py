"""Remembers what was worked out of records that no longer change."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Final, Generic, TypeVar

SIZE: Final = 4096
EXPIRY_NS: Final = 3_600_000_000_000  # should records change after all, as by hand, it is known within the hour
ValueT = TypeVar("ValueT")


class Memo(Generic[ValueT]):
    """The most recently used values, as many as weigh no more than `size`; requests run in threads, so it is locked."""

    def __init__(self, size: int = SIZE, *, weigh: Callable[[ValueT], int] = lambda _: 1) -> None:
        self._size = size
        self._weigh = weigh
        self._weight = 0
        self._kept: OrderedDict[Hashable, tuple[int, ValueT]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable, make: Callable[[], ValueT], *, now_ns: int) -> ValueT:
        """The value of a key, made unless it was within the hour. Two threads may make the same one."""
        for value in self.find(key, now_ns=now_ns):
            return value
        value = make()
        self.keep(key, value, now_ns=now_ns)
        return value

    def find(self, key: Hashable, *, now_ns: int) -> tuple[ValueT, ...]:
        """The value of a key if it was kept within the hour, else nothing."""
        with self._lock:
            if key not in self._kept:
                return ()
            since_ns, value = self._kept[key]
            if not since_ns <= now_ns < since_ns + EXPIRY_NS:
                return ()
            self._kept.move_to_end(key)
            return (value,)

    def keep(self, key: Hashable, value: ValueT, *, now_ns: int) -> None:
        """Keep a value under a key, and forget what was used longest ago."""
        with self._lock:
            if key in self._kept:
                self._weight -= self._weigh(self._kept.pop(key)[1])
            self._kept[key] = (now_ns, value)
            self._weight += self._weigh(value)
            while self._weight > self._size:
                self._weight -= self._weigh(self._kept.popitem(last=False)[1][1])
