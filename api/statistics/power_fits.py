"""Poisson and logistic regressions of many tables at once, which statsmodels fits one by one.

The planner needs thousands within a second. `power_tests` makes the tests of the analyses from them, and the tests of
this project hold both against the analyses themselves, table by table.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import stats

from api.statistics.power_tables import DoubleArray
from api.statistics.rows import BoolArray
from api.statistics.values import LEVEL

STEPS: Final = 30
NEAR: Final = 1e-5  # of the last step; what is left after it is the square of that
LARGEST_STEP: Final = 3.0  # on the logarithmic scale; a longer one overshoots
RIDGE: Final = 1e-10  # of the information: a column that is empty in one table must not stop the others
Columns = Sequence[DoubleArray]  # of the design, the intercept first; each (T, n)
Mean = Callable[[DoubleArray], tuple[DoubleArray, DoubleArray]]


@dataclass(frozen=True, slots=True)
class Fits:
    """Maximum likelihood of T tables with n rows and q columns; rows that are missing have weight 0."""

    design: tuple[DoubleArray, ...]
    beta: DoubleArray  # (T, q)
    residual: DoubleArray  # (T, n)
    weight: DoubleArray  # (T, n) variance of each count by the model
    converged: BoolArray  # (T,)

    @property
    def covariance(self) -> DoubleArray:
        """Of the coefficients, were the model's variance right; `(T, q, q)`."""
        return _inverse(_products(self.design, self.weight))

    @property
    def sandwich(self) -> DoubleArray:
        """Of the coefficients from the residuals, each divided by one less its leverage (HC3); `(T, q, q)`."""
        bread = self.covariance
        leverage = np.zeros(self.weight.shape)
        for i, one in enumerate(self.design):
            for j, other in enumerate(self.design[: i + 1]):
                leverage += (1.0 if i == j else 2.0) * bread[:, i, j, None] * one * other
        score = self.residual / np.maximum(1.0 - self.weight * leverage, 1e-8)
        return np.asarray(bread @ _products(self.design, score**2) @ bread)


def fit_counts(counts: DoubleArray, design: Columns, exposures: DoubleArray) -> Fits:
    """Poisson with log link and exposure as offset; rows without exposure are missing."""
    start = np.log(np.maximum(counts.sum(axis=1), 0.5) / np.maximum(exposures.sum(axis=1), 1e-9))

    def mean(linear: DoubleArray) -> tuple[DoubleArray, DoubleArray]:
        expected = exposures * np.exp(np.clip(linear, -30.0, 30.0))
        return expected, expected

    return _fit(counts, design, mean, start=start)


def fit_shares(on: DoubleArray, off: DoubleArray, design: Columns, offset: DoubleArray) -> Fits:
    """Logistic regression of the share `on` of each row's counts; rows without counts are missing."""
    total = on + off

    def mean(linear: DoubleArray) -> tuple[DoubleArray, DoubleArray]:
        share = 1.0 / (1.0 + np.exp(-np.clip(linear + offset, -30.0, 30.0)))
        return total * share, total * share * (1.0 - share)

    return _fit(on, design, mean, start=np.zeros(len(on)))


def least_dispersion(df: DoubleArray) -> DoubleArray:
    """As `logratio.least_dispersion`, of many; NaN where there are no degrees of freedom."""
    known, which = np.unique(df, return_inverse=True)  # few are different, and quantiles are slow
    tail = (1.0 - LEVEL) / 2.0
    return np.asarray(((stats.norm.isf(tail) / stats.t.isf(tail, known)) ** 2)[which])


def _fit(counts: DoubleArray, design: Columns, mean: Mean, *, start: DoubleArray) -> Fits:
    """Newton's method from a common rate, every table with its own steps."""
    beta = np.zeros((len(counts), len(design)))
    beta[:, 0] = start
    step = beta
    for _ in range(STEPS):
        expected, weight = mean(_linear(design, beta))
        residual = counts - expected
        gradient = np.stack([_sum(column, residual) for column in design], axis=1)
        step = np.einsum("tij,tj->ti", _inverse(_products(design, weight)), gradient)
        beta = beta + np.clip(step, -LARGEST_STEP, LARGEST_STEP)
        if np.abs(step).max() < NEAR:
            break
    expected, weight = mean(_linear(design, beta))
    converged: BoolArray = np.abs(step).max(axis=1) < NEAR
    return Fits(tuple(design), beta, counts - expected, weight, converged)


def _linear(design: Columns, beta: DoubleArray) -> DoubleArray:
    linear = np.zeros(design[0].shape)
    for number, column in enumerate(design):
        linear += column * beta[:, number, None]
    return linear


def _products(design: Columns, weight: DoubleArray) -> DoubleArray:
    """Weighted sums of the products of all pairs of columns, `(T, q, q)`."""
    size = len(design)
    out = np.empty((len(weight), size, size))
    for i, one in enumerate(design):
        weighted = one * weight
        for j in range(i + 1):
            out[:, i, j] = out[:, j, i] = _sum(weighted, design[j])
    return out


def _sum(one: DoubleArray, other: DoubleArray) -> DoubleArray:
    return np.asarray(np.einsum("tn,tn->t", one, other))


def _inverse(information: DoubleArray) -> DoubleArray:
    size = information.shape[-1]
    scale = np.trace(information, axis1=1, axis2=2)[:, None, None] / size
    return np.asarray(np.linalg.inv(information + (RIDGE * scale + 1e-300) * np.eye(size)))
