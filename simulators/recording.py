"""Writes what a device records as EDF+ files, the truth beside them and, as annotations, within them."""

import datetime as dt
from pathlib import Path
from typing import Final

import numpy as np
from edfio import Edf, EdfAnnotation, EdfSignal, Recording

from simulators.device import Device
from simulators.errors import RecordingError
from simulators.link import Span
from simulators.render import CountArray, Renderer
from simulators.truth import Truth, write_truth

LONGEST_S: Final = 30 * 3600.0
BYTES: Final = 2 * 1024**3
RANGE: Final = (-32768, 32767)
# EDF has 16 characters for a label; the whole name is in the transducer field.
LABELS: Final = {
    "gastrocnemius_medialis": "EMG gastroc_med",
    "gastrocnemius_lateralis": "EMG gastroc_lat",
    "tibialis_anterior": "EMG tibialis_ant",
    "soleus": "EMG soleus",
}


def write_edf(device: Device, path: Path) -> tuple[Path, ...]:
    """Writes one file per unbroken stretch of recording, and the truth as `.truth.json`; returns the EDF+ files.

    A device with one stretch gives exactly `path`; of several, each file has its number before the suffix.
    """
    if path.suffix.lower() != ".edf":
        raise RecordingError(f"{path} must end in .edf")
    sessions = [span for _, span in device.sessions()]
    truth = device.truth()
    paths = [path] if len(sessions) == 1 else [path.with_stem(f"{path.stem}-{n + 1}") for n in range(len(sessions))]
    if not paths:
        raise RecordingError(f"{device.device} records nothing: there is no file to write")
    renderer = Renderer(device.leg, device.front)
    for span, target in zip(sessions, paths, strict=True):
        edf = _edf(device, renderer, span, truth)
        try:
            edf.write(target)
        except OSError as error:
            raise RecordingError(f"cannot write {target}: {error}") from error
    write_truth(path.with_suffix(".truth.json"), truth)
    return tuple(paths)


def _edf(device: Device, renderer: Renderer, span: Span, truth: Truth) -> Edf:
    front = device.front
    seconds = int((span[1] - span[0]) / device.block_s + 1e-9) * device.block_s
    size = 2 * seconds * (front.emg_fs_hz * len(device.sites) + 3 * front.acc_fs_hz)
    if seconds > LONGEST_S or size > BYTES:
        raise RecordingError(f"{seconds / 3600:.1f} h and {size / 1e6:.0f} MB are too much for one EDF+ file")
    record_s = _record_s(seconds, (front.emg_fs_hz, front.acc_fs_hz))
    start_ns = device.start_ns + round(span[0] * 1e9)
    begin = dt.datetime.fromtimestamp(start_ns // 1_000_000_000, tz=dt.UTC)
    signals = [
        _signal(renderer.emg(site, *_range(span[0], seconds, front.emg_fs_hz)), front.emg_fs_hz,
                scale=front.emg_scale, unit="uV", label=LABELS[site], site=site)
        for site in device.sites
    ]  # fmt: skip
    shank = renderer.acc(*_range(span[0], seconds, front.acc_fs_hz))
    signals += [
        _signal(counts, front.acc_fs_hz, scale=front.acc_scale, unit="g", label=f"ACC shank {axis}", site="shank")
        for counts, axis in zip(shank, "xyz", strict=True)
    ]
    return Edf(
        signals,
        recording=Recording(startdate=begin.date(), equipment_code=device.device),
        starttime=begin.time().replace(microsecond=start_ns // 1000 % 1_000_000),
        data_record_duration=record_s,
        annotations=_annotations(truth, start_ns, seconds),
    )


def _signal(counts: CountArray, fs_hz: float, *, scale: float, unit: str, label: str, site: str) -> EdfSignal:
    low, high = RANGE
    return EdfSignal.from_digital(
        counts, fs_hz, label=label, physical_dimension=unit, digital_range=RANGE,
        physical_range=(low * scale, round(high * scale, 6)), transducer_type=site,
    )  # fmt: skip


def _range(start_s: float, seconds: float, fs_hz: float) -> tuple[int, int]:
    first = int(np.ceil(start_s * fs_hz - 1e-6))
    return first, first + round(seconds * fs_hz)


def _record_s(seconds: float, rates_hz: tuple[float, ...]) -> float:
    """The shortest whole number of seconds in which every rate has whole samples."""
    for record_s in (1, 2, 4, 5, 8, 10, 20):
        if all(float(rate * record_s).is_integer() for rate in rates_hz) and seconds % record_s == 0:
            return float(record_s)
    raise RecordingError(
        f"EDF+ needs records with whole samples: {seconds:g} s at {', '.join(f'{rate:g}' for rate in rates_hz)} Hz"
    )


def _annotations(truth: Truth, start_ns: int, seconds: float) -> list[EdfAnnotation]:
    found = []
    for event in truth.events:
        onset_s, end_s = (event.onset_ns - start_ns) / 1e9, (event.end_ns - start_ns) / 1e9
        if end_s > 0 and onset_s < seconds:
            text = f"{event.kind} {event.site}"
            found.append(EdfAnnotation(max(onset_s, 0.0), min(end_s, seconds) - max(onset_s, 0.0), text))
    return found
