"""Nights and days: what happens in them and when."""

from collections.abc import Callable
from functools import partial

import numpy as np

from benchmarks.accuracy.leg import Leg
from benchmarks.accuracy.legs import spikes_acts as acts
from benchmarks.accuracy.legs import spikes_faults as faults
from benchmarks.accuracy.legs.spikes_canvas import Canvas
from benchmarks.accuracy.legs.spikes_cramp import cramp, draw_ratio, get_up, pick_site, smoulder, suffer
from benchmarks.accuracy.legs.spikes_finish import finish
from benchmarks.accuracy.legs.spikes_gait import WALK, beat, move
from benchmarks.accuracy.legs.spikes_person import GM, PER, SOL, TA, FloatArray, draw_person

Item = tuple[float, float, Callable[[float], object]]  # from, until, what to do from a moment on


def night(seed: int, *, hours: tuple[float, float] = (7.0, 8.5)) -> Leg:
    """Render a night; those of odd seeds have one to three cramps."""
    rng = np.random.default_rng([0x6E69, seed])
    person = draw_person(rng, fs_hz=(200.0, 250.0, 256.0, 500.0), channels=(1, 2))
    canvas = Canvas(person, float(rng.uniform(*hours) * 3600), rng)
    to_bed = _evening(canvas)
    cramps = _cramps(canvas, to_bed + 900, int(rng.integers(1, 4)) if seed % 2 else 0)
    taken: list[Item] = []
    for item in (*cramps, *_movements(canvas, to_bed + 60)):
        if all(item[1] < other[0] or item[0] > other[1] for other in taken):
            taken.append(item)
    for start, _, play in sorted(taken, key=lambda item: item[0]):
        play(start)
    _background(canvas, to_bed, taken[: len(cramps)])
    return finish(canvas, "night")


def _evening(canvas: Canvas) -> float:
    """Sit, walk to bed, lie down; return when."""
    rng = canvas.rng
    at = acts.take(canvas, 0.0, "sitting", there=True)
    seated = rng.uniform(180, 600)
    acts.rest(canvas, at, at + seated)
    at = acts.take(canvas, at + seated, "standing")
    walk = rng.uniform(8, 40)
    move(canvas, at, walk, WALK)
    acts.stand(canvas, at + walk, 60)
    return acts.take(canvas, at + walk + 60, "lying")


def _cramps(canvas: Canvas, first_s: float, count: int) -> list[Item]:
    """Choose when the cramps come, half of the later ones within the hour, and how."""
    rng, items = canvas.rng, list[Item]()
    at = rng.uniform(first_s, canvas.duration_s - 5400)
    for _ in range(count):
        seconds = float(np.clip(np.exp(rng.normal(np.log(85), 0.8)), 15, 600))
        items.append((at - 90, at + seconds + 420, partial(_night_cramp, canvas, seconds=seconds)))
        gap = seconds + rng.uniform(600, 3000)
        at = at + gap if rng.random() < 0.5 else rng.uniform(first_s, canvas.duration_s - 2400)
        at = min(at, canvas.duration_s - 1800)
    kept: list[Item] = []
    for item in items:
        if all(item[1] < other[0] or item[0] > other[1] for other in kept):
            kept.append(item)
    return kept


def _night_cramp(canvas: Canvas, reserved_s: float, *, seconds: float) -> None:
    """Cramp in sleep, wake of it some 40 s later, squirm or get up (Chaney & Sherman)."""
    rng, onset, site = canvas.rng, reserved_s + 90, pick_site(canvas)
    low, high = ((12, 80), (4, 15))[int(rng.random() < 0.3)]
    rise = min(float(np.exp(rng.uniform(np.log(0.4), np.log(120)))), 0.5 * seconds)
    fade = rng.uniform(0.1, 0.4) * seconds
    ratio = draw_ratio(canvas, low, high)
    over = cramp(canvas, onset, rise_s=rise, hold_s=seconds - rise - fade, fade_s=fade, ratio=ratio, site=site)
    wakes = float(max(rng.normal(41, 11), 8))
    up = onset + wakes + rng.uniform(3, 30)
    if rng.random() < 0.3:
        smoulder(canvas, over - fade, over + rng.uniform(60, 300), ratio=rng.uniform(1.5, 2.0), site=site)
    if rng.random() < 0.4:
        suffer(canvas, onset, min(up, over), after_s=wakes)
        down = max(up + 15, over) + rng.uniform(5, 90)
        get_up(canvas, up, down)
        acts.take(canvas, down + 1, "lying")
    else:
        suffer(canvas, onset, over, after_s=wakes)


