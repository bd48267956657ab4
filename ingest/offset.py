"""How far a device's clock is off, and how it drifts: a running estimate from when its blocks come in.

Rules
-----
- Arrival minus the block's end is the delay of the way minus the offset of the clock. A delay is never negative and
  often small, so the line that lies below all these points and closest to them is the clock (Moon, Skelly and Towsley
  1999, "Estimation and removal of clock skew from network delay measurements"). The smallest delay of the way, mostly
  a tenth of a second, is counted as offset.
- Kept is the lowest point of every ten minutes of arrival, six hours back. Blocks that were stored and sent later lie
  high above the line and leave no trace; so do ten minutes in which nothing else came.
- Where a block that follows on in seq shows that the clock was set, the estimate begins anew and keeps its drift until
  it has an hour of its own. Where that cannot be seen, three times ten minutes that agree do the same.
"""

from itertools import pairwise
from typing import Final

import msgspec

from ingest.marks import Mark

SECOND_NS: Final = 1_000_000_000
BIN_NS: Final = 600 * SECOND_NS
BINS: Final = 36
LATE_NS: Final = 15 * SECOND_NS  # this far above the lowest a point is no live block: drift stays below it
STEADY_NS: Final = 2 * SECOND_NS
STEP_NS: Final = SECOND_NS // 4  # a smaller correction is left to the line
FEWEST_NS: Final = 3600 * SECOND_NS  # for a drift
STEEPEST: Final = 500e-6  # no crystal drifts more


class Low(msgspec.Struct, frozen=True, array_like=True):
    """The lowest point of one bin: when it arrived, and arrival minus end."""

    received_ns: int
    behind_ns: int


class Clock(msgspec.Struct, frozen=True, array_like=True):
    """What is known of one device's clock. `basis` counts the blocks since it was last set."""

    lows: tuple[Low, ...] = ()
    basis: int = 0
    last: Mark | None = None
    earlier_ppm: float = 0.0  # drift before the clock was last set

    @property
    def offset_s(self) -> float:
        """Device minus service when the last block came, seconds; 0 while nothing is known."""
        if self.last is None:
            return 0.0
        points = _points(self.lows)
        slope = self._slope(points)
        origin_ns = self.last.received_ns
        return -min(behind + slope * (origin_ns - received) for received, behind in points) / SECOND_NS

    @property
    def drift_ppm(self) -> float:
        """How much faster than the service's the device's clock runs, parts per million."""
        return 0.0 - 1e6 * self._slope(_points(self.lows))

    def _slope(self, points: list[tuple[int, int]]) -> float:
        if not points or points[-1][0] - points[0][0] < FEWEST_NS:
            return -self.earlier_ppm / 1e6
        return max(-STEEPEST, min(STEEPEST, _slope(points)))


def heard(clock: Clock, mark: Mark) -> Clock:
    """The estimate with one more block, taken when it came in."""
    low = Low(mark.received_ns, mark.received_ns - mark.end_ns)
    if _was_set(clock, mark):
        return Clock((low,), 1, mark, clock.drift_ppm)
    lows = clock.lows
    if lows and mark.received_ns // BIN_NS <= lows[-1].received_ns // BIN_NS:
        if low.behind_ns < lows[-1].behind_ns:
            lows = (*lows[:-1], low)
    else:
        lows = (*_steady(lows), low)[-BINS:]
    return Clock(lows, clock.basis + 1, mark, clock.earlier_ppm)


def _was_set(clock: Clock, mark: Mark) -> bool:
    """Whether a live block follows on a live one and the device's clock jumped between them."""
    last = clock.last
    if last is None or mark.boot != last.boot or mark.seq != last.seq + 1:
        return False
    jump_ns = mark.t0_ns - last.end_ns
    if abs(jump_ns) < STEP_NS:
        return False
    lowest_ns = min(low.behind_ns for low in clock.lows)
    level_ns = min(low.behind_ns for low in clock.lows[-2:])
    behind_ns = mark.received_ns - mark.end_ns
    if last.received_ns - last.end_ns > lowest_ns + LATE_NS or behind_ns > level_ns - jump_ns + LATE_NS:
        return False  # sent later: what the clock did then is no news
    # Forward may be a pause as well: then the delay is what it was.
    return jump_ns < 0 or behind_ns < level_ns - jump_ns / 2


def _steady(lows: tuple[Low, ...]) -> tuple[Low, ...]:
    """Without what lies before a setting of the clock that no block showed."""
    recent = [low.behind_ns for low in lows[-3:]]
    if len(recent) < 3 or max(recent) - min(recent) > STEADY_NS:
        return lows
    level_ns = min(low.behind_ns for low in lows)
    return lows[-3:] if min(recent) > level_ns + LATE_NS else lows


def _points(lows: tuple[Low, ...]) -> list[tuple[int, int]]:
    """Arrival and arrival minus end of the bins in which a live block came."""
    if not lows:
        return []
    highest_ns = min(low.behind_ns for low in lows) + LATE_NS
    return [(low.received_ns, low.behind_ns) for low in lows if low.behind_ns <= highest_ns]


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
