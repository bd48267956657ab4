"""Rhythmic activity of the legs: phase-locked bursts of each muscle, the swing of the shank and its impacts."""

from dataclasses import dataclass

import numpy as np

from benchmarks.accuracy.legs.spikes_canvas import Canvas, seconds_grid, wander
from benchmarks.accuracy.legs.spikes_person import BF, GL, GM, PER, RF, SOL, TA, VL, FloatArray

Bursts = tuple[tuple[str, float, float, float], ...]  # muscle, centre and width in cycles, share of the effort


@dataclass(frozen=True, slots=True)
class Gait:
    """One way of moving; the cycle begins at heel strike, or at the top of a pedal's turn."""

    bursts: Bursts
    hz: tuple[float, float]  # cycles a second
    effort: tuple[float, float]  # drive of the strongest burst
    swing_deg: tuple[float, float]
    impact_g: tuple[float, float]
    jitter: float  # of the cycle's length


WALK = Gait(
    (
        (GM, 0.42, 0.085, 1.0), (GL, 0.43, 0.085, 0.8), (SOL, 0.40, 0.10, 1.0), (PER, 0.44, 0.10, 0.7),
        (TA, 0.03, 0.05, 1.0), (TA, 0.68, 0.07, 0.6), (TA, 0.93, 0.05, 0.7), (GM, 0.90, 0.04, 0.2),
        (VL, 0.06, 0.06, 0.7), (RF, 0.05, 0.05, 0.5), (RF, 0.60, 0.05, 0.3), (BF, 0.95, 0.06, 0.7),
    ),
    (0.72, 1.05), (0.08, 0.30), (22, 34), (0.3, 1.2), 0.025,
)  # fmt: skip
RUN = Gait(
    (
        (GM, 0.17, 0.08, 1.0), (GL, 0.18, 0.08, 0.9), (SOL, 0.19, 0.08, 1.0), (PER, 0.18, 0.08, 0.7),
        (GM, 0.94, 0.05, 0.4), (TA, 0.65, 0.12, 0.5), (TA, 0.95, 0.06, 0.7), (VL, 0.08, 0.07, 1.0),
        (RF, 0.08, 0.06, 0.6), (RF, 0.55, 0.08, 0.5), (BF, 0.88, 0.09, 0.9),
    ),
    (1.28, 1.55), (0.30, 0.75), (35, 55), (1.5, 5.0), 0.02,
)  # fmt: skip
STAIRS = Gait(
    (
        (GM, 0.46, 0.10, 1.0), (GL, 0.46, 0.10, 0.8), (SOL, 0.30, 0.15, 0.9), (PER, 0.40, 0.14, 0.6),
        (TA, 0.72, 0.09, 0.7), (VL, 0.15, 0.10, 1.0), (RF, 0.13, 0.10, 0.7), (BF, 0.85, 0.10, 0.5),
    ),
    (0.6, 0.95), (0.18, 0.55), (25, 40), (0.2, 0.8), 0.05,
)  # fmt: skip
CYCLE = Gait(
    (
        (GM, 0.37, 0.12, 0.9), (GL, 0.36, 0.12, 0.7), (SOL, 0.26, 0.10, 1.0), (PER, 0.3, 0.12, 0.5),
        (TA, 0.85, 0.10, 0.7), (VL, 0.05, 0.10, 1.0), (RF, 0.92, 0.10, 0.7), (BF, 0.45, 0.13, 0.6),
    ),
    (0.9, 1.6), (0.10, 0.45), (14, 22), (0.0, 0.03), 0.02,
)  # fmt: skip


def move(canvas: Canvas, start_s: float, seconds: float, gait: Gait, *, upright: bool = True) -> None:
    """Move rhythmically for some seconds; the caller sets the posture that follows."""
    rng = canvas.rng
    if upright:
        canvas.posture(start_s - 0.5, pitch=rng.uniform(-4, 10), roll=0, seconds=0.5)
    cycles = _cycles(rng, seconds, rng.uniform(*gait.hz), gait.jitter)
    phase = np.interp(seconds_grid(seconds), cycles, np.arange(len(cycles)))
    canvas.contract(start_s, _drives(rng, phase, gait, rng.uniform(*gait.effort)))
    _sway(canvas, start_s, seconds, cycles, gait)
    strikes = cycles[cycles < seconds]
    impact = rng.uniform(*gait.impact_g)
    canvas.knock(start_s, strikes, canvas.person.skin * (0.4 + impact) * rng.uniform(0.3, 1.5, len(strikes)))


