"""Builds anew what a damaged journal no longer has, from the blocks that are left: in the archive and in the journal.

Rules
-----
- Where a device stands follows from its blocks, taken in order of receipt as they were then. So acks go on, and what
  comes twice is known.
- A session whose detector state is lost, or was made by another version of the detector, is detected again whole: its
  first block is noted as one that the results do not rest on, which `ingest/replan.py` finds.
- A block that a device's state knows and that is nowhere any more is missing again: if the device still has it, it is
  taken; the durable mark falls behind it.
- What was told of an episode whose onset lies where no block is left stays as it is. Nothing could find it again.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Final

import msgspec

from ingest.clock import impossible
from ingest.devices import Device, View, bounded, irregular
from ingest.ledger import EpisodeKey, key_of
from ingest.marks import Mark
from ingest.order import ERA, MAX_GAPS, Arrival, Boot, Horizon, Key, Order, Span, arrive, era_of
from ingest.pipeline import SESSION_GAP_NS
from ingest.store import Episode
from ingest.timeline import Placed, sessions

SECOND_NS: Final = 1_000_000_000
NOT_HELD: Final = Horizon(blocks=0)
Identity = tuple[int, int, int]  # boot, seq, t0_ns


def identity(mark: Mark) -> Identity:
    """What tells one block of a device from another."""
    return mark.boot, mark.seq, mark.t0_ns


def _copies(known: Mapping[Key, int], t0_ns: int) -> Callable[[Key], bool]:
    return lambda key: known.get(key) == t0_ns


def order_from(marks: Iterable[Mark], keys: Mapping[Identity, Key] | None = None) -> Order:
    """Where a device stands that sent these blocks; `keys` are the boots across eras, of blocks where it is known."""
    keys, known = keys or {}, dict[Key, int]()
    order = Order()
    coming = sorted(marks, key=lambda mark: (mark.received_ns, mark.t0_ns, mark.boot, mark.seq))
    at = 0
    while at < len(coming):
        mark = coming[at]
        dated = not impossible(mark.t0_ns, received_ns=mark.received_ns)
        arrival = Arrival(mark.boot, mark.seq, *((mark.t0_ns, mark.end_ns) if dated else (0, 0)))
        if identity(mark) in keys:
            boot = keys[identity(mark)][0]
        elif dated:
            boot = era_of(order, arrival, _copies(known, mark.t0_ns))
        else:
            boot = (order.boots[-1].boot // ERA if order.boots else 0) * ERA + mark.boot
        order, _ = arrive(order, msgspec.structs.replace(arrival, boot=boot), horizon=NOT_HELD)
        known[boot, mark.seq] = mark.t0_ns
        at += 1
        if dated and order.boots[-1].boot == order.current == boot and order.boots[-1].next_seq == mark.seq + 1:
            stop = _follows(coming, at, boot, keys)
            order = _passed(order, coming[at:stop])
            known.update(((boot, item.seq), item.t0_ns) for item in coming[at:stop])
            at = stop
    return order


def rebuilt(marks: Sequence[Mark], keys: Mapping[Identity, Key], *, late: int, now_ns: int) -> Device:
    """A device of which nothing but its blocks is known; everything in it is to be looked at again."""
    order = order_from(marks, keys)
    dated = [mark for mark in marks if not impossible(mark.t0_ns, received_ns=mark.received_ns)]
    waiting: dict[int, tuple[int, int]] = {}
    for mark in marks:
        if impossible(mark.t0_ns, received_ns=mark.received_ns):
            boot = keys.get(identity(mark), (mark.boot, 0))[0]
            count, ns = waiting.get(boot, (0, 0))
            waiting[boot] = (count + 1, max(ns, mark.received_ns))
    view = View(
        boot=max(order.current, 0) % ERA,
        last_received_ns=max((mark.received_ns for mark in marks), default=0),
        last_sample_ns=max((mark.end_ns for mark in dated), default=0),
    )
    device = Device(order, view, undated=bounded(tuple((boot, *known) for boot, known in waiting.items())))
    if not dated:
        return device
    start_ns, end_ns = min(mark.t0_ns for mark in dated), max(mark.end_ns for mark in dated)
    device = irregular(device, start_ns, end_ns, now_ns=now_ns)
    assert device.dirty is not None  # noqa: S101 - for the type checker
    return msgspec.structs.replace(device, dirty=msgspec.structs.replace(device.dirty, late=late))


def without(order: Order, have: Iterable[Mark], keys: Mapping[Identity, Key]) -> tuple[Order, int]:
    """The order in which blocks that were taken and are nowhere count as missing, and how many these are.

    Below the first block that there is of a boot nothing is expected: an archive may have been cut.
    """
    there: dict[int, list[int]] = {}
    newest_ns = 0
    for mark in have:
        number = keys[identity(mark)][0] if identity(mark) in keys else _boot_at(order, mark)
        there.setdefault(number, []).append(mark.seq)
        newest_ns = max(newest_ns, mark.end_ns)
    lost, boots = 0, []
    for boot in order.boots:
        seqs = sorted(set(there.get(boot.boot, ())))
        first = seqs[0] if seqs else 0 if boot.start_ns >= newest_ns else boot.next_seq
        holes = [*_holes(seqs, first, boot.next_seq), *((a, min(b, first - 1)) for a, b in boot.missing if a < first)]
        missing = _fewer(merged(holes))
        lost += _count(missing) - _count([span for span in boot.missing if span[0] < boot.next_seq])
        boots.append(msgspec.structs.replace(boot, missing=missing))
    held = tuple(item for item in order.held if item.seq in there.get(item.boot, ()))
    lost += len(order.held) - len(held)
    return msgspec.structs.replace(order, boots=tuple(boots), held=held), lost


def stale(placed: Sequence[Placed], *, since_ns: int | None = None) -> list[Identity]:
    """The first blocks of the sessions to be detected again: the last one, and all that reach beyond an instant."""
    ranges = sessions(placed, gap_ns=SESSION_GAP_NS)
    last = len(ranges) - 1
    return [
        identity(placed[first].mark)
        for index, (first, stop) in enumerate(ranges)
        if index == last or (since_ns is not None and max(item.end_ns for item in placed[first:stop]) > since_ns)
    ]


def groundless(told: Iterable[Episode], placed: Sequence[Placed]) -> list[Episode]:
    """Episodes whose onset lies where no block is."""
    spans = merged([(item.start_ns, item.end_ns) for item in placed])
    starts = [start_ns for start_ns, _ in spans]
    found = []
    for episode in told:
        at = bisect_right(starts, episode.onset_ns) - 1
        if at < 0 or episode.onset_ns > spans[at][1] + SECOND_NS:
            found.append(episode)
    return found


def newest(episodes: Iterable[Episode]) -> list[Episode]:
    """The last revision of each."""
    latest: dict[EpisodeKey, Episode] = {}
    for episode in episodes:
        known = latest.get(key_of(episode))
        if known is None or known.revision <= episode.revision:
            latest[key_of(episode)] = episode
    return list(latest.values())


def merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Inclusive spans in order; those that overlap or touch are one."""
    out: list[Span] = []
    for first, last in sorted(spans):
        if out and first <= out[-1][1] + 1:
            out[-1] = (out[-1][0], max(last, out[-1][1]))
        else:
            out.append((first, last))
    return tuple(out)


