"""From a window of EMG counts to its features: one Fourier transform gives amplitude, spectrum, hum and envelope.

The window is one second, so bins are 1 Hz apart and both mains frequencies fall on bins whatever the rate. Samples
are differenced before the transform and the slope is undone on the bins: an electrode's drift is a ramp, whose
spectrum leaks over the whole band, while its difference is a constant, which does not.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from detector.layout import CountArray, FloatArray
from detector.params import SUBWINDOWS

ComplexArray = NDArray[np.complex64]

BAND_HZ: Final = (20, 450)  # surface EMG: high-pass 20 Hz (De Luca 2010, doi 10.1016/j.jbiomech.2010.01.027)
WANDER_HZ: Final = (3, 15)
ENVELOPE_HZ: Final = (20, 148)  # 128 bins, the bulk of surface EMG at every supported rate
ENVELOPE_N: Final = 128
STEPS: Final = 32  # of the fine envelope in a window; four points each
MAINS_HZ: Final = (50, 60)
BANDS: Final = 16  # coarse spectrum from which the median frequency is read
HUM_LEAK: Final = 0.05  # share of hum power that a mains frequency off by 0.2 Hz spreads over the band
QUIET_SPAN: Final = 256  # counts; a quiet converter repeats its extremes without clipping
SLAB: Final = 64  # windows transformed at once: stays within the processor's cache


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

    first: int
    last: int
    weight: FloatArray  # (last - first,) power of a bin to mean square of the signal
    hum: NDArray[np.intp]  # offsets from `first`
    edges: NDArray[np.intp]  # offsets at which the coarse bands begin
    centre_hz: FloatArray  # (BANDS + 1,) band edges in Hz
    wander: slice
    wander_weight: FloatArray
    envelope: slice
    envelope_weight: FloatArray


@lru_cache(maxsize=64)
def bins(n: int, fs_hz: float) -> Bins:
    """The map of the spectrum of windows of n samples."""
    step = fs_hz / n
    top_hz = min(BAND_HZ[1], int(0.45 * fs_hz))
    first, last = round(BAND_HZ[0] / step), round(top_hz / step)
    k = np.arange(n // 2 + 1)
    slope = 2 * np.sin(np.pi * np.maximum(k, 1) / n)
    weight = (2 / (n * n * slope**2)).astype(np.float32)
    lines = {
        near
        for mains in MAINS_HZ
        for line in range(mains, top_hz + 2, mains)
        for near in range(round(line / step) - 1, round(line / step) + 2)
    }
    hum = np.array(sorted(bin_ - first for bin_ in lines if first <= bin_ < last), dtype=np.intp)
    edges = np.unique(np.geomspace(first, last, BANDS + 1).round().astype(np.intp))
    wander = slice(max(1, round(WANDER_HZ[0] / step)), round(WANDER_HZ[1] / step))
    envelope = slice(first, min(last, first + ENVELOPE_N))
    envelope_weight = (np.sqrt(2) / (n * slope[envelope])).astype(np.float32)
    envelope_weight[[h for h in hum if h < len(envelope_weight)]] = 0
    return Bins(
        first=first,
        last=last,
        weight=weight[first:last],
        hum=hum,
        edges=edges[:-1] - first,
        centre_hz=(edges * step).astype(np.float32),
        wander=wander,
        wander_weight=weight[wander],
        envelope=envelope,
        envelope_weight=envelope_weight,
    )


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

    Examples
    --------
    >>> t = np.arange(1000) / 1000
    >>> sine = np.rint(100 * np.sin(2 * np.pi * 90 * t)).astype(np.int16)
    >>> f = emg_windows(sine[None], 1000.0)
    >>> bool(abs(f.power[0] - 5000) < 60)
    True
    """
    rows = len(counts)
    where = bins(counts.shape[1], fs_hz)
    blank = [np.zeros(rows, np.float32) for _ in range(6)]
    power, low, hum, wander, span, clipped = blank
    bands, steps = np.zeros((rows, BANDS), np.float32), np.zeros((rows, STEPS), np.float32)
    out = EmgWindows(power=power, low=low, steps=steps, hum=hum, wander=wander, bands=bands, span=span, clipped=clipped)
    for start in range(0, rows, SLAB):
        _slab(counts[start : start + SLAB], where, out, slice(start, start + SLAB))
    return out


def _slab(x: CountArray, where: Bins, out: EmgWindows, rows: slice) -> None:
    n = x.shape[1]
    top, bottom = x.max(-1), x.min(-1)
    span = top.astype(np.float32) - bottom
    out.span[rows] = span
    loud = np.flatnonzero(span > QUIET_SPAN)
    if loud.size:
        y = x[loud]
        at_top = np.count_nonzero(y == top[loud, None], axis=-1)
        at_bottom = np.count_nonzero(y == bottom[loud, None], axis=-1)
        out.clipped[rows][loud] = np.maximum(at_top, at_bottom) / n
    values = x.astype(np.float32)
    difference = np.empty_like(values)
    difference[:, 0] = 0
    np.subtract(values[:, 1:], values[:, :-1], out=difference[:, 1:])
    spectrum: ComplexArray = scipy.fft.rfft(difference, axis=-1)
    power = _square(spectrum[:, where.first : where.last]) * where.weight
    hum = np.take(power, where.hum, axis=-1).sum(-1)  # take keeps rows in a row: sums stay the same in any batch
    power[:, where.hum] = 0
    out.bands[rows, : len(where.edges)] = np.add.reduceat(power, where.edges, axis=-1)
    out.hum[rows] = hum
    out.power[rows] = np.maximum(out.bands[rows].sum(-1) - HUM_LEAK * hum, 1e-6)
    out.wander[rows] = (_square(spectrum[:, where.wander]) * where.wander_weight).sum(-1)
    out.steps[rows] = _envelope(spectrum, where)
    eighths = _fold(_fold(out.steps[rows])) / (STEPS // SUBWINDOWS)
    out.low[rows] = np.maximum(np.sqrt(np.partition(eighths, 1, axis=-1)[:, 1]), 1e-3)


def _square(spectrum: ComplexArray) -> FloatArray:
    """Squared magnitude, without the square root that `abs` takes."""
    parts = np.ascontiguousarray(spectrum).view(np.float32)
    parts = parts * parts
    return _fold(parts)


def _envelope(spectrum: ComplexArray, where: Bins) -> FloatArray:
    """Mean square (N, STEPS) of the analytic signal in ENVELOPE_HZ, hum lines removed."""
    analytic = np.zeros((len(spectrum), ENVELOPE_N), np.complex64)
    width = where.envelope.stop - where.envelope.start
    np.multiply(spectrum[:, where.envelope], where.envelope_weight, out=analytic[:, :width])
    signal = scipy.fft.ifft(analytic, axis=-1, norm="forward", overwrite_x=True)
    return _fold(_fold(_square(signal))) / np.float32(ENVELOPE_N // STEPS)


def _fold(x: FloatArray) -> FloatArray:
    """Sums of neighbours, (N, 2k) -> (N, k): quicker than a sum over a short axis."""
    total: FloatArray = x[:, ::2] + x[:, 1::2]
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
    inside = np.take_along_axis(bands, index[..., None], -1)[..., 0]
    below = np.take_along_axis(total, index[..., None], -1)[..., 0] - inside
    with np.errstate(invalid="ignore", divide="ignore"):
        share = (half[..., 0] - below) / inside
    hz = centre_hz[index] + share * (centre_hz[index + 1] - centre_hz[index])
    return np.where(half[..., 0] > 0, hz, np.nan).astype(np.float32)
