"""Sessions without a cramp: what people do, and what muscles do by themselves. Each is drawn from `t` on to its end."""

import numpy as np

from benchmarks.accuracy.legs.shaped_canvas import Canvas, band_noise, grid
from benchmarks.accuracy.legs.shaped_effort import (
    dorsiflexors,
    heartbeats,
    hold,
    limb_movement,
    periodic_movements,
    plantarflexors,
    train,
    twitches,
)
from benchmarks.accuracy.legs.shaped_motion import (
    STANDING,
    Stride,
    climbing,
    jitter,
    lying,
    pedalling,
    running,
    sitting,
    stir,
    stride,
    sway,
    turn_to,
    walking,
)
from benchmarks.accuracy.legs.shaped_person import CALF, GL, GM, SOL, TA, log_uniform


def rise(canvas: Canvas, t: float) -> float:
    """Draw getting up."""
    span_s = float(canvas.rng.uniform(1.5, 4))
    up = jitter(canvas.rng, STANDING, spread=0.03)
    turn_to(canvas, t, up, span_s=span_s, effort=float(canvas.rng.uniform(4, 20)))
    return t + span_s


def settle(canvas: Canvas, t: float) -> float:
    """Draw sitting or lying down."""
    rng, span_s = canvas.rng, float(canvas.rng.uniform(1.5, 4))
    down = sitting(rng) if rng.random() < 0.7 else lying(rng)
    turn_to(canvas, t, down, span_s=span_s, effort=float(rng.uniform(4, 15)))
    return t + span_s


def bouts(canvas: Canvas, t: float, room_s: float, *, kind: Stride, longest_s: float) -> float:
    """Draw getting up, bouts of one locomotion with short stands between, and settling."""
    rng, start_s = canvas.rng, t
    t = rise(canvas, t)
    for _ in range(rng.integers(1, 5)):
        span_s = min(log_uniform(rng, 8, longest_s), start_s + room_s - t - 12)
        if span_s < 5:
            break
        stride(canvas, t, span_s, kind=kind)
        t += span_s
        pause_s = float(rng.uniform(1, 20))
        sway(canvas, t - 0.5, pause_s + 0.5, tonic=float(rng.uniform(1, 5)))
        t += pause_s
    return settle(canvas, t)


def walk(canvas: Canvas, t: float, room_s: float) -> float:
    return bouts(canvas, t, room_s, kind=walking(canvas), longest_s=200)


def run(canvas: Canvas, t: float, room_s: float) -> float:
    return bouts(canvas, t, room_s, kind=running(canvas), longest_s=280)


def stairs(canvas: Canvas, t: float, room_s: float) -> float:
    return bouts(canvas, t, room_s, kind=climbing(canvas), longest_s=60)


def cycling(canvas: Canvas, t: float, room_s: float) -> float:
    return bouts(canvas, t, room_s, kind=pedalling(canvas), longest_s=280)


def tiptoe(canvas: Canvas, t: float, room_s: float) -> float:
    """Stands on tiptoe, 5-60 s at a time; balance makes the activity less steady than when seated."""
    rng, end_s = canvas.rng, t + room_s
    t = rise(canvas, t)
    for _ in range(rng.integers(1, 7)):
        rest_s, span_s = float(rng.uniform(3, 25)), log_uniform(rng, 5, 60)
        if t + rest_s + span_s > end_s - 15:
            break
        sway(canvas, t, rest_s, tonic=float(rng.uniform(1, 4)))
        level = canvas.wearer.mvc * float(rng.uniform(0.2, 0.6))
        hold(canvas, t + rest_s, span_s, level=level, weights=plantarflexors(canvas), unsteady=rng.uniform(0.08, 0.25))
        canvas.shake(t + rest_s, 0.02 * band_noise(rng, span_s, band_hz=(0.3, 4), rows=3))
        t += rest_s + span_s
    return settle(canvas, t)


