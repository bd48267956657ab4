"""What is wrong with a window of EMG: flags, and whether it is worn and usable."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from detector.layout import FloatArray
from detector.params import Params

FlagArray = NDArray[np.uint16]

FLAGS: Final = (
    "flat",
    "rail",
    "electrode_off",
    "hum",
    "artefact",
    "no_acc",
    "moving",
    "upright",
    "truncated",
)
FLAT, RAIL, OFF, HUM, ARTEFACT, NO_ACC, MOVING, UPRIGHT, TRUNCATED = (1 << bit for bit in range(len(FLAGS)))
UNWORN: Final = FLAT | OFF
UNUSABLE: Final = UNWORN | RAIL
HOLLOW: Final = 0.3  # of rest, and of the hum of a lifted electrode: a muscle under it never falls so far
LOUD: Final = 2.0  # times rest; below it low-frequency power is wander, not artefact


def flag_names(bits: int) -> tuple[str, ...]:
    """Sorted names of the flags set in `bits`.

    >>> flag_names(HUM | RAIL)
    ('hum', 'rail')
    """
    return tuple(sorted(name for bit, name in enumerate(FLAGS) if bits >> bit & 1))


def marks(
    *, power: FloatArray, hum: FloatArray, wander: FloatArray, span: FloatArray, clipped: FloatArray, params: Params
) -> tuple[FlagArray, FlagArray]:
    """Flag windows of EMG by what they show themselves.

    Parameters
    ----------
    power, hum, wander : array, any shape
        Mean square at 20-450 Hz without hum, of hum, and at 3-15 Hz; µV².
    span : array
        Largest minus smallest sample, counts.
    clipped : array
        Share of samples at the more frequent extreme.
    params : Params
        Thresholds.

    Returns
    -------
    flags, doubts : array of uint16
        Bits of `FLAGS` that are set whatever the wearer's rest level, and those that depend on it: see `settled`.
    """
    flags = (span <= 1) * np.uint16(FLAT)
    flags |= (clipped > params.rail_share) * np.uint16(RAIL)
    flags |= (hum > params.hum_ratio * power) * np.uint16(HUM)
    doubts = (hum > 4 * power) * np.uint16(OFF)
    doubts |= (wander > params.artefact_ratio * power) * np.uint16(ARTEFACT)
    return flags, doubts


def settled(doubts: FlagArray, *, power: FloatArray, hum: FloatArray, rest: FloatArray, params: Params) -> FlagArray:
    """Settle doubts by the rest level.

    Parameters
    ----------
    doubts : array of uint16, any shape
        Flags that may be set.
    power, hum : array, same shape
        Mean square, µV².
    rest : array, broadcast to that shape
        Rest level in force, RMS µV; NaN while unknown.
    params : Params
        Thresholds.

    Returns
    -------
    array of uint16
        Those that are. An electrode is off where hum stands far above both the signal and the wearer's rest
        level, or where next to nothing but hum is left; low-frequency power marks an artefact only where the
        signal is louder than rest, because a quiet electrode wanders all the time.
    """
    known = np.isfinite(rest)
    quiet = np.where(known, rest, np.sqrt(power))
    hollow = (power < (HOLLOW * quiet) ** 2) & (hum > (HOLLOW * params.off_hum_ratio * quiet) ** 2)
    kept = ((hum > (params.off_hum_ratio * quiet) ** 2) | hollow) * np.uint16(OFF)
    kept |= (known & (power > (LOUD * quiet) ** 2)) * np.uint16(ARTEFACT)
    found: FlagArray = doubts & kept
    return found
