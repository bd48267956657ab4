"""Which way the leg stands, whatever way the accelerometer was mounted: learned from rest and from walking.

A device states that its axis x points to the knee; the angle of that axis is believed only until something better is
known. Two directions of gravity are learned, one step an epoch:

- *up*: its mean while the wearer walks. Averaged over strides the shank is then upright.
- *home*: that in which the leg has been still and its muscles quiet for the last minutes. Nobody rests standing, so
  a leg at home bears no weight even where it is upright: the wearer sits.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from detector.acc import turn_deg
from detector.layout import FloatArray
from detector.state import State

WALK_G: Final = 0.08  # mean absolute deviation at the shank while walking, and more
WALK_SHARE: Final = 0.8  # of the seconds of an epoch
STEADY: Final = 0.85  # mean resultant length of gravity: strides come back to where they were, turning over does not
UP_STEP: Final = 0.2
UP_EPOCHS: Final = 2  # walked, before `up` is believed
UP_DEG: Final = 40.0
NEAR_DEG: Final = 35.0  # a posture is left where gravity has turned by more
HOME_LEAVE: Final = 3  # epochs of rest forgotten by one of rest elsewhere
HOME_MOST: Final = 30
HOME_EPOCHS: Final = 6  # at rest in one posture before it is home


def learn_up(up: FloatArray, walked: NDArray[np.int32], *, mad: FloatArray, gravity: FloatArray,
             have: NDArray[np.bool_]) -> tuple[FloatArray, NDArray[np.int32]]:  # fmt: skip
    """One step for A epochs.

    Parameters
    ----------
    up : array, shape (A, 3)
        Direction learned so far, unit length.
    walked : int32 array, shape (A,)
        Epochs it was learned from, at most `UP_EPOCHS`.
    mad, gravity, have : arrays, shapes (A, E), (A, E, 3), (A, E)
        Windows of the epoch: movement in g, mean acceleration, and which of them there are.

    Returns
    -------
    up, walked : arrays
        After the epoch.
    """
    brisk = (have & (mad > WALK_G)).sum(-1) >= WALK_SHARE * np.maximum(have.sum(-1), 5)
    if not brisk.any():
        return up, walked
    mean, steady = _resultant(gravity, have)
    walks = brisk & (steady > STEADY)
    step = np.where(walked > 0, UP_STEP, 1.0)[:, None]
    moved = _unit(up + step * (mean - up))
    return (
        np.where(walks[:, None], moved, up).astype(np.float32),
        np.where(walks, np.minimum(walked + 1, UP_EPOCHS), walked).astype(np.int32),
    )


def learn_home(home: FloatArray, rested: NDArray[np.int32], *, gravity: FloatArray,
               calm: NDArray[np.bool_]) -> tuple[FloatArray, NDArray[np.int32]]:  # fmt: skip
    """One step for A epochs, where five or more of the windows are still and quiet (`calm`, shape (A, E))."""
    rests = calm.sum(-1) >= 5
    if not rests.any():
        return home, rested
    mean, _ = _resultant(gravity, calm)
    rests &= (mean != 0).any(-1)
    here = rests & (turn_deg(home, mean) < NEAR_DEG)
    left = np.maximum(rested - HOME_LEAVE, 0)
    count = np.where(here, np.minimum(rested + 1, HOME_MOST), np.where(rests, left, rested))
    anew = rests & ~here & (left == 0)
    return (
        np.where((here | anew)[:, None], mean, home).astype(np.float32),
        np.where(anew, 1, count).astype(np.int32),
    )


def upright(
    state: State, rows: slice | NDArray[np.intp], gravity: FloatArray, *, steep: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Whether the shank stands: near the direction of walking, or `steep` by axis x where none is known, `(A, L)`."""
    walked = state["walked"][rows] >= UP_EPOCHS
    if not walked.any():
        return steep
    known = np.isfinite(gravity).all(-1)
    return np.where(walked[:, None], known & (turn_deg(state["up"][rows][:, None], gravity) < UP_DEG), steep)


def at_home(state: State, rows: NDArray[np.intp], gravity: FloatArray) -> NDArray[np.bool_]:
    """Whether the leg is in the posture in which it has rested, `(A, L)`."""
    near: NDArray[np.bool_] = turn_deg(state["home"][rows][:, None], gravity) < NEAR_DEG
    return near & (state["rested"][rows] >= HOME_EPOCHS)[:, None]


def _resultant(gravity: FloatArray, chosen: NDArray[np.bool_]) -> tuple[FloatArray, FloatArray]:
    """Mean direction `(A, 3)` of the chosen vectors, and how well they agree, 0-1 `(A,)`."""
    each = np.where(chosen[..., None], _unit(gravity), 0)
    total = np.ascontiguousarray(each.swapaxes(1, 2)).sum(-1)
    length = np.sqrt((total * total).sum(-1))
    return _unit(total), (length / np.maximum(chosen.sum(-1), 1)).astype(np.float32)


def _unit(vector: FloatArray) -> FloatArray:
    """The vectors `(..., 3)` at length 1; 0 for those shorter than a millionth."""
    size = np.sqrt((vector * vector).sum(-1, keepdims=True))
    unit: FloatArray = np.where(size > 1e-6, vector, 0) / np.maximum(size, np.float32(1e-6))
    return unit
