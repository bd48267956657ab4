"""The demo: three wearers who come back with seven nights and days, and then stream live.

The week is kept small enough for two minutes: two electrodes at 200 Hz, acceleration at 20 Hz, blocks of a minute,
worn in the night (22:15 to 06:45) and for four and a half hours of the day (15:30 to 20:00), local time; between, the
device is off. That is 920 bytes a second, 13 hours a day: 900 MB for the three. Live they stream at 1 kHz
(acceleration 100 Hz) in blocks of a second.
"""

from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from simulators.cramp import draw_duration_s
from simulators.device import Clock, Device, Origin
from simulators.link import Link, Span
from simulators.person import AT_NIGHT, Habits, draw_cramps, local_s, night_window, sit, sleep, waking
from simulators.render import Front
from simulators.script import LYING, Script

NIGHTS: Final = 7
WORN_NIGHT: Final = (time(22, 15), time(6, 45))
WORN_DAY: Final = (time(15, 30), time(20, 0))
SITE: Final = ("gastrocnemius_medialis", "gastrocnemius_lateralis")
WEEK_FRONT: Final = Front(emg_fs_hz=200.0, acc_fs_hz=20.0, emg_scale=0.25)
LIVE_FRONT: Final = Front(emg_fs_hz=1000.0, acc_fs_hz=100.0, emg_scale=0.25)
LIVE_S: Final = 12 * 3600.0
LIVE_EVERY_S: Final = (150.0, 330.0)
SHORTEST_S: Final = 15.0  # shorter ones would be twitches to the eye


@dataclass(frozen=True, slots=True)
class Wearer:
    """One of the three, as a device knows them: by what the leg does."""

    device: str
    zone: str
    mains_hz: float
    habits: Habits
    faulty_day: bool = False


WEARERS: Final = (
    Wearer("sim-frequent", "Europe/Berlin", 50.0, Habits(cramps_per_week=14.0, bed=time(22, 20), rise=time(6, 40))),
    Wearer(
        "sim-improving", "America/New_York", 60.0,
        Habits(cramps_per_week=14.0, plm_per_h=12.0, course=lambda night: 2.0 * 0.6**night),
    ),
    Wearer("sim-rare", "Asia/Kolkata", 50.0, Habits(cramps_per_week=3.0, walking=0.2), faulty_day=True),
)  # fmt: skip


def build_demo(origin: Origin, *, nights: int = NIGHTS) -> tuple[Device, ...]:
    """The seven nights that ended before the origin's `start_ns`, or fewer, and the days between and since."""
    return tuple(_week(origin, index, count=nights) for index in range(len(WEARERS)))


def build_live(origin: Origin, *, duration_s: float) -> tuple[Device, ...]:
    """The same three from `start_ns` on."""
    return tuple(_live(origin, duration_s, index) for index in range(len(WEARERS)))


def _week(origin: Origin, index: int, *, count: int) -> Device:
    wearer, start_ns = WEARERS[index], origin.start_ns
    origin_ns, nights, days = _worn(wearer, start_ns, count=count)
    beds = [_in_bed(wearer, origin_ns, night) for night in nights]
    script = Script(_own_seed(origin.seed, index), duration_s=(start_ns - origin_ns) / 1e9, sites=SITE)
    if wearer.faulty_day and count == NIGHTS:
        _faults(script, days[4], beds[4])
    _cramps(script, wearer.habits, beds, days)
    for (worn_s, end_s), (bed_s, rise_s) in zip(nights, beds, strict=True):
        sit(script, worn_s, bed_s)
        sleep(script, bed_s, rise_s, habits=wearer.habits)
        waking(script, rise_s, end_s, habits=wearer.habits)
    for start_s, end_s in days:
        waking(script, start_s, end_s, habits=wearer.habits)
    return Device(
        device=wearer.device, zone=wearer.zone, origin=replace(origin, start_ns=origin_ns),
        leg=script.leg(mains_hz=wearer.mains_hz), happenings=tuple(script.happenings), front=WEEK_FRONT, block_s=60.0,
        powered=tuple(sorted((*nights, *days))), clock=Clock(drift_ppm=8.0, jitter_s=0.001),
        link=Link(offline=((0.0, script.duration_s),)), asleep=tuple(beds),
    )  # fmt: skip


