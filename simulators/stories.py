"""The scenarios of one device each: what happens, written out."""

from typing import Final

import numpy as np

from simulators.device import Clock, Device, Origin
from simulators.link import Link, Span
from simulators.person import AT_NIGHT, DAY_S, Habits, draw_cramps, sleep, waking
from simulators.render import Front
from simulators.script import LYING, SITTING, UPRIGHT, Script

HOUR_S: Final = 3600.0
BOTH_HEADS: Final = ("gastrocnemius_medialis", "gastrocnemius_lateralis")
CLINICAL: Final = Front(emg_fs_hz=1000.0, acc_fs_hz=100.0, emg_scale=0.25)
TRUE_CLOCK: Final = Clock()
SOUND_LINK: Final = Link()
LOW_POWER: Final = Front(emg_fs_hz=250.0, acc_fs_hz=25.0, emg_scale=0.25)


def quiet_night(origin: Origin) -> tuple[Device, ...]:
    """Sleep, and nothing else."""
    script = _script(origin, hours=8)
    sleep(script, 0.0, 8 * HOUR_S, habits=Habits(plm_per_h=0.0))
    return (_device(origin, script, asleep=((0.0, 8 * HOUR_S),)),)


def cramp_night(origin: Origin) -> tuple[Device, ...]:
    """Five cramps in a night, each of another kind."""
    script = _script(origin, hours=8)
    plans = (  # duration_s, level, rise_s
        (45.0, 12.0, 0.5),  # abrupt
        (90.0, 6.0, 8.0),
        (180.0, 25.0, 5.0),  # strong and long
        (480.0, 8.0, 150.0),  # creeping, as in dialysis
        (25.0, 4.0, 2.0),  # short and weak
    )
    for slot, (duration_s, level, rise_s) in enumerate(plans):
        at = (0.8 + 1.4 * slot + script.rng.uniform(0.0, 0.8)) * HOUR_S
        script.cramp(
            at, duration_s=duration_s, level=level, rise_s=rise_s, wakes=duration_s > 60, site=BOTH_HEADS[0]
        )  # fmt: skip
    sleep(script, 0.0, 8 * HOUR_S, habits=Habits())
    return (_device(origin, script, asleep=((0.0, 8 * HOUR_S),)),)


def plm_night(origin: Origin) -> tuple[Device, ...]:
    """The 90th percentile of periodic leg movements in healthy sleepers (Frauscher 2014), worn on shin and calf."""
    script = _script(origin, hours=8, sites=("gastrocnemius_medialis", "tibialis_anterior"))
    sleep(script, 0.0, 8 * HOUR_S, habits=Habits(plm_per_h=25.0))
    for at in script.rng.uniform(600.0, 7 * HOUR_S, 6):
        script.add("foot_tremor", at, at + 13.0, level=0.15, rhythm_hz=1.5)
    return (_device(origin, script, asleep=((0.0, 8 * HOUR_S),)),)


def walking_day(origin: Origin) -> tuple[Device, ...]:
    """Waking hours with one cramp while sitting."""
    script = _script(origin, hours=6)
    script.cramp(4.2 * HOUR_S, duration_s=70.0, level=10.0, rise_s=2.0, wakes=True, after="sitting")
    waking(script, 0.0, 6 * HOUR_S, habits=Habits(walking=0.25))
    return (_device(origin, script),)


def tiptoe(origin: Origin) -> tuple[Device, ...]:
    """Contractions a wearer wills: on tiptoe 5 to 60 s, and pressing a pedal, with rests between."""
    script = _script(origin, hours=0.5)
    at = 60.0
    while at < 1700.0:
        length_s = float(script.rng.uniform(5.0, 60.0))
        on_foot = script.rng.random() < 0.6
        script.pose(at - 8.0, UPRIGHT if on_foot else SITTING)
        if on_foot:
            script.add("stand", at - 5.0, at, level=0.04)
            script.add("tiptoe", at, at + length_s, level=script.rng.uniform(0.25, 0.5), rise_s=0.4, fall_s=0.3)
        else:
            script.add("hold", at, at + length_s, level=script.rng.uniform(0.1, 0.5), rise_s=0.3, fall_s=0.3)
        at += length_s + script.rng.uniform(25.0, 60.0)
    return (_device(origin, script),)


def running(origin: Origin) -> tuple[Device, ...]:
    """A run whose last quarter brings cramps: stop, stretch, go on."""
    script = _script(origin, hours=1)
    script.pose(0.0, UPRIGHT)
    at = 60.0
    for cramp_s in (2500.0, 3000.0):
        script.add("run", at, cramp_s - 5.0, level=0.6, rhythm_hz=1.4)
        at = script.cramp(cramp_s, duration_s=35.0, level=30.0, rise_s=0.8, wakes=False) + 40.0
        script.add("stand", cramp_s + 12.0, at, level=0.03)
    script.add("run", at, 3500.0, level=0.5, rhythm_hz=1.35)
    return (_device(origin, script),)


