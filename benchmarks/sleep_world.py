"""Days of simulated legs whose sleep is known, as the epochs that a store would hold; only acceleration is rendered."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from detector.acc import acc_windows, angle_deg
from detector.posture import EPOCH_NS, BoolArray, DoubleArray, Motion
from simulators.person import Habits, sit, sleep, waking
from simulators.render import Front, Renderer
from simulators.script import LYING, UPRIGHT, Script, lying

HOUR_S: Final = 3600.0
DAY_S: Final = 24 * HOUR_S
T0_NS: Final = 1_760_011_200 * 10**9  # noon in UTC
FRONT: Final = Front(acc_fs_hz=25.0)
Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Day:
    """Twenty-four hours from `T0_NS` on: asleep from when until when (seconds), and the epochs."""

    asleep: Span | None
    motion: Motion
    table: BoolArray  # (N,) the device truly lay about


def ordinary(seed: int) -> Day:
    """An evening by turns sitting, standing, walking; eight hours in bed; a morning."""
    return _lived(seed, (11 * HOUR_S, 19 * HOUR_S), Habits())


def toilet(seed: int) -> Day:
    """Three visits to the toilet in the night, of three to eight minutes."""

    def visits(script: Script) -> None:
        for hour in (13.0, 15.5, 17.8):
            _up(script, hour * HOUR_S, script.rng.uniform(180.0, 480.0))

    return _lived(seed, (11 * HOUR_S, 19 * HOUR_S), Habits(), more=visits)


def restless(seed: int) -> Day:
    """Sixty periodic leg movements and six turns an hour."""
    return _lived(seed, (11 * HOUR_S, 19 * HOUR_S), Habits(plm_per_h=60.0, turns_per_h=6.0))


def sofa(seed: int) -> Day:
    """Two hours with the legs up, moving the feet every two or three minutes; a quarter of an hour later in bed."""

    def lie(script: Script) -> None:
        _up(script, 8.4 * HOUR_S, 360.0)
        script.pose(8.5 * HOUR_S, LYING)
        sit_still(script, 8.5 * HOUR_S, 10.5 * HOUR_S)
        _up(script, 10.5 * HOUR_S, 900.0)
        sit(script, 10.75 * HOUR_S, 11 * HOUR_S)

    return _lived(seed, (11 * HOUR_S, 19 * HOUR_S), Habits(), evening_s=8.4 * HOUR_S, more=lie)


def armchair(seed: int) -> Day:
    """A whole evening in a chair, feet on the floor."""

    def watch(script: Script) -> None:
        sit(script, 7 * HOUR_S, 11 * HOUR_S)

    return _lived(seed, (11 * HOUR_S, 19 * HOUR_S), Habits(), evening_s=7 * HOUR_S, more=watch)


def shift_worker(seed: int) -> Day:
    """Asleep from nine in the morning to half past three; the day searched is the one about that."""
    return _lived(seed, (9 * HOUR_S, 15.5 * HOUR_S), Habits(walking=0.25))


def night_only(seed: int) -> Day:
    """Worn from a quarter of an hour before bed until five minutes after rising."""
    day = _lived(seed, (11 * HOUR_S, 19 * HOUR_S), Habits())
    return _recorded(day, 10.75 * HOUR_S, 19 * HOUR_S + 300.0)


def battery_empty(seed: int) -> Day:
    """Nothing is recorded after four hours of sleep: no window may end there as if the wearer had risen."""
    return _recorded(_lived(seed, (11 * HOUR_S, 19 * HOUR_S), Habits()), 0.0, 15 * HOUR_S)


def taken_off(seed: int) -> Day:
    """On the bedside table from eleven to seven, inputs so quiet that the EMG is that of a resting leg."""
    return _on_table(seed, (11 * HOUR_S, 19 * HOUR_S), rms_uv=3.0)


def laid_aside(seed: int) -> Day:
    """Four and a half hours on a table in the evening, with a third of the noise of a leg."""
    return _on_table(seed, (5 * HOUR_S, 9.5 * HOUR_S), rms_uv=1.0)


def _on_table(seed: int, span: Span, *, rms_uv: float) -> Day:
    day = _lived(seed, (11 * HOUR_S, 19 * HOUR_S), Habits())
    at = (day.motion.start_ns - T0_NS) / 1e9
    table = (at >= span[0]) & (at < span[1])
    rng = np.random.default_rng((seed, 9))
    motion = replace(
        day.motion,
        angle_deg=np.where(table, 1.15 + rng.normal(0, 0.02, at.size), day.motion.angle_deg),
        movement_g=np.where(table, 0.0016 * (1 + rng.normal(0, 0.05, at.size)), day.motion.movement_g),
        rms_uv=np.where(table, rms_uv, day.motion.rms_uv),
    )
    return Day(day.asleep if span[1] < 11 * HOUR_S else None, motion, table)


def still_sleeper(seed: int) -> Day:
    """Hardly turns, one an hour, and has no leg movements: must not be taken for a table."""
    return _lived(seed, (11 * HOUR_S, 19 * HOUR_S), Habits(turns_per_h=1.0, plm_per_h=0.0))


def across(seed: int) -> Day:
    """The ordinary day of a device whose axis x lies across the shank, so that its angle is no posture."""
    return _lived(seed, (11 * HOUR_S, 19 * HOUR_S), Habits(), axes=(1, 2, 0))


DAYS: Final[Mapping[str, Callable[[int], Day]]] = {
    "ordinary": ordinary, "toilet": toilet, "restless": restless, "sofa": sofa, "armchair": armchair,
    "shift_worker": shift_worker, "night_only": night_only, "battery_empty": battery_empty, "taken_off": taken_off,
    "laid_aside": laid_aside, "still_sleeper": still_sleeper, "across": across,
}  # fmt: skip


def epochs_of(acc_g: DoubleArray, fs_hz: int, *, t0_ns: int = T0_NS) -> Motion:
    """What the detector would store of acceleration `(3, n)` in g: whole seconds, ten of them an epoch."""
    seconds = acc_g.shape[1] // (10 * fs_hz) * 10
    counts = np.rint(acc_g[:, : seconds * fs_hz] * 4096).clip(-32768, 32767).astype(np.int16)
    windows = acc_windows(counts.reshape(3, seconds, fs_hz).swapaxes(0, 1), np.full((1, 3), 1 / 4096, np.float32))
    angle = angle_deg(windows.gravity.reshape(-1, 10, 3).sum(1)).astype(np.float64)
    return Motion(
        start_ns=t0_ns + np.arange(seconds // 10) * EPOCH_NS,
        angle_deg=angle,
        movement_g=windows.mad.reshape(-1, 10).mean(1).astype(np.float64),
        worn=np.ones(seconds // 10, np.bool_),
        rms_uv=np.full(seconds // 10, 3.0),  # an EMG that gives nothing away: acceleration has to do alone
    )


def sit_still(script: Script, at: float, stop: float) -> None:
    """Feet that move every two or three minutes."""
    for onset_s in script.rng.uniform(at, stop, script.rng.poisson((stop - at) / 150.0)):
        script.add("fidget", onset_s, onset_s + script.rng.uniform(0.5, 4.0), level=0.06)


def _lived(
    seed: int, bed: Span, habits: Habits, *, evening_s: float | None = None,
    more: Callable[[Script], None] | None = None, axes: tuple[int, int, int] = (0, 1, 2),
) -> Day:  # fmt: skip
    script = Script(seed, duration_s=DAY_S, sites=("gastrocnemius_medialis",))
    sleep(script, *bed, habits=habits)
    if more is not None:
        more(script)
    waking(script, 0.0, bed[0] if evening_s is None else evening_s, habits=habits)
    script.pose(bed[1], UPRIGHT)
    script.add("getup", bed[1], bed[1] + 3.0, level=0.05)
    waking(script, bed[1] + 5.0, DAY_S, habits=habits)
    renderer = Renderer(script.leg(), FRONT)
    counts = renderer.acc(0, int(DAY_S * FRONT.acc_fs_hz))
    motion = epochs_of(counts[list(axes)].astype(np.float64) * FRONT.acc_scale, int(FRONT.acc_fs_hz))
    return Day(bed, motion, np.zeros(motion.start_ns.size, np.bool_))


def _up(script: Script, at: float, length_s: float) -> None:
    """Getting up, standing and walking about, lying down again."""
    script.add("getup", at, at + 3.0, level=0.05)
    script.pose(at + 0.5, UPRIGHT)
    script.add("walk", at + 5.0, at + length_s - 5.0, level=0.25, rhythm_hz=0.85)
    script.add("getup", at + length_s, at + length_s + 3.0, level=0.04)
    script.pose(at + length_s, lying(script.rng))


def _recorded(day: Day, start_s: float, end_s: float) -> Day:
    at = (day.motion.start_ns - T0_NS) / 1e9
    kept = (at >= start_s) & (at < end_s)
    m = day.motion
    motion = Motion(m.start_ns[kept], m.angle_deg[kept], m.movement_g[kept], m.worn[kept], m.rms_uv[kept])
    return Day(day.asleep, motion, day.table[kept])
