"""How well two ordinal ratings of the same things agree: weighted kappa with its large-sample interval."""

from dataclasses import dataclass
from math import nan, sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detector.errors import DetectorError

Z: Final = 1.959964  # of a 95 % interval


@dataclass(frozen=True, slots=True)
class Kappa:
    """Weighted kappa and its 95 % interval; NaN where one side used a single level and agreement is undefined."""

    value: float
    low: float
    high: float


def weighted_kappa(table: NDArray[np.float64], disagreement: NDArray[np.float64]) -> Kappa:
    """Chance-corrected agreement of two raters.

    With p the shares of the table, q the shares its margins would give by chance and v the disagreement weights,
    ``kappa = 1 - sum(v p) / sum(v q)`` (Cohen 1968, Psychol Bull 70:213, doi 10.1037/h0026256).

    Parameters
    ----------
    table : array, shape (K, K)
        Counts; rows are the levels of one rater, columns those of the other.
    disagreement : array, shape (K, K)
        How bad each combination is; 0 on the diagonal. Only ratios matter.

    Returns
    -------
    Kappa
        Its interval is the large-sample one (Fleiss, Cohen & Everitt 1969, Psychol Bull 72:323,
        doi 10.1037/h0028106), cut at -1 and 1; below some 30 pairs it is rough.

    Raises
    ------
    DetectorError
        If the shapes differ or are not square, or the table is empty or negative.

    Examples
    --------
    >>> table = np.array([[10, 2, 0], [1, 8, 3], [0, 2, 9]], dtype=float)
    >>> round(weighted_kappa(table, quadratic(3)).value, 3)
    0.826
    """
    if table.ndim != 2 or table.shape[0] != table.shape[1] or table.shape != disagreement.shape:
        raise DetectorError(f"table {table.shape} and weights {disagreement.shape} must be one square shape")
    n = float(table.sum())
    if not (table >= 0).all() or not n > 0:
        raise DetectorError("a table of agreement holds counts, at least one of them above zero")
    p = table / n
    rows, columns = p.sum(1), p.sum(0)
    by_chance = float((disagreement * np.outer(rows, columns)).sum())
    if by_chance <= 0 or min(np.count_nonzero(rows), np.count_nonzero(columns)) == 1:
        return Kappa(nan, nan, nan)
    kappa = 1 - float((disagreement * p).sum()) / by_chance
    # Fleiss, Cohen & Everitt in weights of disagreement, v = 1 - w: the ones cancel.
    margin = (disagreement @ columns)[:, None] + rows @ disagreement
    square = float((p * (disagreement - margin * (1 - kappa)) ** 2).sum())
    variance = (square - (by_chance * (1 - kappa)) ** 2) / (n * by_chance**2)
    half = Z * sqrt(max(variance, 0.0))
    return Kappa(kappa, max(kappa - half, -1.0), min(kappa + half, 1.0))


def quadratic(levels: int) -> NDArray[np.float64]:
    """Disagreement weights `(levels, levels)` that grow with the square of the distance."""
    at = np.arange(levels, dtype=np.float64)
    return (at[:, None] - at) ** 2


def quadratic_kappa(first: NDArray[np.int64], second: NDArray[np.int64], *, levels: int) -> Kappa:
    """Quadratic kappa of levels `(n,)` from 0 to `levels` - 1, one pair a place."""
    table = np.zeros((levels, levels))
    np.add.at(table, (first, second), 1)
    return weighted_kappa(table, quadratic(levels))
