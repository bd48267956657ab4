"""How the envelope of a contraction wavers within a second: the wobble of a cramp, the beat of tremor and clonus.

The motor units of a cramp share a modulation at 1.4±0.4 Hz (Minetto 2009, J Neurophysiol 102:1890), those of a willed
hold hardly do. The power of an interference pattern that is merely noise wavers at all rates alike, by an amount that
depends on bandwidth, so the wobble is taken as a ratio: power of the envelope's modulation at 1-2 Hz over that at
3-4 Hz. A rhythm of muscle (tremor 4-12 Hz, clonus 5-8 Hz) is a line that stands out of its neighbours.
"""

from typing import Final

import numpy as np
import scipy.fft

from detector.layout import FloatArray

SLOW_HZ: Final = slice(1, 3)
FAST_HZ: Final = slice(3, 5)
BEAT_HZ: Final = slice(3, 15)
BEATS: Final = 12  # lines in BEAT_HZ, one a hertz


def rhythm(steps: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Modulation of the envelope of A seconds.

    Parameters
    ----------
    steps : float32 array, shape (A, 32)
        Mean square in 32 steps of the second, any unit.

    Returns
    -------
    slow, fast : float32 arrays, shape (A,)
        Relative modulation of amplitude at 1-2 and at 3-4 Hz, squared and summed over the lines.
    beats : float32 array, shape (A, BEATS)
        The same of power, line by line from 3 Hz.

    Examples
    --------
    >>> t = (np.arange(32) + 0.5) / 32
    >>> slow, fast, beats = rhythm((1 + 0.5 * np.sin(2 * np.pi * 6 * t))[None].astype(np.float32))
    >>> int(beats.argmax()) + 3, round(float(beats.max()), 2)
    (6, 0.25)
    """
    wobble = _lines(np.sqrt(steps))
    beats = _lines(steps)[:, BEAT_HZ]
    slow = wobble[:, SLOW_HZ][:, 0] + wobble[:, SLOW_HZ][:, 1]
    fast = wobble[:, FAST_HZ][:, 0] + wobble[:, FAST_HZ][:, 1]
    return slow, fast, beats


def _lines(envelope: FloatArray) -> FloatArray:
    """Squared amplitude of each line of the envelope's spectrum, relative to its mean."""
    spectrum = scipy.fft.rfft(envelope, axis=-1)
    mean = np.maximum(spectrum[:, :1].real, 1e-9)
    power: FloatArray = (spectrum.real**2 + spectrum.imag**2) * (2 / mean) ** 2
    return power.astype(np.float32)
