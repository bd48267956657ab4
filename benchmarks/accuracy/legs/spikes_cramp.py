"""Cramps: which units discharge when, and what the wearer does about it.

Rates, their variability, doublets and the common modulation are those of induced cramps (Minetto et al. 2009,
J Neurophysiol 102:1890); one head cramps while others are silent (Khan & Burne 2007, doi 10.1152/jn.00371.2007), in a
moving fraction of its fibres and with short potentials (Roeleveld et al. 2000, doi 10.1152/jappl.2000.88.5.1698).
"""

import numpy as np

from benchmarks.accuracy.legs.spikes_acts import fasciculate, stand, stir, take
from benchmarks.accuracy.legs.spikes_canvas import Canvas, CrampPart, seconds_grid, wander
from benchmarks.accuracy.legs.spikes_gait import WALK, move
from benchmarks.accuracy.legs.spikes_person import GM, TA, TRICEPS, FloatArray
from benchmarks.accuracy.legs.spikes_units import Pool, draw_pool


def pick_site(canvas: Canvas) -> str:
    """Choose the muscle that cramps among those recorded, mostly the medial head."""
    calf = [site for site in canvas.person.sites if site in TRICEPS]
    weights = np.array([6.0 if site == GM else 1.0 for site in calf])
    return str(canvas.rng.choice(calf, p=weights / weights.sum()))


def wave(rng: np.random.Generator, *, rise_s: float, hold_s: float, fade_s: float) -> FloatArray:
    """Give the course of a cramp's level, 0 to 1, on the grid."""
    t = seconds_grid(rise_s + hold_s + fade_s)
    up = np.clip(t / max(rise_s, 0.05), 0, 1) ** rng.uniform(0.8, 1.6)
    down = np.clip((rise_s + hold_s + fade_s - t) / max(fade_s, 0.05), 0, 1) ** rng.uniform(0.8, 1.6)
    ripple = np.clip(1 + 0.10 * wander(rng, len(t), smooth_s=4), 0.6, 1.3)
    return np.asarray(np.clip(np.minimum(up, down) * ripple, 0, 1.1), dtype=np.float64)


def part(
    canvas: Canvas, muscle: str, level: FloatArray, *, share: float = 1.0, mod: FloatArray | None = None
) -> CrampPart:
    """Let units of a muscle follow a level, in a fraction of it that moves."""
    rng = canvas.rng
    units = int(rng.integers(24, 48))
    width, sizes = 0.78 * canvas.person.tissue, float(rng.uniform(5, 14))
    pool = draw_pool(rng, fs_hz=canvas.person.fs_hz, units=units, width=width, size_range=sizes)
    return muscle, pool, _rates(rng, pool, level, mod if mod is not None else common(rng, len(level))), share


def common(rng: np.random.Generator, count: int) -> FloatArray:
    """Give the modulation that all units share, near 1.4 Hz."""
    pace = 1.4 + 0.15 * wander(rng, count, smooth_s=2)
    phase = 2 * np.pi * np.cumsum(pace) / 100 + rng.uniform(0, 6.3)
    return np.asarray(1 + rng.uniform(0.08, 0.32) * np.sin(phase), dtype=np.float64)


def _rates(rng: np.random.Generator, pool: Pool, level: FloatArray, mod: FloatArray) -> FloatArray:
    """Give the rates (U, g): recruited by level, dropping out irregularly, 6 to 25 pps around 14.5."""
    units, count = len(pool.energy), len(level)
    threshold = np.linspace(0.02, 0.85, units) * np.exp(0.15 * rng.normal(size=units))
    own = np.stack([wander(rng, count, smooth_s=1.5) for _ in range(units)])
    mean = np.clip(rng.normal(14.5, 3.0, units), 8, 22)[:, None]
    place = rng.random(units)[:, None]
    focus = 0.5 + 0.18 * wander(rng, count, smooth_s=12)
    inside = np.abs(place - focus) < rng.uniform(0.25, 0.6)
    excess = level * (1 + 0.10 * own) - threshold[:, None]
    rate = np.clip(mean * (0.75 + 0.4 * np.clip(excess, 0, 1)) * mod * (1 + 0.12 * own), 6, 25)
    return np.asarray(np.where((excess > 0) & inside & (level > 0), rate, 0.0), dtype=np.float64)


def draw_ratio(canvas: Canvas, low: float = 12, high: float = 80) -> float:
    """Draw a peak in resting RMS, below the wearer's full effort."""
    person = canvas.person
    ceiling = 0.9 * min(person.mvc_uv[site] for site in person.sites) / float(person.rest_uv.max())
    return float(min(np.exp(canvas.rng.uniform(np.log(low), np.log(high))), max(ceiling, low)))


def cramp(
    canvas: Canvas,
    start_s: float,
    *,
    rise_s: float,
    hold_s: float,
    fade_s: float,
    ratio: float,
    site: str | None = None,
) -> float:
    """Cramp in one muscle; return when it is over."""
    level = wave(canvas.rng, rise_s=rise_s, hold_s=hold_s, fade_s=fade_s)
    muscle = site or pick_site(canvas)
    canvas.cramp(start_s, [part(canvas, muscle, level)], peak_ratio=ratio)
    if canvas.rng.random() < 0.35:
        fasciculate(canvas, start_s + len(level) / 100, start_s + len(level) / 100 + 30, per_min=30, muscle=muscle)
    return start_s + len(level) / 100


def smoulder(canvas: Canvas, start_s: float, end_s: float, *, ratio: float, site: str) -> None:
    """Keep a few units going after a cramp, so that the muscle stays at a ratio to rest for a while."""
    rng = canvas.rng
    grid = seconds_grid(end_s - start_s)
    pool = draw_pool(rng, fs_hz=canvas.person.fs_hz, units=14, width=0.9, size_range=2.0)
    pace = rng.uniform(7, 11, (14, 1)) * (1 + 0.1 * wander(rng, len(grid), smooth_s=3))
    rates = pace * np.clip(np.minimum(grid / 4, (end_s - start_s - grid) / 20), 0, 1)
    fitted = canvas.fitted(site, pool, rates, ratio=ratio)
    canvas.fire(start_s, site, fitted, rates, cv=0.25, doublets=0.01)


def suffer(canvas: Canvas, onset_s: float, end_s: float, *, after_s: float) -> None:
    """React to the pain: draw up the toes, rub, shift, from some seconds after the onset."""
    rng = canvas.rng
    at = onset_s + after_s
    while at < end_s - 4:
        seconds = min(rng.uniform(2, 8), end_s - at)
        stir(canvas, at, seconds, strength=rng.uniform(0.3, 1.2))
        pull = np.clip(wander(rng, int(seconds * 100), smooth_s=0.8) + 0.8, 0, 2) * rng.uniform(0.03, 0.2)
        canvas.contract(at, {TA: np.minimum(pull, 1)})
        at += seconds + rng.uniform(2, 25)


def get_up(canvas: Canvas, at_s: float, end_s: float) -> None:
    """Stand up and walk about or stretch until the end."""
    at = take(canvas, at_s, "standing")
    while end_s - at > 3:
        seconds = min(float(canvas.rng.uniform(4, 25)), end_s - at)
        if canvas.rng.random() < 0.5:
            move(canvas, at, seconds, WALK)
        else:
            stand(canvas, at, seconds)
        at += seconds
