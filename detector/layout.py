"""What a leg wears: how many signals of which rate. Streams of one layout are processed together."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from detector.errors import DetectorError

Kind = Literal["emg", "acc"]
CountArray = NDArray[np.int16]
FloatArray = NDArray[np.float32]
TimeArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Group:
    """Signals of one kind and one rate: `channels` EMG sites, or the three axes of an accelerometer."""

    kind: Kind
    fs_hz: float
    channels: int

    def __post_init__(self) -> None:
        low, high = (200.0, 4000.0) if self.kind == "emg" else (10.0, 200.0)
        if not low <= self.fs_hz <= high:
            raise DetectorError(f"{self.kind} at {self.fs_hz:g} Hz: supported are {low:g} to {high:g} Hz")
        if self.kind == "acc" and self.channels != 3:
            raise DetectorError(f"an accelerometer has 3 axes, not {self.channels}")
        if self.channels < 1:
            raise DetectorError("a group needs at least one channel")


@dataclass(frozen=True, slots=True)
class Layout:
    """EMG groups first, then at most one accelerometer. Channel `c` of the leg counts through the EMG groups."""

    groups: tuple[Group, ...]

    def __post_init__(self) -> None:
        kinds = [group.kind for group in self.groups]
        if "emg" not in kinds:
            raise DetectorError("a layout needs at least one EMG group")
        if kinds != sorted(kinds, reverse=True) or kinds.count("acc") > 1:
            raise DetectorError("a layout is its EMG groups, then at most one accelerometer")

    @property
    def emg(self) -> tuple[Group, ...]:
        return tuple(group for group in self.groups if group.kind == "emg")

    @property
    def acc(self) -> Group | None:
        return self.groups[-1] if self.groups[-1].kind == "acc" else None

    @property
    def channels(self) -> int:
        """EMG channels of the leg, all groups together."""
        return sum(group.channels for group in self.emg)


@dataclass(frozen=True, slots=True)
class Chunk:
    """The next samples of S streams of one layout.

    `samples[g]` is int16 `(S, channels, n_g)` of group `g` and `scale[g]` its µV (or g) per count `(S, channels)`;
    `t0_ns` `(S,)` is the UTC time of the first sample as the device states it.
    """

    t0_ns: TimeArray
    samples: tuple[CountArray, ...]
    scale: tuple[FloatArray, ...]
