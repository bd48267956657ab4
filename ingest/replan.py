"""Which sessions of a device are to be detected anew: where the results rest on other blocks than they should.

Rules
-----
- What results should rest on: `ingest.clock.timeline` of every block, cut into sessions. What they do rest on: every
  block at its place, as the journal notes it; a late or undated block has none yet.
- A session that holds the same blocks at the same places in both is left alone, so only what was touched is revised.
- Blocks are looked up in a window of device time around what is dirty, which grows until no session that is to be
  detected anew reaches its edge.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Final

import msgspec

from ingest.archive import Archive
from ingest.clock import Placed, impossible, sessions, timeline
from ingest.devices import Device, Identity
from ingest.journal import Journal
from ingest.marks import Mark
from ingest.order import ERA, Key
from ingest.pipeline import SESSION_GAP_NS
from ingest.wire import BLOCK_S

HOUR_NS: Final = 3_600_000_000_000
MARGIN_NS: Final = 26 * HOUR_NS  # first guess of how far a session reaches beyond what is dirty
ALL_NS: Final = 2**62
LONGEST_NS: Final = round((BLOCK_S[1] + 1) * 1e9)  # of a block, and somewhat more
QUIET_NS: Final = 60_000_000_000  # results this long before the first difference are the same
WAITING: Final = ("late", "undated")

Place = tuple[Identity, int, int]  # block, start_ns, end_ns
Span = tuple[int, int]


class Session(msgspec.Struct, frozen=True):
    """One session as it should be."""

    placed: tuple[Placed, ...]
    span: Span  # from its first sample to its last
    changed: frozenset[Identity]  # blocks that the results do not have, or have elsewhere
    old: tuple[Place, ...]  # where the results have those
    from_ns: int  # what was found before this instant is as it was
    live: bool  # whether it is the one in which the device goes on


class Plan(msgspec.Struct, frozen=True):
    """What is to be done for one device."""

    device: str
    sessions: tuple[Session, ...]
    removed: tuple[Place, ...]  # blocks that are in the results and have no place any more
    spans: tuple[Span, ...]  # of every session there should be
    keys: Mapping[Identity, Key]  # where the journal has the blocks that it has
    undated: Mapping[int, int]  # boots across eras, and how many of their blocks have no time
    last: Identity | None = None  # the block that was detected in last as it came
    dated_before: Mapping[int, bool] = {}  # by boot on the wire: whether its newest block lies elsewhere than it says


class _Places:
    """Places to be found by time: sessions are many, and places of blocks more."""

    def __init__(self, places: Iterable[Place]) -> None:
        self._places = sorted(places, key=lambda place: place[1])
        self._starts = [start_ns for _, start_ns, _ in self._places]

    def between(self, start_ns: int, end_ns: int) -> list[Place]:
        """Those that end after the one and begin before the other."""
        first = bisect_left(self._starts, start_ns - LONGEST_NS)
        last = bisect_left(self._starts, end_ns)
        return [place for place in self._places[first:last] if place[2] > start_ns]


def identity(mark: Mark) -> Identity:
    """What tells one block of a device from another."""
    return mark.boot, mark.seq, mark.t0_ns


def plan(name: str, device: Device, *, journal: Journal, archive: Archive) -> Plan:
    """Compare what the results rest on with what they should rest on."""
    if device.dirty is None:
        return Plan(name, (), (), (), {}, {})
    here = journal.raw.kept(name)
    kept = [item for item in here if item.disposition != "held"]
    held = Counter(item.key[0] for item in here if item.disposition == "held" and _no_time(item.mark))
    keys = {identity(item.mark): item.key for item in kept}
    waiting = {identity(item.mark) for item in kept if item.disposition in WAITING}
    moved = journal.raw.moved(name)
    margin_ns = MARGIN_NS
    whole: frozenset[int] = frozenset()  # boots that are to be seen whole
    while True:
        window = (device.dirty.start_ns - margin_ns, device.dirty.end_ns + margin_ns)
        low_ns, high_ns = _whole_boots(device, *window, whole=whole, moved=moved)
        high_ns = min(high_ns, ALL_NS)
        archived = archive.marks(name, start_ns=max(low_ns, 0), end_ns=high_ns)
        archived += _elsewhere(name, moved, {identity(mark) for mark in archived} | keys.keys(), archive)
        known = {identity(mark): mark for mark in [*archived, *(item.mark for item in kept)]}
        marks = {
            place: mark for place, mark in known.items() if place in waiting or _within(mark, moved, low_ns, high_ns)
        }
        inside = {place[0] for place in marks if moved.get(place, 0) is not None}
        cut = _torn(device, marks.values(), low_ns, high_ns)
        cut |= {place[0] for place in moved.keys() & marks.keys()} & inside
        if cut - whole:
            whole |= cut
            continue
        was = {place: moved.get(place, mark.t0_ns) for place, mark in marks.items() if place not in waiting}
        placed = {place: start_ns for place, start_ns in was.items() if start_ns is not None}
        found = compare(name, list(marks.values()), placed, keys, device=device)
        inner = (low_ns + SESSION_GAP_NS, high_ns - SESSION_GAP_NS)
        if all(inner[0] <= s.span[0] and s.span[1] <= inner[1] for s in found.sessions) or high_ns == ALL_NS:
            return msgspec.structs.replace(found, undated=held + Counter(found.undated))
        margin_ns *= 4


def _within(mark: Mark, moved: Mapping[Identity, int | None], low_ns: int, high_ns: int) -> bool:
    """Whether a block lies in a window, by its own clock or where it was placed, or lost its place in time."""
    placed_ns = moved.get(identity(mark), mark.t0_ns)
    if placed_ns is None:
        return True
    length_ns = mark.end_ns - mark.t0_ns
    return any(start_ns < high_ns and low_ns < start_ns + length_ns for start_ns in (mark.t0_ns, placed_ns))


def _torn(device: Device, marks: Iterable[Mark], low_ns: int, high_ns: int) -> frozenset[int]:
    """Boots with dirty blocks that are far from the edge of the window, and others beyond it.

    Such a boot made a pause of a day or more, or its clock was set meanwhile; only the whole of it tells which.
    """
    if device.dirty is None:
        return frozenset()
    reach: dict[int, Span] = {}
    dirty: set[int] = set()
    for mark in marks:
        first_ns, last_ns = reach.get(mark.boot, (mark.t0_ns, mark.end_ns))
        reach[mark.boot] = (min(first_ns, mark.t0_ns), max(last_ns, mark.end_ns))
        if mark.t0_ns < device.dirty.end_ns and device.dirty.start_ns < mark.end_ns:
            dirty.add(mark.boot)
    known = [boot for boot in device.order.boots if boot.end_ns and boot.boot % ERA in dirty]
    return frozenset(
        boot.boot % ERA
        for boot in known
        if (boot.start_ns < low_ns < reach[boot.boot % ERA][0] - SESSION_GAP_NS)
        or (boot.end_ns > high_ns > reach[boot.boot % ERA][1] + SESSION_GAP_NS)
    )


def _whole_boots(
    device: Device, low_ns: int, high_ns: int, *, whole: Set[int], moved: Mapping[Identity, int | None]
) -> Span:
    """A window that holds boots whole, all with one number, where a device's clock or counter has failed."""
    order = device.order
    sound = not (device.dirty and device.dirty.forced) and not device.undated and not whole
    if sound and len({boot.boot // ERA for boot in order.boots}) <= 1:
        return low_ns, high_ns
    here = {boot.boot % ERA for boot in order.boots if boot.end_ns and boot.start_ns < high_ns and low_ns < boot.end_ns}
    here |= whole
    spans = [(boot.start_ns, boot.end_ns) for boot in order.boots if boot.end_ns and boot.boot % ERA in here]
    spans += [(at_ns, at_ns) for place, at_ns in moved.items() if at_ns is not None and place[0] in here]
    low_ns = min([low_ns, *(start_ns - SESSION_GAP_NS for start_ns, _ in spans)])
    return low_ns, max([high_ns, *(end_ns + SESSION_GAP_NS for _, end_ns in spans)])


def _elsewhere(name: str, moved: Mapping[Identity, int | None], known: Set[Identity], archive: Archive) -> list[Mark]:
    """Archived blocks that were placed by another clock than their own: they lie at what their own said."""
    away = [place for place in moved if place not in known]
    if not away:
        return []
    times = [t0_ns for _, _, t0_ns in away]
    here = [*archive.undated(name), *archive.marks(name, start_ns=min(times), end_ns=max(times) + 1)]
    return [mark for mark in here if identity(mark) in moved]


def compare(
    name: str, marks: Sequence[Mark], was: Mapping[Identity, int], keys: Mapping[Identity, Key], *, device: Device
) -> Plan:
    """The plan for these blocks, of which the results have those in `was`, at those starts. Pure."""
    forced = set(device.dirty.forced) if device.dirty else set()
    live = _frontier(device, marks)
    should = timeline(marks)
    places = {identity(mark): (identity(mark), start_ns, start_ns + mark.end_ns - mark.t0_ns)
              for mark in marks if (start_ns := was.get(identity(mark))) is not None}  # fmt: skip
    now = {identity(item.mark): item.start_ns for item in should.placed}
    left = _Places(place for known, place in places.items() if now.get(known) != place[1])  # where blocks are no more
    sorted_places = _Places(places.values())
    ranges = sessions(should.placed, gap_ns=SESSION_GAP_NS)
    found = []
    spans = []
    for first, last in ranges:
        placed = should.placed[first:last]
        span = (min(item.start_ns for item in placed), max(item.end_ns for item in placed))
        spans.append(span)
        again = any(identity(item.mark) in forced for item in placed)
        fresh = any(was.get(identity(item.mark)) != item.start_ns for item in placed)
        # What is left near enough to have been of one session with it.
        if fresh or again or left.between(span[0] - SESSION_GAP_NS, span[1] + SESSION_GAP_NS):
            near = sorted_places.between(span[0] - 2 * SESSION_GAP_NS, span[1])
            live_here = any(identity(item.mark) == live for item in placed)
            session = _session(placed, span, places, near=near, live=live_here)
            found.append(msgspec.structs.replace(session, from_ns=span[0]) if again else session)
    if not any(identity(item.mark) == live for item in should.placed):
        found = [msgspec.structs.replace(session, live=_holds_track(session, places, device)) for session in found]
    removed = tuple(places[known] for mark in should.undated if (known := identity(mark)) in places)
    undated = Counter(_boot_of(mark, keys, device) for mark in should.undated)
    newest = {item.mark.boot: item for item in sorted(should.placed, key=lambda item: item.mark.seq)}
    dated_before = {boot: item.start_ns != item.mark.t0_ns for boot, item in newest.items()}
    return Plan(name, tuple(found), removed, tuple(spans), keys, undated, live, dated_before)


def _no_time(mark: Mark) -> bool:
    return impossible(mark.t0_ns, received_ns=mark.received_ns)


def _boot_of(mark: Mark, keys: Mapping[Identity, Key], device: Device) -> int:
    """The boot of a block across eras; of one in the archive the latest with its number."""
    if identity(mark) in keys:
        return keys[identity(mark)][0]
    return max((boot.boot for boot in device.order.boots if boot.boot % ERA == mark.boot), default=mark.boot)


def _frontier(device: Device, marks: Sequence[Mark]) -> Identity | None:
    """The block that was detected in last as it came: its session is the one that goes on."""
    order = device.order
    last = next((boot for boot in reversed(order.boots) if boot.boot == order.current), None)
    if last is None:
        return None
    number = (order.current % ERA, last.next_seq - 1)
    found = [mark for mark in marks if (mark.boot, mark.seq) == number]
    return identity(max(found, key=lambda mark: mark.received_ns)) if found else None


def _holds_track(session: Session, places: Mapping[Identity, Place], device: Device) -> bool:
    """Whether the block that the device's track ends with is in a session that is detected anew.

    So the device goes on in that session when what came last has no time of its own yet.
    """
    track = device.track
    was = [places[known] for item in session.placed if (known := identity(item.mark)) in places]
    return track is not None and any(start_ns < track.end_ns <= end_ns for _, start_ns, end_ns in was)


def _session(
    placed: tuple[Placed, ...], span: Span, places: Mapping[Identity, Place], *, near: Sequence[Place], live: bool
) -> Session:
    changed = frozenset(
        known for item in placed if places.get(known := identity(item.mark), (known, -1, 0))[1] != item.start_ns
    )
    old = tuple(places[known] for known in changed if known in places)
    return Session(placed, span, changed, old, _from_ns(placed, span, near, changed), live)


def _from_ns(placed: tuple[Placed, ...], span: Span, near: Sequence[Place], changed: frozenset[Identity]) -> int:
    """The first instant at which the session as it should be and as it is may have different results."""
    here = {identity(item.mark) for item in placed}
    first = identity(placed[0].mark)
    before = [place for place in near if place[0] not in here and place[1] < placed[0].start_ns]
    if first in changed or before:
        return span[0]  # it begins elsewhere, so everything in it may differ
    differ = [item.start_ns for item in placed if identity(item.mark) in changed]
    differ += [place[1] for place in near if place[0] not in here or place[0] in changed]
    first_ns = min(differ, default=span[0])
    # The epoch that ran before a pause was not finished until something came after it.
    ended_ns = max((item.end_ns for item in placed if item.start_ns < first_ns), default=first_ns)
    return max(span[0], min(first_ns, ended_ns) - QUIET_NS)
