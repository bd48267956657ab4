"""Fair shares: senders take turns, answers keep the order of arrival, and rubbish is put up with for a while only.

Rules
-----
- What a sender sent waits in a line of its own and leaves it in the order in which it came. Lines take turns, and a
  turn is worth as many bytes to each, so that one that sends much waits for itself alone.
- A line lives as long as something waits in it, and is counted in bytes with what waits: whoever bounds the bytes
  also bounds how many names can be made up.
- The broker is answered in the order of arrival (MQTT 5, section 4.6): what is done waits for what came before it.
- Who is refused too often is not listened to for a while, and for twice as long each time; nor is who has filled
  most of the queue for minutes, so that others wait outside of it. Nothing here asks what time it is: seconds are
  passed in; where they go back, nobody is silenced for longer.
"""

from collections import OrderedDict, deque
from collections.abc import Iterable, Mapping
from typing import Final, Generic, TypeVar

from ingest.errors import WireError
from ingest.wire import parse_topic

TURN_BYTES: Final = 16 * 1024  # some seconds of one device
LINE_BYTES: Final = 1024  # what a line takes besides what waits in it, generously
OVER_SHARE: Final = 1.5  # how many times an equal part of what waits is too much
LIMITED: Final = 256  # senders remembered for having had to wait

REFUSALS: Final = 100
WINDOW_S: Final = 60.0
MUTE_S: Final = (10.0, 600.0)
FORGET_S: Final = 600.0  # so long after a silence the next one is a short one again
REFUSED: Final = 10_000  # senders remembered for having been refused

GREEDY_S: Final = 300.0  # a week of one device is taken in within that

T = TypeVar("T")


def device_of(topic: str) -> str:
    """Which device a topic belongs to; empty for every topic that is none of ours."""
    try:
        return parse_topic(topic)[0]
    except WireError:
        return ""


class _Line(Generic[T]):
    """What one sender sent and nobody has taken."""

    __slots__ = ("credit", "size", "waiting")

    def __init__(self) -> None:
        self.waiting: deque[tuple[T, int]] = deque()
        self.size = 0
        self.credit = TURN_BYTES


class Lines(Generic[T]):
    """Queues by sender that take turns (deficit round robin). Not safe for threads."""

    def __init__(self) -> None:
        self.size = 0  # in bytes, lines included
        self.limited: OrderedDict[str, int] = OrderedDict()  # in how many batches one had more than its share waiting
        self._lines: OrderedDict[str, _Line[T]] = OrderedDict()  # in the order of their turns

    def __len__(self) -> int:
        return len(self._lines)

    def put(self, sender: str, item: T, size: int) -> None:
        """To the end of the sender's line."""
        line = self._lines.get(sender)
        if line is None:
            line = self._lines[sender] = _Line()
            self.size += LINE_BYTES
        line.waiting.append((item, size))
        line.size += size
        self.size += size

    def take(self, max_n: int, max_bytes: int) -> list[T]:
        """Up to `max_n` items; the last one may pass `max_bytes`."""
        sharing = len(self._lines)
        taken: list[T] = []
        total = 0
        while self._lines and len(taken) < max_n and total < max_bytes:
            sender, line = next(iter(self._lines.items()))
            item, size = line.waiting[0]
            if line.credit < size:
                line.credit += TURN_BYTES
                self._lines.move_to_end(sender)
                continue
            line.waiting.popleft()
            line.credit -= size
            line.size -= size
            self.size -= size
            total += size
            taken.append(item)
            if not line.waiting:
                del self._lines[sender]
                self.size -= LINE_BYTES
        if self._lines and sharing > 1:
            self._note_limited(sharing)
        return taken

    def crowding(self, over_bytes: int) -> dict[str, int]:
        """Senders of whom more than that waits: in how many batches they had more than their share."""
        return {
            sender: self.limited[sender]
            for sender, line in self._lines.items()
            if line.size > over_bytes and sender in self.limited
        }

    def clear(self) -> None:
        """Nothing waits any more."""
        self._lines.clear()
        self.size = 0

    def _note_limited(self, sharing: int) -> None:
        waiting = sum(line.size for line in self._lines.values())
        for sender, line in self._lines.items():
            if line.size > OVER_SHARE * waiting / sharing:
                self.limited[sender] = self.limited.pop(sender, 0) + 1
        while len(self.limited) > LIMITED:
            self.limited.popitem(last=False)


