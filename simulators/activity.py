"""What the nervous system asks of each muscle during everything that is not a cramp: drive over time, 0 to 1.

Figures: gait peaks at 40-45 % of the cycle (Am J PMR 2004) with a second burst late in swing in 67 % of strides
(Di Nardo 2013, J Electromyogr Kinesiol 23:1428); periodic leg movements last 0.5-10 s (AASM 2018); daily bursts
last 1.4±1.4 s (Tikkanen 2013, PLoS ONE 52228); rhythmic feet movement has bursts of 300-700 ms at 1-2 Hz.
"""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from simulators.event import Event
from simulators.motor_units import FloatArray, Pool, Spikes, discharges, rates

GRID_HZ: Final = 50.0
SLOW_GRID_HZ: Final = 10.0  # of drives that change over seconds
SLOW: Final = ("stand", "hold", "tiptoe")
ISI_CV: Final = 0.15  # steady voluntary contraction: 10-20 %
STRETCHED: Final = ("gastrocnemius_medialis", "gastrocnemius_lateralis", "soleus")

# How much of an activity's drive reaches each muscle.
SHARE: Final[Mapping[str, Mapping[str, float]]] = {
    "gastrocnemius_medialis": {"plm": 0.35, "turn": 0.8, "fidget": 0.8, "foot_tremor": 0.5},
    "gastrocnemius_lateralis": {"walk": 0.8, "run": 0.9, "plm": 0.3, "turn": 0.7, "fidget": 0.7, "foot_tremor": 0.5},
    "soleus": {"plm": 0.3, "turn": 0.7, "stand": 1.3, "tiptoe": 1.1, "foot_tremor": 0.5},
    "tibialis_anterior": {"walk": 0.6, "run": 0.6, "stand": 0.4, "hold": 0.15, "tiptoe": 0.15, "plm": 1.0},
}  # fmt: skip


def voluntary(event: Event, site: str, pool: Pool) -> Spikes:
    """Discharges of one muscle during `event`, in seconds from its onset."""
    if event.kind == "fasciculation":
        return _fasciculation(event, site, pool)
    demand, hertz = drive(event, site), grid_hz(event)
    # Steps at which not even the first unit is recruited are left out, and the gaps put back into the times.
    busy = np.flatnonzero(demand >= pool.threshold[0])
    spikes = discharges(event.rng(f"spikes {site}"), rates(pool, demand[busy]), grid_hz=hertz, isi_cv=ISI_CV)
    step = np.minimum((spikes.time_s * hertz).astype(np.int64), busy.size - 1)
    return Spikes(spikes.unit, spikes.time_s + (busy[step] - step) / hertz)


def grid_hz(event: Event) -> float:
    """How often the drive of an event is laid down."""
    return SLOW_GRID_HZ if event.kind in SLOW else GRID_HZ


def drive(event: Event, site: str) -> FloatArray:
    """Drive of one muscle over the event, on its grid."""
    hertz = grid_hz(event)
    time_s = np.arange(max(2, int(np.ceil(event.duration_s * hertz)))) / hertz
    share = SHARE.get(site, {}).get(event.kind, 1.0)
    shape = SHAPES[event.kind](event, site, time_s)
    return np.clip(event.level * share * shape, 0.0, 1.0)


def stride_phase(event: Event, time_s: FloatArray) -> FloatArray:
    """Strides counted through the event: the fraction is the phase from heel strike."""
    rng = event.rng("strides")
    count = int(event.duration_s * event.rhythm_hz * 1.2) + 4
    period_s = rng.normal(1.0, 0.025, count).clip(0.85, 1.15) / event.rhythm_hz
    strikes_s = np.concatenate(([0.0], np.cumsum(period_s))) - rng.random() / event.rhythm_hz
    return np.asarray(np.interp(time_s, strikes_s, np.arange(count + 1)))


def _bump(phase: FloatArray, centre: float, width: float) -> FloatArray:
    away = (phase - centre + 0.5) % 1.0 - 0.5
    return np.asarray(np.exp(-0.5 * (away / width) ** 2))


