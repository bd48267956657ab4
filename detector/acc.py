"""From a window of acceleration to movement and posture.

Movement is MAD, the mean absolute deviation of the vector norm, as GGIR defines it (van Hees et al.); posture is
the mean vector of the window, from which the angle of the shank and its turning follow.
"""

from dataclasses import dataclass

import numpy as np

from detector.layout import CountArray, FloatArray


@dataclass(frozen=True, slots=True)
class AccWindows:
    """Features of N windows of acceleration."""

    mad: FloatArray  # (N,) g
    gravity: FloatArray  # (N, 3) mean vector, g


def acc_windows(counts: CountArray, scale: FloatArray) -> AccWindows:
    """Movement and posture of each window.

    Parameters
    ----------
    counts : int16 array, shape (N, 3, m)
        One window a row; axis x lies along the shank and points to the knee.
    scale : float32 array, shape (N, 3)
        g per count.

    Returns
    -------
    AccWindows
        ``mad = mean|r - mean(r)|`` with ``r = |a|``, and the mean vector.

    Examples
    --------
    >>> still = np.tile(np.array([4096, 0, 0], np.int16)[None, :, None], (1, 1, 50))
    >>> w = acc_windows(still, np.full((1, 3), 1 / 4096, np.float32))
    >>> float(w.mad[0]), w.gravity[0].tolist()
    (0.0, [1.0, 0.0, 0.0])
    """
    a = counts.swapaxes(0, 1).astype(np.float32, order="C")  # axes first: all windows in one sweep
    a *= scale.T[:, :, None]
    squares = a * a
    norm = np.sqrt(squares[0] + squares[1] + squares[2])
    m = np.float32(counts.shape[-1])
    norm -= (np.add.reduce(norm, axis=-1) / m)[:, None]
    mad = np.add.reduce(np.abs(norm, out=norm), axis=-1) / m
    return AccWindows(mad=mad, gravity=(np.add.reduce(a, axis=-1) / m).T)


def sine(gravity: FloatArray) -> FloatArray:
    """Sine of the angle of the shank to the horizontal, (..., 3) g -> (...); NaN unknown."""
    size: FloatArray = np.sqrt(dot(gravity, gravity))
    along: FloatArray = np.divide(np.where(size > 0, gravity[..., 0], np.nan), np.where(size > 0, size, 1))
    return along


def angle_deg(gravity: FloatArray) -> FloatArray:
    """Angle of the shank to the horizontal, (..., 3) g -> (...) degrees: 90 upright, 0 lying, NaN unknown."""
    angle: FloatArray = np.degrees(np.arcsin(np.minimum(np.maximum(sine(gravity), -1), 1)))
    return angle


def cosine(before: FloatArray, after: FloatArray) -> FloatArray:
    """Cosine of the angle between two gravity vectors (..., 3); 1, no turn, where either is unknown."""
    size: FloatArray = np.sqrt(dot(before, before) * dot(after, after))
    turn: FloatArray = np.divide(np.where(size > 0, dot(before, after), 1), np.where(size > 0, size, 1))
    return turn


def dot(a: FloatArray, b: FloatArray) -> FloatArray:
    """Product of vectors (..., 3); sums over so short an axis are slow."""
    product = a * b
    total: FloatArray = product[..., 0] + product[..., 1] + product[..., 2]
    return total
