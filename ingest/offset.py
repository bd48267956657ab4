"""How far a device's clock is off, and how it drifts: a running estimate from when its blocks come in.

Rules
-----
- Arrival minus the block's end is the delay of the way minus the offset of the clock. A delay is never negative and
  often small, so the line that lies below all these points and closest to them is the clock (Moon, Skelly and Towsley
  1999, "Estimation and removal of clock skew from network delay measurements"). The smallest delay of the way, mostly
  a tenth of a second, is counted as offset.
- An offset ahead is certain with one block: it came in before it ended. One behind may be a delay: what waited while
  the service or the broker was away looks alike. More than `NEAR_NS` behind, and any drift, is claimed only where
  delivery was seen *live*: arrivals that advance as the device's time does, within 2 s over a minute and a half, four
  blocks or two readings of the clock. Blocks that come at once and a single reading show nothing; older blocks that
  come in between do no harm. Until something is seen the offset is 0, or what live blocks said before.
- Kept is the lowest point of every ten minutes of arrival, six hours back. Blocks that were stored and sent later lie
  high above the line and leave no trace; so do ten minutes in which nothing else came.
- Where a block follows on in seq and begins before the end of the one before it, the clock was set back by that much,
  and all points are moved. Where it begins later, the clock was set or nothing was recorded: if its arrival says the
  former, the estimate begins anew and keeps its drift until it has an hour of its own. A setting that no two blocks
  show is known when three times ten minutes agree on it.
"""

from itertools import pairwise
from typing import Final, NamedTuple

import msgspec

from ingest.marks import Mark

SECOND_NS: Final = 1_000_000_000
BIN_NS: Final = 600 * SECOND_NS
BINS: Final = 36
LATE_NS: Final = 15 * SECOND_NS  # this far above the lowest a point is no live block: drift stays below it
STEADY_NS: Final = 2 * SECOND_NS
STEP_NS: Final = SECOND_NS // 4  # a smaller correction is left to the line
NEAR_NS: Final = 2 * SECOND_NS  # a clock that seems this far behind is as good as right
LIVE_NS: Final = 90 * SECOND_NS  # so long arrival and device advance together
LIVE_POINTS: Final = 4
APART_NS: Final = 5 * SECOND_NS  # blocks that come closer together are one point
FEWEST_NS: Final = 3600 * SECOND_NS  # for a drift
STEEPEST: Final = 500e-6  # no crystal drifts more


class Low(msgspec.Struct, frozen=True, array_like=True):
    """The lowest point of one bin: when it arrived, arrival minus end, and whether delivery was seen to be live."""

    received_ns: int
    behind_ns: int
    live: bool = False


class Clock(msgspec.Struct, frozen=True, array_like=True):
    """What is known of one device's clock. `basis` counts the blocks since the estimate began.

    The last four are of the blocks that advanced together: arrival minus end of the first, its arrival and that of the
    last, and how many points they are.
    """

    lows: tuple[Low, ...] = ()
    basis: int = 0
    newest: Mark | None = None  # by boot and seq
    heard_ns: int = 0  # latest arrival
    earlier_ppm: float = 0.0  # drift before the estimate began
    level_ns: int = 0
    since_ns: int = 0
    until_ns: int = 0
    together: int = 0

    @property
    def offset_s(self) -> float:
        """Device minus service when the last block came, seconds; 0 while nothing is known."""
        points = _points(self.lows)
        slope = self._slope(points)
        line = [low.behind_ns + slope * (self.heard_ns - low.received_ns) for low in points]
        return -min(line) / SECOND_NS if line else 0.0

    @property
    def drift_ppm(self) -> float:
        """How much faster than the service's the device's clock runs, parts per million."""
        return 0.0 - 1e6 * self._slope(_points(self.lows))

    def _slope(self, lows: list[Low]) -> float:
        points = [(low.received_ns, low.behind_ns) for low in lows if low.live]
        if not points or points[-1][0] - points[0][0] < FEWEST_NS:
            return -self.earlier_ppm / 1e6
        return max(-STEEPEST, min(STEEPEST, _slope(points)))


def heard(clock: Clock, mark: Mark) -> Clock:
    """The estimate with one more block, taken when it came in."""
    behind_ns = mark.received_ns - mark.end_ns
    newest = clock.newest
    if mark.seq >= 0 and (newest is None or _newer(mark, newest)):  # a reading of the clock is no block to follow on
        newest = mark
    heard_ns = max(clock.heard_ns, mark.received_ns)
    jump_ns = _jump_ns(clock.newest, mark)
    lows, run = clock.lows, _Run(clock.level_ns, clock.since_ns, clock.until_ns, clock.together)
    if jump_ns < 0:
        lows = tuple(Low(old.received_ns, old.behind_ns - jump_ns, old.live) for old in lows)
        run = run._replace(level_ns=run.level_ns - jump_ns)
    elif jump_ns > 0 and _was_set(lows[-2:], jump_ns, behind_ns):
        at_ns = mark.received_ns
        lows = (Low(at_ns, behind_ns),)
        return Clock(lows, 1, newest, heard_ns, clock.drift_ppm, *_Run(behind_ns, at_ns, at_ns, 1))
    run = _joined(run, mark, behind_ns)
    live = run.live and behind_ns <= run.level_ns + STEADY_NS
    lows = _lowered(lows, Low(mark.received_ns, behind_ns, live), level_ns=run.level_ns)
    return Clock(lows, clock.basis + 1, newest, heard_ns, clock.earlier_ppm, *run)