def _gait(event: Event, site: str, time_s: FloatArray) -> FloatArray:
    stride = stride_phase(event, time_s)
    phase, count = stride % 1.0, np.floor(stride).astype(np.int64)
    rng = event.rng(f"gait {site}")
    strength = rng.lognormal(0.0, 0.12, int(count.max()) + 2)
    late = 0.25 * (rng.random(strength.size) < 0.67)
    if site == "tibialis_anterior":
        return np.asarray(strength[count] * (_bump(phase, 0.03, 0.05) + 0.6 * _bump(phase, 0.72, 0.08)))
    push, swing = (0.22, 0.93) if event.kind == "run" else (0.43, 0.96)
    burst = _bump(phase, push, 0.085) * strength[count]
    return np.asarray(np.where(burst < 0.03, 0.0, burst) + late[count] * _bump(phase, swing, 0.03))


def _steady(event: Event, site: str, time_s: FloatArray) -> FloatArray:
    """A held contraction: a quick rise, a level that wavers by a few per cent, a stop at will."""
    rise = np.clip(time_s / max(event.rise_s, 0.2), 0.0, 1.0)
    fall = np.clip((event.duration_s - time_s) / max(event.fall_s, 0.2), 0.0, 1.0)
    return np.asarray(rise * fall * (1.0 + 0.05 * _wander(event, site, time_s, hertz=0.5)))


def _stance(event: Event, site: str, time_s: FloatArray) -> FloatArray:
    """Quiet standing: tonic, swaying slowly."""
    return np.asarray(np.clip(1.0 + 0.35 * _wander(event, site, time_s, hertz=0.4), 0.0, 2.5))


def _burst(event: Event, site: str, time_s: FloatArray) -> FloatArray:
    """One movement: up in about 0.15 s, uneven, down again."""
    edge_s = min(0.2, event.duration_s / 4)
    rise = np.clip(time_s / edge_s, 0.0, 1.0)
    fall = np.clip((event.duration_s - time_s) / edge_s, 0.0, 1.0)
    return np.asarray(rise * fall * np.clip(1.0 + 0.3 * _wander(event, site, time_s, hertz=2.0), 0.1, None))


def _fits(event: Event, site: str, time_s: FloatArray) -> FloatArray:
    """A large movement: several bursts with pauses between."""
    return np.asarray(np.clip(_burst(event, site, time_s) * (0.7 + _wander(event, site, time_s, hertz=0.7)), 0.0, None))


def _rhythm(event: Event, site: str, time_s: FloatArray) -> FloatArray:
    """Bursts at `rhythm_hz` with full relaxation between."""
    stride = stride_phase(event, time_s)
    strength = event.rng(f"rhythm {site}").lognormal(0.0, 0.2, int(stride.max()) + 2)
    return np.asarray(strength[np.floor(stride).astype(np.int64)] * (_bump(stride % 1.0, 0.4, 0.1) > 0.3))


def _wander(event: Event, site: str, time_s: FloatArray, *, hertz: float) -> FloatArray:
    """Noise of unit spread that changes about `hertz` times a second."""
    knots = event.rng(f"wander {site}").standard_normal(int(event.duration_s * hertz) + 4)
    return np.asarray(np.interp(time_s * hertz, np.arange(knots.size), knots))


SHAPES: Final[Mapping[str, Callable[[Event, str, FloatArray], FloatArray]]] = {
    "walk": _gait, "run": _gait, "hold": _steady, "tiptoe": _steady, "stand": _stance, "plm": _burst,
    "turn": _fits, "getup": _fits, "fidget": _burst, "foot_tremor": _rhythm,
}  # fmt: skip


def _fasciculation(event: Event, site: str, pool: Pool) -> Spikes:
    """Single discharges of a few units at random, `rhythm_hz` a second in all."""
    rng = event.rng(f"fasciculation {site}")
    count = rng.poisson(event.duration_s * event.rhythm_hz)
    units = rng.integers(len(pool.threshold) // 3, len(pool.threshold), 5)
    return Spikes(rng.choice(units, count), np.sort(rng.uniform(0.0, event.duration_s, count)))
