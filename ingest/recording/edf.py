"""EDF, EDF+, BDF and BDF+: the header by edfio, the records read by ourselves a minute at a time.

edfio reads a BDF file whole. The layout of the records is the same in all four: per record the samples of each signal
in turn, in two bytes (EDF) or three (BDF), little-endian; the first annotation of each record of a `+` file is its
time, so that pauses (EDF+D) are found.
"""

import datetime as dt
import io
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import edfio
import numpy as np
from numpy.typing import NDArray

from ingest.errors import RecordingError
from ingest.recording.source import Block, Channel, Values

PIECE_S: Final = 60.0
PAUSE_S: Final = 1e-3
_ONSET: Final = re.compile(rb"^([+-]\d+(?:\.\d*)?)\x14")


@dataclass(frozen=True, slots=True)
class EdfSource:
    """Records of an EDF or BDF file, mapped and not loaded."""

    format: str
    channels: tuple[Channel, ...]
    start_ns: int
    duration_s: float
    notes: tuple[str, ...]
    records: NDArray[np.uint8]  # (records, bytes)
    spans: tuple[tuple[int, int], ...]  # bytes of each channel in a record
    record_s: float
    onsets_s: NDArray[np.float64]  # of each record, from the start of the file

    def blocks(self, picked: Sequence[int]) -> Iterator[Block]:
        """A minute of records at a time, cut at pauses."""
        most = max(1, int(PIECE_S / self.record_s))
        steps = np.diff(self.onsets_s) - self.record_s
        edges = [0, *(np.flatnonzero(np.abs(steps) > PAUSE_S) + 1).tolist(), len(self.records)]
        for first, end in pairwise(edges):
            for at in range(first, end, most):
                piece = self.records[at : min(at + most, end)]
                samples = tuple(self._values(piece, k) for k in picked)
                yield Block(start_s=float(self.onsets_s[at]), samples=samples)

    def _values(self, piece: NDArray[np.uint8], k: int) -> Values:
        first, end = self.spans[k]
        return _decode(np.ascontiguousarray(piece[:, first:end]).reshape(-1), 3 if self.format == "BDF" else 2)


def open_edf_source(path: Path, *, is_bdf: bool) -> EdfSource:
    """Open a file that begins as EDF or BDF does, or raise `RecordingError`."""
    with path.open("rb") as file:
        head = file.read(256)
        size = 3 if is_bdf else 2
        try:
            head += file.read(256 * int(head[252:256]))
            labels, counts = _shape(head)
            width = size * sum(counts)
            edf, date_notes = _header(head + file.read(width), is_bdf=is_bdf)
            start_ns, record_s = _start_ns(edf), float(edf.data_record_duration)
            channels = tuple(_channel(signal) for signal in edf.signals)
        except Exception as error:  # edfio raises many kinds on bytes that are not EDF
            raise RecordingError(f"{path}: is damaged: {' '.join(str(error).split())}") from error
    have, left = divmod(path.stat().st_size - len(head), width) if width else (0, 0)
    if have <= 0 or not record_s:
        raise RecordingError(f"{path}: holds no samples")
    records = np.memmap(path, np.uint8, "r", offset=len(head), shape=(have, width))
    edges = np.concatenate([[0], np.cumsum(counts)]) * size
    spans = [(int(first), int(end)) for first, end in pairwise(edges)]
    times = [span for span, label in zip(spans, labels, strict=True) if label.endswith("Annotations")]
    onsets_s = _onsets_s(path, records[:, slice(*times[0])] if times else None, have, record_s)
    return EdfSource(
        format="BDF" if is_bdf else "EDF",
        channels=channels,
        start_ns=start_ns,
        duration_s=float(onsets_s[-1]) + record_s,
        notes=(*date_notes, *_notes(head, have=have, left=left, onsets_s=onsets_s, record_s=record_s)),
        records=records,
        spans=tuple(span for span in spans if span not in times),
        record_s=record_s,
        onsets_s=onsets_s,
    )


def _shape(head: bytes) -> tuple[list[str], list[int]]:
    """Label and samples a record of every signal, annotations too, which edfio keeps to itself."""
    n = int(head[252:256])
    labels = [head[256 + 16 * k : 272 + 16 * k].decode("latin-1").strip() for k in range(n)]
    at = 256 + 216 * n
    return labels, [int(head[at + 8 * k : at + 8 * k + 8]) for k in range(n)]


def _header(head: bytes, *, is_bdf: bool) -> tuple[Any, tuple[str, ...]]:
    """What edfio makes of the header and the first record, and what it finds odd about the date."""
    read: Any = edfio.read_bdf if is_bdf else edfio.read_edf
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it misses the other records
        edf = read(io.BytesIO(head), header_encoding="latin-1")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        _start_ns(edf)
    return edf, tuple(dict.fromkeys(str(warning.message) for warning in caught))


def _notes(head: bytes, *, have: int, left: int, onsets_s: NDArray[np.float64], record_s: float) -> Iterator[str]:
    stated = int(head[236:244])
    if left:
        yield "Incomplete data record at the end: the file was cut off, and is read as far as it goes."
    if stated not in {-1, have}:
        yield f"The header states {stated} data records, the file holds {have}."
    if pauses := int(np.count_nonzero(np.abs(np.diff(onsets_s) - record_s) > PAUSE_S)):
        yield f"The recording has {pauses} pause(s); what happened in them is not known."


def _onsets_s(path: Path, times: NDArray[np.uint8] | None, have: int, record_s: float) -> NDArray[np.float64]:
    """Start of every record from that of the first, as its first annotation states it."""
    if times is None:
        return np.asarray(np.arange(have) * record_s, np.float64)
    found = [_ONSET.match(record.tobytes()) for record in times]
    if not all(found):
        raise RecordingError(f"{path}: is damaged: a data record does not state its time, as EDF+ asks")
    onsets_s = np.array([float(match[1]) for match in found if match])
    if (np.diff(onsets_s) < record_s - PAUSE_S).any():
        raise RecordingError(f"{path}: is damaged: its data records are not in order of time")
    return np.asarray(onsets_s - onsets_s[0], np.float64)


def _channel(signal: Any) -> Channel:
    """A channel; one with an empty range has no gain."""
    digital = float(signal.digital_max - signal.digital_min)
    gain = float(signal.physical_max - signal.physical_min) / digital if digital else 0.0
    return Channel(
        label=signal.label.strip(),
        unit=str(signal.physical_dimension),
        fs_hz=float(signal.sampling_frequency),
        gain=gain,
        zero=float(signal.physical_min) - gain * float(signal.digital_min),
        rails=(float(signal.digital_min), float(signal.digital_max)),
    )


def _start_ns(edf: Any) -> int:
    try:
        moment = dt.datetime.combine(edf.startdate, edf.starttime, tzinfo=dt.UTC)
    except ValueError:  # the date was removed to protect the person
        return 0
    return (int(moment.timestamp()) * 1_000_000 + moment.microsecond) * 1000


def _decode(raw: NDArray[np.uint8], size: int) -> Values:
    """Little-endian integers of two or three bytes."""
    if size == 2:
        return raw.view("<i2")
    low, middle, high = raw.reshape(-1, 3).T.astype(np.int32)
    return np.asarray(low | middle << 8 | (high ^ 128) - 128 << 16, np.int32)
