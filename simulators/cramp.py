"""A cramp: part of one muscle discharging by itself, irregularly, without a will behind it.

Rates of 14.5±5.1 pps between 6 and 25, interval variability near 45 %, 4 % doublets, units active for 24±16 s and
a common modulation at 1-1.5 Hz: Minetto, Holobar, Botter and Farina 2009, J Neurophysiol 102:1890. Rates highest in
the first half minute: Ross and Thomas 1995, Brain 118:983. A slowly moving active part of the muscle, and
potentials shorter than in voluntary contraction: Roeleveld, van Engelen and Stegeman 2000, J Appl Physiol 88:1698.
Onsets from under a second to minutes: Howe 1978, J Dial 2:85. Durations and sizes drawn here are our convention.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from simulators.event import Event
from simulators.motor_units import FloatArray, Pool, Spikes, discharges, variance

GRID_HZ: Final = 20.0
ISI_CV: Final = 0.34  # of the renewal process; changing rates, pauses and doublets bring the whole near 0.45
DOUBLETS: Final = 0.04
RATE_PPS: Final = (6.0, 25.0)
DWELL_S: Final = 24.0
SHORTEST_S: Final = 5.0
LONGEST_S: Final = 900.0


@dataclass(frozen=True, slots=True)
class Course:
    """Rates `(U, G)` of a cramp and the share of their potentials that reaches the electrode."""

    rate_pps: FloatArray
    gain: float


@dataclass(frozen=True, slots=True)
class Facts:
    """What the cramp amounts to at the electrode; it lasts while its own EMG is expected to exceed the noise."""

    onset_s: float  # from the event's onset
    end_s: float
    peak_ratio: float  # highest 1-s RMS, noise included, over the resting RMS
    peak_uv: float
    load: float  # integral of (RMS / rest - 1), in seconds


def draw_duration_s(rng: np.random.Generator, *, median_s: float = 90.0, shortest_s: float = SHORTEST_S) -> float:
    """A duration: log-normal with spread 1, within bounds."""
    while True:
        duration_s = float(rng.lognormal(np.log(median_s), 1.0))
        if shortest_s <= duration_s <= LONGEST_S:
            return duration_s


def draw_level(rng: np.random.Generator) -> float:
    """EMG over rest: from a few times to forty times, mostly 4 to 20."""
    return float(np.clip(rng.lognormal(np.log(9.0), 0.7), 3.0, 40.0))


def course(event: Event, pool: Pool, *, rest_uv: float) -> Course:
    """The rates of every unit, and the gain at which the plateau reaches `event.level` times rest."""
    rng = event.rng("cramp")
    time_s = np.arange(max(2, int(np.ceil(event.duration_s * GRID_HZ)))) / GRID_HZ
    size = np.clip(0.2 + 0.7 * (event.level / 40.0) ** 0.5, 0.2, 0.9)
    reach = size * _envelope(event, rng, time_s) / 2
    centre = rng.random() + size * _walk(rng, time_s, every_s=DWELL_S)
    away = np.abs((pool.position[:, None] - centre + 0.5) % 1.0 - 0.5)
    rate = np.where(away < reach, _rate(rng, time_s, len(pool.position)), 0.0)
    full = variance(pool, rate)
    plateau = float(np.quantile(full[full > 0], 0.7)) if full.any() else 1.0
    wanted_uv = rest_uv * np.sqrt(max(event.level**2 - 1.0, 0.0))
    return Course(rate, float(wanted_uv / np.sqrt(plateau)))


def involuntary(event: Event, plan: Course) -> Spikes:
    """Discharges of a cramp, in seconds from its onset."""
    return discharges(event.rng("spikes"), plan.rate_pps, grid_hz=GRID_HZ, isi_cv=ISI_CV, doublets=DOUBLETS)


def facts(plan: Course, pool: Pool, *, passed: FloatArray, rest_uv: float) -> Facts:
    """What is to be expected at the electrode, for the share of each unit's energy that the device lets through."""
    mean_square = plan.gain**2 * np.asarray((pool.strength**2 * passed) @ plan.rate_pps)
    ratio = np.sqrt(1.0 + _smooth(mean_square, 1.0) / rest_uv**2)
    above = np.flatnonzero(_smooth(mean_square, 0.5) > rest_uv**2)
    first, last = (int(above[0]), int(above[-1]) + 1) if above.size else (0, 0)
    return Facts(
        onset_s=first / GRID_HZ,
        end_s=last / GRID_HZ,
        peak_ratio=float(ratio.max()),
        peak_uv=float(ratio.max() * rest_uv),
        load=float((ratio[first:last] - 1.0).sum() / GRID_HZ),
    )


def shortening(event: Event) -> float:
    """Potentials are shorter in small cramps than in large ones (Minetto 2009, Neurophysiol Clin 39:15)."""
    return float(0.88 + 0.1 * min(event.level / 40.0, 1.0))


def _envelope(event: Event, rng: np.random.Generator, time_s: FloatArray) -> FloatArray:
    """Share of the plateau's extent: a rise, a plateau that breathes, a decay that breaks off and comes back."""
    rise = np.clip(time_s / max(event.rise_s, 0.3), 0.02, 1.0)
    left = np.clip((event.duration_s - time_s) / max(event.fall_s, 0.3), 0.0, 1.0)
    breath = np.clip(1.0 + 0.12 * _walk(rng, time_s, every_s=5.0), 0.6, 1.3)
    # Towards the end whole groups of units stop for a moment, the more often the later it is.
    pause = np.repeat(rng.random(time_s.size // 8 + 1), 8)[: time_s.size]
    ragged = np.where(pause < 0.6 * (1.0 - left) ** 2, 0.25, 1.0)
    return np.asarray(rise * (0.15 + 0.85 * left) * (left > 0) * breath * ragged)


def _rate(rng: np.random.Generator, time_s: FloatArray, units: int) -> FloatArray:
    base = rng.normal(14.5, 4.0, units).clip(8.0, 22.0)[:, None]
    tiring = 0.93 + 0.27 * np.exp(-time_s / 25.0)
    beat_hz = np.clip(1.25 + 0.15 * _walk(rng, time_s, every_s=4.0), 0.9, 1.7)
    beat = 0.22 * np.sin(2 * np.pi * np.cumsum(beat_hz) / GRID_HZ + rng.uniform(0, 2 * np.pi))
    return np.asarray(np.clip(base * tiring * (1.0 + beat), *RATE_PPS))


def _walk(rng: np.random.Generator, time_s: FloatArray, *, every_s: float) -> FloatArray:
    knots = rng.standard_normal(int(time_s[-1] / every_s) + 3)
    return np.asarray(np.interp(time_s / every_s, np.arange(knots.size), knots))


def _smooth(values: FloatArray, width_s: float) -> FloatArray:
    width = min(int(width_s * GRID_HZ), values.size)
    return np.asarray(np.convolve(values, np.ones(width) / width, mode="same"))
