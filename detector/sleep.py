"""When the wearer slept, from the stored epochs of one device over one day: HDCZA, adapted from wrist to shank.

The published method (van Hees 2018, Sci Rep 8:12975; definitions as in GGIR's `HASPT.R`) looks for the longest time in
which the angle of the arm hardly changes: the 5-min rolling median of its change from one 5-s epoch to the next lies
below 15 times the day's 10th percentile, held between 0.13 and 0.50 degrees; runs of more than 30 min count, gaps of
less than 60 min are bridged, and the longest block is the sleep period.

What the shank changes
----------------------
- Our epochs last 10 s and keep the angle of their mean gravity. Measured on real treadmill walking, the median change
  between such epochs is 0.74 times that between 5-s epochs (1/sqrt 2 is expected of noise, sqrt 2 of a drift); the
  published limits are kept, and `docs/sleep.md` shows how little doubling or halving them changes.
- An arm gives away who walks, a shank does not: stride after stride it returns, and 40 % of the epochs of real walking
  change by less than 0.5 degrees. So the leg must not move either (median of MAD).
- Awake but seated the shank stands still on the floor for minutes, so sleep needs a shank that is not upright. That
  the angle of axis x tells so is checked on the day's walking; without any, posture must make no difference.
- The angle of axis x does not see the leg roll about it. Turning over shows in movement instead.
- Medians over 5 min pass over periodic leg movements, which last less than 10 s (AASM 2018).
- What is missing or not worn is not sleep. It may lie in a bridged gap, and is reported as a share not seen.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from detector.posture import EPOCH_NS, BoolArray, DoubleArray, Grid, Motion, along_shank, on_grid, upright

ROLLED: Final = 31  # epochs of the rolling median: 5 min, and odd so that it is centred
FACTOR: Final = 15.0
LIMITS_DEG: Final = (0.13, 0.50)
MOVING_G: Final = 0.03  # as `Params.movement_g`
STILL_EPOCHS: Final = 180  # longer runs count: 30 min
GAP_EPOCHS: Final = 360  # shorter gaps are bridged: 60 min
WORN_EPOCHS: Final = 1080  # fewer epochs worn are too little to take a percentile of: 3 h
SEEN: Final = 2 / 3  # of the window; less is guesswork
SHORTEST_EPOCHS: Final = 1080  # a nap is no night: 3 h
LONGEST_EPOCHS: Final = 5760  # who lies still for longer is in bed by day too: 16 h
CLOSE_EPOCHS: Final = 180  # two windows that differ by less at either end are the same: 30 min
AWAKE_EPOCHS: Final = (6, 30)  # of this many after the end so many show the wearer awake
TURN_DEG: Final = 5.0
INACTIVE_EPOCHS: Final = 30


@dataclass(frozen=True, slots=True)
class SleepWindow:
    """From falling asleep to getting up, on one leg. `seen` is the share of it that was recorded and worn."""

    onset_ns: int
    end_ns: int
    asleep_s: float  # of it in sustained inactivity
    seen: float
    awake_after: bool  # the leg was seen awake right after the end; else the end may be that of the data
    threshold_deg: float


def sleep_window(
    motion: Motion, *, start_ns: int, end_ns: int, limits_deg: tuple[float, float] = LIMITS_DEG
) -> SleepWindow | None:
    """Find the sleep period of one day, or None where the acceleration does not show one.

    Parameters
    ----------
    motion : Motion
        Epochs of one device; those beyond the day are not looked at.
    start_ns, end_ns : int
        The day, usually from noon to noon on the wearer's clock.
    limits_deg : tuple of float
        Least and largest threshold; other than the published ones to see how much hangs on them.

    Returns
    -------
    SleepWindow or None
        None where less than 3 h were worn, where walking shows that axis x does not lie along the shank or is too
        rare to tell and posture would change the window by half an hour, where no block of 3 to 16 h is found or less
        than two thirds of it were seen, and where the block touches an end of the day: it is then cut, and belongs to
        another day as well.
    """
    grid = on_grid(motion, start_ns=start_ns, end_ns=end_ns)
    along = along_shank(grid)
    if grid.worn.sum() < WORN_EPOCHS or along is False:
        return None
    change = _change(grid)
    rolled = rolling_median(change)
    threshold = _threshold(rolled, limits_deg)
    if threshold is None:
        return None
    resting = _resting(grid, rolled=rolled, threshold=threshold)
    still = resting & (rolling_median(np.where(grid.worn, upright(grid), np.nan)) < 0.5)
    block = longest_block(still)
    if block is None or (along is None and not _close(block, longest_block(resting))):
        return None
    first, last = block
    seen = float(grid.worn[first:last].mean())
    cut = first < ROLLED // 2 or last > len(still) - ROLLED // 2  # the median knows no more of the ends
    if not SHORTEST_EPOCHS <= last - first <= LONGEST_EPOCHS or seen < SEEN or cut:
        return None
    awake = (np.isfinite(rolled) & ~still)[last : last + AWAKE_EPOCHS[1]]
    asleep = inactive(np.where(grid.worn, change, np.nan)[first:last])
    return SleepWindow(
        onset_ns=grid.first_ns + first * EPOCH_NS,
        end_ns=grid.first_ns + last * EPOCH_NS,
        asleep_s=float(asleep.sum()) * EPOCH_NS / 1e9,
        seen=seen,
        awake_after=bool(awake.sum() >= AWAKE_EPOCHS[0]),
        threshold_deg=threshold,
    )


def rolling_median(values: DoubleArray) -> DoubleArray:
    """Median over 31 epochs about each, `(T,)`: of what is known, NaN where less than half is.

    Examples
    --------
    >>> values = np.zeros(40)
    >>> values[20] = 9.0
    >>> float(rolling_median(values).max())
    0.0
    """
    reach = ROLLED // 2
    around = np.sort(sliding_window_view(np.pad(values, reach, constant_values=np.nan), ROLLED), axis=-1)
    known = np.isfinite(around).sum(-1)
    rows = np.arange(len(values))
    low, high = np.maximum(known - 1, 0) // 2, known // 2
    middle = (around[rows, low] + around[rows, np.minimum(high, ROLLED - 1)]) / 2
    return np.where(known > reach, middle, np.nan)


def longest_block(still: BoolArray) -> tuple[int, int] | None:
    """The longest stretch `[first, last)` of runs of more than 30 min whose gaps are shorter than 60 min."""
    edges = np.flatnonzero(np.diff(still.astype(np.int8), prepend=0, append=0))
    first, last = edges[::2], edges[1::2]
    lasting = last - first > STILL_EPOCHS
    first, last = first[lasting], last[lasting]
    if len(first) == 0:
        return None
    apart = np.flatnonzero(first[1:] - last[:-1] >= GAP_EPOCHS)
    first = first[np.concatenate(([0], apart + 1))]
    last = last[np.concatenate((apart, [len(last) - 1]))]
    best = int(np.argmax(last - first))
    return int(first[best]), int(last[best])


def inactive(change: DoubleArray) -> BoolArray:
    """Sustained inactivity, `(T,)`: within more than 5 min without a change of more than 5 degrees.

    After van Hees 2015 (PLoS ONE, as in GGIR's `HASIB.R`). `change` is NaN where it is not known.
    """
    calm = change <= TURN_DEG
    edges = np.flatnonzero(np.diff(calm.astype(np.int8), prepend=0, append=0))
    asleep = np.zeros(len(change), np.bool_)
    for first, last in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        asleep[first:last] = last - first > INACTIVE_EPOCHS
    return asleep


def _change(grid: Grid) -> DoubleArray:
    """Change of angle since the epoch before, degrees; NaN unless both were worn."""
    angle = np.where(grid.worn, grid.angle_deg, np.nan)
    return np.abs(np.diff(angle, prepend=np.nan))


def _threshold(rolled: DoubleArray, limits_deg: tuple[float, float]) -> float | None:
    known = rolled[np.isfinite(rolled)]
    if known.size == 0:
        return None
    return float(np.clip(FACTOR * np.percentile(known, 10), *limits_deg))


def _resting(grid: Grid, *, rolled: DoubleArray, threshold: float) -> BoolArray:
    """Whether most of the 5 min about each epoch are without turning and moving."""
    moving = rolling_median(np.where(grid.worn, grid.movement_g, np.nan))
    return (rolled <= threshold) & (moving <= MOVING_G)


def _close(block: tuple[int, int], other: tuple[int, int] | None) -> bool:
    return other is not None and all(abs(a - b) <= CLOSE_EPOCHS for a, b in zip(block, other, strict=True))
