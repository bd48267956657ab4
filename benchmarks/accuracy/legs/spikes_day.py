"""Days: sitting, standing, walking, stairs, driving, reaching, sport, at times a cramp."""

from collections.abc import Callable

import numpy as np

from benchmarks.accuracy.leg import Leg
from benchmarks.accuracy.legs import spikes_acts as acts
from benchmarks.accuracy.legs import spikes_faults as faults
from benchmarks.accuracy.legs.spikes_canvas import Canvas
from benchmarks.accuracy.legs.spikes_cramp import cramp, draw_ratio, get_up, suffer
from benchmarks.accuracy.legs.spikes_finish import finish
from benchmarks.accuracy.legs.spikes_gait import CYCLE, RUN, STAIRS, WALK, move
from benchmarks.accuracy.legs.spikes_person import draw_person

Do = Callable[[Canvas, float], float]  # begins at a moment, returns when it is over
_LONGEST_S = 2700.0


def day(seed: int, *, hours: tuple[float, float] = (8.0, 12.0)) -> Leg:
    """Render a day with none to two cramps."""
    rng = np.random.default_rng([0x6461, seed])
    person = draw_person(rng, fs_hz=(200.0, 250.0, 250.0), channels=(1, 2))
    canvas = Canvas(person, float(rng.uniform(*hours) * 3600), rng)
    end = canvas.duration_s
    planned = sorted(rng.uniform(1200, end - 4000, rng.choice((0, 0, 1, 2))))
    once: list[tuple[float, Do]] = [(at, _cramp_seated) for at in planned]
    if rng.random() < 0.5:
        once.append((rng.uniform(1800, end - 5000), _sport))
    if rng.random() < 0.2:
        once.append((rng.uniform(3600, end - 5000), _unworn))
    if rng.random() < 0.25:
        once.append((rng.uniform(3600, end - 5000), _lift))
    once.sort(key=lambda item: item[0])
    at = acts.take(canvas, 0.0, "sitting", there=True)
    acts.rest(canvas, at, at + 400)
    at += 400
    while at < end - _LONGEST_S:
        if once and once[0][0] < at:
            at = once.pop(0)[1](canvas, at)
        else:
            at = _CHOICES[int(rng.choice(len(_CHOICES), p=_WEIGHTS))](canvas, at)
    _sit(canvas, at)
    return finish(canvas, "day")


def _sit(canvas: Canvas, at_s: float) -> float:
    return _settle(canvas, at_s, "sitting", canvas.rng.uniform(300, 2000))


def _lie(canvas: Canvas, at_s: float) -> float:
    return _settle(canvas, at_s, str(canvas.rng.choice(("lying", "legs_up"))), canvas.rng.uniform(300, 1800))


def _settle(canvas: Canvas, at_s: float, posture: str, seconds: float) -> float:
    at = acts.take(canvas, at_s, posture)
    acts.rest(canvas, at, at + seconds, fidgets_per_min=canvas.rng.uniform(0.2, 1.5))
    return float(at + seconds)


def _stand(canvas: Canvas, at_s: float) -> float:
    """Stand about, reaching up on tiptoe at times."""
    rng = canvas.rng
    at = acts.take(canvas, at_s, "standing")
    for _ in range(rng.integers(1, 8)):
        seconds = rng.uniform(10, 90)
        acts.stand(canvas, at, seconds)
        at += seconds
        if rng.random() < 0.25:
            reach = rng.uniform(1.5, 12)
            acts.tiptoe(canvas, at, reach)
            at += reach
        elif rng.random() < 0.6:
            steps = rng.uniform(2, 6)
            move(canvas, at, steps, WALK)
            at += steps
    return float(at)


def _walk(canvas: Canvas, at_s: float) -> float:
    at = acts.take(canvas, at_s, "standing")
    for _ in range(canvas.rng.integers(1, 4)):
        seconds = float(np.clip(np.exp(canvas.rng.normal(np.log(50), 1.0)), 8, 900))
        move(canvas, at, seconds, WALK)
        acts.stand(canvas, at + seconds, 8)
        at += seconds + 8
    return at


def _stairs(canvas: Canvas, at_s: float) -> float:
    at = acts.take(canvas, at_s, "standing")
    seconds = canvas.rng.uniform(8, 40)
    move(canvas, at, seconds, STAIRS)
    return float(at + seconds)


def _drive(canvas: Canvas, at_s: float) -> float:
    """Drive a car: pedals held and let go, vibration."""
    rng = canvas.rng
    at = acts.take(canvas, at_s, "sitting")
    end = at + rng.uniform(300, 1800)
    canvas.shake(at, end - at, size_g=rng.uniform(0.01, 0.04), smooth_s=0.02)
    while at < end - 45:
        seconds = float(np.exp(rng.uniform(np.log(1), np.log(40))))
        acts.hold(canvas, at, seconds, effort=rng.uniform(0.02, 0.25))
        at += seconds + rng.uniform(1, 30)
    return float(end)


def _sport(canvas: Canvas, at_s: float) -> float:
    """Run or cycle for 20-40 min with pauses."""
    rng = canvas.rng
    pedals = rng.random() < 0.5
    at = acts.take(canvas, at_s, "sitting" if pedals else "standing")
    end = at + rng.uniform(1200, 2300)
    while at < end - 30:
        seconds = float(min(rng.uniform(120, 900), end - at))
        move(canvas, at, seconds, CYCLE if pedals else RUN, upright=not pedals)
        if not pedals:
            acts.stand(canvas, at + seconds, 15)
        at += seconds + 15
    return at


def _cramp_seated(canvas: Canvas, at_s: float) -> float:
    """Sit or lie down, cramp after a while, nurse the leg or get up."""
    rng = canvas.rng
    at = _settle(canvas, at_s, str(rng.choice(("sitting", "lying", "legs_up"))), rng.uniform(120, 700))
    seconds = float(np.clip(np.exp(rng.normal(np.log(75), 0.7)), 15, 480))
    rise = min(float(np.exp(rng.uniform(np.log(0.4), np.log(60)))), 0.4 * seconds)
    fade = rng.uniform(0.1, 0.4) * seconds
    low, high = ((12, 80), (4, 15))[int(rng.random() < 0.25)]
    over = cramp(
        canvas, at, rise_s=rise, hold_s=seconds - rise - fade, fade_s=fade, ratio=draw_ratio(canvas, low, high)
    )
    if rng.random() < 0.5:
        up = at + rng.uniform(4, 25)
        get_up(canvas, up, max(over, up + 20) + 10)
        return _settle(canvas, max(over, up + 20) + 12, "sitting", rng.uniform(120, 400))
    suffer(canvas, at, over, after_s=rng.uniform(1, 8))
    acts.rest(canvas, over, over + 200)
    return float(over + 200)


def _unworn(canvas: Canvas, at_s: float) -> float:
    end = at_s + 10 + canvas.rng.uniform(600, 2400)
    faults.take_off(canvas, at_s + 10, end)
    return _settle(canvas, end + 5, "sitting", 240)


def _lift(canvas: Canvas, at_s: float) -> float:
    over = _settle(canvas, at_s, "sitting", 900)
    channel = int(canvas.rng.integers(len(canvas.person.sites)))
    faults.lift(canvas, at_s + 60, at_s + 60 + canvas.rng.uniform(30, 700), channel)
    return over


_CHOICES: tuple[Do, ...] = (_sit, _stand, _walk, _stairs, _drive, _lie)
_WEIGHTS = (0.32, 0.2, 0.28, 0.08, 0.06, 0.06)
