"""Whole nights and days: one thing after another, with ordinary rest between, as mixed as life."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.random import Generator

from benchmarks.accuracy.legs import shaped_faults as faults
from benchmarks.accuracy.legs import shaped_negative as negative
from benchmarks.accuracy.legs import shaped_positive as positive
from benchmarks.accuracy.legs.shaped_canvas import Canvas
from benchmarks.accuracy.legs.shaped_effort import (
    dorsiflexors,
    heartbeats,
    hold,
    jerk,
    periodic_movements,
    plantarflexors,
    train,
    twitches,
)
from benchmarks.accuracy.legs.shaped_motion import (
    climbing,
    lying,
    running,
    sitting,
    stir,
    stride,
    sway,
    turn_to,
    walking,
)
from benchmarks.accuracy.legs.shaped_person import log_uniform

Episode = Callable[[Canvas, float], float]  # drawn from a time on; gives when it is over


def chosen(rng: Generator, habits: Sequence[tuple[float, Episode]]) -> Episode:
    weights = np.array([weight for weight, _ in habits])
    return habits[int(rng.choice(len(habits), p=weights / weights.sum()))][1]


def cramp_times(rng: Generator, *, most: int, first_s: float, last_s: float) -> list[float]:
    """Draw when cramps begin: none for half of all people, and later ones often within the hour of the one before."""
    if rng.random() < 0.5:
        return []
    times = [float(rng.uniform(first_s, last_s))]
    for _ in range(int(rng.integers(0, most))):
        after = times[-1] + rng.uniform(400, 3600) if rng.random() < 0.6 else rng.uniform(first_s, last_s)
        times.append(float(after))
    return sorted(at_s for at_s in times if at_s < last_s)


def live(
    canvas: Canvas, *, pause_s: Callable[[], float], habits: Sequence[tuple[float, Episode]], cramps: list[float],
    cramp: Episode,
) -> None:  # fmt: skip
    """Draw habits one after another to the end, and cramps when their time has come."""
    t = float(canvas.rng.uniform(200, 420))
    while t < canvas.duration_s - 900:
        if cramps and cramps[0] < t:
            cramps.pop(0)
            t = cramp(canvas, t) + canvas.rng.uniform(30, 300)
        else:
            t = chosen(canvas.rng, habits)(canvas, t) + pause_s()


def night(canvas: Canvas, _: float, room_s: float) -> float:
    """Draw seven hours and more in bed."""
    rng = canvas.rng
    canvas.duration_s = float(rng.uniform(7 * 3600, room_s))
    negative.breathe(canvas)
    background(canvas)
    # movements an hour: few in most sleepers, the 90th percentile near 25 (Frauscher 2014)
    restless = float(rng.choice([0.0, 0.5, 2.5], p=[0.55, 0.28, 0.17]))
    habits: list[tuple[float, Episode]] = [
        (5.0, turn_over),
        (2.0, small_movement),
        (restless, leg_movements),
        (0.5, sleep_start),
        (0.25, toilet),
        (float(rng.choice([0.0, 0.3])), rhythmic_feet),
        (0.25, awake_stretch),
        (float(rng.choice([0.0, 0.15])), loose_electrode),
        (0.1, blanket_hum),
    ]
    cramps = cramp_times(rng, most=3, first_s=1800, last_s=canvas.duration_s - 1800)
    live(canvas, pause_s=lambda: float(rng.exponential(480) + 20), habits=habits, cramps=cramps, cramp=night_cramp)
    return canvas.duration_s


def background(canvas: Canvas) -> None:
    """Draw what goes on all the time in some people: fasciculations in spells, the heart in the signal."""
    rng = canvas.rng
    if rng.random() < 0.4:
        for _ in range(rng.integers(1, 8)):
            span_s, at_s = float(rng.uniform(60, 1800)), float(rng.uniform(0, canvas.duration_s - 1800))
            twitches(canvas, at_s, span_s, per_min=log_uniform(rng, 0.5, 30), channel=0)
    if rng.random() < 0.12:
        uv = float(canvas.wearer.rest_uv[0]) * log_uniform(rng, 3, 20)
        heartbeats(canvas, 0.0, canvas.duration_s, per_min=float(rng.uniform(50, 85)), uv=uv)


def turn_over(canvas: Canvas, t: float) -> float:
    span_s = log_uniform(canvas.rng, 3, 25)
    turn_to(canvas, t, lying(canvas.rng), span_s=span_s, effort=log_uniform(canvas.rng, 3, 40))
    return t + span_s


def small_movement(canvas: Canvas, t: float) -> float:
    rng, span_s = canvas.rng, float(canvas.rng.uniform(0.4, 4))
    stir(canvas, t, span_s, strength_g=log_uniform(rng, 0.005, 0.08), effort=log_uniform(rng, 1, 20))
    return t + span_s


def leg_movements(canvas: Canvas, t: float) -> float:
    span_s = float(canvas.rng.uniform(120, 1500))
    periodic_movements(canvas, t, span_s, level=log_uniform(canvas.rng, 3, 40))
    return t + span_s


def sleep_start(canvas: Canvas, t: float) -> float:
    jerk(canvas, t)
    return t + 1


def toilet(canvas: Canvas, t: float) -> float:
    """Draw getting up, a short walk, standing or sitting, and the way back to bed."""
    rng = canvas.rng
    sit_s, walk_s, stay_s = float(rng.uniform(5, 40)), float(rng.uniform(6, 40)), float(rng.uniform(30, 200))
    turn_to(canvas, t, sitting(rng), span_s=3, effort=float(rng.uniform(5, 20)))
    t = negative.rise(canvas, t + sit_s)
    stride(canvas, t, walk_s, kind=walking(canvas))
    if rng.random() < 0.5:
        sway(canvas, t + walk_s, stay_s, tonic=float(rng.uniform(1, 5)))
    else:
        negative.settle(canvas, t + walk_s)
        negative.rise(canvas, t + walk_s + stay_s - 3)
    stride(canvas, t + walk_s + stay_s, walk_s, kind=walking(canvas))
    return turn_over(canvas, t + 2 * walk_s + stay_s)


def rhythmic_feet(canvas: Canvas, t: float) -> float:
    rng = canvas.rng
    pace_hz, span_s = float(rng.uniform(0.5, 3)), float(rng.uniform(8, 60))
    duty = float(np.clip(pace_hz * rng.uniform(0.3, 0.6), 0.15, 0.7))
    train(
        canvas, t, span_s, pace_hz=pace_hz, duty=duty, level=log_uniform(rng, 3, 25), weights=dorsiflexors(canvas),
        opposed=plantarflexors(canvas), shake_g=float(rng.uniform(0.005, 0.06)),
    )  # fmt: skip
    return t + span_s


def awake_stretch(canvas: Canvas, t: float) -> float:
    """Draw lying awake: a stretch of the calf or two, then a turn."""
    rng = canvas.rng
    for _ in range(rng.integers(1, 4)):
        span_s = log_uniform(rng, 1.5, 12)
        level = canvas.wearer.mvc * log_uniform(rng, 0.04, 0.4)
        hold(canvas, t, span_s, level=level, weights=plantarflexors(canvas), unsteady=0.1)
        small_movement(canvas, t - 0.5)
        t += span_s + float(rng.uniform(2, 15))
    return turn_over(canvas, t)


def loose_electrode(canvas: Canvas, t: float) -> float:
    span_s = log_uniform(canvas.rng, 4, 900)
    small_movement(canvas, t - 1)
    faults.lift(canvas, t, span_s, channel=int(canvas.rng.integers(len(canvas.device.sites))))
    return t + span_s


def blanket_hum(canvas: Canvas, t: float) -> float:
    return faults.hum(canvas, t, 300)


def night_cramp(canvas: Canvas, t: float) -> float:
    """Draw one cramp of the kinds that wake, and the return to bed."""
    rng = canvas.rng
    kinds = (positive.sudden, positive.slow, positive.weak, positive.interrupted, positive.residual)
    t = kinds[int(rng.choice(len(kinds), p=[0.4, 0.2, 0.15, 0.15, 0.1]))](canvas, t, 480)
    if rng.random() < 0.3:
        return toilet(canvas, t + float(rng.uniform(5, 60)))
    return turn_over(canvas, t + float(rng.uniform(5, 60)))


def day(canvas: Canvas, _: float, room_s: float) -> float:
    """Draw eight hours and more awake, of a sitting or a standing life."""
    rng = canvas.rng
    canvas.duration_s = float(rng.uniform(8 * 3600, room_s))
    negative.breathe(canvas)
    background(canvas)
    standing = float(rng.uniform(0.3, 3))
    habits: list[tuple[float, Episode]] = [
        (4.0, lambda canvas, t: negative.fidget_stretch(canvas, t, 120)),
        (1.0, press),
        (0.6, lean),
        (3.0, stroll),
        (0.8, lambda canvas, t: negative.bouts(canvas, t, 150, kind=climbing(canvas), longest_s=40)),
        (standing, lambda canvas, t: negative.stand(canvas, t, float(rng.uniform(140, 900)))),
        (0.6, reach),
        (0.5, drive),
        (0.3, lambda canvas, t: faults.artefact(canvas, t, 120)),
        (0.2, blanket_hum),
        (float(rng.choice([0.0, 0.2])), loose_electrode),
        (float(rng.choice([0.0, 0.06])), lambda canvas, t: faults.non_wear(canvas, t, float(rng.uniform(120, 1500)))),
    ]
    if rng.random() < 0.5:
        habits.append((0.25, sport))
    cramps = cramp_times(rng, most=2, first_s=1800, last_s=canvas.duration_s - 1800)
    live(canvas, pause_s=lambda: float(rng.exponential(200) + 10), habits=habits, cramps=cramps, cramp=day_cramp)
    return canvas.duration_s


def stroll(canvas: Canvas, t: float) -> float:
    longest_s = log_uniform(canvas.rng, 15, 600)
    return negative.bouts(canvas, t, longest_s + 60, kind=walking(canvas), longest_s=longest_s)


def press(canvas: Canvas, t: float) -> float:
    """Draw voluntary holds while seated, as on a foot-rest or in a stretch."""
    return negative.holds(canvas, t, 180, shortest_s=3)


def lean(canvas: Canvas, t: float) -> float:
    """Draw minutes of a heel raised a little under the chair: 1.3-2.5 times rest in both heads."""
    rng, span_s = canvas.rng, float(canvas.rng.uniform(30, 400))
    level = float(np.sqrt(rng.uniform(1.3, 2.5) ** 2 - 1))
    small_movement(canvas, t - 1)
    hold(canvas, t, span_s, level=level, weights=plantarflexors(canvas), unsteady=0.15)
    small_movement(canvas, t + span_s)
    return t + span_s


def reach(canvas: Canvas, t: float) -> float:
    """Draw standing up to reach a shelf on tiptoe, 2-10 s at a time."""
    rng = canvas.rng
    t = negative.rise(canvas, t)
    for _ in range(rng.integers(1, 4)):
        before_s, span_s = float(rng.uniform(2, 10)), float(rng.uniform(2, 10))
        sway(canvas, t, before_s, tonic=2.0)
        level = canvas.wearer.mvc * float(rng.uniform(0.2, 0.6))
        hold(canvas, t + before_s, span_s, level=level, weights=plantarflexors(canvas), unsteady=0.2)
        t += before_s + span_s
    return negative.settle(canvas, t)


def drive(canvas: Canvas, t: float) -> float:
    """Draw a drive: the pedal held for seconds to most of a minute at a time, the road in the acceleration."""
    rng, end_s = canvas.rng, t + float(canvas.rng.uniform(300, 2400))
    turn_to(canvas, t, (0.75, 0.66, 0.05), span_s=3, effort=10.0)
    t += 5
    while t < end_s:
        span_s = log_uniform(rng, 1.5, 55)
        weights = plantarflexors(canvas) if rng.random() < 0.7 else dorsiflexors(canvas)
        hold(canvas, t, span_s, level=canvas.wearer.mvc * log_uniform(rng, 0.02, 0.12), weights=weights, unsteady=0.15)
        pause_s = float(rng.exponential(15) + 1)
        stir(canvas, t, span_s + pause_s, strength_g=float(rng.uniform(0.004, 0.02)), effort=0.0)
        t += span_s + pause_s
    return negative.settle(canvas, t)


def sport(canvas: Canvas, t: float) -> float:
    """Draw an hour of running or cycling."""
    if canvas.rng.random() < 0.5:
        return negative.bouts(canvas, t, 3600, kind=running(canvas), longest_s=1200)
    return negative.cycling(canvas, t, 3600)


def day_cramp(canvas: Canvas, t: float) -> float:
    rng = canvas.rng
    kinds = (positive.sudden, positive.weak, positive.onehead_upright, positive.at_exercise)
    t = kinds[int(rng.choice(len(kinds), p=[0.4, 0.2, 0.2, 0.2]))](canvas, t, 420)
    return negative.settle(canvas, t + 3)