class _Run(NamedTuple):
    """Blocks that advanced together: the last four members of `Clock`."""

    level_ns: int
    since_ns: int
    until_ns: int
    together: int

    @property
    def live(self) -> bool:
        """Whether they show that delivery is live."""
        return self.together >= LIVE_POINTS and self.until_ns - self.since_ns >= LIVE_NS


def _joined(run: _Run, mark: Mark, behind_ns: int) -> _Run:
    """The run with one more block, or the run that it begins; older blocks that come in between leave it as it is."""
    above_ns, points = behind_ns - run.level_ns, 1 if mark.seq >= 0 else LIVE_POINTS // 2
    over = above_ns > STEADY_NS and mark.received_ns - run.until_ns > BIN_NS
    if not run.together or above_ns < -STEADY_NS or over:
        return _Run(behind_ns, mark.received_ns, mark.received_ns, points)
    if above_ns <= STEADY_NS and mark.received_ns - run.until_ns >= APART_NS:
        return run._replace(until_ns=mark.received_ns, together=run.together + points)
    return run


def _lowered(lows: tuple[Low, ...], point: Low, *, level_ns: int) -> tuple[Low, ...]:
    """The lowest points with one more, which may also show that the last one was live."""
    if not lows or point.received_ns // BIN_NS > lows[-1].received_ns // BIN_NS:
        return (*_steady(lows), point)[-BINS:]
    last = lows[-1]
    if point.behind_ns < last.behind_ns:
        return (*lows[:-1], point)
    if point.live and not last.live and last.behind_ns >= level_ns - STEADY_NS:
        return (*lows[:-1], Low(last.received_ns, last.behind_ns, live=True))
    return lows


def _newer(mark: Mark, than: Mark) -> bool:
    """Whether the device made `mark` later; a boot counter may have begun again."""
    if mark.boot == than.boot:
        return mark.seq > than.seq
    return mark.boot > than.boot or mark.end_ns > than.end_ns


def _jump_ns(newest: Mark | None, mark: Mark) -> int:
    """What the device's clock shows between two blocks that follow on; 0 if it ran on, or they do not."""
    if newest is None or mark.boot != newest.boot or mark.seq != newest.seq + 1 or newest.seq < 0:
        return 0
    jump_ns = mark.t0_ns - newest.end_ns
    return jump_ns if abs(jump_ns) >= STEP_NS else 0


def _was_set(lows: tuple[Low, ...], jump_ns: int, behind_ns: int) -> bool:
    """Whether arrival says that the clock was set by a jump ahead; stored blocks say nothing."""
    live_ns = [low.behind_ns for low in lows if low.live]
    return bool(live_ns) and behind_ns < min(live_ns) - jump_ns / 2


def _steady(lows: tuple[Low, ...]) -> tuple[Low, ...]:
    """Without what lies before a setting of the clock that no block showed."""
    recent = [low.behind_ns for low in lows[-3:]]
    if len(recent) < 3 or not any(low.live for low in lows[-3:]) or max(recent) - min(recent) > STEADY_NS:
        return lows
    level_ns = min(low.behind_ns for low in lows)
    return lows[-3:] if min(recent) > level_ns + LATE_NS else lows


def _points(lows: tuple[Low, ...]) -> list[Low]:
    """The bins in which a live block came; none where all may have waited somewhere."""
    if not lows:
        return []
    lowest_ns = min(low.behind_ns for low in lows)
    near = [low for low in lows if low.behind_ns <= lowest_ns + LATE_NS]
    return near if lowest_ns <= NEAR_NS or any(low.live for low in near) else []


def _slope(points: list[tuple[int, int]]) -> float:
    """The slope of the line below all points that is closest to them: of their lower hull, at their mean time."""
    hull: list[tuple[int, int]] = []
    for x, y in points:
        while len(hull) > 1 and _above(hull[-2], hull[-1], (x, y)):
            hull.pop()
        hull.append((x, y))
    mean = sum(x for x, _ in points) / len(points)
    for (x0, y0), (x1, y1) in pairwise(hull):
        if x1 >= mean:
            return (y1 - y0) / (x1 - x0)
    return 0.0


def _above(a: tuple[int, int], b: tuple[int, int], c: tuple[int, int]) -> bool:
    """Whether `b` lies on or above the line from `a` to `c`."""
    return (b[1] - a[1]) * (c[0] - a[0]) >= (c[1] - a[1]) * (b[0] - a[0])