def _cycles(rng: np.random.Generator, seconds: float, hz: float, jitter: float) -> FloatArray:
    """Give the moments at which cycles begin, up to one after the end."""
    count = int(seconds * hz * 1.3) + 4
    slow = 1 + 0.04 * wander(rng, count, smooth_s=8, rate_hz=1)
    lengths = slow * (1 + jitter * rng.normal(size=count)) / hz
    return np.asarray(np.concatenate(([0.0], np.cumsum(lengths))), dtype=np.float64)


def _drives(rng: np.random.Generator, phase: FloatArray, gait: Gait, effort: float) -> dict[str, FloatArray]:
    stride = np.floor(phase).astype(int)
    drives: dict[str, FloatArray] = {}
    for muscle, centre, width, share in gait.bursts:
        past = phase - centre - rng.normal(0, 0.015)
        away = np.abs(past - np.round(past)) / (width * rng.uniform(0.85, 1.2))
        each = np.clip(1 + 0.15 * rng.normal(size=stride.max() + 1), 0.3, 2) * rng.uniform(0.7, 1.2)
        burst = effort * share * each[stride] * np.exp(-0.5 * away**2)
        burst[burst < 0.02 * effort] = 0
        drives[muscle] = np.maximum(drives.get(muscle, 0.0), burst)
    return drives


def _sway(canvas: Canvas, start_s: float, seconds: float, cycles: FloatArray, gait: Gait) -> None:
    """Swing the shank and strike the ground."""
    rng, rate = canvas.rng, canvas.person.acc_fs_hz
    t = np.arange(int(seconds * rate)) / rate
    phase = 2 * np.pi * np.interp(t, cycles, np.arange(len(cycles)))
    swing = np.sin(phase + rng.uniform(1.6, 2.4)) + 0.35 * np.sin(2 * phase + rng.uniform(0, 6))
    ends = np.clip(np.minimum(t, seconds - t) / 0.5, 0, 1)
    canvas.swing(start_s, np.radians(rng.uniform(*gait.swing_deg)) * swing * ends)
    impact = rng.uniform(*gait.impact_g)
    push = np.stack([sum(_harmonic(rng, phase, k, 0.15 * impact + 0.02) for k in (1, 2, 3, 4)) for _ in range(3)])
    strikes = cycles[cycles < seconds]
    hits = np.zeros(len(t) + 1)
    np.add.at(hits, (strikes * rate).astype(int), impact * rng.uniform(0.7, 1.3, len(strikes)))
    ring_t = np.arange(max(int(0.25 * rate), 3)) / rate
    ring = np.exp(-ring_t / 0.05) * np.cos(2 * np.pi * min(12.0, rate / 3) * ring_t)
    strike = np.convolve(hits, ring)[: len(t)]
    push += strike * np.array([[1.0], [rng.uniform(-0.6, 0.6)], [rng.uniform(-0.3, 0.3)]])
    canvas.shove(start_s, push * ends)


def _harmonic(rng: np.random.Generator, phase: FloatArray, order: int, size: float) -> FloatArray:
    return np.asarray(size * rng.normal() / order * np.sin(order * phase + rng.uniform(0, 6.3)), dtype=np.float64)


def beat(canvas: Canvas, start_s: float, seconds: float, *, hz: float, shares: dict[str, float], effort: float,
         on: float, opposed: tuple[str, ...] = (), jitter: float = 0.04, shake_g: float = 0.05) -> None:  # fmt: skip
    """Contract muscles rhythmically without going anywhere: tremor, clonus, restless feet."""
    rng = canvas.rng
    cycles = _cycles(rng, seconds, hz, jitter)
    t = seconds_grid(seconds)
    phase = np.interp(t, cycles, np.arange(len(cycles)))
    swell = np.clip(np.minimum(t, seconds - t) / min(2.0, seconds / 4), 0, 1) * np.exp(
        0.15 * wander(rng, len(t), smooth_s=1.5)
    )
    drives = {}
    for muscle, share in shares.items():
        shifted = (phase + (0.5 if muscle in opposed else 0.0)) % 1.0
        burst = np.where(shifted < on, np.sin(np.pi * np.clip(shifted / on, 0, 1)) ** 0.7, 0.0)
        drives[muscle] = np.minimum(effort * share * swell * burst, 1.0)
    canvas.contract(start_s, drives)
    rate = canvas.person.acc_fs_hz
    moments = np.arange(int(seconds * rate)) / rate
    turn = 2 * np.pi * np.interp(moments, cycles, np.arange(len(cycles)))
    ends = np.clip(np.minimum(moments, seconds - moments), 0, 1)
    push = np.stack([shake_g * rng.normal() * np.sin(turn + rng.uniform(0, 6)) for _ in range(3)])
    canvas.shove(start_s, push * ends)
