"""From a window of EMG counts to its features: one Fourier transform gives amplitude, spectrum, hum and envelope.

The window is one second, so bins are 1 Hz apart and both mains frequencies fall on bins whatever the rate. Samples
are differenced before the transform and the slope is undone on the bins: an electrode's drift is a ramp, whose
spectrum leaks over the whole band, while its difference is a constant, which does not.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Final

import numpy as np
import scipy.fft
from numpy.typing import NDArray
from scipy.sparse import csr_array

from detector.layout import CountArray, FloatArray
from detector.params import SUBWINDOWS

ComplexArray = NDArray[np.complex64]

BAND_HZ: Final = (20, 450)  # surface EMG: high-pass 20 Hz (De Luca 2010, doi 10.1016/j.jbiomech.2010.01.027)
WANDER_HZ: Final = (3, 15)
ENVELOPE_HZ: Final = (20, 148)  # 128 bins, the bulk of surface EMG at every supported rate
ENVELOPE_N: Final = 128
STEPS: Final = 4 * SUBWINDOWS  # of the fine envelope in a window, of four points each
MAINS_HZ: Final = (50, 60)
BANDS: Final = 16  # coarse spectrum from which the median frequency is read
HUM_LEAK: Final = 0.05  # share of hum power that a mains frequency off by 0.2 Hz spreads over the band
QUIET_SPAN: Final = 256  # counts; a quiet converter repeats its extremes without clipping
SLAB: Final = 160  # windows transformed at once: stays within the processor's cache


@dataclass(frozen=True, slots=True)
class EmgWindows:
    """Features of N windows; amplitudes in counts. Times a stream's scale they are microvolts."""

    power: FloatArray  # (N,) mean square in BAND_HZ, hum removed
    low: FloatArray  # (N,) sustained amplitude: second smallest of the envelope's eight RMS values
    steps: FloatArray  # (N, STEPS) mean square of the envelope in each 1/32 s
    hum: FloatArray  # (N,) mean square of hum
    wander: FloatArray  # (N,) mean square in WANDER_HZ
    bands: FloatArray  # (N, BANDS) mean square by band
    span: FloatArray  # (N,) largest minus smallest sample
    clipped: FloatArray  # (N,) share of samples at the more frequent extreme


@dataclass(frozen=True, slots=True)
class Bins:
    """Where things lie in the spectrum of n samples at fs_hz, and what undoes the differencing there."""

    last: int  # bin above the band
    centre_hz: FloatArray  # (bands + 1,) edges of the coarse bands in use, Hz
    spectral: slice  # bins that are summed
    sums: Callable[[FloatArray], FloatArray]  # squares (bins, K) to mean squares (BANDS + 2, K): bands, hum, wander
    envelope: slice
    envelope_weight: FloatArray  # (bins, 1)


