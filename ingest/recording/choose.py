"""Which channels of a file are used, for what, and why the others are not. Nothing is guessed silently."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isclose
from pathlib import Path
from typing import Final

from ingest.errors import RecordingError
from ingest.recording.labels import FAR, SHANK, Meaning, meaning
from ingest.recording.options import EXAMPLE, Options
from ingest.recording.source import Channel
from ingest.recording.units import COUNT, UV, G, plain, split

SIDES: Final = ("left", "right")
_SLEEP: Final = re.compile(r"(?i)\b(?:EEG|EOG|ROC|LOC|Fp[12z]|[CF][34z]|O[12])\b")


@dataclass(frozen=True, slots=True)
class Taken:
    """What a channel was taken for; `kind` of its meaning is empty where it was left out, and `why` says why."""

    index: int  # in the file
    label: str
    unit: str
    fs_hz: float
    meaning: Meaning
    asked: bool = False  # by --channel

    @property
    def site(self) -> str:
        return self.meaning.place


@dataclass(frozen=True, slots=True)
class Accelerometer:
    """Three axes that belong together."""

    place: str
    side: str
    axes: tuple[Taken, Taken, Taken]

    @property
    def name(self) -> str:
        return " ".join(part for part in (self.side, self.place or "acceleration") if part)


@dataclass(frozen=True, slots=True)
class Worn:
    """The channels of one leg: EMG in order of rate and site, and an accelerometer or none."""

    side: str
    emg: tuple[Taken, ...]
    acc: Accelerometer | None


@dataclass(frozen=True, slots=True)
class Choice:
    """The legs of a file, accelerometers that are on none of them, every channel in the file's order, and notes."""

    legs: tuple[Worn, ...]
    spare: tuple[Accelerometer, ...]
    channels: tuple[Taken, ...]
    notes: tuple[str, ...]


def choose(path: Path, channels: Sequence[Channel], options: Options) -> Choice:
    """Sort a file's channels, or raise `RecordingError` with how to name what is missing."""
    labels = [channel.label for channel in channels]
    try:
        options.check(labels)
    except RecordingError as error:
        raise RecordingError(f"{path}: {error}") from error
    taken = [_taken(k, channel, options) for k, channel in enumerate(channels)]
    if any(_SLEEP.search(label) for label in labels):
        taken = [_of_a_leg(one) for one in taken]
    emg = _distinct(path, [one for one in taken if one.meaning.kind == "emg"])
    whole, halves = _accelerometers(path, [one for one in taken if one.meaning.kind == "acc"])
    if not emg and not whole:
        raise RecordingError(_nothing(path, labels, [*halves]))
    for one in [*emg, *(axis for acc in whole for axis in acc.axes)]:
        _check_unit(path, one)
    legs, notes = _legs(emg, whole)
    used = {one.index: one for leg in legs for one in leg.emg}
    worn = [leg.acc for leg in legs if leg.acc is not None]
    spare = tuple(acc for acc in whole if acc not in worn) if not legs else ()
    used |= {axis.index: axis for acc in (*worn, *spare) for axis in acc.axes}
    listed = tuple(used.get(one.index) or _left_out(one, halves=halves) for one in taken)
    notes += [f"{one.label}: amplitudes are in counts, for its gain is not known; ratios, episodes and severity do not "
              "depend on it." for one in emg if one.unit == COUNT]  # fmt: skip
    return Choice(legs=legs, spare=spare, channels=listed, notes=tuple(notes))


def _taken(k: int, channel: Channel, options: Options) -> Taken:
    name, inner = split(channel.label)
    stated = plain(channel.unit) or inner
    key = options.of(channel.label, options.units)
    unit = options.units[key] if key is not None else stated
    key = options.of(channel.label, options.channels)
    found = options.channels[key] if key is not None else meaning(name, unit)
    if not unit and found.kind:
        unit = options.emg_unit if found.kind == "emg" else options.acc_unit
    return Taken(k, channel.label, unit, channel.fs_hz, found, asked=key is not None)


def _of_a_leg(one: Taken) -> Taken:
    """Where a night's EEG was recorded, an EMG that names no muscle is of the chin."""
    if one.meaning.kind != "emg" or one.meaning.named or one.asked:
        return one
    why = f"beside an EEG, an EMG without a muscle is mostly of the chin. Else say so: --channel '{one.label}=emg:leg'"
    return replace(one, meaning=Meaning("", "", why=why))


def _distinct(path: Path, emg: list[Taken]) -> list[Taken]:
    """EMG channels in order of side, rate and site; sites that two share take a number from the channel's name."""
    found = []
    for one in emg:
        same = [other for other in emg if (other.site, other.meaning.side) == (one.site, one.meaning.side)]
        if len(same) > 1:
            digits = "".join(letter for letter in split(one.label)[0] if letter.isdigit())
            if len({"".join(c for c in split(other.label)[0] if c.isdigit()) for other in same}) < len(same):
                names = ", ".join(other.label for other in same)
                raise RecordingError(
                    f"{path}: two EMG channels are of one site, {one.site}: {names}. "
                    f"Say which is which: --channel '{same[-1].label}=emg:{one.site}_2'"
                )
            number = f"{one.site}_{digits}" if digits else one.site
            one = replace(one, meaning=replace(one.meaning, place=number))  # noqa: PLW2901
        found.append(one)
    return sorted(found, key=lambda one: (one.meaning.side, one.fs_hz, one.site))


