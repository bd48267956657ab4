"""Legs made of spike trains: pools of motor units, each a renewal process, seen by electrodes through tissue.

Written from physiology alone, knowing neither the detector nor any other generator; for held-out tests only.
Every scenario is a pure function of a seed, which decides the wearer, the device (`spikes_person`, where the axes of
the accelerometer are described) and what happens. Truth: `spikes_canvas`. The cramp that is interrupted is one cramp,
from its first onset to its last end; the residual activity after a cramp is no part of it.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

import numpy as np

from benchmarks.accuracy.leg import Leg, Scenarios
from benchmarks.accuracy.legs import spikes_negatives as negatives
from benchmarks.accuracy.legs import spikes_positives as positives
from benchmarks.accuracy.legs.spikes_acts import rest, take
from benchmarks.accuracy.legs.spikes_canvas import Canvas
from benchmarks.accuracy.legs.spikes_day import day
from benchmarks.accuracy.legs.spikes_finish import finish
from benchmarks.accuracy.legs.spikes_long import night
from benchmarks.accuracy.legs.spikes_person import TRICEPS, Person, draw_person

_BED, _CHAIR, _ANY = ("lying",), ("sitting",), ("lying", "sitting", "legs_up")


@dataclass(frozen=True, slots=True)
class Script:
    """What happens after the first minutes of rest, how long it may take, and how the wearer rests."""

    play: Callable[[Canvas, float, float, str], None]
    main_s: tuple[float, float]
    postures: tuple[str, ...] = _ANY
    longest_s: float = 720.0
    heads: int = 0  # of the calf that electrodes must lie on


_EVENTS = {
    "cramp_sudden": Script(positives.sudden, (20, 300)),
    "cramp_slow": Script(positives.slow, (180, 480)),
    "cramp_weak": Script(positives.weak, (30, 360)),
    "cramp_spreading": Script(positives.spreading, (60, 300), heads=2),
    "cramp_interrupted": Script(positives.interrupted, (80, 300)),
    "cramp_recurring": Script(positives.recurring, (1080, 1180), longest_s=1500),
    "cramp_sitting": Script(positives.sudden, (20, 300), _CHAIR),
    "cramp_exercise": Script(positives.exercise, (150, 400), _CHAIR),
    "cramp_residual": Script(positives.residual, (200, 400)),
    "walk": Script(negatives.WALKING, (60, 420)),
    "run": Script(negatives.RUNNING, (60, 420)),
    "stairs": Script(negatives.CLIMBING, (40, 240)),
    "cycling": Script(negatives.CYCLING, (60, 420)),
    "tiptoe": Script(negatives.tiptoe, (60, 360)),
    "hold_seated": Script(negatives.holding, (60, 360), _CHAIR),
    "hold_lying": Script(negatives.holding, (60, 360), _BED),
    "stand": Script(negatives.standing, (60, 420)),
    "plm": Script(negatives.periodic, (180, 480), _BED),
    "turning": Script(negatives.turning, (120, 420), _BED),
    "fasciculation": Script(negatives.fasciculating, (120, 420)),
    "tremor": Script(negatives.tremor, (60, 420)),
    "clonus": Script(negatives.clonus, (60, 360)),
    "foot_tremor": Script(negatives.feet, (60, 420), _BED),
    "ecg": Script(negatives.heart, (120, 420)),
    "hum": Script(negatives.humming, (60, 420)),
    "artefact": Script(negatives.tugging, (60, 420)),
    "electrode_lift": Script(negatives.lifting, (60, 420)),
    "rail": Script(negatives.railing, (60, 420)),
    "non_wear": Script(negatives.unworn, (120, 480)),
}


def _render(name: str, script: Script, seed: int) -> Leg:
    """Draw a wearer, let them rest, play the script, let them rest again."""
    rng = np.random.default_rng([zlib.crc32(name.encode()), seed])
    person = _someone(rng, script.heads)
    main = float(np.exp(rng.uniform(*np.log(script.main_s))))
    tail = float(min(rng.uniform(60, 180), script.longest_s - main - 120))
    lead = float(min(rng.uniform(120, 360), script.longest_s - main - tail))
    lead += max(240 - lead - main - tail, 0)
    canvas = Canvas(person, lead + main + tail, rng)
    posture = str(rng.choice(script.postures))
    take(canvas, 0.0, posture, there=True)
    rest(canvas, 8, lead - 10)
    script.play(canvas, lead, lead + main, posture)
    rest(canvas, lead + main + 25, canvas.duration_s)
    return finish(canvas, "event")


def _someone(rng: np.random.Generator, heads: int) -> Person:
    """Draw wearers until one has electrodes on enough heads of the calf."""
    while True:
        person = draw_person(rng)
        if len(set(person.sites) & set(TRICEPS)) >= heads:
            return person


SCENARIOS: Scenarios = MappingProxyType(
    {name: partial(_render, name, script) for name, script in _EVENTS.items()} | {"night": night, "day": day}
)
