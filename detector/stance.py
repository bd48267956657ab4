"""Which way the leg stands, whatever way the accelerometer was mounted: learned from rest and from walking.

A device states that its axis x points to the knee; the angle of that axis is believed only until something better is
known. Two directions of gravity are learned, one step an epoch:

- *up*: its mean while the wearer walks. Averaged over strides the shank is then upright.
- *home*: that in which the leg has been still and its muscles quiet for the last minutes. Nobody rests standing, so
  a leg at home bears no weight even where it is upright: the wearer sits.
"""

from math import cos, radians
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detector.acc import cosine, dot
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


def walking(*, mad: FloatArray, gravity: FloatArray, have: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], FloatArray]:
    """Whether the wearer walks.

    Parameters
    ----------
    mad, gravity, have : arrays, shapes (..., E), (..., E, 3), (..., E)
        Windows of an epoch: movement in g, mean acceleration, and which of them there are.

    Returns
    -------
    walks, mean : arrays, shapes (...), (..., 3)
        Whether, and the mean direction of gravity; 0 where nobody walks.
    """
    walks = np.add.reduce(have & (mad > WALK_G), axis=-1) >= WALK_SHARE * np.maximum(np.add.reduce(have, axis=-1), 5)
    if not walks.any():
        return walks, np.zeros((*walks.shape, 3), np.float32)
    mean, steady = _resultant(gravity, have)
    walks &= steady > STEADY
    return walks, np.where(walks[..., None], mean, 0)


def resting(*, gravity: FloatArray, calm: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], FloatArray]:
    """Whether five or more of the windows of an epoch are still and quiet (`calm`, shape (..., E)), and where to
    gravity (..., E, 3) then points on the mean."""
    rests = np.add.reduce(calm, axis=-1) >= 5
    if not rests.any():
        return rests, np.zeros((*rests.shape, 3), np.float32)
    mean, _ = _resultant(gravity, calm)
    return rests & (mean != 0).any(-1), mean


def learn_up(
    up: FloatArray, walked: NDArray[np.int32], *, walks: NDArray[np.bool_], mean: FloatArray
) -> tuple[FloatArray, NDArray[np.int32]]:
    """One step for A epochs.

    Parameters
    ----------
    up : array, shape (A, 3)
        Direction learned so far, unit length.
    walked : int32 array, shape (A,)
        Epochs it was learned from, at most `UP_EPOCHS`.
    walks, mean : arrays, shapes (A,), (A, 3)
        Of the epoch, see `walking`.

    Returns
    -------
    up, walked : arrays
        After the epoch.
    """
    step = np.where(walked > 0, np.float32(UP_STEP), np.float32(1))[:, None]
    moved = _unit(up + step * (mean - up))
    return (
        np.where(walks[:, None], moved, up),
        np.where(walks, np.minimum(walked + 1, UP_EPOCHS), walked).astype(np.int32),
    )


def learn_home(
    home: FloatArray, rested: NDArray[np.int32], *, rests: NDArray[np.bool_], mean: FloatArray
) -> tuple[FloatArray, NDArray[np.int32]]:
    """One step for A epochs; `rests` and `mean` as `resting` gives them."""
    # Both are of unit length; where home is unknown, 0, anywhere is home.
    here = rests & (dot(home, mean) >= np.float32(cos(radians(NEAR_DEG))) * dot(home, home))
    left = np.maximum(rested - HOME_LEAVE, 0)
    count = np.where(here, np.minimum(rested + 1, HOME_MOST), np.where(rests, left, rested))
    anew = rests & ~here & (left == 0)
    return (
        np.where((here | anew)[:, None], mean, home),
        np.where(anew, 1, count).astype(np.int32),
    )


def knows_up(state: State, rows: slice | NDArray[np.intp]) -> bool:
    """Whether some leg has walked enough for `upright` to know better than axis x."""
    return bool((state["walked"][rows] >= UP_EPOCHS).any())


def upright(
    state: State, rows: slice | NDArray[np.intp], gravity: FloatArray, *, steep: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Whether the shank stands: near the direction of walking, or `steep` by axis x where none is known, `(A, L)`."""
    walked = state["walked"][rows] >= UP_EPOCHS
    near = np.isfinite(gravity).all(-1) & (cosine(state["up"][rows][:, None], gravity) > cos(radians(UP_DEG)))
    return np.where(walked[:, None], near, steep)


def at_home(state: State, rows: NDArray[np.intp], gravity: FloatArray) -> NDArray[np.bool_]:
    """Whether the leg is in the posture in which it has rested, `(A, L)`."""
    near: NDArray[np.bool_] = cosine(state["home"][rows][:, None], gravity) > cos(radians(NEAR_DEG))
    return near & (state["rested"][rows] >= HOME_EPOCHS)[:, None]


def _resultant(gravity: FloatArray, chosen: NDArray[np.bool_]) -> tuple[FloatArray, FloatArray]:
    """Mean direction `(..., 3)` of the chosen vectors, and how well they agree, 0-1 `(...)`."""
    each = np.where(chosen[..., None], _unit(gravity), 0)
    total = np.add.reduce(np.ascontiguousarray(each.swapaxes(-1, -2)), axis=-1)
    length = np.sqrt(dot(total, total))
    return _unit(total), (length / np.maximum(np.add.reduce(chosen, axis=-1), 1)).astype(np.float32)


def _unit(vector: FloatArray) -> FloatArray:
    """The vectors `(..., 3)` at length 1; 0 for those shorter than a millionth."""
    size = np.sqrt(dot(vector, vector))[..., None]
    unit: FloatArray = np.divide(np.where(size > 1e-6, vector, 0), np.maximum(size, np.float32(1e-6)))
    return unit