def _accelerometers(path: Path, axes: list[Taken]) -> tuple[list[Accelerometer], dict[int, str]]:
    """Whole accelerometers in the file's order, and of the channels of others why they are left out."""
    by_place: dict[tuple[str, str], dict[str, Taken]] = {}
    for one in axes:
        mine = by_place.setdefault((one.meaning.place, one.meaning.side), {})
        if one.meaning.axis in mine:
            raise RecordingError(f"{path}: two channels are axis {one.meaning.axis} of one accelerometer: "
                                 f"{mine[one.meaning.axis].label} and {one.label}")  # fmt: skip
        mine[one.meaning.axis] = one
    whole: list[Accelerometer] = []
    halves: dict[int, str] = {}
    for (place, side), found in by_place.items():
        if set(found) != set("xyz"):
            missing = " and ".join(axis for axis in "xyz" if axis not in found)
            halves |= {one.index: f"acceleration without its axis {missing}" for one in found.values()}
            continue
        x, y, z = (found[axis] for axis in "xyz")
        if not (x.fs_hz and y.fs_hz and z.fs_hz):
            halves |= {one.index: "acceleration without values" for one in found.values()}
            continue
        if not isclose(x.fs_hz, y.fs_hz) or not isclose(x.fs_hz, z.fs_hz):
            raise RecordingError(f"{path}: the axes of ACC {place or x.label} differ in rate")
        whole.append(Accelerometer(place, side, (x, y, z)))
    return whole, halves


def _legs(emg: list[Taken], whole: list[Accelerometer]) -> tuple[tuple[Worn, ...], list[str]]:
    """One leg, or two where the names say both left and right; each with the accelerometer that suits it best."""
    sides = {one.meaning.side for one in emg}
    notes: list[str] = []
    if set(SIDES) <= sides:
        notes.append("Two legs in one file: each is judged by itself.")
        if "" in sides:
            lost = ", ".join(one.label for one in emg if not one.meaning.side)
            example = EXAMPLE.replace("=emg:", "=emg:left_")
            notes.append(f"Not known of which leg, and left out: {lost}. Say so: {example}")
        legs = [(side, [one for one in emg if one.meaning.side == side]) for side in SIDES]
    else:
        legs = [(next(iter(sides - {""}), ""), emg)] if emg else []
    worn = []
    for side, channels in legs:
        acc, note = _suits(side, channels, whole)
        notes += [note] if note else []
        worn.append(Worn(side, tuple(sorted(channels, key=lambda one: (one.fs_hz, one.site))), acc))
    return tuple(worn), notes


def _suits(side: str, emg: list[Taken], whole: list[Accelerometer]) -> tuple[Accelerometer | None, str]:
    """The accelerometer of a leg: one that was asked for, else on the shank, else beside an electrode."""
    fits = [acc for acc in whole if (not side or acc.side in {"", side}) and _rank(acc) < 3]
    if not fits:
        return None, ""
    best = [acc for acc in fits if _rank(acc) == min(map(_rank, fits))]
    if len({acc.side for acc in best}) > 1 and not side:
        names = " or ".join(acc.name for acc in best)
        return None, (
            f"Which acceleration is of the leg with the EMG, {names}? None was taken. "
            "Say so: --channel LABEL=acc:shank:x"
        )
    beside = [acc for acc in best if acc.place and acc.place in {one.site.removeprefix("emg_") for one in emg}]
    first = (beside or best)[0]
    if len(best) > 1:
        return first, f"Several accelerometers would suit; taken: {first.axes[0].label} and its y and z."
    return first, ""


def _rank(acc: Accelerometer) -> int:
    place = set(acc.place.split("_"))
    if any(axis.asked for axis in acc.axes):
        return 0
    return 1 if place & SHANK else 3 if place & FAR else 2


def _check_unit(path: Path, one: Taken) -> None:
    known = UV if one.meaning.kind == "emg" else G
    if one.unit in known:
        return
    names = "uV, mV or V" if one.meaning.kind == "emg" else "g, mg or m/s2"
    example = "mV" if one.meaning.kind == "emg" else "g"
    stated = f"has unit {one.unit!r}" if one.unit else "has no unit"
    count = " (or count, where the gain is not known)" if one.meaning.kind == "emg" else ""
    raise RecordingError(
        f"{path}: channel {one.label!r} {stated}: it must be {names}. Say so: --unit '{one.label}={example}'{count}"
    )


def _left_out(one: Taken, *, halves: dict[int, str]) -> Taken:
    why = halves.get(one.index, one.meaning.why)
    if not why:
        why = "another accelerometer was taken" if one.meaning.kind == "acc" else "not known of which leg"
    return replace(one, meaning=Meaning("", "", why=why))


def _nothing(path: Path, labels: list[str], halves: list[int]) -> str:
    half = " of which three axes belong together" if halves else ""
    first = labels[0] if labels else "EMG1"
    return (
        f"{path}: no EMG channel, and no acceleration{half}: its channels are {', '.join(labels) or 'none'}. Name EMG "
        f"channels `EMG <site>`, or say what one is: --channel '{first}=emg:gastrocnemius_medialis'"
    )
