"""Recordings without a cramp: what else muscles and electrodes do."""

from collections.abc import Callable

import numpy as np

from benchmarks.accuracy.legs import spikes_acts as acts
from benchmarks.accuracy.legs import spikes_faults as faults
from benchmarks.accuracy.legs.spikes_canvas import Canvas
from benchmarks.accuracy.legs.spikes_gait import CYCLE, RUN, STAIRS, WALK, Gait, beat, move
from benchmarks.accuracy.legs.spikes_person import GL, GM, PER, SOL, TA, TRICEPS

Play = Callable[[Canvas, float, float, str], None]


def going(gait: Gait, *, bouts_s: tuple[float, float], pedals: bool = False) -> Play:
    """Move in bouts with short pauses, from the resting posture and back to it."""

    def play(canvas: Canvas, start_s: float, end_s: float, posture: str) -> None:
        at = acts.take(canvas, start_s, "sitting" if pedals else "standing")
        while end_s - at > 6:
            seconds = float(min(canvas.rng.uniform(*bouts_s), end_s - at))
            move(canvas, at, seconds, gait, upright=not pedals)
            pause = canvas.rng.uniform(1, 15)
            if not pedals:
                acts.stand(canvas, at + seconds, pause)
            at += seconds + pause
        acts.take(canvas, max(at, end_s), posture)

    return play


WALKING = going(WALK, bouts_s=(10, 240))
RUNNING = going(RUN, bouts_s=(20, 240))
CLIMBING = going(STAIRS, bouts_s=(6, 40))
CYCLING = going(CYCLE, bouts_s=(20, 240), pedals=True)


def tiptoe(canvas: Canvas, start_s: float, end_s: float, posture: str) -> None:
    """Rise on tiptoe for 5-60 s, several times."""
    at = acts.take(canvas, start_s, "standing")
    while end_s - at > 8:
        seconds = float(min(np.exp(canvas.rng.uniform(np.log(5), np.log(60))), end_s - at))
        acts.tiptoe(canvas, at, seconds)
        pause = canvas.rng.uniform(3, 30)
        acts.stand(canvas, at + seconds, pause)
        at += seconds + pause
    acts.take(canvas, at, posture)


def holding(canvas: Canvas, start_s: float, end_s: float, _posture: str) -> None:
    """Press a pedal or point the foot for 10-60 s, several times, without changing posture."""
    at = start_s
    while end_s - at > 10:
        seconds = float(min(canvas.rng.uniform(10, 60), end_s - at))
        acts.hold(canvas, at, seconds, effort=canvas.rng.uniform(0.06, 0.6))
        for edge in (at, at + seconds - 0.4):
            canvas.shake(edge, 0.8, size_g=canvas.rng.uniform(0.01, 0.08))
            canvas.tug(edge, 0.8, size=canvas.rng.uniform(0, 0.5))
        at += seconds + canvas.rng.uniform(4, 40)


def standing(canvas: Canvas, start_s: float, end_s: float, posture: str) -> None:
    """Stand, shifting weight from time to time."""
    at = acts.take(canvas, start_s, "standing")
    while end_s - at > 5:
        seconds = float(min(canvas.rng.uniform(20, 150), end_s - at))
        acts.stand(canvas, at, seconds)
        acts.stir(canvas, at + seconds - 1, 1.5, strength=canvas.rng.uniform(0.1, 0.6))
        at += seconds
    acts.take(canvas, max(at, end_s), posture)


def periodic(canvas: Canvas, start_s: float, end_s: float, _posture: str) -> None:
    """Move periodically in sleep, at intervals of 10-60 s."""
    acts.periodic(canvas, start_s, end_s, every_s=canvas.rng.uniform(10, 60))


def turning(canvas: Canvas, start_s: float, end_s: float, _posture: str) -> None:
    """Turn over in bed, restlessly often."""
    at = start_s
    while at < end_s - 10:
        at = acts.turn(canvas, at) + canvas.rng.uniform(8, 80)


def fasciculating(canvas: Canvas, start_s: float, end_s: float, _posture: str) -> None:
    """Fasciculate at 10-80 a minute (Bashford et al. 2019)."""
    for site in canvas.person.sites[: canvas.rng.integers(1, 3)]:
        acts.fasciculate(canvas, start_s, end_s, per_min=canvas.rng.uniform(10, 80), muscle=site)


