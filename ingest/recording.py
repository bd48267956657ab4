"""A recording in a file is the stream fed once: reads EDF and EDF+ and runs the same detector over it.

Channels are recognised by label: `EMG <site>` in µV, mV or V, and `ACC <site> x|y|z` in g, mg or m/s². Channels of
another kind are left out, and named. Memory is bounded, whatever the length: a minute is read at a time.
Sites are in order of name, as those of a device are, so that both give the same results to the last digit.
"""

import datetime as dt
import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import edfio
import numpy as np

from detector import (
    DEFAULT,
    VERSION,
    Chunk,
    DetectorError,
    Episode,
    Epochs,
    Group,
    Layout,
    Params,
    finish,
    start,
    update,
)
from detector.layout import CountArray, FloatArray
from ingest.errors import RecordingError

PIECE_S: Final = 60
UV: Final = {"uv": 1.0, "µv": 1.0, "μv": 1.0, "mv": 1e3, "v": 1e6}
G: Final = {"g": 1.0, "mg": 1e-3, "m/s2": 1 / 9.80665, "m/s^2": 1 / 9.80665, "m/s²": 1 / 9.80665}
ACC_SCALE: Final = 1 / 2048  # g per count where the file's own counts carry an offset; ±16 g
SITES: Final = {  # a label has 16 characters
    "gastroc_med": "gastrocnemius_medialis",
    "gastroc_lat": "gastrocnemius_lateralis",
    "tibialis_ant": "tibialis_anterior",
}
HEADER: Final = b"0       "  # of every EDF file; BDF and others differ
_EMG = re.compile(r"EMG[ _:-]+(?P<site>.+)", re.IGNORECASE)
_ACC = re.compile(r"ACC[ _:-]+(?P<site>.+?)[ _:-]+(?P<axis>[xyz])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Recording:
    """An open recording: what is in it, and its samples a minute at a time."""

    path: Path
    layout: Layout
    sites: tuple[str, ...]  # EMG channel c of the layout is worn at sites[c]
    start_ns: int  # UTC; 0 where the file states no date
    duration_s: float
    ignored: tuple[str, ...]  # labels of channels that were left out
    notes: tuple[str, ...]  # what is odd about the file
    signals: tuple[tuple[Any, ...], ...]  # the file's signals, by group
    scale: tuple[FloatArray, ...]

    def pieces(self) -> Iterator[Chunk]:
        """The recording in order, `(1, C, n)` samples a group."""
        for first_s in np.arange(0.0, self.duration_s, PIECE_S):
            last_s = min(first_s + PIECE_S, self.duration_s)
            samples = tuple(
                np.stack([_counts(s, float(first_s), float(last_s), group.kind) for s in signals])[None]
                for signals, group in zip(self.signals, self.layout.groups, strict=True)
            )
            t0_ns = np.array([self.start_ns + round(first_s * 1e9)])
            yield Chunk(t0_ns=t0_ns, samples=samples, scale=self.scale)


@dataclass(frozen=True, slots=True)
class Found:
    """What the detector found in a recording."""

    episodes: tuple[Episode, ...]  # as they stand at the end; none is preliminary
    epochs: tuple[Epochs, ...]

    def coverage(self) -> dict[str, float]:
        """Seconds received, worn and usable by the leg: a second counts where any site gives it."""
        names = ("received_s", "worn_s", "usable_s")
        totals = dict.fromkeys(names, 0.0)
        for epochs in self.epochs:
            starts, index = np.unique(epochs.start_ns, return_inverse=True)
            for name in names:
                most = np.zeros(len(starts))
                np.maximum.at(most, index, getattr(epochs, name))
                totals[name] += float(most.sum())
        return totals


def detect(recording: Recording, *, params: Params = DEFAULT, progress: Callable[[float], None] | None = None) -> Found:
    """Run the detector over a recording; `progress` is told the seconds done."""
    state = start(recording.layout, 1)
    episodes: dict[tuple[int, int], Episode] = {}
    epochs = []
    for index, chunk in enumerate(recording.pieces()):
        results, state = update(state, chunk, params=params)
        epochs.append(results.epochs)
        episodes.update({(e.channel, e.onset_ns): e for e in results.episodes})
        if progress is not None:
            progress(min((index + 1) * PIECE_S, recording.duration_s))
    rest = finish(state, params=params)
    episodes.update({(e.channel, e.onset_ns): e for e in rest.episodes})
    ordered = sorted(episodes.values(), key=lambda e: (e.onset_ns, e.channel))
    return Found(episodes=tuple(ordered), epochs=(*epochs, rest.epochs))


def report(recording: Recording, found: Found, *, params: Params = DEFAULT) -> dict[str, Any]:
    """What was found as plain values for JSON: seconds are counted from the start of the file."""
    return {
        "file": str(recording.path),
        "duration_s": recording.duration_s,
        "coverage": {"expected_s": recording.duration_s, **found.coverage()},
        "ignored_channels": list(recording.ignored),
        "detector": VERSION,
        "params": params.digest,
        "episodes": [
            {
                "stream": recording.sites[episode.channel],
                "onset_s": (episode.onset_ns - recording.start_ns) / 1e9,
                "end_s": (episode.end_ns - recording.start_ns) / 1e9,
                "severity": episode.severity,
                "severity_parts": {
                    part: getattr(episode, f"severity_{part}")
                    for part in ("amplitude", "duration", "load", "recruitment")
                },
                "grade": episode.grade,
                "confidence": episode.confidence,
                "flags": sorted(episode.flags),
                "load": episode.load,
                "peak_uv": episode.peak_uv,
                "peak_ratio": episode.peak_ratio,
                "sites": [recording.sites[channel] for channel in episode.channels],
                "status": episode.status,
            }
            for episode in found.episodes
        ],
    }


def open_edf(path: Path) -> Recording:
    """Open an EDF or EDF+ file, or raise `RecordingError`."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        edf = _read(path)
        start_ns = _start_ns(edf)
    emg, acc, ignored = _sort(path, edf)
    groups, signals, sites = [], [], []
    for fs_hz in sorted({signal.sampling_frequency for _, signal in emg}):
        same = [(site, signal) for site, signal in emg if signal.sampling_frequency == fs_hz]
        groups.append(_group(path, "emg", fs_hz, len(same)))
        signals.append(tuple(signal for _, signal in same))
        sites += [site for site, _ in same]
    if acc:
        groups.append(_group(path, "acc", acc[0].sampling_frequency, 3))
        signals.append(acc)
    return Recording(
        path=path,
        layout=Layout(tuple(groups)),
        sites=tuple(sites),
        start_ns=start_ns,
        duration_s=float(edf.duration),
        ignored=ignored,
        notes=tuple(str(warning.message) for warning in caught),
        signals=tuple(signals),
        scale=tuple(
            np.array([[_scale(path, signal, group.kind) for signal in one]], np.float32)
            for one, group in zip(signals, groups, strict=True)
        ),
    )


def _read(path: Path) -> Any:
    try:
        with path.open("rb") as file:
            is_edf = file.read(len(HEADER)) == HEADER
        edf = edfio.read_edf(path, lazy_load_data=True, header_encoding="latin-1") if is_edf else None
    except OSError as error:
        raise RecordingError(f"{path}: cannot be read: {error.strerror or error}") from error
    except Exception as error:  # edfio raises many kinds on bytes that are not EDF
        raise RecordingError(f"{path}: is damaged: {error}") from error
    if edf is None:
        raise RecordingError(f"{path}: is not an EDF or EDF+ file")
    if not edf.duration:
        raise RecordingError(f"{path}: holds no samples")
    if edf.reserved.startswith("EDF+D") and not edf.is_continuous:
        raise RecordingError(f"{path}: has pauses (EDF+D). Split it there: each part becomes a file without any.")
    return edf


def _sort(path: Path, edf: Any) -> tuple[list[tuple[str, Any]], tuple[Any, ...], tuple[str, ...]]:
    """EMG signals with their sites, the three axes of one accelerometer or none, and the labels of the rest."""
    emg: list[tuple[str, Any]] = []
    axes: dict[str, dict[str, Any]] = {}
    ignored = []
    for signal in edf.signals:
        if match := _EMG.fullmatch(signal.label.strip()):
            site = _slug(match["site"])
            emg.append((SITES.get(site, site), signal))
        elif match := _ACC.fullmatch(signal.label.strip()):
            of_site = axes.setdefault(_slug(match["site"]), {})
            if match["axis"].lower() in of_site:
                raise RecordingError(f"{path}: two channels are named {signal.label}")
            of_site[match["axis"].lower()] = signal
        else:
            ignored.append(signal.label)
    whole = {site: tuple(found[a] for a in "xyz") for site, found in axes.items() if set(found) == set("xyz")}
    chosen = next((site for site in whole if "shank" in site or "tibia" in site), next(iter(whole), None))
    ignored += [s.label for site, found in axes.items() if site != chosen for s in found.values()]
    if not emg:
        labels = ", ".join(edf.labels) or "none"
        raise RecordingError(
            f"{path}: no EMG channel: its channels are {labels}. Name EMG channels `EMG <site>`, "
            "for instance `EMG gastrocnemius_medialis`."
        )
    names = sorted(site for site, _ in emg)
    if len(set(names)) != len(names):
        raise RecordingError(f"{path}: two EMG channels are of one site: {', '.join(names)}")
    acc = whole[chosen] if chosen is not None else ()
    if len({signal.sampling_frequency for signal in acc}) > 1:
        raise RecordingError(f"{path}: the axes of ACC {chosen} differ in rate")
    return sorted(emg, key=lambda named: named[0]), acc, tuple(ignored)


def _group(path: Path, kind: Any, fs_hz: float, channels: int) -> Group:
    try:
        return Group(kind, float(fs_hz), channels)
    except DetectorError as error:
        raise RecordingError(f"{path}: {error}") from error


def _scale(path: Path, signal: Any, kind: str) -> float:
    """µV or g per count of what `_counts` gives."""
    unit = _unit(signal)
    factor = (UV if kind == "emg" else G).get(unit.lower())
    if factor is None:
        known = "uV, mV or V" if kind == "emg" else "g, mg or m/s2"
        raise RecordingError(f"{path}: channel {signal.label!r} has unit {unit or 'none'!r}: it must be {known}")
    if signal.digital_max == signal.digital_min or not _gain(signal):
        raise RecordingError(f"{path}: channel {signal.label!r} has an empty range: its values have no size")
    if kind == "acc" and _offset(signal):
        return ACC_SCALE
    return abs(_gain(signal)) * factor


def _unit(signal: Any) -> str:
    """EDF is ASCII, but µ and ² are met: as one byte, or in UTF-8 as two, of which the first looks like Â."""
    return str(signal.physical_dimension).replace("Â", "").strip()


def _gain(signal: Any) -> float:
    return float((signal.physical_max - signal.physical_min) / (signal.digital_max - signal.digital_min))


def _offset(signal: Any) -> bool:
    """Whether counts times gain are not the physical value: zero is off by most of a count, or the gain is negative."""
    zero = signal.physical_min - _gain(signal) * signal.digital_min
    return bool(_gain(signal) < 0 or abs(zero) > _gain(signal) * 0.75)


def _counts(signal: Any, first_s: float, last_s: float, kind: str) -> CountArray:
    """Counts of a stretch; an EMG offset is left in, for the detector is blind to it."""
    digital = signal.get_digital_slice(first_s, last_s)
    if kind == "emg" or not _offset(signal):
        return np.asarray(digital, dtype=np.int16)
    zero = signal.physical_min - _gain(signal) * signal.digital_min
    physical = (digital * _gain(signal) + zero) * G[_unit(signal).lower()]
    counts: CountArray = np.clip(np.rint(physical / ACC_SCALE), -32768, 32767).astype(np.int16)
    return counts


def _start_ns(edf: Any) -> int:
    try:
        moment = dt.datetime.combine(edf.startdate, edf.starttime, tzinfo=dt.UTC)
    except ValueError:  # the date was removed to protect the person
        return 0
    return (int(moment.timestamp()) * 1_000_000 + moment.microsecond) * 1000


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.strip().lower()).strip("_") or "unnamed"
