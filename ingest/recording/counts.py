"""From raw values to the int16 counts that the detector takes, without clipping and without losing what is small.

An EDF signal is int16 already and passes as it is, offset and rails included; the detector is blind to an offset.
Others are mapped in one of three ways, chosen by what `survey` found:

1. whole numbers that span no more than 16 bits are moved to the middle and kept, so that rails stay rails;
2. otherwise the span is divided into 16 bits, if a count is then no more than a quarter of the grain (the noise from
   sample to sample in the median second);
3. otherwise, as with 24 bits and a drifting electrode, slow offset is removed (first order, 0.5 Hz; at 20 Hz it is
   gone), and a count is half the grain. That reaches 16,000 times the grain to either side, far beyond any EMG;
   what lies beyond, and raw values at the converter's rails, become the extreme counts.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detector.layout import CountArray
from ingest.recording.source import Values, measured
from ingest.recording.survey import Extent

COUPLING_HZ: Final = 0.5
ACC_G: Final = 1 / 2048  # g per count where counts are ours; ±16 g
ACC_HZ: Final = 200.0  # what the detector takes at most


@dataclass(frozen=True, slots=True)
class Mapping:
    """Raw values to counts: ``round((value - offset) / step)``, AC-coupled first where `couple` is not 0."""

    offset: float
    step: float  # raw values per count
    couple: float = 0.0  # pole of the filter
    rails: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Carry:
    """What a channel hands from one block to the next: its last value and its slow offset."""

    value: float = float("nan")
    slow: float = float("nan")


def mapping(extent: Extent, *, fs_hz: float, rails: tuple[float, float] | None) -> Mapping:
    """The way for a signal of this extent."""
    span = extent.high - extent.low
    middle = (extent.high + extent.low) / 2
    if extent.whole and span <= 65534:
        inside = max(-extent.low, extent.high) <= 32767
        return Mapping(offset=0.0 if inside else float(np.rint(middle)), step=1.0)
    if span == 0:
        return Mapping(offset=middle, step=1.0)
    if span / 65500 <= extent.grain / 4 or extent.grain == 0:
        return Mapping(offset=middle, step=span / 65500)
    pole = float(np.exp(-2 * np.pi * COUPLING_HZ / fs_hz))
    return Mapping(offset=0.0, step=extent.grain / 2, couple=pole, rails=rails)


def to_counts(values: Values, how: Mapping, carry: Carry) -> tuple[CountArray, Carry]:
    """Counts of the next values of a channel; a missing value repeats the last one."""
    filled, last = _fill(values.astype(np.float64), carry.value if np.isfinite(carry.value) else how.offset)
    if not filled.size:
        return np.zeros(0, np.int16), carry
    if not how.couple:
        return _round((filled - how.offset) / how.step), Carry(value=last)
    from scipy.signal import lfilter  # noqa: PLC0415 - takes a second to import, and is seldom needed

    before = carry.slow if np.isfinite(carry.slow) else float(filled[0])
    slow, _ = lfilter([1 - how.couple], [1, -how.couple], filled, zi=[how.couple * before])
    counts = _round((filled - slow) / how.step)
    if how.rails is not None:
        counts[filled <= how.rails[0]] = -32768
        counts[filled >= how.rails[1]] = 32767
    return counts, Carry(value=last, slow=float(slow[-1]))


def fewer(values: Values, factor: int) -> Values:
    """Means of `factor` neighbours: acceleration that comes faster than the detector takes it."""
    return values[: len(values) // factor * factor].reshape(-1, factor).mean(-1) if factor > 1 else values


def _fill(values: NDArray[np.float64], last: float) -> tuple[NDArray[np.float64], float]:
    known = measured(values)
    if not known.all():
        at = np.maximum.accumulate(np.where(known, np.arange(len(values)), -1))
        values = np.where(at < 0, last, values[at])
    return values, float(values[-1]) if len(values) else last


def _round(x: NDArray[np.float64]) -> CountArray:
    counts: CountArray = np.clip(np.rint(x), -32768, 32767).astype(np.int16)
    return counts
