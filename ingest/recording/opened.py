"""An open recording: its legs as the detector's layouts, and their samples as chunks of counts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from math import ceil
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from detector import Chunk, DetectorError, Group, Layout
from detector.layout import CountArray, FloatArray
from detector.windows import SCALES
from ingest.errors import RecordingError
from ingest.recording.choose import Accelerometer, Taken, Worn, choose
from ingest.recording.counts import ACC_G, ACC_HZ, Carry, Mapping, fewer, mapping, to_counts
from ingest.recording.formats import open_source
from ingest.recording.options import Options
from ingest.recording.source import Block, Channel, Source, Values
from ingest.recording.survey import survey
from ingest.recording.units import UV, G

GAP_S: Final = 0.05  # what the detector takes for a new place in time
UNDATED_NS: Final = 946_684_800_000_000_000  # 2000-01-01: a time like any other, unlike 1970
STATED: Final = {"EDF", "BDF", "Trigno CSV"}  # formats that cannot do without a rate
NO_OPTIONS: Final = Options()


@dataclass(frozen=True, slots=True)
class Lane:
    """How one channel becomes counts."""

    index: int
    kind: Literal["emg", "acc"]
    scale: float  # µV or g per count
    how: Mapping | None  # None where its int16 values are the counts
    fs_hz: float
    factor: int = 1  # neighbours that are averaged


@dataclass(frozen=True, slots=True)
class Recording:
    """One leg of a file: what it wears, and its samples a stretch at a time."""

    path: Path
    side: Literal["left", "right", ""]
    layout: Layout
    sites: tuple[str, ...]  # EMG channel c of the layout is worn at sites[c]
    units: tuple[str, ...]  # and its amplitudes are in units[c]: uV, or count
    start_ns: int  # UTC; `UNDATED_NS` where the file states no date
    duration_s: float
    source: Source
    lanes: tuple[tuple[Lane, ...], ...]  # by group

    @property
    def scale(self) -> tuple[FloatArray, ...]:
        """µV or g per count, `(1, C)` a group."""
        return tuple(np.array([[lane.scale for lane in group]], np.float32) for group in self.lanes)

    def pieces(self) -> Iterator[Chunk]:
        """The recording in order, `(1, C, n)` samples a group."""
        for block, samples in stretches(self.source, self.lanes):
            t0_ns = np.array([self.start_ns + round(block.start_s * 1e9)])
            yield Chunk(t0_ns=t0_ns, samples=tuple(group[None] for group in samples), scale=self.scale)


@dataclass(frozen=True, slots=True)
class RecordingFile:
    """An open file: its legs with EMG, accelerometers where there is no EMG, and what every channel was taken for."""

    path: Path
    format: str
    start_ns: int  # UTC; 0 where the file states no date
    duration_s: float
    legs: tuple[Recording, ...]
    spare: tuple[tuple[Accelerometer, tuple[Lane, ...]], ...]
    channels: tuple[Taken, ...]
    notes: tuple[str, ...]
    source: Source

    @property
    def ignored(self) -> tuple[str, ...]:
        """Labels of the channels that were left out."""
        return tuple(one.label for one in self.channels if not one.meaning.kind)


def open_file(path: Path, options: Options = NO_OPTIONS) -> RecordingFile:
    """Open a file of any format that we read, or raise `RecordingError`."""
    source = open_source(path, options)
    choice = choose(path, source.channels, options)
    unused = ("--rate is not used: the file states its rates.",) if options.rate and source.format in STATED else ()
    return RecordingFile(
        path=path,
        format=source.format,
        start_ns=source.start_ns,
        duration_s=source.duration_s,
        legs=tuple(_leg(path, source, worn) for worn in choice.legs),
        spare=tuple((acc, tuple(_acc_lane(path, source.channels, axis) for axis in acc.axes)) for acc in choice.spare),
        channels=choice.channels,
        notes=(*source.notes, *unused, *choice.notes),
        source=source,
    )


def open_recording(path: Path, options: Options = NO_OPTIONS) -> Recording:
    """The only leg with EMG in a file, or `RecordingError`."""
    legs = open_file(path, options).legs
    if len(legs) != 1:
        told = "two legs. Leave one out: --channel LABEL=none" if legs else "no EMG: there is nothing to detect"
        raise RecordingError(f"{path}: holds {told}")
    return legs[0]


def _leg(path: Path, source: Source, worn: Worn) -> Recording:
    lanes = [_emg_lanes(path, source, [one for one in worn.emg if one.fs_hz == fs_hz])
             for fs_hz in sorted({one.fs_hz for one in worn.emg})]  # fmt: skip
    if worn.acc is not None:
        lanes.append(tuple(_acc_lane(path, source.channels, axis) for axis in worn.acc.axes))
    for taken, lane in zip((*worn.emg, *(worn.acc.axes if worn.acc else ())), chain(*lanes), strict=True):
        if not SCALES[0] <= lane.scale <= SCALES[1]:
            size = f"one count would be {lane.scale:.1g}"
            raise RecordingError(f"{path}: channel {taken.label!r} has values that cannot be in {taken.unit}: {size}")
    try:
        groups = tuple(Group(of[0].kind, of[0].fs_hz / of[0].factor, len(of)) for of in lanes)
        layout = Layout(groups, tuple(one.site for one in worn.emg))
    except DetectorError as error:
        raise RecordingError(f"{path}: {error}. A channel can be left out: --channel LABEL=none") from error
    return Recording(
        path=path,
        side=worn.side,  # type: ignore[arg-type]
        layout=layout,
        sites=tuple(one.site for one in worn.emg),
        units=tuple("count" if one.unit == "count" else "uV" for one in worn.emg),
        start_ns=source.start_ns or UNDATED_NS,
        duration_s=source.duration_s,
        source=source,
        lanes=tuple(lanes),
    )


def _emg_lanes(path: Path, source: Source, emg: Sequence[Taken]) -> tuple[Lane, ...]:
    channels = [source.channels[one.index] for one in emg]
    for channel in channels:
        _check_gain(path, channel)
    if source.format == "EDF":
        hows: list[Mapping | None] = [None] * len(emg)
    else:
        extents = survey(source, [one.index for one in emg])
        hows = [mapping(e, fs_hz=c.fs_hz, rails=c.rails) for e, c in zip(extents, channels, strict=True)]
    return tuple(
        Lane(one.index, "emg", abs(c.gain) * UV[one.unit] * (how.step if how else 1.0), how, c.fs_hz)
        for one, c, how in zip(emg, channels, hows, strict=True)
    )


def _acc_lane(path: Path, channels: Sequence[Channel], axis: Taken) -> Lane:
    channel = channels[axis.index]
    _check_gain(path, channel)
    to_g = channel.gain * G[axis.unit]
    factor = max(1, ceil(channel.fs_hz / ACC_HZ - 1e-9))
    as_it_is = channel.rails is not None and channel.gain > 0 and abs(channel.zero) <= channel.gain * 0.75
    if as_it_is and factor == 1 and channel.rails and max(map(abs, channel.rails)) <= 32768:
        return Lane(axis.index, "acc", to_g, None, channel.fs_hz)
    how = Mapping(offset=-channel.zero / channel.gain, step=ACC_G / to_g)
    return Lane(axis.index, "acc", ACC_G, how, channel.fs_hz, factor)


def _check_gain(path: Path, channel: Channel) -> None:
    if not channel.gain:
        raise RecordingError(f"{path}: channel {channel.label!r} has an empty range: its values have no size")


def stretches(source: Source, lanes: tuple[tuple[Lane, ...], ...]) -> Iterator[tuple[Block, tuple[CountArray, ...]]]:
    """Blocks of the file with their counts `(C, n)` by group; what a block leaves over goes before the next one."""
    flat = [lane for group in lanes for lane in group]
    carries, rest = [Carry()] * len(flat), [np.zeros(0)] * len(flat)
    end_s = -1.0
    for block in source.blocks([lane.index for lane in flat]):
        if abs(block.start_s - end_s) > GAP_S:
            carries, rest = [Carry()] * len(flat), [np.zeros(0)] * len(flat)
        end_s = block.start_s + len(block.samples[0]) / flat[0].fs_hz
        counts = []
        for k, (lane, values) in enumerate(zip(flat, block.samples, strict=True)):
            one, carries[k], rest[k] = _convert(lane, values, carries[k], rest[k])
            counts.append(one)
        cut = np.cumsum([len(group) for group in lanes])[:-1]
        yield block, tuple(_stacked(group) for group in _split(counts, cut.tolist()))


def _convert(lane: Lane, values: Values, carry: Carry, rest: Values) -> tuple[CountArray, Carry, Values]:
    if lane.how is None:
        return np.asarray(values, np.int16), carry, rest
    if lane.factor > 1:
        values = np.concatenate([rest, values])
        whole = len(values) // lane.factor * lane.factor
        rest, values = values[whole:], fewer(values[:whole], lane.factor)
    counts, carry = to_counts(values, lane.how, carry)
    return counts, carry, rest


def _split(counts: list[Any], at: list[int]) -> Iterator[list[CountArray]]:
    for first, end in zip([0, *at], [*at, len(counts)], strict=True):
        yield counts[first:end]


def _stacked(group: list[CountArray]) -> CountArray:
    shortest = min(map(len, group))
    return np.stack([one[:shortest] for one in group])