def tremor(canvas: Canvas, start_s: float, end_s: float, posture: str) -> None:
    """Tremble at rest, in action or on standing."""
    rng = canvas.rng
    kind = rng.integers(3)
    at = acts.take(canvas, start_s, "standing") if kind == 2 else start_s
    if kind == 2:
        acts.stand(canvas, at, end_s - at)
    hz, effort = ((4, 6), (5, 10), (13, 18))[kind], rng.uniform(0.04, 0.3)
    while end_s - at > 6:
        seconds = float(min(rng.uniform(10, 120), end_s - at))
        beat(canvas, at, seconds, hz=rng.uniform(*hz), shares={GM: 1, GL: 0.7, SOL: 0.9, TA: 1}, effort=effort,
             on=rng.uniform(0.35, 0.5), opposed=(TA,), shake_g=rng.uniform(0.01, 0.1))  # fmt: skip
        at += seconds + rng.uniform(1, 20)
    if kind == 2:
        acts.take(canvas, max(at, end_s), posture)


def clonus(canvas: Canvas, start_s: float, end_s: float, _posture: str) -> None:
    """Beat at 5-8 Hz in the calf, for 3-60 s at a time."""
    rng, at = canvas.rng, start_s
    while end_s - at > 4:
        seconds = float(min(np.exp(rng.uniform(np.log(3), np.log(60))), end_s - at))
        beat(canvas, at, seconds, hz=rng.uniform(5, 8), shares={GM: 1, GL: 0.8, SOL: 1.0, TA: 0.2}, jitter=0.03,
             effort=rng.uniform(0.1, 0.6), on=rng.uniform(0.25, 0.5), shake_g=rng.uniform(0.03, 0.2))  # fmt: skip
        at += seconds + rng.uniform(4, 40)


def feet(canvas: Canvas, start_s: float, end_s: float, _posture: str) -> None:
    """Move the feet rhythmically before sleep: bursts of 300-700 ms at 0.5-2 Hz in series of 10-20 s."""
    rng, at = canvas.rng, start_s
    while end_s - at > 8:
        seconds, hz = float(min(rng.uniform(8, 20), end_s - at)), rng.uniform(0.6, 2.0)
        on = float(np.clip(rng.uniform(0.3, 0.7) * hz, 0.2, 0.6))
        calf = rng.uniform(0.2, 1)
        beat(canvas, at, seconds, hz=hz, shares={TA: 1, GM: calf, SOL: calf, PER: 0.5}, jitter=0.12, on=on,
             effort=rng.uniform(0.03, 0.3), opposed=TRICEPS if rng.random() < 0.4 else (), shake_g=0.05)  # fmt: skip
        at += seconds + rng.uniform(4, 60)


def heart(canvas: Canvas, start_s: float, end_s: float, _posture: str) -> None:
    """Hear the heart, all the time or from a moment on."""
    always = canvas.rng.random() < 0.5
    first, last = (0.0, canvas.duration_s) if always else (start_s, end_s)
    faults.heart(canvas, first, last, peak_ratio=float(np.exp(canvas.rng.uniform(np.log(3), np.log(60)))))


def humming(canvas: Canvas, start_s: float, end_s: float, _posture: str) -> None:
    """Lie next to a mains cable."""
    faults.hum(canvas, start_s, end_s, ratio=float(np.exp(canvas.rng.uniform(np.log(3), np.log(60)))))


def tugging(canvas: Canvas, start_s: float, end_s: float, _posture: str) -> None:
    """Have the cables pulled at."""
    faults.tugging(canvas, start_s, end_s)


def lifting(canvas: Canvas, start_s: float, end_s: float, _posture: str) -> None:
    """Lose an electrode, once or several times."""
    at = start_s
    while end_s - at > 5:
        seconds = float(min(np.exp(canvas.rng.uniform(np.log(5), np.log(180))), end_s - at))
        for channel in canvas.rng.permutation(len(canvas.person.sites))[: canvas.rng.integers(1, 3)]:
            faults.lift(canvas, at, at + seconds, int(channel))
        at += seconds + canvas.rng.uniform(10, 60)


def railing(canvas: Canvas, start_s: float, end_s: float, _posture: str) -> None:
    """Stand at a rail, flicker between both, or freeze."""
    at = start_s
    while end_s - at > 4:
        seconds = float(min(np.exp(canvas.rng.uniform(np.log(3), np.log(90))), end_s - at))
        fault = faults.jam if canvas.rng.random() < 0.6 else faults.flicker
        fault(canvas, at, at + seconds, int(canvas.rng.integers(len(canvas.person.sites))))
        at += seconds + canvas.rng.uniform(5, 60)


def unworn(canvas: Canvas, start_s: float, end_s: float, posture: str) -> None:
    """Take the device off, leave it on a table, put it on again."""
    faults.take_off(canvas, start_s, end_s)
    acts.take(canvas, end_s + 3, posture)
