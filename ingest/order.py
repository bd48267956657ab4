"""Puts the blocks of one device in order by (boot, seq): state and arrival in, state and outcome out.

Rules
-----
- A block is *ready* when every block of its boot before it has been handled, *held* while one is missing, a
  *duplicate* when it was there before, and *late* when processing has already passed its place.
- A new boot begins with its block 0 once nothing is held back in the boot before it.
- Waiting ends at the horizon: more than `Horizon.blocks` held, or held blocks that span more than `span_ns` of
  device time and are at least `fewest`. It also ends when the device says it is offline, or that it has lost
  the missing blocks. What was waited for is then declared a gap, and processing goes on behind it.
- The durable mark of a boot never passes a block that may still come, gap or not: only the device can say,
  with `Status.oldest`, that a block is lost.
- A boot counter that starts again begins a new era: `era_of` tells it by time, and numbers boots across eras.
- State stays small: `MAX_BOOTS` boots a device, `MAX_GAPS` gaps a boot. Beyond that the oldest gaps are joined
  to one; the mark is then lower than it could be, never higher.
"""

from bisect import insort
from collections.abc import Callable
from typing import Final, Literal

import msgspec

MAX_BOOTS: Final = 1024
MAX_GAPS: Final = 512
ERA: Final = 2**53  # boots of an era; the wire's boots are smaller
ERAS: Final = 2**10  # so that a boot across eras fits 63 bits

Disposition = Literal["ready", "held", "duplicate", "late"]
Cause = Literal["horizon", "offline", "lost"]
Key = tuple[int, int]  # boot (across eras), seq
Span = tuple[int, int]  # first and last seq


class Horizon(msgspec.Struct, frozen=True, kw_only=True):
    """How long an out-of-order block is held before the blocks before it are given up."""

    blocks: int = 64
    span_ns: int = 120_000_000_000
    fewest: int = 4


HORIZON: Final = Horizon()


class Arrival(msgspec.Struct, frozen=True, array_like=True, order=True):
    """What order needs to know of a block; times are 0 where the device's clock cannot be believed."""

    boot: int
    seq: int
    t0_ns: int
    end_ns: int


class Boot(msgspec.Struct, frozen=True, array_like=True):
    """What is known of one boot: the next block to process, and those before it that never came."""

    boot: int
    next_seq: int = 0
    missing: tuple[Span, ...] = ()
    lost: int = 0  # the device no longer has the blocks below this seq
    start_ns: int = 0  # device time of its blocks; 0 and 0 if unknown
    end_ns: int = 0

    @property
    def durable(self) -> int | None:
        """Highest seq up to which no block can still come."""
        mark = self.next_seq - 1
        for first, last in self.missing:
            if last >= self.lost:
                mark = max(first, self.lost) - 1
                break
        return mark if mark >= 0 else None


class Order(msgspec.Struct, frozen=True, array_like=True):
    """Where one device stands. `boots` rise; `current` is the one being processed, -1 before the first."""

    boots: tuple[Boot, ...] = ()
    current: int = -1
    held: tuple[Arrival, ...] = ()  # by boot and seq
    end_ns: int = 0  # device time up to which blocks were processed

    def durable(self, boot: int) -> int | None:
        """Highest seq of `boot` that the device may forget, with all before it."""
        known = _boot(self, boot)
        return None if known is None else known.durable

    @property
    def missing(self) -> int:
        """How many blocks are known to be missing."""
        return sum(last - first + 1 for boot in self.boots for first, last in boot.missing)

    def newest(self, boot: int) -> bool:
        """Whether no later era has this boot's number: what is said of that number is said of this boot."""
        if not self.boots or self.boots[-1].boot <= boot:
            return True
        return not any(known.boot % ERA == boot % ERA and known.boot > boot for known in self.boots)


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """Blocks `first` to `last` of a boot that were given up, and the device time around them."""

    boot: int
    first: int
    last: int
    cause: Cause
    start_ns: int
    end_ns: int


class Outcome(msgspec.Struct, frozen=True):
    """What an arrival or a status led to. `ready` lists keys in the order of processing."""

    disposition: Disposition | None = None
    ready: tuple[Key, ...] = ()
    gaps: tuple[Gap, ...] = ()


_DUPLICATE = Outcome("duplicate")
_LATE = Outcome("late")
_NOTHING = Outcome()


def era_of(order: Order, block: Arrival, copy: Callable[[Key], bool]) -> int:
    """The number, across eras, of the boot that a block with a believable clock belongs to.

    A block contradicts an era when its (boot, seq) is taken there by a block of quite another time, or when its boot
    lies before the current one though the block is newer than all. Then the device began to count anew. `copy` tells
    whether what was taken under a number is this very block.
    """
    era = order.boots[-1].boot // ERA if order.boots else 0
    oldest = order.boots[0].boot // ERA if order.boots else 0
    there = _there(order, (block.boot, block.seq), copy)
    if there is not None:
        return there
    if not _contradicts(order, era, block, copy):
        return era * ERA + block.boot
    if block.t0_ns >= order.end_ns:
        return (era + 1) * ERA + block.boot
    while era >= oldest and _contradicts(order, era, block, copy):
        era -= 1
    return era * ERA + block.boot


