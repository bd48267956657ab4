"""Recordings about one cramp or a few."""

import numpy as np

from benchmarks.accuracy.legs.spikes_acts import rest, take
from benchmarks.accuracy.legs.spikes_canvas import Canvas
from benchmarks.accuracy.legs.spikes_cramp import cramp, draw_ratio, get_up, part, pick_site, smoulder, suffer, wave
from benchmarks.accuracy.legs.spikes_gait import CYCLE, RUN, WALK, move
from benchmarks.accuracy.legs.spikes_person import TRICEPS


def sudden(canvas: Canvas, start_s: float, end_s: float, posture: str) -> None:
    """Set in within 2 s, hold, fade."""
    rng, seconds = canvas.rng, end_s - start_s
    rise, fade = rng.uniform(0.3, 2.0), min(rng.uniform(3, 20), 0.4 * seconds)
    cramp(canvas, start_s, rise_s=rise, hold_s=seconds - rise - fade, fade_s=fade, ratio=draw_ratio(canvas))
    react(canvas, start_s, end_s, posture)


def slow(canvas: Canvas, start_s: float, end_s: float, posture: str) -> None:
    """Build up over one to three minutes and fade for as long or longer (Howe et al. 1978)."""
    rng, seconds = canvas.rng, end_s - start_s
    rise = float(np.clip(seconds * rng.uniform(0.25, 0.4), 60, 180))
    fade = (seconds - rise) * rng.uniform(0.5, 0.8)
    cramp(canvas, start_s, rise_s=rise, hold_s=seconds - rise - fade, fade_s=fade, ratio=draw_ratio(canvas, 8, 60))
    react(canvas, start_s + 0.5 * rise, end_s - 0.5 * fade, posture)


def weak(canvas: Canvas, start_s: float, end_s: float, posture: str) -> None:
    """Peak at 4-15 times rest."""
    rng, seconds = canvas.rng, end_s - start_s
    rise, fade = rng.uniform(0.02, 0.4) * seconds, rng.uniform(0.1, 0.4) * seconds
    cramp(canvas, start_s, rise_s=rise, hold_s=seconds - rise - fade, fade_s=fade, ratio=draw_ratio(canvas, 4, 15))
    if rng.random() < 0.6:
        react(canvas, start_s, end_s, posture)


def spreading(canvas: Canvas, start_s: float, end_s: float, posture: str) -> None:
    """Begin in one head and take in the others one after another."""
    rng, seconds = canvas.rng, end_s - start_s
    heads = [site for site in canvas.person.sites if site in TRICEPS]
    parts, late = [], 0.0
    for order, head in enumerate(rng.permutation(heads)):
        level = np.zeros(int(seconds * 100))
        fade = rng.uniform(4, 20)
        own = wave(rng, rise_s=rng.uniform(1, 12), hold_s=max(seconds - late - fade - 12, 5), fade_s=fade)
        own = own[: len(level) - int(late * 100)]
        level[int(late * 100) : int(late * 100) + len(own)] = own
        parts.append(part(canvas, str(head), level, share=1.0 if order == 0 else float(rng.uniform(0.3, 1.0))))
        late += rng.uniform(0.08, 0.2) * seconds
    canvas.cramp(start_s, parts, peak_ratio=draw_ratio(canvas))
    react(canvas, start_s, end_s, posture)


def interrupted(canvas: Canvas, start_s: float, end_s: float, posture: str) -> None:
    """Let the wearer get up to stretch midway, which calms the cramp for a while but does not end it."""
    rng, seconds = canvas.rng, end_s - start_s
    level = wave(rng, rise_s=rng.uniform(0.5, 8), hold_s=seconds - 20, fade_s=rng.uniform(4, 12))
    t = np.arange(len(level)) / 100
    middle, pause = seconds * rng.uniform(0.35, 0.5), rng.uniform(8, 20)
    calm = np.clip((pause / 2 + 2 - np.abs(t - middle)) / 2, 0, 1)
    level *= 1 - rng.uniform(0.5, 0.85) * calm
    canvas.cramp(start_s, [part(canvas, pick_site(canvas), level)], peak_ratio=draw_ratio(canvas))
    suffer(canvas, start_s, start_s + middle - pause / 2, after_s=rng.uniform(3, 20))
    get_up(canvas, start_s + middle - pause / 2 - 3, start_s + middle + pause / 2)
    take(canvas, start_s + middle + pause / 2, posture)


