"""Sessions in which only the recording goes wrong: hum, artefact, lifted electrodes, rails, nobody wearing it."""

import numpy as np

from benchmarks.accuracy.legs.shaped_canvas import GRID_HZ, Canvas, Stuck, add, band_noise, grid, grid_slice, ramp
from benchmarks.accuracy.legs.shaped_motion import jitter, motion_artefact, stir
from benchmarks.accuracy.legs.shaped_person import log_uniform


def hum(canvas: Canvas, t: float, room_s: float) -> float:
    """Hum that jumps as lamps and chargers are touched, and drifts between."""
    rng, span_s = canvas.rng, float(canvas.rng.uniform(90, min(room_s, 300)))
    at_s = t
    while at_s < t + span_s:
        piece_s = min(float(rng.exponential(30) + 3), t + span_s - at_s + 1)
        level = log_uniform(rng, 3, 300)
        shape = ramp(piece_s, rise_s=float(rng.choice([0.01, 2])), fall_s=float(rng.choice([0.01, 2])))
        drift = np.exp(0.2 * band_noise(rng, piece_s, band_hz=(0, 0.3))[0])
        for track in canvas.hum_uv:
            add(track, at_s, level * rng.uniform(0.3, 1) * shape * drift)
        at_s += piece_s + float(rng.choice([0, rng.uniform(2, 20)]))
    return t + span_s


def artefact(canvas: Canvas, t: float, room_s: float) -> float:
    """Cable pulls, movement below 20 Hz, steps of the baseline, sharp pops; some with and some without acceleration."""
    rng, span_s = canvas.rng, float(canvas.rng.uniform(90, min(room_s, 300)))
    for at_s in t + span_s * np.sort(rng.random(rng.integers(6, 25))):
        (pull, wobble, step, pops)[rng.integers(4)](canvas, float(at_s))
    return t + span_s + 40


def pull(canvas: Canvas, at_s: float) -> None:
    """Draw a tug at the cable: a large slow transient that rings out."""
    rng, t = canvas.rng, grid(3.0)
    for track in canvas.artefact_uv:
        shape = np.exp(-t / rng.uniform(0.1, 0.7)) * np.sin(2 * np.pi * rng.uniform(0.7, 9) * t)
        add(track, at_s, rng.choice([-1, 1]) * log_uniform(rng, 100, 3000) * shape)
    if rng.random() < 0.6:
        stir(canvas, at_s, 1.0, strength_g=float(rng.uniform(0.02, 0.2)), effort=0.0)


def wobble(canvas: Canvas, at_s: float) -> None:
    """Draw seconds to half a minute of moving electrodes."""
    rng, span_s = canvas.rng, log_uniform(canvas.rng, 1, 35)
    lively = ramp(span_s, rise_s=0.3, fall_s=0.3) * np.exp(0.5 * band_noise(rng, span_s, band_hz=(0, 1))[0])
    motion_artefact(canvas, at_s, lively, uv=log_uniform(rng, 20, 800))
    if rng.random() < 0.7:
        canvas.shake(at_s, 0.06 * lively * band_noise(rng, span_s, band_hz=(0.7, 8), rows=3))


def step(canvas: Canvas, at_s: float) -> None:
    """Draw a jump of the half-cell potential that a high-pass turns into a decay."""
    rng, t = canvas.rng, grid(12.0)
    track = canvas.artefact_uv[rng.integers(len(canvas.artefact_uv))]
    add(track, at_s, rng.choice([-1, 1]) * log_uniform(rng, 100, 4000) * np.exp(-t / rng.uniform(0.3, 3)))


def pops(canvas: Canvas, at_s: float) -> None:
    """Draw a dry electrode that crackles: brief wide-band bursts, some seconds long in all."""
    rng = canvas.rng
    track = canvas.hiss_uv[rng.integers(len(canvas.hiss_uv))]
    for crack_s in at_s + np.sort(rng.uniform(0, rng.uniform(1, 15), rng.integers(2, 30))):
        span_s = float(rng.uniform(0.01, 0.12))
        add(track, float(crack_s), log_uniform(rng, 20, 300) * ramp(span_s, rise_s=0.005, fall_s=span_s / 2))


def electrode_lift(canvas: Canvas, t: float, room_s: float) -> float:
    """One or all electrodes come off for a time, now and then half off, and are pressed on again."""
    rng, over_s = canvas.rng, t
    for _ in range(rng.integers(1, 4)):
        span_s = log_uniform(rng, 5, min(150, room_s / 4))
        channels = range(len(canvas.device.sites))
        chosen = list(channels) if rng.random() < 0.4 else [int(rng.integers(len(channels)))]
        for channel in chosen:
            lift(canvas, over_s, span_s, channel=channel)
        over_s += span_s + float(rng.uniform(10, max(room_s / 4, 11)))
    return min(over_s, t + room_s)


