"""How a leg lies, turns, stirs, stands and strides, with the EMG and the artefacts that movement brings."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from benchmarks.accuracy.legs.shaped_canvas import GRID_HZ, Canvas, add, band_noise, grid, ramp
from benchmarks.accuracy.legs.shaped_person import BF, EVERY_SITE, GL, GM, PER, RF, SOL, TA, VL, log_uniform

Up = tuple[float, float, float]
STANDING: Up = (0.995, 0.06, 0.0)
LYING: Mapping[str, Up] = {
    "back": (0.05, 0.98, 0.15),
    "left": (0.03, 0.2, 0.97),
    "right": (0.03, 0.2, -0.97),
    "prone": (-0.05, -0.98, 0.1),
}


def lying(rng: Generator) -> Up:
    """Draw a way to lie, never twice quite the same."""
    return jitter(rng, LYING[str(rng.choice(list(LYING), p=[0.4, 0.25, 0.25, 0.1]))], spread=0.12)


def sitting(rng: Generator) -> Up:
    """Draw a way to sit: the shank upright or slanting, or with the leg up."""
    if rng.random() < 0.25:
        return jitter(rng, (0.15, 0.95, 0.0), spread=0.12)
    slant = np.deg2rad(rng.uniform(-20, 30))
    return jitter(rng, (float(np.cos(slant)), float(np.sin(slant)), 0.05), spread=0.04)


def jitter(rng: Generator, up: Up, *, spread: float) -> Up:
    moved = np.asarray(up) + rng.normal(0, spread, 3)
    x, y, z = moved / np.linalg.norm(moved)
    return float(x), float(y), float(z)


def stir(canvas: Canvas, start_s: float, span_s: float, *, strength_g: float, effort: float) -> None:
    """Draw limb movement: acceleration, bursts of muscles at up to `effort` times rest, loose-cable artefact."""
    rng = canvas.rng
    shape = ramp(span_s, rise_s=min(0.4, span_s / 3), fall_s=min(0.6, span_s / 3))
    lively = shape * (0.4 + np.abs(band_noise(rng, span_s, band_hz=(0, 1.5))[0]))
    canvas.shake(start_s, strength_g * lively * band_noise(rng, span_s, band_hz=(0.5, 5), rows=3))
    for site in EVERY_SITE:
        own = shape * np.clip(0.3 + 0.6 * band_noise(rng, span_s, band_hz=(0, 1.0))[0], 0, None)
        canvas.activate(start_s, own, {site: effort * rng.uniform(0.3, 1.0)})
    motion_artefact(canvas, start_s, lively, uv=strength_g * log_uniform(rng, 30, 500))


def motion_artefact(canvas: Canvas, start_s: float, shape: NDArray[np.float64], *, uv: float) -> None:
    """Draw electrode and cable movement: most of its energy lies below 20 Hz (De Luca 2010)."""
    span_s = len(shape) / GRID_HZ
    for track in canvas.artefact_uv:
        noise = band_noise(canvas.rng, span_s, band_hz=(1, canvas.rng.uniform(6, 18)))[0]
        add(track, start_s, shape * noise[: len(shape)] * uv * canvas.rng.uniform(0.2, 1.0))


def turn_to(canvas: Canvas, start_s: float, up: Up, *, span_s: float, effort: float) -> None:
    """Draw a change of posture with the effort that it takes."""
    canvas.pose(start_s + 0.1 * span_s, up, span_s=0.8 * span_s)
    stir(canvas, start_s, span_s, strength_g=log_uniform(canvas.rng, 0.02, 0.12), effort=effort)


def sway(canvas: Canvas, start_s: float, span_s: float, *, tonic: float, mostly: str = SOL) -> None:
    """Draw quiet standing: tonic activity that follows the sway, mostly of the soleus, with shifts of weight."""
    rng = canvas.rng
    slow = np.exp(0.3 * band_noise(rng, span_s, band_hz=(0, 0.4))[0])
    sides = np.cumsum(rng.exponential(rng.uniform(8, 40), int(span_s / 4) + 4))
    weight = rng.uniform(0.25, 1.3, len(sides) + 1)[np.searchsorted(sides, grid(span_s))]
    weight = np.convolve(np.pad(weight, GRID_HZ // 2, mode="edge"), np.ones(GRID_HZ) / GRID_HZ, "same")
    envelope = tonic * slow * weight[GRID_HZ // 2 : GRID_HZ // 2 + len(slow)] * ramp(span_s, rise_s=0.4, fall_s=0.4)
    weights = {GM: rng.uniform(0.4, 0.9), GL: rng.uniform(0.25, 0.7), SOL: 1.0, TA: rng.uniform(0, 0.25)}
    weights |= {PER: rng.uniform(0.2, 0.5), VL: rng.uniform(0.05, 0.3), BF: rng.uniform(0.1, 0.4), RF: 0.1}
    canvas.activate(start_s, envelope, weights | {mostly: 1.0})
    canvas.shake(start_s, 0.006 * band_noise(rng, span_s, band_hz=(0.1, 2), rows=3))


Beats = Mapping[str, tuple[tuple[float, float, float], ...]]  # site: (part of the cycle, width, height) of each burst
WALK: Beats = {
    GM: ((0.38, 0.08, 1.0), (0.92, 0.05, 0.2)),
    GL: ((0.42, 0.08, 0.9), (0.92, 0.05, 0.15)),
    SOL: ((0.42, 0.10, 1.0),),
    PER: ((0.40, 0.11, 0.6), (0.05, 0.05, 0.3)),
    TA: ((0.03, 0.05, 1.0), (0.68, 0.08, 0.5)),
    VL: ((0.07, 0.06, 0.8),),
    RF: ((0.07, 0.06, 0.5), (0.62, 0.06, 0.4)),
    BF: ((0.93, 0.07, 0.8), (0.05, 0.05, 0.4)),
}
RUN: Beats = {
    GM: ((0.13, 0.08, 1.0), (0.93, 0.04, 0.4)),
    GL: ((0.14, 0.08, 0.9), (0.93, 0.04, 0.4)),
    SOL: ((0.15, 0.08, 1.0),),
    PER: ((0.13, 0.08, 0.7),),
    TA: ((0.60, 0.14, 0.6), (0.95, 0.05, 0.5)),
    VL: ((0.08, 0.07, 1.0),),
    RF: ((0.09, 0.07, 0.6), (0.55, 0.08, 0.4)),
    BF: ((0.90, 0.08, 0.9), (0.12, 0.08, 0.5)),
}
CLIMB: Beats = {**WALK, GM: ((0.48, 0.09, 1.0), (0.1, 0.08, 0.3)), VL: ((0.15, 0.1, 1.5),), RF: ((0.13, 0.09, 0.8),)}
PEDAL: Beats = {
    GM: ((0.33, 0.11, 1.0),),
    GL: ((0.38, 0.10, 0.8),),
    SOL: ((0.25, 0.09, 0.9),),
    PER: ((0.28, 0.1, 0.6),),
    TA: ((0.85, 0.10, 0.6),),
    VL: ((0.08, 0.11, 1.0),),
    RF: ((0.98, 0.10, 0.7),),
    BF: ((0.42, 0.13, 0.7),),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stride:
    """One kind of locomotion."""

    beats: Beats
    pace_hz: float
    effort: float  # peak over rest, in the busiest muscle
    swing: float  # of the shank, rad
    impact_g: float
    artefact_uv: float


def stride(canvas: Canvas, start_s: float, span_s: float, *, kind: Stride) -> None:
    """Draw locomotion: bursts locked to the cycle, swing of the shank, impacts, and what they do to the electrodes."""
    rng, t = canvas.rng, grid(span_s)
    pace_hz = kind.pace_hz * (1 + 0.03 * band_noise(rng, span_s, band_hz=(0, 0.2))[0])
    cycle = np.cumsum(pace_hz)[: len(t)] / GRID_HZ + rng.random()
    number, part = cycle.astype(int) - int(cycle[0]), cycle % 1
    on = ramp(span_s, rise_s=1.0, fall_s=1.0)
    for site in canvas.device.sites:
        vigour = np.exp(rng.normal(0, 0.18, number[-1] + 1))[number]
        envelope = sum(height * bump(part, centre, width) for centre, width, height in kind.beats[site])
        canvas.activate(start_s, kind.effort * on * (vigour * envelope + 0.03), {site: 1.0})
    angle = kind.swing * np.sin(2 * np.pi * (part - 0.1))
    strike = bump(part, 0.0, 0.018) - 0.5 * bump(part, 0.04, 0.02)
    bounce = 0.15 * kind.impact_g * np.sin(4 * np.pi * part)
    along = on * (kind.impact_g * strike + bounce + np.cos(angle) - 1)
    front = on * (np.sin(angle) + 0.4 * kind.impact_g * (bump(part, 0.02, 0.02) - bump(part, 0.6, 0.05)))
    aside = (
        on * 0.15 * kind.impact_g * bump(part, 0.01, 0.03) + 0.02 * on * band_noise(rng, span_s, band_hz=(0.5, 8))[0]
    )
    canvas.shake(start_s, np.stack([along, front, aside]))
    motion_artefact(canvas, start_s, on * (0.3 + bump(part, 0.02, 0.05)), uv=kind.artefact_uv)


def bump(part: NDArray[np.float64], centre: float, width: float) -> NDArray[np.float64]:
    """Give a Gaussian bump around one part of a cycle."""
    off = np.abs(part - centre % 1)
    return np.asarray(np.exp(-0.5 * np.square(np.minimum(off, 1 - off) / width)))


def walking(canvas: Canvas) -> Stride:
    rng = canvas.rng
    return Stride(
        beats=WALK,
        pace_hz=canvas.wearer.stride_hz * float(rng.uniform(0.85, 1.1)),
        effort=canvas.wearer.mvc * float(rng.uniform(0.1, 0.3)),
        swing=float(rng.uniform(0.4, 0.65)),
        impact_g=float(rng.uniform(0.4, 1.2)),
        artefact_uv=log_uniform(rng, 5, 120),
    )


def running(canvas: Canvas) -> Stride:
    rng = canvas.rng
    return Stride(
        beats=RUN,
        pace_hz=float(rng.uniform(1.25, 1.55)),
        effort=canvas.wearer.mvc * float(rng.uniform(0.4, 0.9)),
        swing=float(rng.uniform(0.6, 0.9)),
        impact_g=float(rng.uniform(2, 5)),
        artefact_uv=log_uniform(rng, 20, 400),
    )


def climbing(canvas: Canvas) -> Stride:
    rng = canvas.rng
    return Stride(
        beats=CLIMB,
        pace_hz=float(rng.uniform(0.6, 0.95)),
        effort=canvas.wearer.mvc * float(rng.uniform(0.25, 0.6)),
        swing=float(rng.uniform(0.3, 0.5)),
        impact_g=float(rng.uniform(0.3, 1.2)),
        artefact_uv=log_uniform(rng, 5, 150),
    )


def pedalling(canvas: Canvas) -> Stride:
    rng = canvas.rng
    return Stride(
        beats=PEDAL,
        pace_hz=float(rng.uniform(0.9, 1.6)),
        effort=canvas.wearer.mvc * float(rng.uniform(0.1, 0.4)),
        swing=float(rng.uniform(0.3, 0.5)),
        impact_g=float(rng.uniform(0.03, 0.1)),
        artefact_uv=log_uniform(rng, 5, 80),
    )
