"""Legs of shaped noise: EMG is Gaussian noise with a muscle's spectrum under the envelope of an activity.

Nothing here models motor units, and nothing knows how cramps are looked for. Every scenario is a pure function of its
seed, which decides the person, the device and what happens. Sessions begin with minutes of ordinary rest.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

import numpy as np
from numpy.random import Generator

from benchmarks.accuracy.leg import Kind, Leg, Scenarios
from benchmarks.accuracy.legs import shaped_positive as positive
from benchmarks.accuracy.legs.shaped_canvas import Canvas
from benchmarks.accuracy.legs.shaped_motion import STANDING, Up, lying, sitting, stir
from benchmarks.accuracy.legs.shaped_person import EMG_RATES_HZ, draw_device, draw_sites, draw_wearer
from benchmarks.accuracy.legs.shaped_render import render


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What a scenario asks for around the thing it is about."""

    draw: positive.Draw
    posture: Callable[[Generator], Up] = lying
    most_s: float = 720.0
    kind: Kind = "event"
    two_calf_heads: bool = False
    rates_hz: tuple[float, ...] = EMG_RATES_HZ
    most_channels: int = 8


def upright(rng: Generator) -> Up:
    return STANDING if rng.random() < 0.4 else sitting(rng)


def any_posture(rng: Generator) -> Up:
    return lying(rng) if rng.random() < 0.6 else sitting(rng)


SESSIONS = {
    "cramp_sudden": Session(draw=positive.sudden),
    "cramp_slow": Session(draw=positive.slow),
    "cramp_weak": Session(draw=positive.weak),
    "cramp_spreading": Session(draw=positive.spreading, two_calf_heads=True),
    "cramp_interrupted": Session(draw=positive.interrupted),
    "cramp_recurring": Session(draw=positive.recurring, most_s=1500.0, posture=any_posture),
    "cramp_sitting": Session(draw=positive.sudden, posture=sitting),
    "cramp_exercise": Session(draw=positive.at_exercise, posture=upright),
    "cramp_onehead_upright": Session(draw=positive.onehead_upright, posture=lambda _: STANDING),
    "cramp_residual": Session(draw=positive.residual),
}


def leg(name: str, seed: int) -> Leg:
    """Draw and record one session."""
    session = SESSIONS[name]
    rng = np.random.default_rng([zlib.crc32(name.encode()), seed])
    sites = draw_sites(rng, most=session.most_channels, two_calf_heads=session.two_calf_heads)
    canvas = Canvas(
        rng=rng,
        wearer=draw_wearer(rng, sites),
        device=draw_device(rng, sites=sites, rates_hz=session.rates_hz),
        duration_s=session.most_s,
    )
    canvas.pose(0.0, session.posture(rng))
    if session.kind == "event":
        surround(canvas, session)
    else:
        session.draw(canvas, 0.0, session.most_s)
    return render(canvas, session.kind)


def surround(canvas: Canvas, session: Session) -> None:
    """Draw minutes of ordinary rest, with a small movement now and then, before and after what the session is about."""
    rng = canvas.rng
    lead_s = float(rng.uniform(120, 180 if session.draw is positive.slow else 330))
    tail_s = float(rng.uniform(60, 90 if session.draw is positive.slow else 180))
    for at_s in rng.uniform(5, lead_s - 20, rng.integers(0, 3)):
        stir(canvas, float(at_s), float(rng.uniform(0.4, 2)), strength_g=0.03, effort=float(rng.uniform(1, 5)))
    over_s = session.draw(canvas, lead_s, session.most_s - lead_s - tail_s)
    canvas.duration_s = min(over_s + tail_s, session.most_s)


SCENARIOS: Scenarios = MappingProxyType({name: partial(leg, name) for name in SESSIONS})
