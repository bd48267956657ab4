"""Whether a device lay about: stillness that no living leg keeps, for hours.

The published rule (van Hees 2011, PLoS ONE 6:e22922, as in GGIR) calls an hour non-wear in which two of three axes
vary by less than 13 mg (standard deviation) and 50 mg (range). Stored epochs hold neither, and an hour is too short for
a calf: in quiet sleep a shank may lie as still as a table for that long. So more is asked for: the angle stays within
half a degree, movement at the noise of the sensor, and the EMG without a single louder epoch, all of that

- for three hours, if the EMG also is another than on this leg: less than half of its quiet level, or more than twice;
- for six hours, if the EMG gives nothing away.

Sleepers turn over once to thrice an hour, and muscles twitch; a device on a table does neither. A device off the leg
that shows hum is known to be so from the EMG at once, by `electrode_off`; this is for those whose inputs are quiet.
"""

from typing import Final

import numpy as np
from scipy.ndimage import maximum_filter1d, minimum_filter1d

from detector.posture import EPOCH_NS, BoolArray, DoubleArray, Grid, Motion, on_grid

HOURS: Final = 360  # epochs of an hour
SHORT: Final = 3 * HOURS
LONG: Final = 6 * HOURS
ANGLE_DEG: Final = 0.5  # range over the hours
NOISE_G: Final = 0.01  # of MAD: 13 mg of standard deviation make some 10 mg
SWING: Final = 1.5  # largest over least MAD
SWING_G: Final = 0.001
RMS_SWING: Final = 2.0  # loudest over quietest epoch of EMG
OTHER: Final = 2.0  # times the quiet level of the leg, or that part of it
QUIET_PERCENT: Final = 20
PRESENT: Final = 0.9  # of the hours


def lies_about(motion: Motion) -> BoolArray:
    """Epochs in which the device lay somewhere, `(N,)`.

    Parameters
    ----------
    motion : Motion
        Epochs in order of time, a day or so: of an epoch, the six hours before and after it are looked at.

    Returns
    -------
    array of bool
        True where some hours that hold the epoch are still throughout. Without acceleration all false.
    """
    if motion.start_ns.size == 0:
        return np.zeros(0, np.bool_)
    first_ns, last_ns = int(motion.start_ns[0]), int(motion.start_ns[-1])
    grid = on_grid(motion, start_ns=first_ns, end_ns=last_ns + EPOCH_NS)
    found = still_for(grid, LONG) | _another(grid, still_for(grid, SHORT))
    return found[motion.start_ns // EPOCH_NS - grid.first_ns // EPOCH_NS]


def still_for(grid: Grid, epochs: int) -> BoolArray:
    """Places, `(T,)`, that lie in so many epochs of stillness."""
    size = len(grid.angle_deg)
    if size < epochs:
        return np.zeros(size, np.bool_)
    known = np.isfinite(grid.angle_deg) & np.isfinite(grid.movement_g)
    most, least = _extremes(np.where(known, grid.movement_g, np.nan), epochs)
    turned_to, turned_from = _extremes(np.where(known, grid.angle_deg, np.nan), epochs)
    loud, quiet = _extremes(grid.rms_uv, epochs)
    counted = np.concatenate(([0], np.cumsum(known)))
    still = (
        (counted[epochs:] - counted[:-epochs] >= PRESENT * epochs)
        & (turned_to - turned_from <= ANGLE_DEG)
        & (most <= NOISE_G)
        & (most <= SWING * least + SWING_G)
        & ((loud <= RMS_SWING * quiet) | ~np.isfinite(quiet))
    )
    # Stretches that begin at k hold the places k to k + epochs - 1.
    begun = np.concatenate(([0], np.cumsum(still), np.full(epochs - 1, still.sum())))
    place = np.arange(size)
    return begun[place + 1] > begun[np.maximum(place + 1 - epochs, 0)]


def _another(grid: Grid, still: BoolArray) -> BoolArray:
    """Of the still runs those whose EMG is another than the quiet level outside of them."""
    heard = np.isfinite(grid.rms_uv)
    outside = grid.rms_uv[heard & grid.worn & ~still]
    kept = np.zeros(len(still), np.bool_)
    if outside.size < HOURS:
        return kept
    level = float(np.percentile(outside, QUIET_PERCENT))
    edges = np.flatnonzero(np.diff(still.astype(np.int8), prepend=0, append=0))
    for first, last in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        inside = grid.rms_uv[first:last][heard[first:last]]
        there = float(np.median(inside)) if inside.size else level
        kept[first:last] = there > OTHER * level or there < level / OTHER
    return kept


def _extremes(values: DoubleArray, epochs: int) -> tuple[DoubleArray, DoubleArray]:
    """Largest and least of every so many neighbours `(T - epochs + 1,)`; what is NaN does not count."""
    inside = slice(epochs // 2, len(values) - (epochs - 1) // 2)
    unknown = np.isnan(values)
    most = maximum_filter1d(np.where(unknown, -np.inf, values), epochs, mode="nearest")[inside]
    least = minimum_filter1d(np.where(unknown, np.inf, values), epochs, mode="nearest")[inside]
    return most, least
