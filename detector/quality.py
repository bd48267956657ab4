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
LOUD: Final = 2.0  # times rest; below it low-frequency power is wander, not artefact


def flag_names(bits: int) -> tuple[str, ...]:
    """Sorted names of the flags set in `bits`.

    >>> flag_names(HUM | RAIL)
    ('hum', 'rail')
    """
    return tuple(sorted(name for bit, name in enumerate(FLAGS) if bits >> bit & 1))


def judge(
    *,
    power: FloatArray,
    hum: FloatArray,
    wander: FloatArray,
    span: FloatArray,
    clipped: FloatArray,
    rest: FloatArray,
    params: Params,
) -> FlagArray:
    """Flag windows of EMG.

    Parameters
    ----------
    power, hum, wander : array, any shape
        Mean square at 20-450 Hz without hum, of hum, and at 3-15 Hz; µV².
    span : array
        Largest minus smallest sample, counts.
    clipped : array
        Share of samples at the more frequent extreme.
    rest : array
        Rest level in force, RMS µV; NaN while unknown.
    params : Params
        Thresholds.

    Returns
    -------
    array of uint16
        Bits of `FLAGS`. An electrode is off where hum stands far above both the signal and the wearer's rest
        level; low-frequency power marks an artefact only where the signal is louder than rest, because a
        quiet electrode wanders all the time.
    """
    known = np.isfinite(rest)
    quiet = np.where(known, rest, np.sqrt(power))
    flags = np.where(span <= 1, FLAT, 0)
    flags |= np.where(clipped > params.rail_share, RAIL, 0)
    flags |= np.where(hum > params.hum_ratio * power, HUM, 0)
    lifted = (hum > 4 * power) & (hum > (params.off_hum_ratio * quiet) ** 2)
    flags |= np.where(lifted, OFF, 0)
    artefact = known & (power > (LOUD * quiet) ** 2) & (wander > params.artefact_ratio * power)
    flags |= np.where(artefact, ARTEFACT, 0)
    return flags.astype(np.uint16)