def _movements(canvas: Canvas, first_s: float) -> list[Item]:
    """Draw everything else that moves the leg in a night; the first of two that collide stays."""
    rng, hours = canvas.rng, (canvas.duration_s - first_s) / 3600

    def times(count: int) -> FloatArray:
        return rng.uniform(first_s, canvas.duration_s - 700, count)

    items: list[Item] = [(at, at + 400, partial(_toilet, canvas)) for at in times(int(rng.choice((0, 0, 1, 1, 2))))]
    left = int(np.exp(rng.uniform(np.log(20), np.log(186)))) if rng.random() < 0.5 else 0
    every = rng.uniform(15, 40)
    while left > 3:
        most = min(int(rng.integers(5, 50)), left)
        at = float(times(1)[0])
        items.append((at, at + most * every, partial(_series, canvas, seconds=most * every, every_s=every, most=most)))
        left -= most
    items += [(at, at + 50, partial(acts.turn, canvas)) for at in times(rng.poisson(rng.uniform(1.5, 5) * hours))]
    items += [(at, at + 10, partial(_small, canvas)) for at in times(rng.poisson(rng.uniform(2, 8) * hours))]
    items += [(at, at + 2, partial(_start, canvas)) for at in first_s + rng.uniform(0, 2400, rng.integers(0, 6))]
    items += [(at, at + 15, partial(_stretch, canvas)) for at in times(int(rng.integers(0, 4)))]
    if rng.random() < 0.33:
        items += [(at, at + 25, partial(_feet, canvas)) for at in first_s + rng.uniform(0, 3600, rng.integers(1, 8))]
    return [item for item in items if item[1] < canvas.duration_s - 10]


def _series(canvas: Canvas, at_s: float, *, seconds: float, every_s: float, most: int) -> None:
    acts.periodic(canvas, at_s, at_s + seconds, every_s=every_s, most=most)


def _small(canvas: Canvas, at_s: float) -> None:
    acts.stir(canvas, at_s, canvas.rng.uniform(0.5, 8), strength=canvas.rng.uniform(0.1, 0.8))


def _start(canvas: Canvas, at_s: float) -> None:
    muscles = {TA: 1.0, GM: canvas.rng.uniform(0.3, 1), SOL: 0.5, PER: 0.5}
    acts.jerk(canvas, at_s, size=canvas.rng.uniform(0.1, 0.6), seconds=canvas.rng.uniform(0.06, 0.25), muscles=muscles)


def _stretch(canvas: Canvas, at_s: float) -> None:
    seconds = canvas.rng.uniform(2, 12)
    acts.hold(canvas, at_s, seconds, effort=canvas.rng.uniform(0.05, 0.5))
    canvas.shake(at_s, seconds, size_g=canvas.rng.uniform(0.01, 0.06))


def _feet(canvas: Canvas, at_s: float) -> None:
    rng = canvas.rng
    beat(canvas, at_s, rng.uniform(8, 20), hz=rng.uniform(0.6, 2), shares={TA: 1, GM: rng.uniform(0.2, 1), SOL: 0.5},
         effort=rng.uniform(0.03, 0.25), on=rng.uniform(0.3, 0.5), jitter=0.12, shake_g=0.04)  # fmt: skip


def _toilet(canvas: Canvas, at_s: float) -> None:
    """Get up, walk there, wait, walk back, lie down."""
    rng = canvas.rng
    at = acts.take(canvas, at_s, "standing")
    for seconds, waits in ((rng.uniform(8, 40), rng.uniform(40, 150)), (rng.uniform(8, 40), 3.0)):
        move(canvas, at, seconds, WALK)
        acts.stand(canvas, at + seconds, waits)
        at += seconds + waits
    acts.take(canvas, at, "lying")


def _background(canvas: Canvas, first_s: float, kept: list[Item]) -> None:
    """Add what goes on beside movements: fasciculation, hum, an electrode that lifts, never during a cramp."""
    rng, last = canvas.rng, canvas.duration_s - 1300
    for at in rng.uniform(first_s, last, rng.integers(0, 7)):
        site = str(rng.choice(canvas.person.sites))
        acts.fasciculate(canvas, at, at + rng.uniform(120, 1200), per_min=rng.uniform(3, 40), muscle=site)
    for at in rng.uniform(first_s, last, rng.choice((0, 0, 1, 2))):
        faults.hum(canvas, at, at + rng.uniform(60, 1200), ratio=float(np.exp(rng.uniform(np.log(0.5), np.log(20)))))
    if rng.random() < 0.25:
        at, seconds = rng.uniform(first_s + 600, last), rng.uniform(20, 1200)
        if all(at + seconds < start or at > end for start, end, _ in kept):
            faults.lift(canvas, at, at + seconds, int(rng.integers(len(canvas.person.sites))))