class InOrder:
    """Numbers that are answered in the order in which they came, whatever the order in which they are done."""

    def __init__(self) -> None:
        self._open: OrderedDict[int, bool] = OrderedDict()  # whether it is done

    def __len__(self) -> int:
        return len(self._open)

    def arrived(self, number: int) -> None:
        """It is to be answered after all that came before."""
        self._open.setdefault(number, False)

    def done(self, numbers: Iterable[int]) -> list[int]:
        """These are done; which are to be answered now. A number that is not awaited is passed over."""
        for number in numbers:
            if number in self._open:
                self._open[number] = True
        answered = []
        while self._open and next(iter(self._open.items()))[1]:
            answered.append(self._open.popitem(last=False)[0])
        return answered

    def clear(self) -> None:
        """Nothing is awaited any more."""
        self._open.clear()


class _Record:
    """How often one was refused of late, and until when it is not listened to."""

    __slots__ = ("at_s", "level", "mute_s", "since_s", "until_s")

    def __init__(self, now_s: float) -> None:
        self.level, self.at_s = 0.0, now_s
        self.mute_s, self.since_s, self.until_s = 0.0, now_s, now_s

    def silenced(self, now_s: float) -> bool:
        return self.since_s <= now_s < self.until_s


class Greed:
    """Who fills the queue while others wait, and has done so for `GREEDY_S` in all; looked at every now and then."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[int, float, float]] = {}  # batches with more than its share, seconds of it, when

    def look(self, crowding: Mapping[str, int], now_s: float) -> list[str]:
        """Whom to listen to no more for a while. `crowding` is what `Lines.crowding` says now."""
        self._seen = {name: seen for name, seen in self._seen.items() if now_s - seen[2] < 2 * FORGET_S}
        for name, batches in crowding.items():
            before, spent_s, at_s = self._seen.get(name, (batches, 0.0, now_s))
            waited = batches > before  # others had something in the queue as well since
            self._seen[name] = (batches, spent_s + min(max(0.0, now_s - at_s), WINDOW_S) * waited, now_s)
        return [name for name in crowding if self._seen[name][1] >= GREEDY_S]


class Patience:
    """Who may speak. `name` is whatever is counted as one sender: a device, and the empty name for all the rest."""

    def __init__(self) -> None:
        self._records: OrderedDict[str, _Record] = OrderedDict()  # the one refused latest comes last

    def allows(self, name: str, now_s: float) -> bool:
        """Whether it is listened to."""
        record = self._records.get(name)
        return record is None or not record.silenced(now_s)

    def refused(self, name: str, now_s: float) -> float:
        """What it sent is of no use. For how many seconds it is not listened to from now on; 0 is not at all."""
        record = self._records.setdefault(name, _Record(now_s))
        self._records.move_to_end(name)
        if len(self._records) > REFUSED:
            self._records.popitem(last=False)
        # A bucket of REFUSALS that drains within a window: a burst, or a higher rate for longer, makes it run over.
        record.level = max(0.0, record.level - max(0.0, now_s - record.at_s) * REFUSALS / WINDOW_S) + 1
        record.at_s = now_s
        if record.level <= REFUSALS or record.silenced(now_s):
            return 0.0
        return self.mute(name, now_s)

    def mute(self, name: str, now_s: float) -> float:
        """It is not listened to from now on: for how many seconds."""
        record = self._records.setdefault(name, _Record(now_s))
        first, longest = MUTE_S
        again = now_s - record.until_s < FORGET_S
        record.mute_s = min(longest, max(first, 2 * record.mute_s)) if again else first
        record.since_s, record.until_s = now_s, now_s + record.mute_s
        return record.mute_s

    def muted(self, now_s: float) -> dict[str, float]:
        """Who is not listened to, and for how many seconds yet."""
        return {name: record.until_s - now_s for name, record in self._records.items() if record.silenced(now_s)}
