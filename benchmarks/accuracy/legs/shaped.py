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
from benchmarks.accuracy.legs import shaped_faults as faults
from benchmarks.accuracy.legs import shaped_long as whole
from benchmarks.accuracy.legs import shaped_negative as negative
from benchmarks.accuracy.legs import shaped_positive as positive
from benchmarks.accuracy.legs.shaped_canvas import Canvas
from benchmarks.accuracy.legs.shaped_motion import Up, lying, sitting, stir
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
    "cramp_exercise": Session(draw=positive.at_exercise, posture=any_posture),
    "cramp_onehead_upright": Session(draw=positive.onehead_upright, posture=sitting),
    "cramp_residual": Session(draw=positive.residual),
    "walk": Session(draw=negative.walk, posture=any_posture),
    "run": Session(draw=negative.run, posture=any_posture),
    "stairs": Session(draw=negative.stairs, posture=any_posture),
    "cycling": Session(draw=negative.cycling, posture=any_posture),
    "tiptoe": Session(draw=negative.tiptoe, posture=any_posture),
    "hold_seated": Session(draw=negative.hold_seated, posture=sitting),
    "hold_lying": Session(draw=negative.hold_lying),
    "stand": Session(draw=negative.stand, posture=any_posture),
    "plm": Session(draw=negative.plm),
    "turning": Session(draw=negative.turning),
    "fidget_stretch": Session(draw=negative.fidget_stretch, posture=any_posture),
    "fasciculation": Session(draw=negative.fasciculation, posture=any_posture),
    "tremor": Session(draw=negative.tremor, posture=any_posture),
    "clonus": Session(draw=negative.clonus, posture=any_posture),
    "foot_tremor": Session(draw=negative.foot_tremor),
    "orthostatic_tremor": Session(draw=negative.orthostatic_tremor, posture=any_posture),
    "ecg": Session(draw=negative.ecg, posture=any_posture),
    "hum": Session(draw=faults.hum, posture=any_posture),
    "artefact": Session(draw=faults.artefact, posture=any_posture),
    "electrode_lift": Session(draw=faults.electrode_lift, posture=any_posture),
    "rail": Session(draw=faults.rail, posture=any_posture),
    "non_wear": Session(draw=faults.non_wear, posture=any_posture),
    "night": Session(
        draw=whole.night, kind="night", most_s=8.5 * 3600, rates_hz=(200.0, 250.0, 500.0), most_channels=2
    ),
    "day": Session(
        draw=whole.day, kind="day", most_s=12 * 3600, rates_hz=(200.0, 250.0), most_channels=2, posture=sitting
    ),
}


def leg(name: str, seed: int) -> Leg:
    """Draw one session and record it."""
    return render(draw(name, seed), SESSIONS[name].kind)


def draw(name: str, seed: int) -> Canvas:
    """Draw one session: who wears which device, and what happens."""
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
    return canvas


def surround(canvas: Canvas, session: Session) -> None:
    """Draw minutes of ordinary rest, with a small movement now and then, before and after what the session is about."""
    rng = canvas.rng
    lead_s = float(rng.uniform(120, 180 if session.draw is positive.slow else 330))
    tail_s = float(rng.uniform(60, 90 if session.draw is positive.slow else 180))
    for at_s in rng.uniform(5, lead_s - 20, rng.integers(0, 3)):
        stir(canvas, float(at_s), float(rng.uniform(0.4, 2)), strength_g=0.03, effort=float(rng.uniform(1, 5)))
    negative.breathe(canvas)
    over_s = session.draw(canvas, lead_s, session.most_s - lead_s - tail_s)
    canvas.duration_s = min(over_s + tail_s, session.most_s)


SCENARIOS: Scenarios = MappingProxyType({name: partial(leg, name) for name in SESSIONS})
