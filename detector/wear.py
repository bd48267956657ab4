"""Whether a device lay about: stillness that no living leg keeps, for hours.

The published rule (van Hees 2011, PLoS ONE 6:e22922, as in GGIR) calls an hour non-wear in which two of three axes
vary by less than 13 mg (standard deviation) and 50 mg (range). Stored epochs hold neither, and an hour is too short for
a calf: in quiet sleep a shank may lie as still as a table for that long. So more is asked for, over three hours: the
angle stays within one degree, movement at the noise of the sensor, and the EMG without a single louder epoch. Sleepers
turn over about once to thrice an hour, and muscles twitch; a device on a table does neither. A device off the leg that
shows hum is known to be so from the EMG at once, by `electrode_off`; this is for those whose inputs are quiet.
"""

from typing import Final

import numpy as np
from scipy.ndimage import maximum_filter1d, minimum_filter1d

from detector.posture import EPOCH_NS, BoolArray, DoubleArray, Grid, Motion, on_grid

STILL_EPOCHS: Final = 1080  # 3 h
ANGLE_DEG: Final = 1.0  # range over the three hours
NOISE_G: Final = 0.01  # of MAD: 13 mg of standard deviation make some 10 mg
SWING: Final = 1.5  # largest over least MAD
SWING_G: Final = 0.001
RMS_SWING: Final = 2.0  # loudest over quietest epoch of EMG
PRESENT: Final = 0.9  # of the three hours


def lies_about(motion: Motion) -> BoolArray:
    """Epochs in which the device lay somewhere, `(N,)`.

    Parameters
    ----------
    motion : Motion
        Epochs in order of time. An epoch is judged by the three hours before and after it: give those too.

    Returns
    -------
    array of bool
        True where some three hours that hold the epoch are still throughout. Without acceleration all false.
    """
    if motion.start_ns.size == 0:
        return np.zeros(0, np.bool_)
    first_ns, last_ns = int(motion.start_ns[0]), int(motion.start_ns[-1])
    grid = on_grid(motion, start_ns=first_ns, end_ns=last_ns + EPOCH_NS)
    found: BoolArray = _still_hours(grid)[motion.start_ns // EPOCH_NS - grid.first_ns // EPOCH_NS]
    return found


def _still_hours(grid: Grid) -> BoolArray:
    """Places of the grid that lie in three hours of stillness."""
    size = len(grid.angle_deg)
    if size < STILL_EPOCHS:
        return np.zeros(size, np.bool_)
    known = np.isfinite(grid.angle_deg) & np.isfinite(grid.movement_g)
    most, least = _extremes(np.where(known, grid.movement_g, np.nan))
    turned_to, turned_from = _extremes(np.where(known, grid.angle_deg, np.nan))
    loud, quiet = _extremes(grid.rms_uv)
    counted = np.concatenate(([0], np.cumsum(known)))
    still = (
        (counted[STILL_EPOCHS:] - counted[:-STILL_EPOCHS] >= PRESENT * STILL_EPOCHS)
        & (turned_to - turned_from <= ANGLE_DEG)
        & (most <= NOISE_G)
        & (most <= SWING * least + SWING_G)
        & ((loud <= RMS_SWING * quiet) | ~np.isfinite(quiet))
    )
    # Three hours that begin at k hold the places k to k + STILL_EPOCHS - 1.
    begun = np.concatenate(([0], np.cumsum(still), np.full(STILL_EPOCHS - 1, still.sum())))
    place = np.arange(size)
    return begun[place + 1] > begun[np.maximum(place + 1 - STILL_EPOCHS, 0)]


def _extremes(values: DoubleArray) -> tuple[DoubleArray, DoubleArray]:
    """Largest and least of each three hours `(T - 1079,)`; what is NaN does not count."""
    inside = slice(STILL_EPOCHS // 2, len(values) - STILL_EPOCHS // 2 + 1)
    unknown = np.isnan(values)
    most = maximum_filter1d(np.where(unknown, -np.inf, values), STILL_EPOCHS, mode="nearest")[inside]
    least = minimum_filter1d(np.where(unknown, np.inf, values), STILL_EPOCHS, mode="nearest")[inside]
    return most, least
