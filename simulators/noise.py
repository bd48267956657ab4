"""Resting noise that costs next to nothing: any stretch of an endless, seamless, repeatable noise.

Two circles of noise, of lengths with hardly a common factor, are read round and round and added. The sum repeats
only after their common multiple (some 10^9 samples), has no seams, and any stretch can be read by its index alone.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from simulators.motor_units import FloatArray
from simulators.potentials import SampleArray

CIRCLES: Final = (131_072, 125_000)
WANDER_HZ: Final = (0.021, 0.057, 0.113, 0.19, 0.37)
WANDER_GRID_HZ: Final = 8.0


@dataclass(frozen=True, slots=True)
class Noise:
    """Circles of noise and the phases of a slow wander, both in the unit of the signal."""

    circles: tuple[SampleArray, ...]
    wander: FloatArray  # (2, W): size and phase


def make_noise(seed: tuple[int, ...], *, fs_hz: float, density: float, corner_hz: float, wander: float) -> Noise:
    """Noise of `density` per root hertz, rising as 1/f below `corner_hz`, plus a wander of RMS `wander`."""
    rng = np.random.default_rng(seed)
    circles = []
    for n in CIRCLES:
        freq = np.fft.rfftfreq(n, 1 / fs_hz)
        power = 1.0 + corner_hz / np.maximum(freq, 0.5)
        power *= 1.0 / (1.0 + (freq / 480.0) ** 8)  # the amplifier's own upper limit
        share = np.clip((freq / (fs_hz / 2) - 0.8) / 0.2, 0.0, 1.0)
        shape = np.sqrt(power / len(CIRCLES)) * np.cos(share * np.pi / 2) * (freq > 0)
        tones = rng.standard_normal((freq.size, 2)) @ np.array([1.0, 1.0j])
        circle = np.fft.irfft(tones * shape, n) * np.sqrt(n * fs_hz) / 2 * density
        circles.append(circle.astype(np.float32))
    phase = rng.uniform(0, 2 * np.pi, len(WANDER_HZ))
    size = wander * np.sqrt(2 / len(WANDER_HZ)) * np.ones(len(WANDER_HZ))
    return Noise(tuple(circles), np.stack((size, phase)))


def read(noise: Noise, *, first: int, n: int, fs_hz: float) -> SampleArray:
    """Samples `first` to `first + n`."""
    out = _wander(noise, first=first, n=n, fs_hz=fs_hz)
    for circle in noise.circles:
        done = 0
        while done < n:
            at = (first + done) % circle.size
            some = min(n - done, circle.size - at)
            out[done : done + some] += circle[at : at + some]
            done += some
    return out


def _wander(noise: Noise, *, first: int, n: int, fs_hz: float) -> SampleArray:
    if not n or not noise.wander[0].any():
        return np.zeros(n, np.float32)
    place = np.arange(first, first + n) * (WANDER_GRID_HZ / fs_hz)
    low = int(place[0])
    grid = np.arange(low, int(place[-1]) + 2)
    size, phase = noise.wander[:, :, None]
    hertz = np.array(WANDER_HZ)[:, None]
    values = (size * np.sin(2 * np.pi * hertz * grid / WANDER_GRID_HZ + phase)).sum(axis=0)
    return np.asarray(np.interp(place, grid, values), np.float32)
