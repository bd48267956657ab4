"""What comes out: epochs as columns, episodes one by one."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from detector.layout import FloatArray, TimeArray

EpisodeState = Literal["preliminary", "final", "rejected"]


@dataclass(frozen=True, slots=True)
class Episode:
    """One cramp of one stream. Its key is stream, channel and onset: all three are fixed when it opens.

    A preliminary episode still lasts; a final or rejected one has ended. `channels` lists every EMG channel that
    took part, strongest first. Severity and its parts are 0-10; see `severity.py`.
    """

    stream: int
    channel: int
    onset_ns: int
    end_ns: int
    opened_ns: int  # end of the second with which it was known
    status: EpisodeState
    severity: float
    severity_amplitude: float
    severity_duration: float
    severity_load: float
    severity_recruitment: float
    grade: int
    peak_uv: float
    peak_ratio: float
    load: float
    confidence: float
    flags: tuple[str, ...]
    channels: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Epochs:
    """Epochs that ended in this update, one row each; columns of length R. NaN means not measured.

    Flags are a bit field; `detector.quality.FLAGS` names the bits from the lowest.
    """

    stream: NDArray[np.int64]
    channel: NDArray[np.int64]
    start_ns: TimeArray
    received_s: FloatArray
    worn_s: FloatArray
    usable_s: FloatArray
    rms_uv: FloatArray
    rest_uv: FloatArray
    median_hz: FloatArray
    movement_g: FloatArray
    angle_deg: FloatArray
    flags: NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class Results:
    """All that one update found: ended epochs, and episodes opened or closed in order of time."""

    epochs: Epochs
    episodes: tuple[Episode, ...]
