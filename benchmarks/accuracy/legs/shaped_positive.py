"""Sessions with cramps. Each function draws one from `t` on and says when it is over."""

from collections.abc import Callable

import numpy as np

from benchmarks.accuracy.legs.shaped_canvas import GRID_HZ, Canvas, grid
from benchmarks.accuracy.legs.shaped_cramp import Spread, add_cramp, cramp_length, draw_course, heralds
from benchmarks.accuracy.legs.shaped_motion import (
    STANDING,
    jitter,
    lying,
    motion_artefact,
    running,
    sitting,
    stir,
    stride,
    sway,
    turn_to,
    walking,
)
from benchmarks.accuracy.legs.shaped_person import CALF, TA, log_uniform

Draw = Callable[[Canvas, float, float], float]  # (canvas, start, seconds that may be used) -> end


def strength(canvas: Canvas, *, low: float = 15.0, high: float = 60.0) -> float:
    """Draw a peak over rest that the muscle can give."""
    return min(log_uniform(canvas.rng, low, high), 0.9 * canvas.wearer.mvc)


def react(canvas: Canvas, onset_s: float, end_s: float) -> None:
    """Draw what many wearers do: wake after a while, move, bend or hold the leg, rub it."""
    rng = canvas.rng
    if rng.random() < 0.35:
        return
    at_s = onset_s + rng.uniform(4, 45)
    if at_s > end_s - 3:
        return
    span_s = rng.uniform(1.5, 5)
    turn_to(canvas, at_s, lying(rng) if rng.random() < 0.5 else sitting(rng), span_s=span_s, effort=rng.uniform(3, 15))
    if rng.random() < 0.5 and end_s - at_s > 15:
        rub_s = float(rng.uniform(4, min(end_s - at_s - span_s, 40)))
        stir(canvas, at_s + span_s + 1, rub_s, strength_g=rng.uniform(0.02, 0.08), effort=rng.uniform(0, 2))


def sudden(canvas: Canvas, t: float, room_s: float) -> float:
    rng = canvas.rng
    total_s = cramp_length(rng, median_s=80, most_s=room_s)
    rise_s = min(float(rng.uniform(0.2, 3)), total_s / 4)
    fall_s = min(log_uniform(rng, 0.3, 40), total_s / 2)
    course = draw_course(rng, rise_s=rise_s, hold_s=total_s - rise_s - fall_s, fall_s=fall_s)
    truth = add_cramp(canvas, start_s=t, course=course, peak_ratio=strength(canvas))
    if rng.random() < 0.4:
        heralds(canvas, start_s=t - 30, end_s=t)
        heralds(canvas, start_s=truth.end_s, end_s=truth.end_s + 40)
    react(canvas, t, truth.end_s)
    return truth.end_s


def slow(canvas: Canvas, t: float, room_s: float) -> float:
    rng = canvas.rng
    rise_s, fall_s = float(rng.uniform(60, 180)), float(rng.uniform(60, 240))
    hold_s = float(rng.uniform(10, 100))
    squeeze = min(1.0, room_s / (rise_s + hold_s + fall_s))
    course = draw_course(rng, rise_s=max(rise_s * squeeze, 60), hold_s=hold_s * squeeze, fall_s=fall_s * squeeze)
    truth = add_cramp(canvas, start_s=t, course=course, peak_ratio=strength(canvas))
    react(canvas, t + rise_s / 2, truth.end_s)
    return truth.end_s


def weak(canvas: Canvas, t: float, room_s: float) -> float:
    rng = canvas.rng
    total_s = max(cramp_length(rng, median_s=90, most_s=room_s), 20)
    rise_s, fall_s = min(log_uniform(rng, 0.5, 60), total_s / 3), min(log_uniform(rng, 0.5, 60), total_s / 3)
    course = draw_course(rng, rise_s=rise_s, hold_s=total_s - rise_s - fall_s, fall_s=fall_s)
    truth = add_cramp(canvas, start_s=t, course=course, peak_ratio=strength(canvas, low=4, high=15))
    react(canvas, t, truth.end_s)
    return truth.end_s


def others(canvas: Canvas) -> list[int]:
    """Give the channels of the calf beside the first."""
    return [c for c, site in enumerate(canvas.device.sites) if c and site in CALF]


def spreading(canvas: Canvas, t: float, room_s: float) -> float:
    rng = canvas.rng
    total_s = max(cramp_length(rng, median_s=100, most_s=room_s), 40)
    rise_s, fall_s = float(rng.uniform(0.5, 15)), float(rng.uniform(0.5, 20))
    course = draw_course(rng, rise_s=rise_s, hold_s=max(total_s - rise_s - fall_s, 5), fall_s=fall_s)
    joining = others(canvas)[: int(rng.integers(1, 3))]
    spread = [
        Spread(channel=c, after_s=float(rng.uniform(5, 0.4 * total_s)), share=float(rng.uniform(0.3, 0.9)))
        for c in joining
    ]
    truth = add_cramp(canvas, start_s=t, course=course, peak_ratio=strength(canvas), spread=spread)
    react(canvas, t, truth.end_s)
    return truth.end_s