def holds(canvas: Canvas, t: float, room_s: float, *, shortest_s: float) -> float:
    rng, end_s, same = canvas.rng, t + room_s, plantarflexors(canvas)
    for _ in range(rng.integers(1, 6)):
        span_s = log_uniform(rng, shortest_s, 60)
        if t + span_s > end_s:
            break
        level = canvas.wearer.mvc * log_uniform(rng, 0.05, 0.6)
        weights = same if rng.random() < 0.85 else dorsiflexors(canvas)
        hold(canvas, t, span_s, level=level, weights=weights, unsteady=float(rng.uniform(0.02, 0.12)))
        t += span_s + float(rng.uniform(4, 40))
    return t


def hold_seated(canvas: Canvas, t: float, room_s: float) -> float:
    return holds(canvas, t, room_s, shortest_s=5)


def hold_lying(canvas: Canvas, t: float, room_s: float) -> float:
    return holds(canvas, t, room_s, shortest_s=10)


def stand(canvas: Canvas, t: float, room_s: float) -> float:
    span_s = float(canvas.rng.uniform(120, max(room_s - 15, 130)))
    t = rise(canvas, t)
    mostly = str(canvas.rng.choice([SOL, GM, GL], p=[0.5, 0.4, 0.1]))
    sway(canvas, t, span_s, tonic=log_uniform(canvas.rng, 1, 8), mostly=mostly)
    return settle(canvas, t + span_s)


def plm(canvas: Canvas, t: float, room_s: float) -> float:
    rng, span_s = canvas.rng, float(canvas.rng.uniform(150, max(room_s, 160)))
    periodic_movements(canvas, t, span_s, level=log_uniform(rng, 3, 40))
    return t + span_s


def turning(canvas: Canvas, t: float, room_s: float) -> float:
    """Turns over in bed, with other large movements, 3-45 s each (Ferri 2021)."""
    rng, end_s = canvas.rng, t + room_s
    for _ in range(rng.integers(2, 9)):
        span_s = log_uniform(rng, 3, 45)
        if t + span_s > end_s:
            break
        turn_to(canvas, t, lying(rng), span_s=span_s, effort=log_uniform(rng, 4, 40))
        t += span_s + float(rng.uniform(5, 60))
    return t


def fidget_stretch(canvas: Canvas, t: float, room_s: float) -> float:
    """Awake: short stretches of the calf, foot pointing and circling, scratching, shifting."""
    rng, end_s = canvas.rng, t + room_s
    for _ in range(rng.integers(4, 20)):
        span_s = log_uniform(rng, 0.5, 12)
        if t + span_s > end_s:
            break
        if rng.random() < 0.5:
            weights = plantarflexors(canvas) if rng.random() < 0.6 else dorsiflexors(canvas)
            hold(canvas, t, span_s, level=log_uniform(rng, 3, 40), weights=weights, unsteady=0.2)
        stir(canvas, t, span_s, strength_g=float(rng.uniform(0.01, 0.15)), effort=log_uniform(rng, 1, 15))
        t += span_s + float(rng.exponential(12) + 1)
    return t


def fasciculation(canvas: Canvas, t: float, room_s: float) -> float:
    rng, span_s = canvas.rng, float(canvas.rng.uniform(120, min(room_s, 320)))
    for channel in range(len(canvas.device.sites)):
        if channel == 0 or rng.random() < 0.5:
            twitches(canvas, t, span_s, per_min=log_uniform(rng, 8, 110), channel=channel)
    return t + span_s


