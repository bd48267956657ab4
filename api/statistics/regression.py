"""Poisson and binomial regression by statsmodels, with what intervals need of a fit.

statsmodels takes 2.5 s and 60 MB to import, so only a process that fits something pays for it.
"""

import math
import warnings
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from scipy import optimize

from api.statistics.rows import DoubleArray

LEAST_A, MOST_A = 1e-4, 1e2  # between chance alone and anything that weeks can differ by
VANISHING: Final = 1e-8  # a fitted mean this far below the largest one belongs to a fit that runs to infinity


@dataclass(frozen=True, slots=True)
class Fit:
    """Maximum likelihood, where the variance of a count is its `weight`."""

    design: DoubleArray  # (n, q)
    beta: DoubleArray  # (q,)
    residual: DoubleArray  # (n,) counts less their fitted means
    weight: DoubleArray  # (n,) variance of each count by the model

    @property
    def df(self) -> int:
        return len(self.residual) - len(self.beta)

    @property
    def pearson(self) -> float:
        """Sum of squared Pearson residuals; over `df` it is the dispersion."""
        return float((self.residual**2 / self.weight).sum())

    @property
    def covariance(self) -> DoubleArray:
        """Of the coefficients, were the model's variance right."""
        return _inverse(self.design, self.weight)

    @property
    def sandwich(self) -> DoubleArray:
        """Of the coefficients, from the residuals alone, each divided by one less its leverage.

        With one row per wearer this is the bias-reduced covariance of a GEE (Mancl and DeRouen 2001, Biometrics
        57:126), known as HC3 for a linear model.
        """
        bread = self.covariance
        leverage = self.weight * np.einsum("ij,jk,ik->i", self.design, bread, self.design)
        score = self.design * (self.residual / np.maximum(1.0 - leverage, VANISHING))[:, None]
        out: DoubleArray = bread @ (score.T @ score) @ bread
        return out


def fit_counts(counts: DoubleArray, design: DoubleArray, exposures: DoubleArray) -> Fit | None:
    """Poisson regression with log link and the logarithm of exposure as offset; None where there is no finite fit."""
    import statsmodels.api as sm  # noqa: PLC0415

    fitted = _fit(sm.GLM(counts, design, family=sm.families.Poisson(), offset=np.log(exposures)))
    if fitted is None or fitted[1].min() <= VANISHING * fitted[1].max():
        return None
    beta, mean = fitted
    return Fit(design, beta, counts - mean, mean)


def fit_counts_dispersed(counts: DoubleArray, design: DoubleArray, exposures: DoubleArray) -> Fit | None:
    """The same with variance m + a m², a by the method of moments: Pearson's statistic equals its degrees of freedom.

    `weight` is the information m / (1 + a m) then, `residual` is divided by 1 + a m, so that the sums stay right.
    """
    import statsmodels.api as sm  # noqa: PLC0415

    plain = fit_counts(counts, design, exposures)
    if plain is None or plain.pearson <= plain.df:
        return plain

    def excess(log_a: float) -> float:
        fit = at(math.exp(log_a))
        return math.inf if fit is None else fit.pearson - fit.df

    def at(a: float) -> Fit | None:
        family = sm.families.NegativeBinomial(alpha=a)
        fitted = _fit(sm.GLM(counts, design, family=family, offset=np.log(exposures)))
        if fitted is None:
            return None
        beta, mean = fitted
        return Fit(design, beta, (counts - mean) / (1.0 + a * mean), mean / (1.0 + a * mean))

    low, high = math.log(LEAST_A), math.log(MOST_A)
    if not excess(low) > 0.0 > excess(high):
        return plain
    return at(math.exp(float(optimize.brentq(excess, low, high, xtol=1e-2))))


def fit_shares(on: DoubleArray, off: DoubleArray, design: DoubleArray, offset: DoubleArray) -> Fit | None:
    """Logistic regression of the share `on` of each row's counts; None where there is no finite fit."""
    import statsmodels.api as sm  # noqa: PLC0415

    fitted = _fit(sm.GLM(np.column_stack([on, off]), design, family=sm.families.Binomial(), offset=offset))
    if fitted is None or min(fitted[1].min(), (1.0 - fitted[1]).min()) <= VANISHING:
        return None
    beta, share = fitted
    total = on + off
    return Fit(design, beta, on - total * share, total * share * (1.0 - share))


def _fit(model: Any) -> tuple[DoubleArray, DoubleArray] | None:
    # A fit that runs to infinity warns in several ways; what it comes to is judged by the fitted means instead.
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            result = model.fit()
        except (np.linalg.LinAlgError, ValueError):  # statsmodels: weights that vanish, or NaN in the estimate
            return None
        beta, mean = np.asarray(result.params), np.asarray(result.mu)
    usable = bool(result.converged) and np.isfinite(beta).all() and np.isfinite(mean).all()
    return (beta, mean) if usable else None


def _inverse(design: DoubleArray, weight: DoubleArray) -> DoubleArray:
    # Of columns that say the same, pinv shares out the effect; callers leave such columns out beforehand.
    return np.asarray(np.linalg.pinv(design.T @ (design * weight[:, None])), dtype=np.float64)
