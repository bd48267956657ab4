"""How well sleep and wear are seen: on simulated days whose sleep is known, and on real walking, which is none.

python -m benchmarks.sleep [FOLDER] [--plot FILE]

FOLDER holds EDF recordings of real shanks walking, with signals named `ACC tibia_r x` and so on.
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from edfio import read_edf
from matplotlib.figure import Figure

from benchmarks.accuracy.leg import Leg
from benchmarks.accuracy.legs import shaped, spikes
from benchmarks.sleep_world import DAY_S, DAYS, T0_NS, Day, epochs_of
from detector.posture import EPOCH_NS, Motion, along_shank, on_grid
from detector.sleep import FACTOR, LIMITS_DEG, longest_block, rolling_median, sleep_window
from detector.wear import lies_about

SEEDS: Final = range(10)
END_NS: Final = T0_NS + int(DAY_S) * 10**9
Found = tuple[int, int] | None
Method = Callable[[Motion], Found]


@dataclass(frozen=True, slots=True)
class Errors:
    """Found minus true, minutes, of the days on which a window was found."""

    onset_min: tuple[float, ...]
    end_min: tuple[float, ...]
    days: int


def adapted(motion: Motion, *, factor: float = 1.0) -> Found:
    """What the detector finds; `factor` scales the limits of its threshold."""
    limits = (LIMITS_DEG[0] * factor, LIMITS_DEG[1] * factor)
    worn = motion.worn & ~lies_about(motion)
    window = sleep_window(replace(motion, worn=worn), start_ns=T0_NS, end_ns=END_NS, limits_deg=limits)
    return None if window is None or not window.awake_after else (window.onset_ns, window.end_ns)


def published(motion: Motion) -> Found:
    """HDCZA as for the wrist: the angle alone, wear as the EMG says."""
    grid = on_grid(motion, start_ns=T0_NS, end_ns=END_NS)
    rolled = rolling_median(np.abs(np.diff(np.where(grid.worn, grid.angle_deg, np.nan), prepend=np.nan)))
    threshold = np.clip(FACTOR * np.nanpercentile(rolled, 10), *LIMITS_DEG)
    with np.errstate(invalid="ignore"):
        block = longest_block(rolled <= threshold)
    return None if block is None else (grid.first_ns + block[0] * EPOCH_NS, grid.first_ns + block[1] * EPOCH_NS)


VARIED: Final = ("ordinary", "restless")  # the days on which the limits are varied too
METHODS: Final[dict[str, Method]] = {
    "adapted": adapted,
    "limits halved": lambda motion: adapted(motion, factor=0.5),
    "limits doubled": lambda motion: adapted(motion, factor=2.0),
    "as for the wrist": published,
}


def errors(days: list[Day], method: Method) -> Errors:
    """How far a method is off."""
    pairs = [(found, day.asleep or (0.0, 0.0)) for day in days if (found := method(day.motion)) is not None]
    return Errors(
        tuple(((found[0] - T0_NS) / 1e9 - true[0]) / 60 for found, true in pairs),
        tuple(((found[1] - T0_NS) / 1e9 - true[1]) / 60 for found, true in pairs),
        len(days),
    )


def table(name: str, days: list[Day]) -> Iterator[str]:
    """One line a method: windows found, and the median and the worst error of both ends."""
    for method, find in METHODS.items():
        if method.startswith("limits") and name not in VARIED:
            continue
        e = errors(days, find)
        if not e.onset_min:
            yield f"| {name} | {method} | 0 of {e.days} | | |"
            continue
        ends = (f"{np.median(x):+.1f} ({max(x, key=abs):+.1f})" for x in (e.onset_min, e.end_min))
        yield f"| {name} | {method} | {len(e.onset_min)} of {e.days} | {' | '.join(ends)} |"


def wear(name: str, days: list[Day]) -> str:
    """Hours called non-wear that were, that were not, and those missed."""
    found = [lies_about(day.motion) for day in days]
    hours = [
        sum(float(part.sum()) for part in parts) * EPOCH_NS / 3.6e12
        for parts in (
            [f & d.table for f, d in zip(found, days, strict=True)],
            [f & ~d.table for f, d in zip(found, days, strict=True)],
            [~f & d.table for f, d in zip(found, days, strict=True)],
        )
    ]
    return f"| {name} | {hours[0]:.1f} | {hours[1]:.1f} | {hours[2]:.1f} |"


def legs(folder: Path) -> Iterator[tuple[str, Motion]]:
    """Epochs of every accelerometer of the recordings."""
    for path in sorted(folder.glob("*.edf")):
        signals = {signal.label: signal for signal in read_edf(path).signals}
        for place in ("tibia_r", "tibia_l", "toes_r"):
            axes = [signals[f"ACC {place} {axis}"] for axis in "xyz"]
            acc = np.stack([axis.data for axis in axes])
            yield f"{path.stem} {place}", epochs_of(acc, round(axes[0].sampling_frequency))


def eight_hours(walk: Motion) -> Motion:
    """A recording over and over for eight hours, with an hour of another unrest before and after."""
    rng = np.random.default_rng(1)
    pieces = 2880 // walk.start_ns.size + 1
    unrest = np.full(360, 0.07), rng.uniform(60, 88, 360)  # too little to be walking: that is the recording's part
    movement = np.concatenate((unrest[0], np.tile(walk.movement_g, pieces), unrest[0]))
    angle = np.concatenate((unrest[1], np.tile(walk.angle_deg, pieces), unrest[1]))
    start_ns = T0_NS + EPOCH_NS * np.arange(1, angle.size + 1)
    return Motion(start_ns, angle, movement, np.ones(angle.size, np.bool_), np.full(angle.size, 3.0))


def walking(folder: Path) -> Iterator[str]:
    """What real walking looks like to the method, and whether it is ever called sleep."""
    found = [(name, motion) for name, motion in legs(folder) if motion.start_ns.size >= 3]
    for place in ("tibia_r", "tibia_l", "toes_r"):
        here = [motion for name, motion in found if name.endswith(place)]
        angle = np.abs(np.concatenate([motion.angle_deg for motion in here]))
        movement = np.concatenate([motion.movement_g for motion in here])
        change = np.abs(np.concatenate([np.diff(motion.angle_deg) for motion in here]))
        days = [eight_hours(motion) for motion in here]
        known = sum(along_shank(on_grid(day, start_ns=T0_NS, end_ns=END_NS)) is True for day in days)
        sleeps = [sum(method(day) is not None for day in days) for method in (adapted, published)]
        yield (
            f"| {place} | {len(here)} | {angle.min():.0f}–{angle.max():.0f} | {(angle > 50).mean():.0%} | "
            f"{movement.min():.3f}–{movement.max():.3f} | {(movement > 0.03).mean():.0%} | "
            f"{(change < LIMITS_DEG[1]).mean():.0%} | {known} | {sleeps[0]} | {sleeps[1]} |"
        )


def unrelated() -> Iterator[str]:
    """Nights and days of generators that know neither the detector nor how a device should be mounted."""
    for source, scenarios in {"shaped": shaped.SCENARIOS, "spikes": spikes.SCENARIOS}.items():
        for kind in ("night", "day"):
            legs_of = [scenarios[kind](seed) for seed in range(4)]
            days = [_in_unrest(leg) for leg in legs_of if leg.acc is not None]
            grids = [on_grid(motion, start_ns=T0_NS, end_ns=END_NS) for motion in days]
            along = [along_shank(grid) for grid in grids]
            found = [window for motion in days if (window := adapted(motion)) is not None]
            hours = ", ".join(f"{(end - onset) / 3.6e12:.1f} h" for onset, end in found)
            off = sum(int(lies_about(motion).sum()) for motion in days) / 360
            yield (
                f"| {source} {kind} | {len(days)} | {along.count(True)}, {along.count(False)}, {along.count(None)} | "
                f"{len(found)} | {hours} | {off:.1f} |"
            )


def _in_unrest(leg: Leg) -> Motion:
    """The acceleration of a leg at 25 Hz as epochs, between two hours in which a lying leg moves."""
    if leg.acc is None:
        raise ValueError("there is no accelerometer")
    acc = leg.acc.astype(np.float64) * leg.acc_scale_g
    at = np.arange(int(acc.shape[1] / leg.acc_fs_hz * 25)) * leg.acc_fs_hz / 25
    inner = epochs_of(np.stack([np.interp(at, np.arange(acc.shape[1]), axis) for axis in acc]), 25)
    n = inner.start_ns.size + 720
    return Motion(
        start_ns=T0_NS + EPOCH_NS * np.arange(1, n + 1),
        angle_deg=np.pad(inner.angle_deg, 360, constant_values=10.0),
        movement_g=np.pad(inner.movement_g, 360, constant_values=0.06),
        worn=np.ones(n, np.bool_),
        rms_uv=np.full(n, 3.0),
    )


def draw(path: Path, seed: int = 3) -> None:
    """One restless night: what the epochs hold, the threshold, the window found and the true one."""
    day = DAYS["toilet"](seed)
    grid = on_grid(day.motion, start_ns=T0_NS, end_ns=END_NS)
    window = sleep_window(day.motion, start_ns=T0_NS, end_ns=END_NS)
    if window is None or day.asleep is None:
        raise SystemExit("no window: nothing to draw")
    hours = np.arange(len(grid.angle_deg)) / 360
    rolled = rolling_median(np.abs(np.diff(grid.angle_deg, prepend=np.nan)))
    figure = Figure(figsize=(10, 6), layout="constrained")
    top, middle, bottom = figure.subplots(3, sharex=True)
    top.plot(hours, grid.angle_deg, lw=0.6)
    top.axhline(50, color="grey", lw=0.8, ls="--")
    top.set_ylabel("shank to horizontal\n(°)")
    middle.semilogy(hours, np.maximum(rolled, 1e-3), lw=0.8)
    middle.axhline(window.threshold_deg, color="tab:red", lw=0.8, label=f"threshold {window.threshold_deg:.2f}°")
    middle.set_ylabel("5-min median of\nchange of angle (°)")
    middle.legend(loc="upper right")
    bottom.semilogy(hours, np.maximum(grid.movement_g, 1e-4), lw=0.6)
    bottom.axhline(0.03, color="grey", lw=0.8, ls="--")
    bottom.set_ylabel("MAD (g)")
    bottom.set_xlabel("hours since noon (simulated; three visits to the toilet)")
    for axes in (top, middle, bottom):
        axes.axvspan((window.onset_ns - T0_NS) / 3.6e12, (window.end_ns - T0_NS) / 3.6e12, color="tab:blue", alpha=0.12)
        for edge_s in day.asleep:
            axes.axvline(edge_s / 3600, color="tab:green", ls=":")
    top.set_title("sleep window found (blue) and true time in bed (dotted)")
    figure.savefig(path, dpi=100)


def main() -> None:
    """Print the tables of `docs/sleep.md`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, help="EDF recordings of real walking")
    parser.add_argument("--plot", type=Path)
    options = parser.parse_args()
    lived = {name: [make(seed) for seed in SEEDS] for name, make in DAYS.items()}
    print("| day | method | windows | onset, median (worst), min | end, median (worst), min |")
    for name, days in lived.items():
        print("\n".join(table(name, days)))
    print("\n| day | non-wear found, h | false, h | missed, h |")
    print("\n".join(wear(name, days) for name, days in lived.items()))
    print("\n| generator | with accelerometer | axis along, not, unknown | windows | long | non-wear, h |")
    print("\n".join(unrelated()))
    if options.folder:
        print("\n| sensor | recordings | angle, ° | > 50° | MAD, g | > 0.03 g | < 0.5° | posture | sleep | as wrist |")
        print("\n".join(walking(options.folder)))
    if options.plot:
        draw(options.plot)


if __name__ == "__main__":
    main()