def shaking(
    canvas: Canvas, t: float, room_s: float, *, pace_hz: float, span_s: float, duty: float, shake_g: float
) -> float:
    """Draw one to three trains of the same rhythm."""
    rng, end_s = canvas.rng, t + room_s
    front_first = rng.random() < 0.3
    for _ in range(rng.integers(1, 4)):
        if t + span_s > end_s:
            break
        back, front = {m: float(rng.uniform(0.6, 1.1)) for m in CALF}, {TA: float(rng.uniform(0.4, 1.0))}
        weights, opposed = (front, back) if front_first else (back, front)
        level = log_uniform(rng, 3, min(30, canvas.wearer.mvc))
        train(
            canvas, t, span_s, pace_hz=pace_hz, duty=duty, level=level, weights=weights, opposed=opposed,
            shake_g=shake_g,
        )  # fmt: skip
        t += span_s + float(rng.uniform(8, 50))
    return t


def tremor(canvas: Canvas, t: float, room_s: float) -> float:
    u = canvas.rng.uniform
    return shaking(canvas, t, room_s, pace_hz=u(4, 12), span_s=u(20, 60), duty=u(0.4, 0.8), shake_g=u(0.01, 0.2))


def clonus(canvas: Canvas, t: float, room_s: float) -> float:
    u = canvas.rng.uniform
    return shaking(canvas, t, room_s, pace_hz=u(5, 8), span_s=u(10, 40), duty=u(0.3, 0.5), shake_g=u(0.08, 0.4))


def foot_tremor(canvas: Canvas, t: float, room_s: float) -> float:
    u, pace_hz = canvas.rng.uniform, float(canvas.rng.uniform(0.5, 3))
    duty = float(np.clip(pace_hz * u(0.3, 0.7), 0.15, 0.7))
    return shaking(canvas, t, room_s, pace_hz=pace_hz, span_s=u(10, 60), duty=duty, shake_g=u(0.005, 0.08))


def orthostatic_tremor(canvas: Canvas, t: float, room_s: float) -> float:
    """While standing only: 13-18 Hz in every muscle that bears weight, hardly to be seen in the acceleration."""
    rng, span_s = canvas.rng, float(canvas.rng.uniform(40, min(room_s - 15, 180)))
    t = rise(canvas, t)
    weights = {site: float(rng.uniform(0.5, 1.0)) for site in canvas.device.sites}
    sway(canvas, t, span_s, tonic=float(rng.uniform(1, 3)))
    level, pace_hz, shake_g = log_uniform(rng, 4, 25), float(rng.uniform(13, 18)), float(rng.uniform(0.004, 0.03))
    train(canvas, t, span_s, pace_hz=pace_hz, duty=rng.uniform(0.5, 0.8), level=level, weights=weights, shake_g=shake_g)
    return settle(canvas, t + span_s)


def ecg(canvas: Canvas, t: float, room_s: float) -> float:
    """R-waves through the whole recording, the rest before included."""
    rng, span_s = canvas.rng, float(canvas.rng.uniform(100, max(room_s, 110)))
    uv = float(canvas.wearer.rest_uv[0]) * log_uniform(rng, 4, 40)
    heartbeats(canvas, 0.0, canvas.duration_s, per_min=float(rng.uniform(50, 110)), uv=uv)
    limb_movement(canvas, t + 20, span_s=2.0, level=5.0, weights=dorsiflexors(canvas))
    return t + span_s


def breathe(canvas: Canvas) -> None:
    """Draw what rest never lacks: breathing in the acceleration and slow changes of tone."""
    rng, depth_g = canvas.rng, canvas.rng.uniform(0.0003, 0.002)
    for start_s in np.arange(0.0, canvas.duration_s, 600.0):  # by parts, since a night in one would be large
        span_s = min(600.0, canvas.duration_s - start_s)
        t = grid(span_s)
        rhythm = np.sin(2 * np.pi * rng.uniform(0.2, 0.3) * t + np.sin(0.1 * t))
        canvas.shake(start_s, depth_g * rng.normal(size=(3, 1)) * rhythm)
        tone = 0.35 * np.abs(band_noise(rng, span_s, band_hz=(0, 0.03))[0])
        canvas.activate(start_s, tone, {site: float(rng.uniform(0.2, 1.0)) for site in canvas.device.sites})
