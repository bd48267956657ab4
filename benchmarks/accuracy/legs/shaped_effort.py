"""What muscles do beside cramping: voluntary holds, movements of sleep, rhythmic trains, brief potentials."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.legs.shaped_canvas import GRID_HZ, Canvas, Spike, band_noise, grid, ramp
from benchmarks.accuracy.legs.shaped_motion import stir
from benchmarks.accuracy.legs.shaped_person import BF, GL, GM, PER, RF, SOL, TA, VL, log_uniform

Weights = Mapping[str, float]


def plantarflexors(canvas: Canvas) -> Weights:
    """Draw shares for pointing the foot: both heads about alike, more soleus with a bent knee."""
    u = canvas.rng.uniform
    return {
        GM: 1.0,
        GL: u(0.65, 1.3),
        SOL: u(0.6, 1.2),
        PER: u(0.3, 0.8),
        TA: u(0.03, 0.25),
        BF: u(0, 0.3),
        VL: u(0, 0.3),
    }


def dorsiflexors(canvas: Canvas) -> Weights:
    u = canvas.rng.uniform
    return {
        TA: 1.0,
        GM: u(0.1, 0.5),
        GL: u(0.1, 0.5),
        SOL: u(0.05, 0.4),
        PER: u(0.1, 0.6),
        RF: u(0, 0.3),
        BF: u(0, 0.5),
    }


def hold(
    canvas: Canvas, start_s: float, span_s: float, *, level: float, weights: Weights, unsteady: float = 0.05
) -> None:
    """Draw a voluntary contraction: up within half a second, smooth, and over at will."""
    rng = canvas.rng
    shape = ramp(span_s, rise_s=float(rng.uniform(0.12, 0.5)), fall_s=float(rng.uniform(0.12, 0.6)))
    steady = np.exp(unsteady * band_noise(rng, span_s, band_hz=(0, rng.uniform(0.5, 2)))[0])
    drift = np.linspace(1, rng.uniform(0.85, 1.2), len(shape))
    trembling = np.exp(rng.uniform(0.03, 0.15) * band_noise(rng, span_s, band_hz=(0, rng.uniform(6, 12)))[0])
    canvas.activate(start_s, level * shape * steady * drift * trembling, weights)
    for edge_s in (start_s, start_s + span_s - 0.5):
        canvas.shake(edge_s, 0.02 * ramp(0.6, rise_s=0.2, fall_s=0.3) * band_noise(rng, 0.6, band_hz=(1, 6), rows=3))


def train(
    canvas: Canvas, start_s: float, span_s: float, *, pace_hz: float, duty: float, level: float, weights: Weights,
    opposed: Weights | None = None, shake_g: float = 0.0,
) -> None:  # fmt: skip
    """Draw rhythmic bursts of one group of muscles, its opponents between, and the oscillation of the limb."""
    rng, t = canvas.rng, grid(span_s)
    pace = pace_hz * (1 + 0.04 * band_noise(rng, span_s, band_hz=(0, 0.3))[0])
    phase = 2 * np.pi * (np.cumsum(pace)[: len(t)] / GRID_HZ + rng.random())
    waxing = ramp(span_s, rise_s=span_s / 6, fall_s=span_s / 6) ** 0.5
    waxing *= np.exp(0.2 * band_noise(rng, span_s, band_hz=(0, 0.3))[0])
    canvas.activate(start_s, level * waxing * pulse(phase, duty), weights)
    if opposed:
        canvas.activate(start_s, level * waxing * pulse(phase + np.pi, duty), opposed)
    axis = rng.normal(size=(3, 1)) * [[0.4], [1.0], [0.6]]
    canvas.shake(start_s, shake_g * axis / np.linalg.norm(axis) * (waxing * np.sin(phase + 1)))


def pulse(phase: NDArray[np.float64], duty: float) -> NDArray[np.float64]:
    """Give bursts around phase zero that fill a part of the cycle, silent between."""
    return np.asarray(np.clip((np.cos(phase) - np.cos(np.pi * duty)) / (1 - np.cos(np.pi * duty)), 0, None))


def limb_movement(canvas: Canvas, at_s: float, *, span_s: float, level: float, weights: Weights) -> None:
    """Draw one leg movement of sleep: often a jerk first, then a hold of seconds; the foot and the shank move."""
    rng = canvas.rng
    shape = ramp(span_s, rise_s=min(0.25, span_s / 3), fall_s=min(rng.uniform(0.2, 0.8), span_s / 2))
    lively = np.clip(1 + 0.4 * band_noise(rng, span_s, band_hz=(0, 2))[0], 0.15, None)
    canvas.activate(at_s, level * shape * lively, weights)
    strength_g = float(rng.choice([0.004, rng.uniform(0.01, 0.06)]))
    stir(canvas, at_s, min(span_s, 1.5), strength_g=strength_g, effort=0.0)
    canvas.shake(at_s, rng.normal(0, 0.04, (3, 1)) * shape)


def periodic_movements(canvas: Canvas, start_s: float, span_s: float, *, level: float) -> int:
    """Draw a series of limb movements 10-60 s apart, and say how many."""
    rng = canvas.rng
    period_s, weights, count = rng.uniform(15, 40), dorsiflexors(canvas), 0
    at_s = start_s
    while at_s < start_s + span_s - 12:
        long = rng.random() < 0.07
        burst_s = rng.uniform(7, 10) if long else np.clip(2.0 * np.exp(0.6 * rng.standard_normal()), 0.5, 7)
        how = level * np.exp(0.4 * rng.standard_normal())
        limb_movement(canvas, at_s, span_s=float(burst_s), level=float(how), weights=weights)
        at_s += float(max(np.clip(period_s * np.exp(0.25 * rng.standard_normal()), 10, 85), burst_s + 2))
        count += 1
    return count


def jerk(canvas: Canvas, at_s: float) -> None:
    """Draw a sleep start: one burst of 50-250 ms in every muscle."""
    rng, span_s = canvas.rng, float(canvas.rng.uniform(0.05, 0.25))
    for site in canvas.device.sites:
        canvas.activate(at_s, ramp(span_s, rise_s=0.02, fall_s=0.04), {site: float(rng.uniform(5, 40))})
    stir(canvas, at_s, 0.6, strength_g=float(rng.uniform(0.05, 0.4)), effort=0.0)


def twitches(canvas: Canvas, start_s: float, span_s: float, *, per_min: float, channel: int) -> None:
    """Draw fasciculations of a few motor units, at random or now and then as pairs and salvos."""
    rng = canvas.rng
    units = [(log_uniform(rng, 15, 250), rng.uniform(0.0015, 0.005)) for _ in range(rng.integers(1, 7))]
    for at_s in start_s + span_s * rng.random(rng.poisson(per_min * span_s / 60)):
        gain_uv, width_s = units[rng.integers(len(units))]
        for repeat in range(rng.choice([1, 2, 5], p=[0.9, 0.08, 0.02])):
            when_s = float(at_s + repeat * rng.uniform(0.02, 0.12))
            gains = canvas.seen_by(channel, float(gain_uv * rng.choice([-1, 1])))
            canvas.spikes.append(Spike(at_s=when_s, width_s=float(width_s), gain_uv=gains))


def heartbeats(canvas: Canvas, start_s: float, span_s: float, *, per_min: float, uv: float) -> None:
    """Draw R-waves with the variability of a resting heart; each channel sees the heart from elsewhere."""
    rng = canvas.rng
    count = int(span_s * per_min / 60 * 1.2) + 4
    breath = 0.04 * np.sin(2 * np.pi * 0.25 * 60 / per_min * np.arange(count))
    at_s = start_s + np.cumsum(60 / per_min * (1 + breath + 0.02 * rng.standard_normal(count)))
    gains = tuple((uv * rng.uniform(0.3, 1.0, len(canvas.device.sites)) * rng.choice([-1, 1])).tolist())
    for beat_s in at_s[at_s < start_s + span_s]:
        canvas.spikes.append(Spike(at_s=float(beat_s), width_s=0.011, gain_uv=gains))
