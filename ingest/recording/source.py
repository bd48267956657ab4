"""What a file of any format gives: its channels, and their samples in order, a stretch at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

BEYOND: Final = 1e100
Values = NDArray[Any]  # of one channel, int16, int32 or float64; NaN is missing


def measured(values: Values) -> NDArray[np.bool_]:
    """Which values are measurements: not missing, and not beyond all measure, as damaged bytes may be."""
    return np.isfinite(values) & (np.abs(values) < BEYOND)


@dataclass(frozen=True, slots=True)
class Channel:
    """One signal as its file describes it; a raw value times `gain` plus `zero` is in `unit`."""

    label: str
    unit: str  # as stated; empty where none is
    fs_hz: float
    gain: float = 1.0
    zero: float = 0.0
    rails: tuple[float, float] | None = None  # raw values at which the converter clips, where the file says so


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch without a gap: `samples[k]` are raw values of the k-th channel asked for, all from `start_s` on."""

    start_s: float  # from the start of the file
    samples: tuple[Values, ...]


class Source(Protocol):
    """An open file. Reading goes through it once, in bounded memory, and may be repeated."""

    @property
    def format(self) -> str: ...
    @property
    def channels(self) -> tuple[Channel, ...]: ...
    @property
    def start_ns(self) -> int:
        """UTC; 0 where the file states no date."""

    @property
    def duration_s(self) -> float: ...
    @property
    def notes(self) -> tuple[str, ...]:
        """What is odd about the file."""

    def blocks(self, picked: Sequence[int]) -> Iterator[Block]:
        """The channels with these positions, in order of time; the first of them says where gaps are."""
