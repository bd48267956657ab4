"""What a generator gives: the signals of one leg as a device would record them, and the truth about them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

CountArray = NDArray[np.int16]
Kind = Literal["event", "night", "day"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cramp:
    """One true cramp, in seconds from the start of the recording."""

    onset_s: float  # its own EMG begins to exceed rest
    end_s: float  # and ceases to
    peak_ratio: float  # highest 1-s RMS over the resting RMS, in the muscle that cramps most
    load: float  # integral of (RMS / rest - 1) over the cramp in seconds, in that muscle
    site: str  # that muscle


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """A recording of one leg: counts as a converter gives them, and what really happened.

    An "event" is a short recording about one thing; a "night" and a "day" are as mixed as real ones and as long as
    they claim, so that false alarms can be counted per night and per day.
    """

    kind: Kind
    sites: tuple[str, ...]  # of the EMG channels
    emg: CountArray  # (C, n)
    emg_fs_hz: float
    emg_scale_uv: float  # µV per count
    acc: CountArray | None  # (3, m); None: the device has no accelerometer
    acc_fs_hz: float
    acc_scale_g: float  # g per count
    cramps: tuple[Cramp, ...]

    @property
    def duration_s(self) -> float:
        return float(self.emg.shape[-1] / self.emg_fs_hz)


Scenarios = Mapping[str, Callable[[int], Leg]]