def _follows(coming: Sequence[Mark], at: int, boot: int, keys: Mapping[Identity, Key]) -> int:
    """How far blocks go on that each are the next one of the boot; for these `arrive` need not be asked."""
    before = coming[at - 1]
    while at < len(coming):
        mark = coming[at]
        goes_on = mark.boot == before.boot and mark.seq == before.seq + 1
        if not goes_on or impossible(mark.t0_ns, received_ns=mark.received_ns):
            break
        if keys.get(identity(mark), (boot, 0))[0] != boot:
            break
        before, at = mark, at + 1
    return at


def _passed(order: Order, marks: Sequence[Mark]) -> Order:
    if not marks:
        return order
    last = order.boots[-1]
    start_ns, end_ns = min(mark.t0_ns for mark in marks), max(mark.end_ns for mark in marks)
    start_ns = min(last.start_ns, start_ns) if last.start_ns else start_ns
    grown = Boot(last.boot, marks[-1].seq + 1, last.missing, last.lost, start_ns, max(last.end_ns, end_ns))
    return Order((*order.boots[:-1], grown), order.current, order.held, max(order.end_ns, end_ns))


def _boot_at(order: Order, mark: Mark) -> int:
    """The boot, across eras, that a block of the archive most likely is of: the nearest in time."""
    alike = [boot for boot in order.boots if boot.boot % ERA == mark.boot]
    if not alike:
        return mark.boot
    return min(alike, key=lambda boot: max(boot.start_ns - mark.t0_ns, mark.t0_ns - boot.end_ns, 0)).boot


def _holes(seqs: Sequence[int], first: int, stop: int) -> list[Span]:
    edges = [first - 1, *(seq for seq in seqs if seq < stop), stop]
    return [(a + 1, b - 1) for a, b in pairwise(edges) if b - a > 1]


def _fewer(missing: tuple[Span, ...]) -> tuple[Span, ...]:
    """At most `MAX_GAPS`: the oldest become one."""
    more = len(missing) - MAX_GAPS
    return missing if more <= 0 else ((missing[0][0], missing[more][1]), *missing[more + 1 :])


def _count(spans: Iterable[Span]) -> int:
    return sum(last - first + 1 for first, last in spans)
