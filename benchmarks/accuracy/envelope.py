"""The amplitude of a leg second by second: what a reader sees in the figures, and when a cramp becomes audible."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.leg import Cramp, Leg

FloatArray = NDArray[np.float64]
BAND_HZ: Final = (20.0, 450.0)
AUDIBLE: Final = 2.0  # times rest
BEFORE_S: Final = 300


def rms_uv(leg: Leg, site: str, first_s: int, last_s: int) -> FloatArray:
    """RMS of whole seconds at 20-450 Hz without mains, in µV."""
    n = int(leg.emg_fs_hz + 1e-6)
    counts = leg.emg[leg.sites.index(site)]
    starts = np.ceil(np.arange(first_s, last_s) * leg.emg_fs_hz - 1e-6).astype(int)
    starts = starts[starts + n <= counts.size]
    if not starts.size:
        return np.zeros(0)
    second = counts[starts[:, None] + np.arange(n)].astype(np.float32)
    power = np.square(np.abs(np.fft.rfft(second - second.mean(axis=1, keepdims=True), axis=1))) * 2 / n**2
    hz = np.fft.rfftfreq(n, 1 / leg.emg_fs_hz)
    from_mains = np.minimum(np.abs((hz + 25) % 50 - 25), np.abs((hz + 30) % 60 - 30))
    clean = (hz >= BAND_HZ[0]) & (hz <= BAND_HZ[1]) & (from_mains > 1.5)
    result: FloatArray = np.sqrt(power[:, clean].sum(axis=1, dtype=np.float64)) * leg.emg_scale_uv
    return result


def shake_g(leg: Leg, first_s: int, last_s: int) -> FloatArray:
    """Mean absolute deviation of the length of the acceleration, second by second, in g."""
    if leg.acc is None:
        return np.zeros(0)
    n = int(leg.acc_fs_hz + 1e-6)
    starts = np.ceil(np.arange(first_s, last_s) * leg.acc_fs_hz - 1e-6).astype(int)
    starts = starts[starts + n <= leg.acc.shape[-1]]
    values = leg.acc[:, starts[:, None] + np.arange(n)].astype(np.float64) * leg.acc_scale_g
    length = np.linalg.norm(values, axis=0)
    result: FloatArray = np.abs(length - length.mean(axis=1, keepdims=True)).mean(axis=1)
    return result


def audible_s(leg: Leg, cramp: Cramp) -> float:
    """When a cramp first stays at twice rest for three seconds; its end, if it never does.

    Rest is what the truth's peak ratio makes of the highest second, or the quietest fifth of the five minutes
    before if that is lower: the lower the rest, the earlier the time and the longer the delay we own up to.
    """
    first_s, last_s = int(cramp.onset_s), int(np.ceil(cramp.end_s))
    during = rms_uv(leg, cramp.site, first_s, last_s)
    before = rms_uv(leg, cramp.site, max(0, first_s - BEFORE_S), first_s)
    if not during.size or cramp.peak_ratio <= 0:
        return cramp.onset_s
    rest = float(during.max()) / cramp.peak_ratio
    if before.size:
        rest = min(rest, max(float(np.percentile(before, 20)), 0.5 * rest))
    loud = np.convolve(during >= AUDIBLE * rest, np.ones(3), mode="valid") >= 3
    return cramp.end_s if not loud.any() else max(cramp.onset_s, float(first_s + np.argmax(loud)))
