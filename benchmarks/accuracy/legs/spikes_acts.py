"""What a wearer does with the leg apart from walking: rests, stirs, changes posture, stands, holds, twitches."""

import numpy as np

from benchmarks.accuracy.legs.spikes_canvas import Canvas, seconds_grid, wander
from benchmarks.accuracy.legs.spikes_person import GL, GM, MUSCLES, PER, SOL, TA, FloatArray
from benchmarks.accuracy.legs.spikes_units import draw_pool

_PITCH = {"lying": (80, 97), "sitting": (8, 32), "standing": (-2, 8), "legs_up": (55, 80)}


def take(canvas: Canvas, at_s: float, posture: str, *, there: bool = False) -> float:
    """Change to a posture and return when the wearer has settled in it; `there`: from the beginning."""
    rng = canvas.rng
    seconds = rng.uniform(2.5, 7.0)
    roll = rng.choice((0, 80, -80, 165, 20, -25)) + rng.normal(0, 10) if posture == "lying" else rng.normal(0, 8)
    if there:
        seconds = 1.0
    else:
        stir(canvas, at_s, seconds, strength=rng.uniform(0.6, 1.5))
    begin, way = (at_s, 0.0) if there else (at_s + 0.3, seconds - 1)
    canvas.posture(begin, pitch=rng.uniform(*_PITCH[posture]), roll=float(roll), seconds=way)
    return at_s + seconds


def stir(canvas: Canvas, start_s: float, seconds: float, *, strength: float) -> None:
    """Move the leg aimlessly: bursts in several muscles, acceleration, artefact."""
    rng = canvas.rng
    grid = seconds_grid(seconds)
    ends = np.clip(np.minimum(grid, seconds - grid) / 0.3, 0, 1)
    drives = {}
    for muscle in MUSCLES:
        bursts = np.clip(wander(rng, len(grid), smooth_s=rng.uniform(0.12, 0.5)) - rng.uniform(-0.3, 0.6), 0, 2.5)
        drives[muscle] = np.minimum(strength * rng.uniform(0.01, 0.14) * bursts * ends, 0.8)
    canvas.contract(start_s, drives)
    canvas.shake(start_s, seconds, size_g=strength * rng.uniform(0.04, 0.18))
    canvas.tug(start_s, seconds, size=0.7 * strength)


def rest(canvas: Canvas, start_s: float, end_s: float, *, fidgets_per_min: float = 0.4) -> None:
    """Rest as people do, with a small movement now and then."""
    for at in canvas.rng.uniform(start_s, end_s, canvas.rng.poisson(fidgets_per_min * max(end_s - start_s, 0) / 60)):
        seconds = canvas.rng.uniform(0.4, 2.0)
        if at + seconds < end_s:
            stir(canvas, at, seconds, strength=canvas.rng.uniform(0.1, 0.5))


def hold(
    canvas: Canvas,
    start_s: float,
    seconds: float,
    *,
    effort: float,
    shares: dict[str, float] | None = None,
    rise_s: float | None = None,
) -> None:
    """Contract at will and steadily, by default to point the foot, and let go at once."""
    rng = canvas.rng
    grid = seconds_grid(seconds)
    rise, fall = rise_s or rng.uniform(0.2, 1.0), rng.uniform(0.15, 0.6)
    shape = np.clip(grid / rise, 0, 1) * np.clip((seconds - grid) / fall, 0, 1)
    tire = 1 + rng.uniform(-0.1, 0.15) * grid / max(seconds, 20)
    drift = 1 + rng.uniform(0.03, 0.10) * wander(rng, len(grid), smooth_s=rng.uniform(0.15, 0.6))
    drive = effort * shape * tire * np.clip(drift, 0.5, 1.5)
    default = {GM: 1.0, GL: rng.uniform(0.7, 1.1), SOL: rng.uniform(0.7, 1.1), PER: rng.uniform(0.3, 0.9), TA: 0.06}
    canvas.contract(start_s, {muscle: np.minimum(share * drive, 1) for muscle, share in (shares or default).items()})


def tiptoe(canvas: Canvas, start_s: float, seconds: float) -> None:
    """Rise on tiptoe from standing, sway a little, come down."""
    rng = canvas.rng
    hold(canvas, start_s, seconds, effort=rng.uniform(0.2, 0.65))
    tilt = rng.uniform(4, 14)
    rate = canvas.person.acc_fs_hz
    t = np.arange(int(seconds * rate)) / rate
    up = np.clip(np.minimum(t / 0.8, (seconds - t) / 0.6), 0, 1)
    canvas.swing(start_s, np.radians(tilt * up + 1.2 * up * wander(rng, len(t), smooth_s=0.25, rate_hz=rate)))
    canvas.shake(start_s, seconds, size_g=rng.uniform(0.008, 0.03), smooth_s=0.1)
    for at in (start_s, start_s + seconds - 0.6):
        canvas.shake(at, 0.9, size_g=rng.uniform(0.05, 0.2))
        canvas.tug(at, 0.9, size=0.5)