@lru_cache(maxsize=64)
def bins(n: int, fs_hz: float) -> Bins:
    """The map of the spectrum of windows of n samples."""
    step = fs_hz / n
    top_hz = min(BAND_HZ[1], int(0.45 * fs_hz))
    first, last = round(BAND_HZ[0] / step), round(top_hz / step)
    slope = 2 * np.sin(np.pi * np.maximum(np.arange(n // 2 + 1), 1) / n)
    weight = 2 / (n * n * slope**2)
    hum = _hum_bins(step, top_hz=top_hz)
    hum = hum[(hum >= first) & (hum < last)]
    edges = np.unique(np.geomspace(first, last, BANDS + 1).round().astype(np.intp))
    wander = slice(max(1, round(WANDER_HZ[0] / step)), round(WANDER_HZ[1] / step))
    sums = np.zeros((BANDS + 2, last), np.float32)
    for band, (low, high) in enumerate(pairwise(edges)):
        sums[band, low:high] = weight[low:high]
    sums[:, hum] = 0
    sums[BANDS, hum] = weight[hum]
    sums[BANDS + 1, wander] = weight[wander]
    envelope = slice(first, min(last, first + ENVELOPE_N))
    envelope_weight = np.sqrt(2) / (n * slope)
    envelope_weight[hum] = 0
    return Bins(
        last=last,
        centre_hz=(edges * step).astype(np.float32),
        spectral=slice(wander.start, last),
        sums=csr_array(sums[:, wander.start :]).dot,
        envelope=envelope,
        envelope_weight=envelope_weight[envelope, None].astype(np.float32),
    )


def _hum_bins(step_hz: float, *, top_hz: int) -> NDArray[np.intp]:
    """Bins of mains and its multiples, with one to each side."""
    lines = {round(line / step_hz) for mains in MAINS_HZ for line in range(mains, top_hz + 2, mains)}
    return np.array(sorted({line + side for line in lines for side in (-1, 0, 1)}), dtype=np.intp)


def emg_windows(counts: CountArray, fs_hz: float) -> EmgWindows:
    """Features of each window.

    Parameters
    ----------
    counts : int16 array, shape (N, n)
        One window a row.
    fs_hz : float
        Sampling rate; n is the whole number of samples in a second.

    Returns
    -------
    EmgWindows
        One entry a row. Each row depends on nothing but itself, so batches of any size agree to the last bit.

    Notes
    -----
    From the transform on, windows lie along the last axis: what is done to a bin is done to all windows in one
    sweep.

    Examples
    --------
    >>> t = np.arange(1000) / 1000
    >>> sine = np.rint(100 * np.sin(2 * np.pi * 90 * t)).astype(np.int16)
    >>> f = emg_windows(sine[None], 1000.0)
    >>> bool(abs(f.power[0] - 5000) < 60)
    True
    """
    out = blank(len(counts))
    for start in range(0, len(counts), SLAB):
        rows = slice(start, start + SLAB)
        analyse(counts[rows], fs_hz, out, rows)
    return out


def blank(rows: int) -> EmgWindows:
    """Room for so many windows."""
    return EmgWindows(
        power=np.empty(rows, np.float32),
        low=np.empty(rows, np.float32),
        steps=np.empty((rows, STEPS), np.float32),
        hum=np.empty(rows, np.float32),
        wander=np.empty(rows, np.float32),
        bands=np.empty((rows, BANDS), np.float32),
        span=np.empty(rows, np.float32),
        clipped=np.zeros(rows, np.float32),
    )


def analyse(counts: CountArray, fs_hz: float, out: EmgWindows, rows: slice) -> None:
    """Write the features of windows (N, n), best no more than `SLAB`, to `rows` of `out`."""
    _extremes(counts, out, rows)
    _spectral(_spectrum(counts), bins(counts.shape[1], fs_hz), out, rows)


def _extremes(x: CountArray, out: EmgWindows, rows: slice) -> None:
    """Span, and the share of samples at an extreme."""
    top, bottom = x.max(-1), x.min(-1)
    span = np.subtract(top, bottom, dtype=np.float32)
    out.span[rows] = span
    loud = np.flatnonzero(span > QUIET_SPAN)
    if loud.size:
        y = x[loud]
        at_top = np.count_nonzero(y == top[loud, None], axis=-1)
        at_bottom = np.count_nonzero(y == bottom[loud, None], axis=-1)
        out.clipped[rows][loud] = np.maximum(at_top, at_bottom) / x.shape[1]


def _spectrum(x: CountArray) -> ComplexArray:
    """Spectrum (n // 2 + 1, N) of the differences of windows (N, n)."""
    values = x.astype(np.float32)
    difference = np.empty_like(values)
    np.subtract(values.reshape(-1)[1:], values.reshape(-1)[:-1], out=difference.reshape(-1)[1:])  # one long sweep
    difference[:, 0] = 0
    spectrum: ComplexArray = scipy.fft.rfft(difference.T, axis=0)
    return spectrum


def _spectral(spectrum: ComplexArray, where: Bins, out: EmgWindows, rows: slice) -> None:
    """All that is read from spectra (n // 2 + 1, N)."""
    # A sparse product adds bin by bin, for all windows at once: quicker than sums by slices, and no window's sum
    # depends on how many others there are.
    found = _both(where.sums(_squared(spectrum[where.spectral])))
    bands, hum, wander = found[:BANDS], found[BANDS], found[BANDS + 1]
    out.bands[rows] = bands.T
    out.hum[rows] = hum
    out.wander[rows] = wander
    out.power[rows] = np.maximum(_added(bands) - HUM_LEAK * hum, 1e-6)
    steps = _envelope(spectrum, where)
    out.steps[rows] = steps.T
    eighths = np.partition(_fours(steps), 1, axis=0)
    out.low[rows] = np.maximum(np.sqrt(eighths[1]), 1e-3)


def _envelope(spectrum: ComplexArray, where: Bins) -> FloatArray:
    """Mean square (STEPS, N) of the analytic signal in ENVELOPE_HZ, hum lines removed."""
    analytic = np.empty((ENVELOPE_N, spectrum.shape[1]), np.complex64)
    width = where.envelope.stop - where.envelope.start
    np.multiply(spectrum[where.envelope], where.envelope_weight, out=analytic[:width])
    analytic[width:] = 0
    return _both(_fours(_squared(scipy.fft.ifft(analytic, axis=0, norm="forward", overwrite_x=True))))


def _squared(x: ComplexArray) -> FloatArray:
    """Squares of real and imaginary parts, (K, N) -> (K, 2 N)."""
    parts = x.view(np.float32)
    return parts * parts


def _both(x: FloatArray) -> FloatArray:
    """Real and imaginary parts together, (K, 2 N) -> (K, N)."""
    total: FloatArray = x[:, ::2] + x[:, 1::2]
    return total


def _fours(x: FloatArray) -> FloatArray:
    """Means of each four rows, (4 K, N) -> (K, N)."""
    mean: FloatArray = (x[0::4] + x[1::4] + (x[2::4] + x[3::4])) * np.float32(0.25)
    return mean


def _added(x: FloatArray) -> FloatArray:
    """Sum of 2^k rows, (2^k, N) -> (N,), in halves: `np.sum` adds in another order when there is but one column."""
    while len(x) > 1:
        x = x[: len(x) // 2] + x[len(x) // 2 :]
    total: FloatArray = x[0]
    return total


def median_hz(bands: FloatArray, centre_hz: FloatArray) -> FloatArray:
    """Frequency below which half of the power lies, interpolated within the coarse bands.

    Parameters
    ----------
    bands : array, shape (..., BANDS)
        Power by band.
    centre_hz : array, shape (B + 1,)
        Edges of the bands in use, Hz.

    Returns
    -------
    array, shape (...)
        Median frequency in Hz; NaN without power.
    """
    used = len(centre_hz) - 1
    total = np.cumsum(bands[..., :used], axis=-1, dtype=np.float64)
    half = total[..., -1:] / 2
    index = np.minimum((total < half).sum(-1), used - 1)
    rows = np.arange(index.size)
    inside = bands.reshape(len(rows), -1)[rows, index.ravel()].reshape(index.shape)
    below = total.reshape(len(rows), -1)[rows, index.ravel()].reshape(index.shape) - inside
    with np.errstate(invalid="ignore", divide="ignore"):
        share = (half[..., 0] - below) / inside
    hz = centre_hz[index] + share * (centre_hz[index + 1] - centre_hz[index])
    return np.where(half[..., 0] > 0, hz, np.nan).astype(np.float32)
