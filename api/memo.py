"""Remembers what was worked out of records that no longer change."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Final, Generic, TypeVar

SIZE: Final = 4096
EXPIRY_NS: Final = 3_600_000_000_000  # should records change after all, as by hand, it is known within the hour
ValueT = TypeVar("ValueT")


class Memo(Generic[ValueT]):
    """The most recently used values; requests run in threads, so it is locked."""

    def __init__(self, size: int = SIZE) -> None:
        self._size = size
        self._kept: OrderedDict[Hashable, tuple[int, ValueT]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable, make: Callable[[], ValueT], *, now_ns: int) -> ValueT:
        """The value of a key, made unless it was within the hour. Two threads may make the same one."""
        with self._lock:
            if key in self._kept:
                since_ns, value = self._kept[key]
                if since_ns <= now_ns < since_ns + EXPIRY_NS:
                    self._kept.move_to_end(key)
                    return value
        value = make()
        with self._lock:
            self._kept[key] = (now_ns, value)
            self._kept.move_to_end(key)
            while len(self._kept) > self._size:
                self._kept.popitem(last=False)
        return value
