"""Motor-unit action potentials as the skin sees them, and the EMG that trains of them add up to.

A bipolar electrode sees a travelling source roughly as a first (biphasic) or second (triphasic) derivative of a
Gaussian; its width follows from the unit's median frequency. Potentials are defined by their spectrum and
sampled below the Nyquist frequency of any rate, so that the same discharges give the same EMG at every rate.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulators.motor_units import FloatArray, Pool, Spikes

SampleArray = NDArray[np.float32]

PHASES: Final = 8  # positions of a discharge between two samples
HALF_WIDTH_S: Final = 0.014
RING_SAMPLES: Final = 6  # the anti-alias filter rings for a few samples at low rates
SPIKES_AT_ONCE: Final = 2048
GRID_HZ: Final = 4000.0
GRID_N: Final = 1024


@dataclass(frozen=True, slots=True)
class Bank:
    """Sampled potentials in µV, `(U * PHASES, taps)`, and the share of each unit's energy that the rate passes."""

    fs_hz: float
    taps: SampleArray
    passed: FloatArray  # (U,)


def make_bank(pool: Pool, *, fs_hz: float, shortening: float = 1.0) -> Bank:
    """The potentials of a pool at one rate; `shortening` below 1 makes them shorter, hence higher in frequency."""
    half = int(np.ceil(HALF_WIDTH_S * fs_hz)) + RING_SAMPLES
    n = 2 * half
    freq = _frequencies(n, fs_hz)
    spectrum = _spectra(pool, freq, shortening=shortening) * _anti_alias(freq, fs_hz)
    delay_s = (half + np.arange(PHASES) / PHASES) / fs_hz
    shifted = spectrum[:, None, :] * np.exp(-2j * np.pi * freq * delay_s[:, None])
    taps = np.fft.irfft(shifted, n, axis=-1) * fs_hz
    fine = _frequencies(GRID_N, GRID_HZ)
    power = np.abs(_spectra(pool, fine, shortening=shortening)) ** 2
    passed = (power * _anti_alias(fine, fs_hz) ** 2).sum(axis=1) / power.sum(axis=1)
    return Bank(fs_hz, taps.reshape(-1, n).astype(np.float32), passed)


def render(bank: Bank, spikes: Spikes, *, start_s: float, n: int) -> SampleArray:
    """The EMG in µV of `n` samples from `start_s`; discharges outside count as far as they reach in."""
    width = bank.taps.shape[1]
    half = width // 2
    place = (spikes.time_s - start_s) * bank.fs_hz
    near = (place > -half - 1) & (place < n + half)
    order = np.argsort(place[near])  # neighbours in time share cache lines
    place, unit = place[near][order], spikes.unit[near][order]
    whole = np.floor(place)
    first = whole.astype(np.int64)
    row = unit * PHASES + np.minimum(((place - whole) * PHASES).astype(np.int64), PHASES - 1)
    out = np.zeros(n + 2 * width, np.float32)
    lag = np.arange(width)
    for at in range(0, first.size, SPIKES_AT_ONCE):
        part = slice(at, at + SPIKES_AT_ONCE)
        index = (first[part] + (width - half))[:, None] + lag
        np.add.at(out, index.ravel(), bank.taps[row[part]].ravel())
    return out[width : width + n]


def _spectra(pool: Pool, freq: FloatArray, *, shortening: float) -> NDArray[np.complex128]:
    """Continuous spectra `(U, F)` of the potentials, scaled so that each has the energy its unit's strength says."""
    fine = _frequencies(GRID_N, GRID_HZ)
    step = fine[1]
    raw = _shape(pool, fine, shortening)
    energy = 2 * (np.abs(raw) ** 2).sum(axis=1) * step
    gain = pool.sign * pool.strength / np.sqrt(energy)
    return np.asarray(_shape(pool, freq, shortening) * gain[:, None])


def _frequencies(n: int, fs_hz: float) -> FloatArray:
    return np.asarray(np.fft.rfftfreq(n, 1 / fs_hz), np.float64)


def _shape(pool: Pool, freq: FloatArray, shortening: float) -> NDArray[np.complex128]:
    # Medians of x²e^(-x²) and x⁴e^(-x²) lie at x = 1.088 and 1.475; the width of the mixture lies between.
    median = pool.median_hz / shortening
    sigma_s = ((1 - pool.mix) * 1.088 + pool.mix * 1.475) / (2 * np.pi * median)
    x = 2 * np.pi * sigma_s[:, None] * freq
    bell = np.exp(-(x**2) / 2)
    return np.asarray((1 - pool.mix)[:, None] * 1j * x * bell - pool.mix[:, None] * x**2 * bell)


def _anti_alias(freq: FloatArray, fs_hz: float) -> FloatArray:
    """What the front end lets through: all up to 80 % of the Nyquist frequency, nothing at it."""
    share = np.clip((freq / (fs_hz / 2) - 0.8) / 0.2, 0.0, 1.0)
    return np.asarray(np.cos(share * np.pi / 2))
