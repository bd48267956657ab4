"""A muscle as a pool of motor units: who is recruited at which drive, and when each unit discharges.

Recruitment by size and rates that rise with drive follow Fuglevand, Winter and Patla 1993, J Neurophysiol 70:2470.
A unit's potential is kept as its energy (`strength`, µV·√s), so that by Campbell's theorem the mean square of the
signal is the sum over units of rate times strength squared, whatever the shape of the potential.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

UNITS: Final = 100
RECRUITMENT_RANGE: Final = 30.0  # threshold of the last unit over that of the first
LAST_RECRUITED: Final = 0.75  # share of maximal drive at which the last unit joins
SIZE_RANGE: Final = 12.0  # strength of the largest unit over that of the smallest, at equal depth
RATE_GAIN_PPS: Final = 45.0  # pulses per second per unit of drive
REFRACTORY_S: Final = 0.004


@dataclass(frozen=True, slots=True)
class Pool:
    """The motor units under one electrode, smallest first; every column has length U."""

    threshold: FloatArray  # share of maximal drive
    rate_min_pps: FloatArray
    rate_max_pps: FloatArray
    strength: FloatArray  # µV·√s
    median_hz: FloatArray  # of the potential's spectrum
    mix: FloatArray  # 0 biphasic, 1 triphasic
    sign: FloatArray
    position: FloatArray  # across the muscle, 0 to 1


@dataclass(frozen=True, slots=True)
class Spikes:
    """Discharges of a pool in order of unit: which unit, and when in seconds."""

    unit: IntArray
    time_s: FloatArray


def make_pool(rng: np.random.Generator, *, mvc_uv: float) -> Pool:
    """A pool whose EMG at maximal drive has an RMS of `mvc_uv` over the full band."""
    order = np.arange(UNITS) / (UNITS - 1)
    threshold = np.exp(np.log(RECRUITMENT_RANGE) * order) / RECRUITMENT_RANGE * LAST_RECRUITED
    depth = rng.lognormal(0.0, 0.35, UNITS)
    strength = SIZE_RANGE**order * depth
    pool = Pool(
        threshold=threshold,
        rate_min_pps=rng.uniform(6.0, 8.5, UNITS),
        rate_max_pps=34.0 - 10.0 * order + rng.normal(0.0, 1.5, UNITS),
        strength=strength,
        median_hz=rng.uniform(70.0, 110.0, UNITS),
        mix=rng.uniform(0.2, 0.9, UNITS),
        sign=rng.choice([-1.0, 1.0], UNITS),
        position=rng.permutation(UNITS) / UNITS,
    )
    full = float(np.sqrt(variance(pool, rates(pool, np.ones(1)))[0]))
    strength *= mvc_uv / full
    return pool


def rates(pool: Pool, drive: FloatArray) -> FloatArray:
    """Discharge rates `(recruited, G)` in pps of a voluntary drive `(G,)` between 0 and 1, smallest unit first."""
    recruited = slice(0, int(np.searchsorted(pool.threshold, drive.max(initial=0.0), "right")))
    above = drive - pool.threshold[recruited, None]
    rate = RATE_GAIN_PPS * above
    rate += pool.rate_min_pps[recruited, None]
    np.minimum(rate, pool.rate_max_pps[recruited, None], out=rate)
    rate *= above >= 0
    return np.asarray(rate)


def variance(pool: Pool, rate_pps: FloatArray) -> FloatArray:
    """Expected mean square `(G,)` of the EMG in µV² for the rates of the first units (Campbell's theorem)."""
    return np.asarray((pool.strength[: len(rate_pps)] ** 2) @ rate_pps)


def discharges(
    rng: np.random.Generator, rate_pps: FloatArray, *, grid_hz: float, isi_cv: float, doublets: float = 0.0
) -> Spikes:
    """Discharge times of units with rates `(U, G)` on a time grid: gamma renewal in each unit's own operational time.

    All moments in which a unit is active lie one behind the other, unit by unit, on one axis of expected
    discharges, on which a single renewal process runs; the interval that straddles two units gives the second a
    random phase. `doublets` is the share of discharges followed by a second one within 5 to 10 ms.
    """
    steps = rate_pps.shape[1]
    active = np.flatnonzero(rate_pps)
    if not active.size:
        return Spikes(np.empty(0, np.int64), np.empty(0))
    expected = np.cumsum(rate_pps.ravel()[active])
    expected /= grid_hz
    shape = 1.0 / isi_cv**2
    count = int(expected[-1] + 6 * isi_cv * np.sqrt(expected[-1]) + 20)
    marks = np.cumsum(rng.gamma(shape, 1.0 / shape, count)) - rng.random()
    marks = marks[(marks > 0) & (marks < expected[-1])]
    cell = np.searchsorted(expected, marks, "right")
    before_end = (expected[cell] - marks) * grid_hz / rate_pps.ravel()[active[cell]]
    unit, step = np.divmod(active[cell], steps)
    time_s = (step + 1.0 - before_end) / grid_hz
    if doublets:
        chosen = rng.random(unit.size) < doublets
        unit = np.concatenate((unit, unit[chosen]))
        time_s = np.concatenate((time_s, time_s[chosen] + rng.uniform(0.005, 0.010, int(chosen.sum()))))
        order = np.lexsort((time_s, unit))
        unit, time_s = unit[order], time_s[order]
    apart = np.diff(time_s, prepend=-np.inf) >= REFRACTORY_S
    apart |= np.diff(unit, prepend=-1) != 0
    inside = apart & (time_s < steps / grid_hz)
    return Spikes(unit[inside], time_s[inside])