def lift(canvas: Canvas, start_s: float, span_s: float, *, channel: int) -> None:
    """Draw a lost contact: no muscle, much hum, some hiss, a wandering baseline, perhaps the rail."""
    rng = canvas.rng
    off = ramp(span_s, rise_s=float(rng.choice([0.02, 3])), fall_s=0.05)
    if rng.random() < 0.4:
        off = off * (band_noise(rng, span_s, band_hz=(0, 0.5))[0][: len(off)] > -0.5)
    quiet = float(canvas.wearer.rest_uv[channel])
    add(canvas.lifted[channel], start_s, off * rng.uniform(0.8, 1.0))
    add(canvas.hum_uv[channel], start_s, off * log_uniform(rng, 10, 1500))
    add(canvas.hiss_uv[channel], start_s, off * quiet * rng.uniform(0.5, 6))
    add(
        canvas.artefact_uv[channel],
        start_s,
        off * band_noise(rng, span_s, band_hz=(0, 0.7))[0] * log_uniform(rng, 10, 800),
    )
    np.clip(canvas.lifted[channel], 0, 1, out=canvas.lifted[channel])
    if rng.random() < 0.25:
        value = float(rng.choice([-1.0, 1.0]))
        stuck_s = span_s * float(rng.uniform(0.2, 0.9))
        canvas.stuck.append(Stuck(channel=channel, start_s=start_s + 1, end_s=start_s + stuck_s, value=value))


def rail(canvas: Canvas, t: float, room_s: float) -> float:
    """The converter at its limits: stuck, flipping between both, or clipping a huge hum or wandering baseline."""
    rng, over_s = canvas.rng, t
    full_uv = canvas.device.emg_scale_uv * canvas.device.rail_counts
    for _ in range(rng.integers(2, 6)):
        channel, span_s = int(rng.integers(len(canvas.device.sites))), log_uniform(rng, 1, min(90, room_s / 5))
        way = rng.integers(4)
        if way == 0:
            value = float(rng.choice([-1.0, 1.0, 0.0, rng.uniform(-1, 1)]))
            canvas.stuck.append(Stuck(channel=channel, start_s=over_s, end_s=over_s + span_s, value=value))
        elif way == 1:
            flips = np.sign(band_noise(rng, span_s, band_hz=(0, rng.uniform(0.5, 20)))[0])
            add(canvas.artefact_uv[channel], over_s, 4 * full_uv * flips)
        elif way == 2:
            add(canvas.hum_uv[channel], over_s, rng.uniform(0.8, 5) * full_uv * ramp(span_s, rise_s=0.5, fall_s=0.5))
        else:
            roam = band_noise(rng, span_s, band_hz=(0, 2))[0] * ramp(span_s, rise_s=0.5, fall_s=0.5)
            add(canvas.artefact_uv[channel], over_s, 1.5 * full_uv * roam)
        over_s += span_s + float(rng.uniform(5, max(room_s / 6, 6)))
    return min(over_s, t + room_s)


def non_wear(canvas: Canvas, t: float, room_s: float) -> float:
    """The device is taken off, lies on a table or a charger, and is put on again."""
    span_s = float(canvas.rng.uniform(60, min(room_s - 30, 360)))
    fumble(canvas, t - 8)
    take_off(canvas, t, span_s)
    fumble(canvas, t + span_s - 2)
    return t + span_s + 15


def fumble(canvas: Canvas, at_s: float) -> None:
    """Draw hands at the device: it is moved about, the electrodes slip."""
    span_s = float(canvas.rng.uniform(5, 10))
    stir(canvas, at_s, span_s, strength_g=float(canvas.rng.uniform(0.1, 0.4)), effort=3.0)
    wobble(canvas, at_s)
    for channel in range(len(canvas.device.sites)):
        lift(canvas, at_s + canvas.rng.uniform(0, 3), float(canvas.rng.uniform(1, 4)), channel=channel)


def take_off(canvas: Canvas, start_s: float, span_s: float) -> None:
    """Draw open inputs: noise below or above that of skin, hum of the room or next to none, switching of a charger."""
    rng = canvas.rng
    worn_up = canvas.turns[-1].up
    flat = jitter(rng, (0.0, 0.0, 1.0) if rng.random() < 0.5 else (0.0, -1.0, 0.0), spread=0.02)
    canvas.pose(start_s - 2, flat, span_s=1.5)
    canvas.pose(start_s + span_s, worn_up, span_s=1.5)
    hum_uv = log_uniform(rng, 0.5, 400)
    hiss = float(rng.choice([0.1, rng.uniform(0.5, 8)]))
    charging = rng.random() < 0.4
    for channel, rest_uv in enumerate(canvas.wearer.rest_uv):
        during = grid_slice(canvas.lifted[channel], start_s, start_s + span_s)
        canvas.lifted[channel, during] = 1.0
        canvas.hum_uv[channel, during] += hum_uv * rng.uniform(0.4, 1.0)
        canvas.hiss_uv[channel, during] += hiss * rest_uv
        if charging:
            ticks = (np.arange(during.stop - during.start) % round(rng.uniform(0.2, 2) * GRID_HZ)) < 4
            canvas.hiss_uv[channel, during] += ticks.astype(np.float32) * np.float32(log_uniform(rng, 5, 100))
