"""Motor units: their action potentials at an electrode and the moments at which they discharge.

A pool is recruited by size: small units early, large ones late. Discharges are renewal processes whose rate may change
in time: intervals of unit mean are drawn, and time is stretched by the integral of the rate. A unit that discharges r
times a second adds r times its `energy` to the power at the electrode, whatever the regularity (Campbell), and that is
what the truth of a cramp is computed from.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.legs.spikes_person import FloatArray

GRID_HZ = 100.0  # of drives, rates and expected power
_SPAN_S = 0.064
_BLOCK = 4_000_000  # numbers scattered at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """Motor units of one muscle as one electrode sees them."""

    shapes: NDArray[np.float32]  # (U, P, L) µV, of unit and of phase between two samples
    energy: FloatArray  # (U,) µV² s
    thresholds: FloatArray  # (U,) drive from which a unit discharges
    fs_hz: float

    def scaled(self, gain: float) -> "Pool":
        return Pool(
            shapes=(self.shapes * np.float32(gain)),
            energy=self.energy * gain**2,
            thresholds=self.thresholds,
            fs_hz=self.fs_hz,
        )


def draw_pool(rng: np.random.Generator, *, fs_hz: float, units: int, width: float, size_range: float) -> Pool:
    """Draw units whose largest is `size_range` times the smallest; `width` stretches their potentials."""
    thresholds = np.sort(np.exp(rng.uniform(np.log(0.008), np.log(0.75), units)))
    order = np.linspace(0, 1, units)
    size = size_range**order * np.exp(rng.normal(0, 0.25, units))
    width_s = width * rng.uniform(0.0028, 0.0050, units)
    shapes = _potentials(rng, fs_hz=fs_hz, width_s=width_s) * size[:, None, None]
    energy = (shapes**2).sum(axis=2).mean(axis=1) / fs_hz
    return Pool(shapes=shapes.astype(np.float32), energy=energy, thresholds=thresholds, fs_hz=fs_hz)


def _potentials(rng: np.random.Generator, *, fs_hz: float, width_s: FloatArray) -> FloatArray:
    """Draw potentials of unit energy at high rate: derivatives of a Gaussian and a late echo, band-limited."""
    f = np.arange(8.0, min(1500.0, fs_hz / 2), 8.0)
    x = f * width_s[:, None]
    gauss = np.exp(-((np.pi * x) ** 2))
    blend = rng.uniform(0.2, 0.8, (len(width_s), 1))
    echo = rng.uniform(0, 0.35, (len(width_s), 1)) * np.exp(
        -2j * np.pi * f * rng.uniform(0.006, 0.012, (len(width_s), 1))
    )
    spectrum = gauss * (1j * blend * x + (1 - blend) * 3.0 * x**2) * (1 + echo)
    spectrum /= np.sqrt(width_s[:, None])
    spectrum *= rng.choice((-1.0, 1.0), (len(width_s), 1)) / np.sqrt(1 + (f / (0.4 * fs_hz)) ** 20)
    phases, length = max(1, round(8000 / fs_hz)), int(_SPAN_S * fs_hz)
    t = (np.arange(length) - length // 2 - np.arange(phases)[:, None] / phases) / fs_hz
    shapes = np.real(spectrum @ np.exp(2j * np.pi * f[:, None] * t.ravel())).reshape(len(width_s), phases, length)
    return np.asarray(shapes * np.clip(5 * np.hanning(length + 2)[1:-1], 0, 1), dtype=np.float64)


def voluntary_rates(drive: FloatArray, pool: Pool) -> FloatArray:
    """Give the rates (U, g) that a drive (g,) between 0 and 1 commands, 7 to 32 pps."""
    excess = drive - pool.thresholds[:, None]
    return np.asarray(np.where(excess > 0, np.minimum(7 + 30 * excess, 32), 0.0), dtype=np.float64)


def discharge(
    rates: FloatArray, *, cv: float, doublets: float, rng: np.random.Generator
) -> tuple[FloatArray, NDArray[np.int64]]:
    """Draw the discharges of units with the given rates (U, g): their times in seconds and their units."""
    edges = np.arange(rates.shape[1] + 1) / GRID_HZ
    times, units = [], []
    for unit in np.flatnonzero(rates.any(axis=1)):
        elapsed = np.concatenate(([0.0], np.cumsum(rates[unit]) / GRID_HZ))
        draws = int(elapsed[-1] + 6 * cv * np.sqrt(elapsed[-1]) + 6)
        intervals = rng.gamma(1 / cv**2, cv**2, draws)
        intervals[0] *= rng.random()
        own = np.cumsum(intervals)
        at = np.interp(own[own < elapsed[-1]], elapsed, edges)
        seconds = at[rng.random(len(at)) < doublets]
        at = np.concatenate((at, seconds + rng.uniform(0.004, 0.01, len(seconds))))
        times.append(at)
        units.append(np.full(len(at), unit))
    if not times:
        return np.empty(0), np.empty(0, dtype=np.int64)
    return np.concatenate(times), np.concatenate(units)


def lay(pool: Pool, *, times_s: FloatArray, units: NDArray[np.int64], samples: int) -> NDArray[np.float32]:
    """Add up the potentials of all discharges over `samples`, those beyond the ends being cut."""
    _, phases, length = pool.shapes.shape
    position = times_s * pool.fs_hz
    first = np.floor(position).astype(np.int64)
    phase = ((position - first) * phases).astype(np.int64)
    total = np.zeros(samples + 2 * length, dtype=np.float32)
    start = first - length // 2 + length
    keep = np.flatnonzero((start >= 0) & (start <= samples + length))
    taps = np.arange(length)
    for some in np.array_split(keep, max(1, len(keep) * length // _BLOCK)):
        index = start[some][:, None] + taps
        shapes = pool.shapes[units[some], phase[some]]
        total += np.bincount(index.ravel(), weights=shapes.ravel(), minlength=len(total)).astype(np.float32)
    return total[length : length + samples]
