"""The sheet a session is drawn on: amplitudes, faults and movement on a grid of 200 Hz, before any sample exists.

Powers add, since motor units of different origin are independent. Untouched arrays are zero pages and cost no memory.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt

from benchmarks.accuracy.leg import Cramp
from benchmarks.accuracy.legs.shaped_person import Device, FloatArray, Wearer

GRID_HZ = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """The shank comes to lie so that `up` (knee, front, outside) points away from the ground."""

    start_s: float
    span_s: float
    up: tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spike:
    """A brief potential such as a fasciculation or an R-wave, seen by each channel with its own gain."""

    at_s: float
    width_s: float
    gain_uv: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stuck:
    """A channel that gives one value only, as a fraction of full scale."""

    channel: int
    start_s: float
    end_s: float
    value: float


@dataclass(slots=True, kw_only=True)
class Canvas:
    rng: Generator
    wearer: Wearer
    device: Device
    duration_s: float
    effort: FloatArray = field(init=False)  # (C, n) power of voluntary and reflex activity over rest squared
    cramp: FloatArray = field(init=False)  # (C, n) power of cramps, which has a spectrum of its own
    artefact_uv: FloatArray = field(init=False)  # (C, n)
    hiss_uv: FloatArray = field(init=False)  # (C, n) amplifier noise beyond the ordinary
    hum_uv: FloatArray = field(init=False)  # (C, n) hum beyond the ordinary
    lifted: FloatArray = field(init=False)  # (C, n) 0 good contact .. 1 none
    linear_g: FloatArray = field(init=False)  # (3, n) acceleration beside gravity, in the axes of the shank
    turns: list[Turn] = field(default_factory=list)
    spikes: list[Spike] = field(default_factory=list)
    stuck: list[Stuck] = field(default_factory=list)
    cramps: list[Cramp] = field(default_factory=list)

    def __post_init__(self) -> None:
        n, count = int(self.duration_s * GRID_HZ) + 2, len(self.device.sites)
        for name in ("effort", "cramp", "artefact_uv", "hiss_uv", "hum_uv", "lifted"):
            setattr(self, name, np.zeros((count, n), np.float32))
        self.linear_g = np.zeros((3, n), np.float32)

    def activate(self, start_s: float, envelope: NDArray[np.floating], weights: Mapping[str, float]) -> None:
        """Add activity of an amplitude over rest, to each muscle by its weight."""
        for channel, site in enumerate(self.device.sites):
            if weights.get(site, 0.0):
                add(self.effort[channel], start_s, np.square(envelope * weights[site]))

    def shake(self, start_s: float, motion_g: NDArray[np.floating]) -> None:
        for axis in range(3):
            add(self.linear_g[axis], start_s, motion_g[axis])

    def pose(self, start_s: float, up: tuple[float, float, float], *, span_s: float = 0.0) -> None:
        self.turns.append(Turn(start_s=start_s, span_s=span_s, up=up))

    def seen_by(self, channel: int, gain_uv: float, *, leak: float = 0.15) -> tuple[float, ...]:
        """Give gains of a potential that arises in one muscle and is seen faintly by the others."""
        return tuple(gain_uv * (1.0 if c == channel else leak) for c in range(len(self.device.sites)))


def grid_slice(track: FloatArray, start_s: float, end_s: float) -> slice:
    n = track.shape[-1]
    return slice(min(max(round(start_s * GRID_HZ), 0), n), min(max(round(end_s * GRID_HZ), 0), n))


def add(track: FloatArray, start_s: float, values: NDArray[np.floating]) -> None:
    """Add to a part of a track; what would lie outside of it is lost."""
    first = round(start_s * GRID_HZ)
    low, high = max(first, 0), min(first + len(values), len(track))
    if low < high:
        track[low:high] += values[low - first : high - first].astype(np.float32)


def grid(span_s: float) -> NDArray[np.float64]:
    """Give times in seconds from zero on the grid, at least one."""
    return np.arange(max(round(span_s * GRID_HZ), 1)) / GRID_HZ


def band_noise(rng: Generator, span_s: float, *, band_hz: tuple[float, float], rows: int = 1) -> NDArray[np.float64]:
    """Give (rows, n) noise of unit variance within a band; from 0 Hz it is a low-pass."""
    low, high = (float(f"{edge:.2g}") for edge in band_hz)  # two digits are enough, and filters come back
    sos = band_sos(low, high)
    lead = round(GRID_HZ * 2 / max(high - low, 0.05))  # lets the filter settle
    n = len(grid(span_s))
    noise = sosfilt(sos, rng.standard_normal((rows, n + lead)))[:, lead:]
    gain = np.sqrt(high - low) / np.sqrt(GRID_HZ / 2)  # a Butterworth of order 2 is about as wide as its corners say
    return np.asarray(noise / gain, np.float64)


@lru_cache(maxsize=1024)
def band_sos(low_hz: float, high_hz: float) -> NDArray[np.float64]:
    if low_hz == 0:
        return np.asarray(butter(2, high_hz, fs=GRID_HZ, output="sos"))
    return np.asarray(butter(2, (low_hz, high_hz), "bandpass", fs=GRID_HZ, output="sos"))


def ramp(span_s: float, *, rise_s: float, fall_s: float) -> NDArray[np.float64]:
    """Give an envelope of one that rises and falls along half cosines."""
    t = grid(span_s)
    up = np.clip(t / max(rise_s, 1 / GRID_HZ), 0, 1)
    down = np.clip((span_s - t) / max(fall_s, 1 / GRID_HZ), 0, 1)
    return np.asarray((0.5 - 0.5 * np.cos(np.pi * up)) * (0.5 - 0.5 * np.cos(np.pi * down)))