def _worn(wearer: Wearer, start_ns: int, *, count: int) -> tuple[int, list[Span], list[Span]]:
    """Origin of the leg's time, and when the device was worn: `count` days, each with its night, and today so far."""
    now = datetime.fromtimestamp(start_ns / 1e9, tz=ZoneInfo(wearer.zone))
    last = now.date() - timedelta(days=1)
    if local_s(now.date(), WORN_NIGHT[1], wearer.zone, start_ns=start_ns) > 0:  # this night is not over
        last -= timedelta(days=1)
    dates = [last - timedelta(days=count - 1 - night) for night in range(count)]
    origin_ns = round(local_s(dates[0], WORN_DAY[0], wearer.zone, start_ns=0) * 1e9)
    one = timedelta(days=1)
    nights = [
        (local_s(day, WORN_NIGHT[0], wearer.zone, start_ns=origin_ns),
         local_s(day + one, WORN_NIGHT[1], wearer.zone, start_ns=origin_ns))
        for day in dates
    ]  # fmt: skip
    end_s = (start_ns - origin_ns) / 1e9
    days = [
        (local_s(day, WORN_DAY[0], wearer.zone, start_ns=origin_ns),
         min(end_s, local_s(day, WORN_DAY[1], wearer.zone, start_ns=origin_ns)))
        for day in (*dates, *(dates[-1] + one * later for later in (1, 2)))
    ]  # fmt: skip
    return origin_ns, nights, [(start, stop) for start, stop in days if stop - start > 1200.0]


def _in_bed(wearer: Wearer, origin_ns: int, night: Span) -> Span:
    day = datetime.fromtimestamp(origin_ns / 1e9 + night[0], tz=ZoneInfo(wearer.zone)).date()
    return night_window(day, wearer.habits, wearer.zone, start_ns=origin_ns)


def _cramps(script: Script, habits: Habits, beds: list[Span], days: list[Span]) -> None:
    nightly = [habits.cramps_per_week / NIGHTS * habits.course(night) for night in range(NIGHTS + 2)]
    for windows, share, after in ((beds, AT_NIGHT, "lying"), (days, 1 - AT_NIGHT, "sitting")):
        expected = [mean * share for mean in nightly[: len(windows)]]
        inner = [(start + 900.0, end - 1100.0) for start, end in windows]
        kept = [(start, max(end, start + 1.0)) for start, end in inner]
        for at in draw_cramps(script.rng, kept, expected=expected, luck=1.0):
            if script.is_free(at - 60.0, at + 360.0):
                length_s = draw_duration_s(script.rng, shortest_s=SHORTEST_S)
                script.cramp(at, duration_s=length_s, after=after)


def _faults(script: Script, day: Span, bed: Span) -> None:
    """One day an electrode hangs loose for two hours; that night the device lies on the table for three."""
    loose = (day[0] + 3600.0, day[0] + 3 * 3600.0)
    lying_about = (bed[0] + 2 * 3600.0, bed[0] + 5 * 3600.0)
    script.add("electrode_off", *loose, level=500.0, site=SITE[0])
    script.add("non_wear", *lying_about, level=30.0)
    script.quiet += [loose, lying_about]  # what nobody can see is not simulated


def _live(origin: Origin, duration_s: float, index: int) -> Device:
    wearer = WEARERS[index]
    script = Script(_own_seed(origin.seed, index), duration_s=duration_s, sites=SITE)
    script.rng = np.random.default_rng((script.seed, 3))  # another life than in the week, on the same muscles
    script.pose(0.0, LYING)
    at = 60.0 + 45.0 * index
    while at < duration_s - 60.0:
        level = float(script.rng.uniform(6.0, 25.0))
        rest_s = script.cramp(at, duration_s=float(script.rng.uniform(20.0, 50.0)), level=level, wakes=False)
        at = rest_s + float(script.rng.uniform(*LIVE_EVERY_S))
    sleep(script, 0.0, duration_s, habits=Habits(turns_per_h=6.0))
    return Device(
        device=wearer.device, zone=wearer.zone, origin=origin,
        leg=script.leg(mains_hz=wearer.mains_hz), happenings=tuple(script.happenings), front=LIVE_FRONT,
        block_s=1.0, first_boot=2,
    )  # fmt: skip


def _own_seed(seed: int, index: int) -> int:
    return int(np.random.SeedSequence([seed, 77, index]).generate_state(1)[0])
