"""What a leg wears: how many signals of which rate, on which muscles. Streams of one layout go together."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from detector.errors import DetectorError

Kind = Literal["emg", "acc"]
CountArray = NDArray[np.int16]
FloatArray = NDArray[np.float32]
TimeArray = NDArray[np.int64]
# Muscles that a willed act works together, as their ordinary names begin; a muscle that is not here stands alone.
SYNERGISTS: Final[Mapping[str, str]] = {
    "gastrocnemius": "calf", "soleus": "calf", "triceps_surae": "calf", "calf": "calf",
    "plantaris": "calf", "flexor_hallucis": "calf", "flexor_digitorum": "calf", "tibialis_posterior": "calf",
    "tibialis_anterior": "shin", "extensor_digitorum": "shin", "extensor_hallucis": "shin",
    "peroneus": "side", "fibularis": "side",
    "vastus": "thigh", "rectus_femoris": "thigh", "quadriceps": "thigh",
    "biceps_femoris": "hamstring", "semitendinosus": "hamstring", "semimembranosus": "hamstring",
    "hamstring": "hamstring",
}  # fmt: skip


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
    """EMG groups first, then at most one accelerometer. Channel `c` of the leg counts through the EMG groups.

    `muscles[c]` names the muscle under channel c, such as "gastrocnemius_medialis"; empty where it is not known.
    """

    groups: tuple[Group, ...]
    muscles: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        kinds = [group.kind for group in self.groups]
        if "emg" not in kinds:
            raise DetectorError("a layout needs at least one EMG group")
        if kinds != sorted(kinds, reverse=True) or kinds.count("acc") > 1:
            raise DetectorError("a layout is its EMG groups, then at most one accelerometer")
        if self.muscles and len(self.muscles) != self.channels:
            raise DetectorError(f"{len(self.muscles)} muscles are named for {self.channels} EMG channels")

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

    def mates(self) -> NDArray[np.bool_]:
        """Which other channels a willed act would work too, `(C, C)`: synergists, and what is on no known muscle.

        Two electrode pairs on one muscle are no mates: a cramp works them both.
        """
        muscles = [re.sub(r"_\d+$", "", name) for name in self.muscles] or [""] * self.channels
        groups = [next((SYNERGISTS[m] for m in SYNERGISTS if m in name), "") for name in muscles]
        pairs = [[not ga or not gb or (ga == gb and a != b) for b, gb in zip(muscles, groups, strict=True)]
                 for a, ga in zip(muscles, groups, strict=True)]  # fmt: skip
        return np.array(pairs, np.bool_) & ~np.eye(self.channels, dtype=np.bool_)


@dataclass(frozen=True, slots=True)
class Chunk:
    """The next samples of S streams of one layout.

    `samples[g]` is int16 `(S, channels, n_g)` of group `g` and `scale[g]` its µV (or g) per count `(S, channels)`;
    `t0_ns` `(S,)` is the UTC time of the first sample as the device states it.
    """

    t0_ns: TimeArray
    samples: tuple[CountArray, ...]
    scale: tuple[FloatArray, ...]