def recurring(canvas: Canvas, start_s: float, end_s: float, posture: str) -> None:
    """Cramp two to four times within the half hour, in the same muscle."""
    rng, count, site = canvas.rng, int(canvas.rng.integers(2, 5)), pick_site(canvas)
    room = (end_s - start_s) / count
    for order in range(count):
        seconds = float(np.clip(np.exp(rng.normal(np.log(70), 0.6)), 20, room - 70))
        at = start_s + order * room + rng.uniform(0, room - seconds - 60)
        rise, fade = rng.uniform(0.01, 0.3) * seconds, rng.uniform(0.1, 0.3) * seconds
        ratio = draw_ratio(canvas, 8, 60)
        cramp(canvas, at, rise_s=rise, hold_s=seconds - rise - fade, fade_s=fade, ratio=ratio, site=site)
        react(canvas, at, at + seconds, posture)


def exercise(canvas: Canvas, start_s: float, end_s: float, posture: str) -> None:
    """Exercise, cramp at the end of it, stop and nurse the leg."""
    rng = canvas.rng
    pedals = rng.random() < 0.4
    gait = CYCLE if pedals else (RUN, RUN, WALK)[rng.integers(3)]
    at = take(canvas, start_s, "sitting" if pedals else "standing")
    effort = 0.6 * (end_s - at)
    move(canvas, at, effort, gait, upright=not pedals)
    onset = at + effort - rng.uniform(0, 4)
    seconds = end_s - onset
    rise, fade = rng.uniform(0.5, 6), rng.uniform(0.1, 0.3) * seconds
    cramp(canvas, onset, rise_s=rise, hold_s=seconds - rise - fade, fade_s=fade, ratio=draw_ratio(canvas, 15, 90))
    settled = take(canvas, at + effort, str(rng.choice((posture, "sitting", "standing"))))
    suffer(canvas, onset, end_s, after_s=settled - onset)
    take(canvas, end_s + 8, posture)


def residual(canvas: Canvas, start_s: float, end_s: float, posture: str) -> None:
    """Leave the muscle at 1.5-2 times its baseline for minutes (Chaney & Sherman)."""
    rng, site = canvas.rng, pick_site(canvas)
    seconds = (end_s - start_s) * rng.uniform(0.25, 0.4)
    rise, fade = rng.uniform(0.02, 0.3) * seconds, rng.uniform(0.1, 0.3) * seconds
    ratio = draw_ratio(canvas, 10, 60)
    over = cramp(canvas, start_s, rise_s=rise, hold_s=seconds - rise - fade, fade_s=fade, ratio=ratio, site=site)
    smoulder(canvas, over - fade, end_s + 40, ratio=rng.uniform(1.5, 2.0), site=site)
    react(canvas, start_s, over, posture)
    rest(canvas, over, end_s)


def react(canvas: Canvas, onset_s: float, end_s: float, posture: str) -> None:
    """Wake or notice, squirm, and at times get up to walk it off."""
    rng = canvas.rng
    after = float(max(rng.normal(41, 11), 5)) if posture == "lying" and rng.random() < 0.7 else rng.uniform(1, 10)
    up = onset_s + after + rng.uniform(5, 40)
    if rng.random() < 0.3 and up < end_s - 10:
        suffer(canvas, onset_s, up, after_s=after)
        get_up(canvas, up, end_s + rng.uniform(2, 15))
        take(canvas, end_s + 16, posture)
    elif rng.random() < 0.85:
        suffer(canvas, onset_s, end_s, after_s=after)