def faulty_electrode(origin: Origin) -> tuple[Device, ...]:
    """Every fault once on the first electrode, clean stretches and one cramp between, then the device comes off."""
    script = _script(origin, hours=3)
    script.cramp(5400.0, duration_s=60.0, level=12.0, rise_s=2.0, wakes=False, site=BOTH_HEADS[0])
    site = BOTH_HEADS[0]
    script.add("hum", 900.0, 1500.0, level=60.0, site=site)
    script.add("electrode_off", 2100.0, 2700.0, level=800.0, site=site)
    script.add("rails", 3300.0, 3420.0, site=site)
    script.add("flat", 3900.0, 4200.0, site=site)
    script.add("artefact", 4800.0, 4980.0, level=150.0, site=site)
    script.add("non_wear", 7200.0, 9900.0, level=40.0)
    return (_device(origin, script),)


def lossy(origin: Origin) -> tuple[Device, ...]:
    """A bad clock on a bad link."""
    script = _script(origin, hours=2)
    for at in (1500.0, 5700.0):
        script.cramp(at, duration_s=60.0, level=15.0, rise_s=1.5, wakes=False)
    sleep(script, 0.0, 2 * HOUR_S, habits=Habits())
    return (
        _device(
            origin, script, reboots_s=(1200.0, 4000.0),
            clock=Clock(drift_ppm=40.0, jitter_s=0.004),
            link=Link(lost=0.01, doubled=0.03, swapped=0.03, offline=((1800.0, 5400.0),)),
        ),
    )  # fmt: skip


def week_away(origin: Origin) -> tuple[Device, ...]:
    """Seven days and nights on one low-power channel, recorded far from any link."""
    days, habits = 7, Habits(cramps_per_week=6.0)
    script = _script(origin, hours=24 * days, sites=BOTH_HEADS[:1])
    nights = [(day * DAY_S, day * DAY_S + 8 * HOUR_S) for day in range(days)]
    mornings = [(end, end + 4 * HOUR_S) for _, end in nights]
    for windows, share, after in ((nights, AT_NIGHT, "lying"), (mornings, 1 - AT_NIGHT, "sitting")):
        expected = [habits.cramps_per_week / days * share] * days
        for at in draw_cramps(script.rng, [(a + 900, b - 1200) for a, b in windows], expected=expected):
            if script.is_free(at, at + 300.0):
                script.cramp(at, after=after)
    for start_s, end_s in nights:
        sleep(script, start_s, end_s, habits=habits)
    for start_s, end_s in mornings:
        waking(script, start_s, end_s, habits=habits)
    powered = tuple((start, end + 4 * HOUR_S) for start, end in nights)
    return (
        _device(
            origin, script, front=LOW_POWER, block_s=60.0, powered=powered, asleep=tuple(nights),
            clock=Clock(drift_ppm=15.0, jitter_s=0.001), link=Link(offline=((0.0, days * DAY_S),)),
        ),
    )  # fmt: skip


def minute(origin: Origin) -> tuple[Device, ...]:
    """A cramp of 30 s from the 15th second on."""
    script = Script(_own(origin), duration_s=60.0, sites=BOTH_HEADS)
    script.pose(-1.0, LYING)
    script.cramp(15.0, duration_s=30.0, level=15.0, rise_s=1.0, wakes=False, site=BOTH_HEADS[0])
    return (_device(origin, script),)


def _own(origin: Origin) -> int:
    """Another seed for each scenario, so that scenarios of one seed share nothing."""
    return int(np.random.SeedSequence([origin.seed, *origin.scenario.encode()]).generate_state(1)[0])


def _script(origin: Origin, *, hours: float, sites: tuple[str, ...] = BOTH_HEADS) -> Script:
    return Script(_own(origin), duration_s=hours * HOUR_S, sites=sites)


def _device(
    origin: Origin, script: Script, *, front: Front = CLINICAL, block_s: float = 1.0,
    powered: tuple[Span, ...] = (), asleep: tuple[Span, ...] = (), reboots_s: tuple[float, ...] = (),
    clock: Clock = TRUE_CLOCK, link: Link = SOUND_LINK,
) -> Device:  # fmt: skip
    return Device(
        device=f"sim-{origin.scenario.replace('_', '-')}", zone="Europe/Berlin", origin=origin,
        leg=script.leg(), happenings=tuple(script.happenings), front=front, block_s=block_s, powered=powered,
        asleep=asleep, reboots_s=reboots_s, clock=clock, link=link,
    )  # fmt: skip