def interrupted(canvas: Canvas, t: float, room_s: float) -> float:
    """The wearer gets up; stretching quietens the cramp for 3-12 s without ending it, and it goes on while standing."""
    rng = canvas.rng
    before_s, after_s = float(rng.uniform(15, 60)), float(rng.uniform(20, min(90, room_s / 2)))
    quiet_s, up_s = float(rng.uniform(3, 12)), float(rng.uniform(3, 6))
    course = draw_course(rng, rise_s=float(rng.uniform(0.5, 10)), hold_s=before_s + quiet_s + after_s, fall_s=5.0)
    now = grid(len(course) / GRID_HZ)[: len(course)] - before_s
    eased = np.clip(np.minimum(now, quiet_s - now), 0, 1)
    course = course * (1 - eased * rng.uniform(0.4, 0.9))
    truth = add_cramp(canvas, start_s=t, course=course, peak_ratio=strength(canvas))
    rise_at = t + before_s - up_s + rng.uniform(-1, 1)
    turn_to(canvas, rise_at, jitter(rng, STANDING, spread=0.05), span_s=up_s, effort=rng.uniform(5, 25))
    sway(canvas, rise_at + up_s, max(truth.end_s + 10 - rise_at - up_s, 5), tonic=rng.uniform(1.5, 4))
    stretch = np.ones(len(grid(quiet_s)))
    motion_artefact(canvas, t + before_s, stretch, uv=log_uniform(rng, 20, 200))
    turn_to(canvas, truth.end_s + 12, lying(rng), span_s=up_s, effort=rng.uniform(5, 25))
    return truth.end_s + 12 + up_s


def recurring(canvas: Canvas, t: float, room_s: float) -> float:
    rng, over_s = canvas.rng, t
    count = int(rng.integers(2, 5))
    for number in range(count):
        draw: Draw = (sudden, sudden, weak, spreading if others(canvas) else sudden)[int(rng.integers(4))]
        left_s = t + room_s - over_s
        over_s = draw(canvas, over_s, min(150, left_s / (count - number)))
        if number < count - 1:
            spare_s = (t + room_s - over_s) / (count - number) - 60
            over_s += float(rng.uniform(45, max(spare_s, 60)))
    return over_s


def at_exercise(canvas: Canvas, t: float, room_s: float) -> float:
    """A run, then a cramp: within its last steps, right after, or at the rest that follows."""
    rng = canvas.rng
    run_s = float(rng.uniform(40, 90))
    kind = running(canvas)
    turn_to(canvas, t - 5, jitter(rng, STANDING, spread=0.03), span_s=3, effort=rng.uniform(4, 20))
    stride(canvas, t, run_s, kind=kind)
    halt_s = t + run_s
    delay_s = float(rng.choice([-6.0, 1.0, rng.uniform(15, 60)]))
    sway(canvas, halt_s, max(delay_s, 0) + 8, tonic=rng.uniform(2, 4))
    total_s = cramp_length(rng, median_s=45, most_s=room_s - run_s - 75)
    rise_s, fall_s = min(float(rng.uniform(0.5, 4)), total_s / 4), min(float(rng.uniform(0.5, 15)), total_s / 3)
    course = draw_course(rng, rise_s=rise_s, hold_s=total_s - rise_s - fall_s, fall_s=fall_s)
    truth = add_cramp(canvas, start_s=halt_s + delay_s, course=course, peak_ratio=strength(canvas, low=18))
    down_s = halt_s + max(delay_s, 0) + 8
    turn_to(canvas, down_s, sitting(rng), span_s=rng.uniform(2, 5), effort=rng.uniform(5, 20))
    return max(truth.end_s, down_s + 5)


def onehead_upright(canvas: Canvas, t: float, room_s: float) -> float:
    """The wearer stands quietly, or stops walking, as one head cramps."""
    rng = canvas.rng
    lead_s = float(rng.uniform(20, 50))
    turn_to(canvas, t - 4, jitter(rng, STANDING, spread=0.03), span_s=3, effort=rng.uniform(4, 20))
    if rng.random() < 0.5:
        stride(canvas, t, lead_s, kind=walking(canvas))
    else:
        sway(canvas, t, lead_s, tonic=rng.uniform(1, 4))
    total_s = cramp_length(rng, median_s=60, most_s=room_s - lead_s - 20)
    rise_s, fall_s = min(float(rng.uniform(0.5, 10)), total_s / 3), min(float(rng.uniform(0.5, 20)), total_s / 3)
    course = draw_course(rng, rise_s=rise_s, hold_s=total_s - rise_s - fall_s, fall_s=fall_s)
    truth = add_cramp(
        canvas, start_s=t + lead_s - rng.uniform(0, 3), course=course, peak_ratio=strength(canvas, low=18)
    )
    until_s = truth.end_s + 15 - t - lead_s
    sway(canvas, t + lead_s, until_s, tonic=rng.uniform(1, 4), mostly=TA if canvas.device.sites[0] == TA else "soleus")
    if rng.random() < 0.7:
        at_s = t + lead_s + 0.3 * total_s
        stir(canvas, at_s, float(rng.uniform(2, 6)), strength_g=rng.uniform(0.05, 0.2), effort=rng.uniform(2, 8))
    return truth.end_s + 15


def residual(canvas: Canvas, t: float, room_s: float) -> float:
    """After the cramp the muscle stays at 1.5-2 times rest for minutes (Chaney), which is no part of it."""
    rng = canvas.rng
    over_s = sudden(canvas, t, min(room_s - 60, 180))
    left_s = float(rng.uniform(60, max(t + room_s - over_s, 70)))
    level = np.sqrt(rng.uniform(1.5, 2.0) ** 2 - 1)
    t_left = grid(left_s)
    tail = level * np.minimum(t_left / 0.5, 1) * (1 - 0.4 * t_left / left_s)
    canvas.activate(over_s, tail, {canvas.device.sites[0]: 1.0})
    return over_s + left_s