def stand(canvas: Canvas, start_s: float, seconds: float) -> None:
    """Stand quietly: calf activity that comes and goes with the sway."""
    rng = canvas.rng
    grid = seconds_grid(seconds)
    level = rng.uniform(0.015, 0.06)
    ends = np.clip(np.minimum(grid, seconds - grid) / 0.7, 0, 1)
    sway = wander(rng, len(grid), smooth_s=0.45)
    drives: dict[str, FloatArray] = {}
    for muscle, share in ((SOL, 1.0), (GM, rng.uniform(0.3, 1)), (GL, rng.uniform(0.1, 0.5)), (PER, 0.3), (TA, 0.15)):
        toward = -0.4 if muscle == TA else 0.5
        own = np.clip(1 + toward * sway + 0.3 * wander(rng, len(grid), smooth_s=1.5), 0, 3)
        drives[muscle] = level * share * own * ends
    canvas.contract(start_s, drives)
    canvas.shake(start_s, seconds, size_g=rng.uniform(0.003, 0.010), smooth_s=0.3)


def jerk(canvas: Canvas, at_s: float, *, size: float, seconds: float, muscles: dict[str, float]) -> None:
    """Pull the leg up briefly: a periodic movement, a sleep start."""
    rng = canvas.rng
    grid = seconds_grid(seconds)
    shape = np.clip(grid / min(0.15, seconds / 3), 0, 1) * np.clip((seconds - grid) / (0.3 * seconds), 0, 1)
    ripple = np.clip(1 + 0.35 * wander(rng, len(grid), smooth_s=0.1), 0, 3)
    canvas.contract(at_s, {muscle: np.minimum(size * share * shape * ripple, 1) for muscle, share in muscles.items()})
    canvas.shake(at_s, max(seconds, 0.4), size_g=size * rng.uniform(0.1, 0.6))
    canvas.tug(at_s, max(seconds, 0.4), size=0.4 * size)


def periodic(canvas: Canvas, start_s: float, end_s: float, *, every_s: float, most: int = 200) -> int:
    """Let the leg move periodically, 0.5-10 s each, tibialis first; return how many times."""
    rng = canvas.rng
    size, length, calf = rng.uniform(0.05, 0.4), np.exp(rng.normal(np.log(1.8), 0.4)), rng.uniform(0.05, 0.7)
    at, count = start_s, 0
    while count < most:
        seconds = float(np.clip(length * np.exp(rng.normal(0, 0.35)), 0.5, 9.5))
        if at + seconds > end_s:
            break
        jerk(
            canvas,
            at,
            size=size * rng.uniform(0.6, 1.4),
            seconds=seconds,
            muscles={TA: 1, GM: calf, SOL: calf, PER: 0.6},
        )
        at += max(float(every_s * np.exp(rng.normal(0, 0.15))), seconds + 5)
        count += 1
    return count


def fasciculate(canvas: Canvas, start_s: float, end_s: float, *, per_min: float, muscle: str) -> None:
    """Let a few motor units fire alone and at random, sometimes twice."""
    rng = canvas.rng
    count = rng.poisson(per_min * (end_s - start_s) / 60)
    if not count or not canvas.heard(muscle):
        return
    pool = draw_pool(rng, fs_hz=canvas.person.fs_hz, units=int(rng.integers(2, 8)), width=1.15, size_range=3.0)
    peak = np.abs(pool.shapes).max()
    pool = pool.scaled(float(rng.uniform(12, 60) * canvas.person.rest_uv.mean() / peak))
    for at, unit in zip(rng.uniform(start_s, end_s, count), rng.integers(0, len(pool.energy), count), strict=True):
        times = np.array([0.0, rng.uniform(0.005, 0.03)])[: 1 + (rng.random() < 0.1)]
        canvas.sparks(float(at), muscle, pool, times, np.full(len(times), unit), seconds=0.1)


def turn(canvas: Canvas, at_s: float) -> float:
    """Turn over in bed; return when it is over."""
    rng = canvas.rng
    seconds = float(np.clip(np.exp(rng.normal(np.log(8), 0.6)), 3, 45))
    stir(canvas, at_s, seconds, strength=rng.uniform(0.6, 2.0))
    away = float(rng.choice((0, 80, -80, 165, 20, -25)) + rng.normal(0, 12))
    canvas.posture(at_s + 0.2 * seconds, pitch=rng.uniform(78, 98), roll=away, seconds=0.6 * seconds)
    return at_s + seconds
