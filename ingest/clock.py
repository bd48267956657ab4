"""Puts the blocks of one device where they belong in time, whatever its clock said: from the set of blocks alone.

Rules
-----
A clock that reads a time before 2020, from 2100 on, or more than 24 h after the block's arrival is *impossible*.
Arrival is used for nothing else, so the outcome depends on which blocks there are and not on when or how they came.

- Blocks of one boot number are first told apart by incarnation (`ingest/incarnations.py`).
- In order of seq an incarnation consists of *runs* of the clock: each block begins where the one before it ended, give
  or take 30 s; over missing blocks, where they would have ended. An impossible block makes its run impossible.
- Two runs are *linked* when no block is missing between them: then the first ended where the second begins, but for a
  pause. From the last run to the first, with the run behind it already placed:
  1. an impossible run ends where the run linked behind it begins;
  2. so does a possible one that would end more than 30 s after that: the later setting is trusted;
  3. so does one between two linked runs that fit together without it: the clock strayed and came back;
  4. a run before a pause of less than an hour goes with a run that was moved by 2 or 4, unless it fits where it is.
     Beyond such a pause it goes only if it must (2), and keeps the pause. Impossible runs keep pauses of up to 30 days.
- Then from the first to the last: an impossible run that is still without a place follows the run linked before it.
- Nothing is moved to before 2020, or to 2100 and after: as a clock that goes back at every block would have it.
- What is left is undated. Possible runs that are not linked stay as sent.

Stretches without a pause or a setting of the clock come in order of their start (then boot number), blocks in them by
seq: so time goes back only by small corrections, and where two stretches claim the same time.

What a block that is added can move: of other boot numbers, nothing. A block that closes the last hole at a setting of
the clock places the runs linked before it, at most to the nearest missing block; a possible run only with its session,
or where runs would overlap. A block that arrival proves impossible takes its whole run with it. A (boot, seq) known at
another time opens an incarnation and can make a setting of that boot ambiguous. Any other block adds itself only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ingest.incarnations import JITTER_NS, NEAR_NS, PAUSE_NS, IntArray, incarnations
from ingest.marks import Mark
from ingest.offset import Clock, heard
from ingest.timeline import Placed, Timeline, moved, sessions

__all__ = ["Clock", "Placed", "Timeline", "heard", "impossible", "moved", "sessions", "timeline"]

SECOND_NS: Final = 1_000_000_000
FIRST_NS: Final = 1_577_836_800 * SECOND_NS  # 2020-01-01
LAST_NS: Final = 4_102_444_800 * SECOND_NS  # 2100-01-01
AHEAD_NS: Final = 24 * 3600 * SECOND_NS

BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Blocks:
    """Marks as columns, sorted by incarnation and seq."""

    marks: list[Mark]
    label: IntArray
    seq: IntArray
    t0_ns: IntArray
    end_ns: IntArray
    bad: BoolArray


@dataclass(frozen=True, slots=True)
class Run:
    """Blocks on one clock as sent; `linked` if no block is missing before the next run."""

    start_ns: int
    end_ns: int
    bad: bool
    linked: bool


def impossible(t0_ns: int, *, received_ns: int) -> bool:
    """Whether no right clock can have read `t0_ns` for a block that came at `received_ns`."""
    return not FIRST_NS <= t0_ns < LAST_NS or t0_ns - received_ns > AHEAD_NS


def timeline(marks: Sequence[Mark]) -> Timeline:
    """Place all blocks of one device. Times are 0 to 2^63 - 1; of repeated blocks the first to come counts."""
    if not marks:
        return Timeline()
    blocks = _blocks(marks)
    cut = _cuts(blocks)
    shift_ns, dated = _shifts(blocks, cut)
    start_ns = (blocks.t0_ns + shift_ns).tolist()
    end_ns = (blocks.end_ns + shift_ns).tolist()
    order = _order(blocks, dated, start_ns)
    placed = tuple(Placed(blocks.marks[i], start_ns[i], end_ns[i]) for i in order)
    return Timeline(placed, tuple(sorted(blocks.marks[i] for i in np.flatnonzero(~dated).tolist())))


def _blocks(marks: Sequence[Mark]) -> Blocks:
    """Without repetitions, and with incarnations told apart."""
    marks = list(marks)
    rows = np.array([(m.boot, m.seq, m.t0_ns, m.end_ns, m.received_ns) for m in marks], np.int64).T
    order = np.lexsort((rows[3], rows[4], rows[2], rows[1], rows[0]))
    rows = rows[:, order]
    fresh = np.ones(order.size, bool)
    fresh[1:] = (np.diff(rows[:3], axis=1) != 0).any(axis=0)
    order, rows = order[fresh], rows[:, fresh]
    boot, seq, t0_ns, end_ns, received_ns = rows
    label = incarnations(boot, seq, t0_ns, end_ns)
    bad = (t0_ns < FIRST_NS) | (t0_ns >= LAST_NS) | (t0_ns - received_ns > AHEAD_NS)
    again = np.lexsort((seq, label))
    picked = [marks[i] for i in order[again].tolist()]
    return Blocks(picked, label[again], seq[again], t0_ns[again], end_ns[again], bad[again])


def _cuts(blocks: Blocks) -> IntArray:
    """Where runs begin."""
    missing = np.diff(blocks.seq).astype(float) - 1
    length = blocks.end_ns - blocks.t0_ns
    expected = missing * (length[:-1] + length[1:]) / 2
    off = blocks.t0_ns[1:] - blocks.end_ns[:-1] - expected
    cut = np.ones(blocks.seq.size, bool)
    cut[1:] = (np.abs(off) > JITTER_NS) | (np.diff(blocks.label) != 0)
    return np.flatnonzero(cut)


def _shifts(blocks: Blocks, cut: IntArray) -> tuple[IntArray, BoolArray]:
    """By how much each block is moved, and whether its time is known."""
    last = np.append(cut[1:], blocks.seq.size) - 1
    start_ns, end_ns = blocks.t0_ns[cut], blocks.end_ns[last]
    bad = np.logical_or.reduceat(blocks.bad, cut)
    label = blocks.label[cut]
    linked = np.zeros(cut.size, bool)
    linked[:-1] = (np.diff(label) == 0) & (blocks.seq[cut[1:]] - blocks.seq[last[:-1]] == 1)
    back = np.zeros(cut.size, bool)
    back[:-1] = linked[:-1] & (start_ns[1:] - end_ns[:-1] < 0)
    shift_ns, dated = np.zeros(cut.size, np.int64), np.ones(cut.size, bool)
    faulty = np.unique(label[bad | back])
    edges = (np.searchsorted(label, faulty).tolist(), np.searchsorted(label, faulty, side="right").tolist())
    for low, high in zip(*edges, strict=True):
        columns = (column[low:high].tolist() for column in (start_ns, end_ns, bad, linked))
        shifts = _place([Run(*row) for row in zip(*columns, strict=True)])
        shift_ns[low:high] = [shift or 0 for shift in shifts]
        dated[low:high] = [shift is not None for shift in shifts]
    sizes = last - cut + 1
    return np.repeat(shift_ns, sizes), np.repeat(dated, sizes)


def _place(runs: Sequence[Run]) -> list[int | None]:
    """The shift of each run of one incarnation; None where it cannot be known."""
    shifts: list[int | None] = [None] * len(runs)
    for i in reversed(range(len(runs))):
        after = shifts[i + 1] if runs[i].linked else None
        if after is None:
            shifts[i] = None if runs[i].bad else 0
        else:
            before = runs[i - 1] if i and runs[i - 1].linked else None
            shifts[i] = _believed(runs[i], _shift(runs[i], runs[i + 1], after_ns=after, before=before))
    for i in range(1, len(runs)):
        known = shifts[i - 1]
        if shifts[i] is None and known is not None and runs[i - 1].linked:
            keep = runs[i - 1].bad and _pause(runs[i - 1], runs[i]) <= PAUSE_NS
            shifts[i] = _believed(runs[i], known if keep else runs[i - 1].end_ns + known - runs[i].start_ns)
    return shifts


def _believed(run: Run, shift_ns: int) -> int | None:
    """The shift, unless it led out of the years in which a clock is believed: each setting back adds to it."""
    if FIRST_NS <= run.start_ns + shift_ns < LAST_NS:
        return shift_ns
    return None if run.bad else 0


def _shift(run: Run, following: Run, *, after_ns: int, before: Run | None) -> int:
    """The shift of a run whose follower is linked and moved by `after_ns`; `before` is linked too, if there is one."""
    flush_ns = following.start_ns + after_ns - run.end_ns  # to end where the follower begins
    pause_ns = _pause(run, following)
    if run.bad:
        return after_ns if following.bad and pause_ns <= PAUSE_NS else flush_ns
    if before is not None and abs(run.start_ns + flush_ns - before.end_ns) <= JITTER_NS:
        return flush_ns
    if abs(flush_ns) <= JITTER_NS:
        return 0
    if flush_ns < 0:
        return after_ns if pause_ns <= PAUSE_NS and not following.bad else flush_ns
    return after_ns if pause_ns < NEAR_NS and not following.bad else 0


def _pause(run: Run, following: Run) -> int:
    """How long the clock says that nothing was recorded; endless where it went back."""
    pause_ns = following.start_ns - run.end_ns
    return pause_ns if pause_ns >= 0 else 2**63


def _order(blocks: Blocks, dated: BoolArray, start_ns: Sequence[int]) -> list[int]:
    """Indices of dated blocks in canonical order."""
    places = np.flatnonzero(dated)
    if not places.size:
        return []
    starts = np.array(start_ns, np.int64)[places]
    ends = starts + (blocks.end_ns - blocks.t0_ns)[places]
    fresh = np.ones(places.size, bool)  # begins a stretch without pause or setting of the clock
    fresh[1:] = (np.diff(blocks.label[places]) != 0) | (np.abs(starts[1:] - ends[:-1]) > JITTER_NS)
    stretch = np.cumsum(fresh) - 1
    lead = np.flatnonzero(fresh)
    rank = np.empty(lead.size, np.int64)
    by_time = sorted(range(lead.size), key=lambda i: (starts[lead[i]], blocks.marks[places[lead[i]]]))
    rank[by_time] = np.arange(lead.size)
    out: list[int] = places[np.lexsort((blocks.seq[places], rank[stretch]))].tolist()
    return out
