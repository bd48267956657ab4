"""Weeks of nights of one wearer, with a rate of cramps for each night: what a trial at home looks like to a device.

One electrode at 200 Hz, acceleration at 20 Hz, blocks of a minute, worn for the first half of the night: eight weeks
are 266 hours and 500 MB of samples. The device is away from any link all the time, and syncs when it is over.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from itertools import pairwise
from typing import Final

from simulators.cramp import draw_duration_s
from simulators.device import Clock, Device, Origin
from simulators.errors import ScenarioError
from simulators.link import Link, Span
from simulators.person import Habits, draw_cramps, local_s, sit, sleep
from simulators.render import Front
from simulators.script import Script

SITES: Final = ("gastrocnemius_medialis",)
FRONT: Final = Front(emg_fs_hz=200.0, acc_fs_hz=20.0, emg_scale=0.25)
PUT_ON: Final = time(22, 45)
BED: Final = time(23, 0)
WORN_S: Final = 4.75 * 3600.0
SETTLING_S: Final = 1200.0  # nobody cramps while the detector learns what rest is
LAST_S: Final = 1500.0
SHORTEST_S: Final = 20.0
APART_S: Final = 420.0  # so that what is one cramp and what are two is no question


@dataclass(frozen=True, slots=True)
class Night:
    """A night by its local date, and how many cramps are expected in it."""

    date: date
    cramps: float


def course(origin: Origin, nights: Sequence[Night], *, device: str, zone: str) -> Device:
    """A device that is worn in these nights; the origin's `start_ns` must lie before the first evening."""
    if not nights or any(later.date <= night.date for night, later in pairwise(nights)):
        raise ScenarioError("a course needs one night or more, in order of their dates")
    worn = [_worn(night.date, zone, start_ns=origin.start_ns) for night in nights]
    if worn[0][0] < 0:
        raise ScenarioError(f"the first night, {nights[0].date}, begins before the simulation does")
    script = Script(origin.seed, duration_s=worn[-1][1] + 60.0, sites=SITES)
    beds = [(start_s + _in_bed_after_s(), end_s) for start_s, end_s in worn]
    windows = [(start_s + SETTLING_S, end_s - LAST_S) for start_s, end_s in beds]
    for at in draw_cramps(script.rng, windows, expected=[night.cramps for night in nights], luck=1.0):
        if script.is_free(at - APART_S, at + APART_S):
            script.cramp(at, duration_s=min(draw_duration_s(script.rng, shortest_s=SHORTEST_S), 300.0))
    for (start_s, end_s), (bed_s, _) in zip(worn, beds, strict=True):
        sit(script, start_s, bed_s)
        sleep(script, bed_s, end_s, habits=Habits(bed=BED))
    return Device(
        device=device, zone=zone, origin=origin, leg=script.leg(), happenings=tuple(script.happenings), front=FRONT,
        block_s=60.0, powered=tuple(worn), asleep=tuple(beds), clock=Clock(drift_ppm=8.0, jitter_s=0.001),
        link=Link(offline=((0.0, script.duration_s),)),
    )  # fmt: skip


def fortnights(first: date, expected: Sequence[float], *, days: int = 14) -> list[Night]:
    """Blocks of nights from a date on, each with its cramps a night."""
    return [
        Night(first + timedelta(days=block * days + day), cramps)
        for block, cramps in enumerate(expected)
        for day in range(days)
    ]


def stretching(origin: Origin) -> tuple[Device, ...]:
    """Eight weeks of nights: a fortnight without stretching, two with it, one without."""
    off, on = 1.5, 0.5
    begin = date(1970, 1, 1) + timedelta(days=origin.start_ns // 86_400_000_000_000 + 1)
    return (course(origin, fortnights(begin, (off, on, on, off)), device="sim-stretching", zone="Europe/Berlin"),)


def _worn(day: date, zone: str, *, start_ns: int) -> Span:
    start_s = local_s(day, PUT_ON, zone, start_ns=start_ns)
    return start_s, start_s + WORN_S


def _in_bed_after_s() -> float:
    return float((BED.hour - PUT_ON.hour) * 3600 + (BED.minute - PUT_ON.minute) * 60)
