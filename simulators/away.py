"""Devices that come back: nights without a link, reboots in the middle, then everything at once, newest first.

They are many and their nights may be short, to show what a service makes of it and not what a night is like. The same
devices with a sound link (`at_home`) send the same blocks as they are recorded.
"""

from dataclasses import replace
from typing import Final

import numpy as np

from simulators.device import Clock, Device, Origin
from simulators.errors import ScenarioError
from simulators.fleet import Fleet
from simulators.link import Link
from simulators.person import DAY_S, Habits, sleep
from simulators.render import Front
from simulators.script import Script

SITE: Final = ("gastrocnemius_medialis",)
FRONT: Final = Front(emg_fs_hz=200.0, acc_fs_hz=20.0, emg_scale=0.25)
DOUBLED: Final = 0.05
REBOOTS: Final = 0.5  # a night
EVERY_S: Final = (1200.0, 3600.0)  # between the cramps of a night


def away(
    devices: int, *, seed: int, start_ns: int, nights: int = 7, hours: float = 8.0, block_s: float = 60.0
) -> Fleet:
    """So many devices with so many nights of `hours` from `start_ns` on; the last night's end has the first link."""
    if devices < 1 or nights < 1 or not 0.05 <= hours <= 20.0:
        raise ScenarioError(f"{devices} devices with {nights} nights of {hours:g} h: each is at least 1, and 3 minutes")
    return Fleet(
        "away",
        tuple(
            _device(Origin("away", seed, start_ns), index, nights=nights, hours=hours, block_s=block_s)
            for index in range(devices)
        ),
    )


def at_home(fleet: Fleet) -> Fleet:
    """The same devices, as if they had been connected all the time."""
    return Fleet(fleet.name, tuple(replace(device, link=Link()) for device in fleet))


def _device(origin: Origin, index: int, *, nights: int, hours: float, block_s: float) -> Device:
    seed = int(np.random.SeedSequence([origin.seed, 4, index]).generate_state(1)[0])
    powered = tuple((night * DAY_S, night * DAY_S + hours * 3600.0) for night in range(nights))
    script = Script(seed, duration_s=powered[-1][1], sites=SITE)
    for start_s, end_s in powered:
        at_s = start_s + min(float(script.rng.uniform(*EVERY_S)), 0.3 * (end_s - start_s))
        while at_s < end_s - 120.0:
            duration_s, level = float(script.rng.uniform(20.0, 60.0)), float(script.rng.uniform(10.0, 25.0))
            script.cramp(at_s, duration_s=duration_s, level=level, rise_s=1.0, wakes=False)
            at_s += float(script.rng.uniform(*EVERY_S))
        sleep(script, start_s, end_s, habits=Habits())
    rng = np.random.default_rng((seed, 9))
    reboots_s = sorted(
        float(rng.uniform(start_s + block_s, end_s - block_s))
        for start_s, end_s in powered
        for _ in range(rng.poisson(REBOOTS))
    )
    return Device(
        device=f"sim-away-{index + 1}", zone="Europe/Berlin", origin=origin, leg=script.leg(),
        happenings=tuple(script.happenings), front=FRONT, block_s=block_s, powered=powered, asleep=powered,
        reboots_s=tuple(reboots_s), reboot_lasts_s=30.0, clock=Clock(drift_ppm=float(rng.uniform(-40.0, 40.0))),
        link=Link(doubled=DOUBLED, offline=((0.0, powered[-1][1] + 1.0),), order="newest"),
    )  # fmt: skip