def era_of_undated(order: Order, key: Key, copy: Callable[[Key], bool]) -> int:
    """The same for a block without a believable time: the latest era in which its number is its own, or a new one."""
    there = _there(order, key, copy)
    if there is not None:
        return there
    era = order.boots[-1].boot // ERA if order.boots else 0
    oldest = order.boots[0].boot // ERA if order.boots else 0
    for one in range(era, oldest - 1, -1):
        known = _boot(order, one * ERA + key[0]) or Boot(one * ERA + key[0])
        if not _taken(order, known, key[1]) or copy((known.boot, key[1])):
            return one * ERA + key[0]
    return (era + 1) * ERA + key[0]


def _there(order: Order, key: Key, copy: Callable[[Key], bool]) -> int | None:
    """The boot, across eras, under which this very block was taken before, where there are several eras."""
    first = order.boots[0].boot // ERA if order.boots else 0
    last = order.boots[-1].boot // ERA if order.boots else 0
    if order.held:
        first, last = min(first, order.held[0].boot // ERA), max(last, order.held[-1].boot // ERA)
    if last == first:
        return None
    boots = {known.boot: known for known in order.boots}
    for era in range(last, first - 1, -1):
        known = boots.get(era * ERA + key[0]) or Boot(era * ERA + key[0])
        if _taken(order, known, key[1]) and copy((known.boot, key[1])):
            return known.boot
    return None


def _contradicts(order: Order, era: int, block: Arrival, copy: Callable[[Key], bool]) -> bool:
    boot = era * ERA + block.boot
    known = _boot(order, boot)
    if known is None:
        known = Boot(boot)
        if boot < order.current and 0 < _newest_ns(order) < block.t0_ns:
            return True
    return _taken(order, known, block.seq) and not copy((boot, block.seq))


def _newest_ns(order: Order) -> int:
    """Device time of the newest block that there is, processed or not."""
    held_ns = max((held.end_ns for held in order.held), default=0)
    return max([order.end_ns, held_ns, *(known.end_ns for known in order.boots)])


def _taken(order: Order, boot: Boot, seq: int) -> bool:
    """Whether a block with this number was there before."""
    if order.held and any((held.boot, held.seq) == (boot.boot, seq) for held in order.held):
        return True
    return seq < boot.next_seq and not any(first <= seq <= last for first, last in boot.missing)


def arrive(order: Order, block: Arrival, *, horizon: Horizon) -> tuple[Order, Outcome]:
    """Place one block."""
    if not order.held and block.boot == order.current:
        last = order.boots[-1]
        if last.boot == block.boot and last.next_seq == block.seq:
            return _step(order, block), Outcome("ready", ((block.boot, block.seq),))
    known = _boot(order, block.boot)
    if block.boot < order.current or (known is not None and block.seq < known.next_seq):
        return _behind(order, block, known)
    if any(block.boot == held.boot and block.seq == held.seq for held in order.held):
        return order, _DUPLICATE
    held = list(order.held)
    insort(held, block)
    order = msgspec.structs.replace(order, held=tuple(held))
    order, outcome = _release(order, cause="horizon", horizon=horizon)
    ready = (block.boot, block.seq) in outcome.ready
    return order, msgspec.structs.replace(outcome, disposition="ready" if ready else "held")


def go_offline(order: Order, boot: int) -> tuple[Order, Outcome]:
    """The device has gone: what is held is waited for no longer. An old boot's last will changes nothing."""
    if boot < order.current or not order.held:
        return order, _NOTHING
    return _release(order, cause="offline", horizon=Horizon(blocks=0))


def lose(order: Order, boot: int, oldest: int, *, horizon: Horizon) -> tuple[Order, Outcome]:
    """The device no longer has the blocks of `boot` below `oldest`."""
    known = _boot(order, boot) or Boot(boot)
    if oldest <= known.lost:
        return order, _NOTHING
    # Blocks that the broker still holds may come after all: nothing is skipped until a later block is there.
    known = msgspec.structs.replace(known, lost=oldest)
    return _release(_with(order, known), cause="horizon", horizon=horizon)


def lose_before(order: Order, boot: int, oldest: int, *, horizon: Horizon) -> tuple[Order, Outcome]:
    """The device has nothing before block `oldest` of `boot` any more, nothing of earlier boots of that era either."""
    gone = {
        known.boot: msgspec.structs.replace(known, lost=max(known.lost, known.next_seq))
        for known in order.boots
        if known.boot < boot and known.boot // ERA == boot // ERA and known.missing
    }
    if gone:
        order = msgspec.structs.replace(order, boots=tuple(gone.get(known.boot, known) for known in order.boots))
    return lose(order, boot, oldest, horizon=horizon) if oldest else _release(order, cause="lost", horizon=horizon)


def _behind(order: Order, block: Arrival, known: Boot | None) -> tuple[Order, Outcome]:
    """A block whose place has been passed: new or seen before."""
    if known is None:
        if len(order.boots) == MAX_BOOTS and block.boot < order.boots[0].boot:
            return order, _LATE  # of a boot no longer remembered: the journal tells whether it is new
        known = Boot(block.boot)
    if block.seq >= known.next_seq:  # an old boot turns out to be longer
        missing = known.missing
        if block.seq > known.next_seq:
            missing = _joined((*missing, (known.next_seq, block.seq - 1)))
        return _with(order, _grown(known, block, next_seq=block.seq + 1, missing=missing)), _LATE
    for i, (first, last) in enumerate(known.missing):
        if first <= block.seq <= last:
            parts = [span for span in ((first, block.seq - 1), (block.seq + 1, last)) if span[0] <= span[1]]
            missing = _joined((*known.missing[:i], *parts, *known.missing[i + 1 :]))
            return _with(order, _grown(known, block, next_seq=known.next_seq, missing=missing)), _LATE
    return order, _DUPLICATE


def _release(order: Order, *, cause: Cause, horizon: Horizon) -> tuple[Order, Outcome]:
    """Process held blocks for as long as they follow on, or have waited long enough."""
    ready: list[Key] = []
    gaps: list[Gap] = []
    while order.held:
        block = order.held[0]
        boot = _boot(order, block.boot) or Boot(block.boot)
        if block.seq > max(boot.next_seq, boot.lost) and not _overdue(order.held, horizon):
            break
        order = _skip(order, block, cause="lost" if block.seq <= boot.lost else cause, gaps=gaps)
        ready.append((block.boot, block.seq))
        order = _step(msgspec.structs.replace(order, held=order.held[1:]), block)
    return order, Outcome(None, tuple(ready), tuple(gaps))


def _skip(order: Order, block: Arrival, *, cause: Cause, gaps: list[Gap]) -> Order:
    """Give up what is missing before `block`."""
    boot = _boot(order, block.boot) or Boot(block.boot)
    if block.seq <= boot.next_seq:
        return order
    end_ns = max(order.end_ns, block.t0_ns)
    # Between boots the device may have been off: that is no gap in what it measured.
    start_ns = order.end_ns if block.boot == order.current else end_ns
    gap = Gap(boot=boot.boot, first=boot.next_seq, last=block.seq - 1, cause=cause, start_ns=start_ns, end_ns=end_ns)
    gaps.append(gap)
    missing = _joined((*boot.missing, (gap.first, gap.last)))
    return _with(order, msgspec.structs.replace(boot, next_seq=block.seq, missing=missing))


def _step(order: Order, block: Arrival) -> Order:
    """Go past `block`."""
    end_ns = max(order.end_ns, block.end_ns)
    last = order.boots[-1] if order.boots else None
    if last is not None and last.boot == block.boot:
        boots = (*order.boots[:-1], _grown(last, block, next_seq=block.seq + 1, missing=last.missing))
        return Order(boots, block.boot, order.held, end_ns)
    known = _boot(order, block.boot) or Boot(block.boot)
    order = _with(order, _grown(known, block, next_seq=block.seq + 1, missing=known.missing))
    return Order(order.boots, block.boot, order.held, end_ns)


def _grown(boot: Boot, block: Arrival, *, next_seq: int, missing: tuple[Span, ...]) -> Boot:
    """The boot with one more block; a block without a believable time (0) leaves the boot's time as it was."""
    start_ns, end_ns = boot.start_ns, boot.end_ns
    if block.t0_ns:
        start_ns = min(start_ns, block.t0_ns) if start_ns else block.t0_ns
        end_ns = max(end_ns, block.end_ns)
    return Boot(boot.boot, next_seq, missing, boot.lost, start_ns, end_ns)


def _overdue(held: tuple[Arrival, ...], horizon: Horizon) -> bool:
    if len(held) > horizon.blocks:
        return True
    if len(held) < horizon.fewest:
        return False
    dated = [block for block in held if block.t0_ns]
    return bool(dated) and max(b.end_ns for b in dated) - min(b.t0_ns for b in dated) > horizon.span_ns


def _boot(order: Order, boot: int) -> Boot | None:
    for known in reversed(order.boots):
        if known.boot == boot:
            return known
    return None


def _with(order: Order, boot: Boot) -> Order:
    """The order with what is known of one boot replaced or added; the oldest boots are forgotten."""
    others = [known for known in order.boots if known.boot != boot.boot]
    boots = sorted([*others, boot], key=lambda known: known.boot)[-MAX_BOOTS:]
    return msgspec.structs.replace(order, boots=tuple(boots))


def _joined(missing: tuple[Span, ...]) -> tuple[Span, ...]:
    """At most MAX_GAPS gaps: the two oldest become one that also covers what lies between."""
    if len(missing) <= MAX_GAPS:
        return missing
    return ((missing[0][0], missing[1][1]), *missing[2:])
