"""A person's nights and days: sleeping, sitting, standing, walking, and cramps as epidemiology has them.

Cramps per week follow a gamma-Poisson law with shape 2.5 between weeks of a person; 73 % come at night (Naylor and
Young 1994); a cramp lowers the threshold of the next for an hour (Miller, Long and Edwards 2017, Muscle Nerve
56:E95), which makes them cluster. Periodic leg movements by hour of sleep: Frauscher 2014, Sleep (healthy sleepers).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from simulators.event import EventKind
from simulators.script import LYING, SITTING, UPRIGHT, Script, lying

AT_NIGHT: Final = 0.73
GAMMA_SHAPE: Final = 2.5
AFTERSHOCK: Final = 0.25  # cramps that each cramp brings about within the next hour
AFTERSHOCK_S: Final = 3600.0
DAY_S: Final = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """How a person lives; clock times are local."""

    bed: time = time(22, 30)
    rise: time = time(6, 45)
    cramps_per_week: float = 4.0
    turns_per_h: float = 3.0
    plm_per_h: float = 3.0
    walking: float = 0.15  # share of the waking hours
    course: Callable[[int], float] = lambda _night: 1.0  # factor on the cramp rate in the n-th night


def local_s(day: date, clock: time, zone: str, *, start_ns: int) -> float:
    """Seconds from `start_ns` to a local clock time."""
    moment = datetime.combine(day, clock, tzinfo=ZoneInfo(zone))
    return moment.timestamp() - start_ns / 1e9


def night_window(day: date, habits: Habits, zone: str, *, start_ns: int) -> tuple[float, float]:
    """In bed from when until when, in the night that begins on `day`; bedtime may lie after midnight."""
    bed_day = day if habits.bed >= time(12) else day + timedelta(days=1)
    bed_s = local_s(bed_day, habits.bed, zone, start_ns=start_ns)
    return bed_s, local_s(day + timedelta(days=1), habits.rise, zone, start_ns=start_ns)


def draw_cramps(
    rng: np.random.Generator, windows: list[tuple[float, float]], *, expected: list[float], luck: float | None = None
) -> list[float]:
    """Onsets within windows that expect so many cramps each; each cramp may bring about others within the hour.

    `luck` multiplies all expectations; it is drawn, once a week, unless given.
    """
    luck = rng.gamma(GAMMA_SHAPE, 1.0 / GAMMA_SHAPE) if luck is None else luck
    onsets: list[float] = []
    for (start_s, end_s), mean in zip(windows, expected, strict=True):
        waiting = list(rng.uniform(start_s, end_s, rng.poisson(mean * luck * (1.0 - AFTERSHOCK))))
        while waiting:
            onset_s = waiting.pop()
            onsets.append(float(onset_s))
            after = onset_s + rng.exponential(AFTERSHOCK_S / 3, rng.poisson(AFTERSHOCK))
            waiting += [at for at in after if at < end_s]
    return sorted(onsets)


def sleep(script: Script, start_s: float, end_s: float, *, habits: Habits) -> None:
    """A night in bed: settling, turning over, periodic leg movements, twitches; cramps are written before."""
    rng = script.rng
    script.pose(start_s, LYING)
    script.add("getup", start_s, start_s + 4.0, level=0.05)
    for at in start_s + rng.uniform(10.0, 900.0, rng.poisson(4)):
        _unless_cramp(script, "fidget", at, rng.uniform(1.0, 3.0), level=0.05)
    hours = (end_s - start_s) / 3600
    for at in np.sort(rng.uniform(start_s + 300, end_s - 60, rng.poisson(habits.turns_per_h * hours))):
        length_s = rng.uniform(3.0, 9.0)
        if _unless_cramp(script, "turn", at, length_s, level=rng.uniform(0.05, 0.15)):
            script.pose(at + 0.5, lying(rng), over_s=length_s - 1.0)
    leg_movements(script, start_s + 600, end_s - 60, per_h=habits.plm_per_h)
    for at in rng.uniform(start_s, end_s, rng.poisson(2 * hours)):
        _unless_cramp(script, "fasciculation", at, rng.uniform(10.0, 60.0), rhythm_hz=rng.uniform(0.2, 0.7))


def leg_movements(script: Script, start_s: float, end_s: float, *, per_h: float) -> None:
    """Trains of periodic leg movements: 4 to 40 of them, 15 to 45 s apart, each lasting 0.5 to 10 s."""
    rng = script.rng
    wanted = rng.poisson(per_h * (end_s - start_s) / 3600)
    taken: list[tuple[float, float]] = []
    while wanted >= 4:
        length = min(int(wanted), int(rng.integers(4, 41)))
        wanted -= length
        period_s = rng.uniform(15.0, 45.0)
        at = _gap(rng, taken, start_s, end_s, length * period_s)
        taken.append((at, at + length * period_s))
        for _ in range(length):
            duration_s = float(np.clip(rng.lognormal(np.log(2.3), 0.5), 0.5, 10.0))
            if at + duration_s < end_s:
                _unless_cramp(script, "plm", at, duration_s, level=rng.uniform(0.06, 0.25))
            at += max(period_s * rng.lognormal(0.0, 0.15), duration_s + 3.0)


def _gap(
    rng: np.random.Generator, taken: list[tuple[float, float]], start_s: float, end_s: float, length_s: float
) -> float:
    """Where a stretch fits between those taken, or after twenty tries anywhere."""
    at = start_s
    for _ in range(20):
        at = float(rng.uniform(start_s, max(start_s + 1.0, end_s - length_s)))
        if all(at + length_s < low or at > high for low, high in taken):
            break
    return at


def waking(script: Script, start_s: float, end_s: float, *, habits: Habits) -> None:
    """Hours of a day: sitting, standing, walking by turns; in and after a cramp the wearer sits."""
    at = start_s
    while at < end_s:
        at = min(_bout(script, at, end_s, habits=habits), end_s)


def _bout(script: Script, at: float, end_s: float, *, habits: Habits) -> float:
    rng = script.rng
    length_s = float(np.clip(rng.lognormal(np.log(300.0), 0.9), 20.0, 1500.0))
    if rng.random() < 0.55 * habits.walking / 0.15:
        stop = min(at + 0.8 * length_s, end_s)
        if script.is_free(at, stop):
            return walk(script, at, stop)
    elif rng.random() < 0.4:
        stop = min(at + 0.5 * length_s, end_s)
        if script.is_free(at, stop):
            script.pose(at, UPRIGHT)
            script.add("stand", at, stop, level=rng.uniform(0.03, 0.06))
            return stop
    stop = min(at + 2.2 * length_s, end_s)
    sit(script, at, stop)
    return stop


def sit(script: Script, at: float, stop: float) -> None:
    """Sitting, with small movements of the feet."""
    rng = script.rng
    if script.is_free(at, at + 2.0):
        script.pose(at, SITTING)
    for onset_s in rng.uniform(at, stop, rng.poisson((stop - at) / 150.0)):
        _unless_cramp(script, "fidget", onset_s, float(np.clip(rng.normal(1.6, 1.2), 0.4, 5.0)), level=0.06)


def walk(script: Script, at: float, stop: float) -> float:
    """A walk at one pace."""
    rng = script.rng
    script.pose(at - 2.0, UPRIGHT)
    script.add("walk", at, stop, level=rng.uniform(0.22, 0.38), rhythm_hz=rng.uniform(0.78, 1.02))
    return stop


def _unless_cramp(
    script: Script, kind: EventKind, onset_s: float, duration_s: float, *, level: float = 0.0, rhythm_hz: float = 0.0
) -> bool:
    if not script.is_free(onset_s, onset_s + duration_s):
        return False
    script.add(kind, onset_s, onset_s + duration_s, level=level, rhythm_hz=rhythm_hz)
    return True
