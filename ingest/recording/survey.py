"""How large a signal is and how fine: one pass over it, in bounded memory, before it is turned into counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ingest.recording.source import Source, Values, measured

STEPS: Final = 8  # of the histogram, to a factor of two
REACH: Final = 60  # factors of two to either side of one


@dataclass(frozen=True, slots=True)
class Extent:
    """Of one channel, in raw values; all zero where nothing was measured."""

    low: float
    high: float
    whole: bool  # nothing but whole numbers
    grain: float  # noise from sample to sample in the median second, silent ones left out


@dataclass(slots=True)
class _Tally:
    """The running figures of one channel."""

    low: float
    high: float
    whole: bool
    seconds: NDArray[np.int64]  # by logarithm of grain


def survey(source: Source, picked: Sequence[int]) -> tuple[Extent, ...]:
    """Extent of each picked channel."""
    tallies = [_Tally(np.inf, -np.inf, whole=True, seconds=np.zeros(2 * REACH * STEPS, np.int64)) for _ in picked]
    for block in source.blocks(picked):
        for tally, k, values in zip(tallies, picked, block.samples, strict=True):
            _count(tally, values, max(2, int(source.channels[k].fs_hz)))
    return tuple(map(_extent, tallies))


def _count(tally: _Tally, values: Values, second: int) -> None:
    known = measured(values)
    finite = values[known]
    if not finite.size:
        return
    tally.low, tally.high = min(tally.low, float(finite.min())), max(tally.high, float(finite.max()))
    tally.whole = tally.whole and bool((finite == np.rint(finite)).all())
    n = min(second, len(values))
    if n < 2:
        return
    rows = np.where(known, values, np.nan)[: len(values) // n * n].reshape(-1, n).astype(np.float64)
    grain = np.diff(rows, axis=-1).std(axis=-1) / np.sqrt(2)
    grain = grain[np.isfinite(grain) & (grain > 0)]
    bins = np.clip(np.floor((np.log2(grain) + REACH) * STEPS), 0, 2 * REACH * STEPS - 1).astype(np.int64)
    tally.seconds += np.bincount(bins, minlength=2 * REACH * STEPS)


def _extent(tally: _Tally) -> Extent:
    if tally.low > tally.high:
        return Extent(0.0, 0.0, whole=True, grain=0.0)
    total = np.cumsum(tally.seconds)
    median = int(np.searchsorted(total, (total[-1] + 1) // 2)) if total[-1] else None
    grain = 0.0 if median is None else 2.0 ** ((median + 0.5) / STEPS - REACH)
    return Extent(tally.low, tally.high, whole=tally.whole, grain=grain)
