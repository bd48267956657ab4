"""A cramp as an envelope, and the truth about it.

A slow course (rise, plateau, fall, irregular drop-outs) carries a wobble at 1-1.5 Hz (Minetto 2009) and a fast
irregular part, the surplus variance of firing intervals that vary by 45 %. Truth is computed without noise:

- onset and end are the first and last moment at which the slow course, as an RMS of the cramp alone, is at least half
  the resting RMS. Cramp and rest add as powers, so the total is then sqrt(1 + 0.5^2) = 1.12 times rest;
- peak_ratio is the largest value of sqrt(1 + p), p being the 1-s mean of the cramp's power over the resting power;
- load is the integral of sqrt(1 + p) - 1 from onset to end, in seconds.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from benchmarks.accuracy.leg import Cramp
from benchmarks.accuracy.legs.shaped_canvas import GRID_HZ, Canvas, Spike, add, band_noise, grid
from benchmarks.accuracy.legs.shaped_person import log_uniform

Course = NDArray[np.float64]
TRUE_FROM = 0.5  # of the resting RMS


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Another muscle joins."""

    channel: int
    after_s: float
    share: float  # of the first one's amplitude


def cramp_length(rng: Generator, *, median_s: float, most_s: float) -> float:
    """Draw a duration: log-normal with sigma 0.9, at least 12 s."""
    return float(np.clip(median_s * np.exp(0.9 * rng.standard_normal()), 12.0, max(most_s, 12.0)))


def draw_course(rng: Generator, *, rise_s: float, hold_s: float, fall_s: float) -> Course:
    """Draw the slow course of a cramp with a peak near one."""
    rise = climb(rng, grid(rise_s) / rise_s)
    fall = climb(rng, grid(fall_s) / fall_s)[::-1]
    course = np.concatenate([rise, np.ones(len(grid(hold_s))), fall])
    span_s = len(course) / GRID_HZ
    drift = band_noise(rng, span_s, band_hz=(0, 0.05))[0, : len(course)] * rng.uniform(0.05, 0.2)
    course = course * np.exp(drift - drift.max())
    if rng.random() < 0.6:
        course *= drop_outs(rng, len(course), last_s=min(rng.uniform(5, 25), 0.3 * span_s))
    return np.asarray(course)


def climb(rng: Generator, x: NDArray[np.float64]) -> Course:
    """Give a way from nothing to one over x in 0..1: straight, eased, ever faster, or unit by unit in steps."""
    way = rng.integers(4)
    if way == 0:
        return x
    if way == 1:
        return np.asarray(x * x * (3 - 2 * x))
    if way == 2:
        steepness = rng.uniform(1.5, 4)
        return np.asarray(np.expm1(steepness * x) / np.expm1(steepness))
    steps = np.sort(rng.uniform(0, 1, rng.integers(6, 16)))
    return np.asarray(0.3 * x + 0.7 * np.searchsorted(steps, x) / len(steps))


def drop_outs(rng: Generator, n: int, *, last_s: float) -> Course:
    """Give the irregular end: units fall silent and come back for a while, each time fewer."""
    kept = np.ones(n)
    at_s, end_s = n / GRID_HZ - last_s, n / GRID_HZ
    while at_s < end_s:
        gap_s = rng.uniform(0.15, 1.2)
        first = int(at_s * GRID_HZ)
        kept[first : first + int(gap_s * GRID_HZ)] *= rng.uniform(0.0, 0.6)
        at_s += gap_s + rng.uniform(0.3, 3.0)
    return kept


def irregular(rng: Generator, span_s: float) -> Course:
    """Give the wobble and the fast irregularity, around one."""
    t = grid(span_s)
    pace_hz = rng.uniform(1.0, 1.5) + 0.15 * band_noise(rng, span_s, band_hz=(0, 0.1))[0]
    depth = rng.uniform(0.08, 0.3) * np.exp(0.3 * band_noise(rng, span_s, band_hz=(0, 0.1))[0])
    wobble = 1 + np.minimum(depth, 0.8) * np.sin(2 * np.pi * np.cumsum(pace_hz) / GRID_HZ)
    spread = rng.uniform(0.15, 0.4)
    fast = np.exp(spread * band_noise(rng, span_s, band_hz=(0, rng.uniform(4, 12)))[0] - spread**2)
    return np.asarray((wobble * fast)[: len(t)])


def add_cramp(
    canvas: Canvas,
    *,
    start_s: float,
    course: Course,
    peak_ratio: float,
    channel: int = 0,
    spread: Sequence[Spread] = (),
) -> Cramp:
    """Draw a cramp so that its highest 1-s RMS is `peak_ratio` times rest, and note the truth."""
    room = max(int((canvas.duration_s - start_s) * GRID_HZ) - 1, 1)
    course = course[:room]
    span_s = len(course) / GRID_HZ
    own = np.square(course * irregular(canvas.rng, span_s))
    scale = (peak_ratio**2 - 1) / uniform_filter1d(own, GRID_HZ, mode="constant").max()
    add(canvas.cramp[channel], start_s, own * scale)
    for other in spread:
        delayed = course[: max(len(course) - int(other.after_s * GRID_HZ), 1)]
        theirs = np.square(delayed * irregular(canvas.rng, len(delayed) / GRID_HZ))
        joined = np.minimum(grid(len(delayed) / GRID_HZ) / 3, 1)[: len(theirs)]
        add(canvas.cramp[other.channel], start_s + other.after_s, theirs * joined * scale * other.share**2)
    truth = measure(canvas, start_s=start_s, slow=course * np.sqrt(scale), power=own * scale, channel=channel)
    canvas.cramps.append(truth)
    return truth


def measure(canvas: Canvas, *, start_s: float, slow: Course, power: Course, channel: int) -> Cramp:
    """Give the truth as this file's first lines define it."""
    true = np.flatnonzero(slow >= TRUE_FROM)
    first, last = int(true[0]), int(true[-1])
    ratio = np.sqrt(1 + uniform_filter1d(power, GRID_HZ, mode="constant"))
    return Cramp(
        onset_s=start_s + first / GRID_HZ,
        end_s=start_s + (last + 1) / GRID_HZ,
        peak_ratio=float(ratio.max()),
        load=float(np.sum(ratio[first : last + 1] - 1) / GRID_HZ),
        site=canvas.device.sites[channel],
    )


def heralds(canvas: Canvas, *, start_s: float, end_s: float, channel: int = 0) -> None:
    """Draw the fasciculations that come before and after a cramp."""
    for at_s in canvas.rng.uniform(start_s, max(end_s, start_s), canvas.rng.integers(2, 20)):
        gain_uv = log_uniform(canvas.rng, 15, 120)
        width_s = float(canvas.rng.uniform(0.0015, 0.004))
        canvas.spikes.append(Spike(at_s=float(at_s), width_s=width_s, gain_uv=canvas.seen_by(channel, gain_uv)))
