"""The wearer's own rest level: a slow tracker of quiet EMG, one step an epoch.

In the logarithm of amplitude, ``r <- r + clip(x - r, -down, up)`` where x is the 30th percentile of the epoch's
usable windows in which the leg is still. It falls fast, so that activity at the start is forgotten; it rises
slowly, so that neither a cramp nor an hour of standing becomes rest; after donning it learns faster for a minute.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from detector.layout import FloatArray
from detector.params import Params

PERCENTILE: Final = 0.3
LEAST: Final = 5  # usable windows an epoch must have to teach anything
WARM_UP: Final = 0.1
FAR: Final = float(np.log(2))


def quiet(amplitude: FloatArray, usable: NDArray[np.bool_]) -> FloatArray:
    """The 30th percentile of usable windows, `(..., E)` -> `(...)`; NaN with fewer than five of them."""
    return percentile(amplitude, usable, share=PERCENTILE)


def percentile(amplitude: FloatArray, usable: NDArray[np.bool_], *, share: float | NDArray[np.float64]) -> FloatArray:
    """A percentile of usable windows, `(..., E)` -> `(...)`; NaN with fewer than five of them.

    `share` is 0-1, or one for each entry of the last axis but one.
    """
    chosen = np.where(usable, amplitude, np.float32(np.inf))
    ordered = np.sort(chosen, axis=-1).reshape(-1, chosen.shape[-1])
    n = np.broadcast_to(np.add.reduce(usable, axis=-1), chosen.shape[:-1])
    index = (share * np.maximum(n - 1, 0)).astype(np.intp)
    value = ordered[np.arange(len(ordered)), index.ravel()].reshape(n.shape)
    return np.where(n >= LEAST, value, np.float32(np.nan))


def track(
    rest: FloatArray, level: FloatArray, *, warm: NDArray[np.bool_], frozen: NDArray[np.bool_], params: Params
) -> FloatArray:
    """One step of the tracker.

    Parameters
    ----------
    rest : array, any shape
        Logarithm of the rest level; NaN while unknown.
    level : array, same shape
        Quiet amplitude of the epoch; NaN where it teaches nothing.
    warm, frozen : bool array, same shape
        Within the first minute of wear; during an episode, when the level may not rise.
    params : Params
        Rates.

    Returns
    -------
    array
        The new logarithm of the rest level.
    """
    target = np.log(np.maximum(level, 1e-12))
    deviation = target - rest
    up = np.where(deviation < FAR, params.rest_up, params.rest_up_far)
    up = np.where(frozen, 0, np.where(warm, WARM_UP, up))
    stepped = rest + np.minimum(np.maximum(deviation, -params.rest_down), up)
    learned = np.where(np.isnan(rest), target, stepped)
    return np.where(np.isnan(level), rest, learned).astype(np.float32)
