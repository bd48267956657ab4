"""Which blocks a device sends again, and when. Pure: time comes in, in seconds of any steady clock.

Rules
-----
- After each connect, and after `pause_s` without a word of the service about blocks sent at least as long ago,
  everything that was sent is due again, oldest first: a broker killed without saving has lost what it took.
- No more than `AT_A_TIME` are repeated until the service vouches for some. After a pause in vain the pause doubles:
  whoever cannot be helped is not made worse. Then half of them are the oldest once more, which may have been lost
  again where the service came back after the broker, and half those that follow, as a refused block bars no other.
"""

from collections import deque
from collections.abc import Iterable
from typing import Final

AT_A_TIME: Final = 256
PAUSE_S: Final = 60.0
LONGEST_S: Final = 3600.0


class Repeats:
    """The blocks of one device that were sent and not vouched for, by place, and those due again."""

    def __init__(self, places: Iterable[int], *, now_s: float, pause_s: float = PAUSE_S) -> None:
        """`places` were sent before a reboot: they are due at the first connect."""
        self._shortest_s = self._pause_s = pause_s
        self._sent = dict.fromkeys(places, now_s)
        self._due: deque[int] = deque()
        self._repeated = 0  # since the service last vouched for something
        self._quiet_s = now_s

    def __len__(self) -> int:
        """How many blocks nobody has vouched for."""
        return len(self._sent)

    @property
    def waiting(self) -> bool:
        """Whether something is to be sent again now."""
        return bool(self._due) and self._repeated < AT_A_TIME

    def sent(self, place: int, *, now_s: float) -> None:
        """A block goes out for the first time."""
        self._sent.setdefault(place, now_s)

    def connected(self, *, now_s: float) -> None:
        """There is a new connection: nothing that went over the last one can be relied on."""
        self._pause_s = self._shortest_s
        self._due = deque(sorted(self._sent))
        self._repeated, self._quiet_s = 0, now_s

    def busy(self, *, now_s: float) -> None:
        """There are blocks that were never sent: no wonder that the service is silent."""
        self._quiet_s = now_s

    def vouched(self, places: Iterable[int], *, now_s: float) -> None:
        """The service holds these."""
        self._repeated, self._pause_s, self._quiet_s = 0, self._shortest_s, now_s
        self.gone(places)

    def gone(self, places: Iterable[int]) -> None:
        """The device itself no longer holds these."""
        for place in places:
            self._sent.pop(place, None)

    def overdue(self, *, now_s: float) -> bool:
        """Whether the service has been silent for too long; if so, blocks are due again."""
        if not self._sent:
            return False
        first_s = next(iter(self._sent.values()))
        if now_s - max(first_s, self._quiet_s) < self._pause_s:
            return False
        self._pause_s = min(2 * self._pause_s, LONGEST_S)
        every = sorted(self._sent)
        self._due = deque(dict.fromkeys([*every[: AT_A_TIME // 2], *(self._due or every)]))
        self._repeated, self._quiet_s = 0, now_s
        return True

    def take(self) -> int | None:
        """The next block to send again."""
        while self.waiting:
            place = self._due.popleft()
            if place in self._sent:
                self._repeated += 1
                return place
        return None
