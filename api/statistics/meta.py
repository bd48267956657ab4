"""What several single-person comparisons say together: fixed and random effects, how much people differ, who differs.

Effects are log ratios, or differences, of one person (or one published trial) each, with their standard errors. The
random-effects figure is the one to read: people differ, and its interval says so.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, stats

from api.statistics.logratio import least_dispersion
from api.statistics.values import LEVEL, Estimate, unknown

Scale = Literal["ratio", "difference"]
_PAULE_MANDEL: Final = "random effects, tau2 by Paule-Mandel"
_FAR: Final = 1e6  # in units of the widest effect: no spread between people is wider
_FEW: Final = 10  # of fewer people tau2 is known too badly for the prediction: 90 % of 8 where it says 95 %
_Row = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Effect:
    """The effect in one person: a log ratio, or a difference, and its standard error."""

    name: str
    value: float
    error: float
    note: str = ""

    def __post_init__(self) -> None:
        """Refuse what has no weight."""
        if not (math.isfinite(self.value) and math.isfinite(self.error) and self.error > 0):
            msg = f"{self.name}: an effect is finite and has a standard error above 0"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class Pooled:
    """Everything that a meta-analysis shows; ratios are back on their own scale, `tau2` is on the log scale."""

    fixed: Estimate
    random: Estimate
    prediction: Estimate  # where the effect in a next person is to be expected
    tau2: Estimate  # variance of effects between people
    i2: Estimate  # share of the variance that is between people
    q: Estimate  # Cochran's Q and its p value
    persons: tuple[Estimate, ...]  # shrunken towards the mean, in the order given; `measure` is the name


def combine(effects: Sequence[Effect], *, scale: Scale = "ratio", level: float = LEVEL) -> Pooled:
    """Inverse-variance fixed effect, and random effects by Paule-Mandel with Hartung-Knapp interval.

    Paule and Mandel 1982 (statsmodels); Hartung and Knapp 2001, never narrower than by the normal distribution (Jackson
    et al. 2017); intervals of tau2 and I2 by the Q profile (Viechtbauer 2007); prediction interval with k - 2 degrees
    of freedom (Higgins, Thompson and Spiegelhalter 2009).
    """
    if len(effects) < 2:
        return _alone(effects, scale=scale)
    from statsmodels.stats.meta_analysis import combine_effects  # noqa: PLC0415 - takes 2.5 s and 60 MB

    value, variance = np.array([one.value for one in effects]), np.array([one.error for one in effects]) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):  # its own I2, not used here, divides by Q
        found = combine_effects(value, variance, method_re="pm", maxiter=200)
    tau2, k = float(found.tau2), len(effects)
    if tau2 > 0 and abs(_spread(tau2, value, variance) - (k - 1)) > 1e-3:
        return _alone(effects, scale=scale, note="the spread between people could not be estimated")
    usual = float(found.sd_eff_w_re)
    error = usual * math.sqrt(max(least_dispersion(k - 1, level), float(found.scale_hksj_re)))
    mean = float(found.mean_effect_re)
    reach = float(stats.t.isf((1.0 - level) / 2.0, k - 1))
    p = float(2.0 * stats.t.sf(abs(mean) / error, k - 1))
    method = f"{_PAULE_MANDEL}, Hartung-Knapp t interval, {k} people"
    random = _estimate(mean, reach * error, scale=scale, p=p, method=method, level=level)
    low, high = _profile(value, variance, level=level)
    return Pooled(
        fixed=_fixed(float(found.mean_effect_fe), float(found.sd_eff_w_fe), scale=scale, level=level),
        random=random,
        prediction=_prediction(mean, math.sqrt(tau2 + usual**2), k=k, scale=scale, level=level),
        tau2=Estimate("tau2", tau2, low, high, None, "Paule-Mandel, Q-profile interval", level=level),
        i2=_shares((tau2, low, high), variance, level=level),
        q=Estimate("Q", float(found.q), math.nan, math.nan, float(stats.chi2.sf(found.q, k - 1)), "Cochran's Q"),
        persons=tuple(_shrunken(one, mean, usual, tau2, scale=scale, level=level) for one in effects),
    )


def _alone(effects: Sequence[Effect], *, scale: Scale, note: str = "at least two people are needed") -> Pooled:
    """No pooling: what there is of a person is shown as it is."""
    none = unknown(f"pooled {scale}", method=_PAULE_MANDEL, note=note, null=_null(scale))
    z = float(stats.norm.isf((1.0 - LEVEL) / 2.0))
    persons = tuple(
        _estimate(one.value, z * one.error, scale=scale, measure=one.name, method="not shrunken", note=one.note)
        for one in effects
    )
    return Pooled(none, none, none, none, none, none, persons)


def _spread(tau2: float, value: _Row, variance: _Row) -> float:
    """The generalised Q statistic: squares about the weighted mean, with weights 1 / (v + tau2)."""
    weight = 1.0 / (variance + tau2)
    mean = float(weight @ value / weight.sum())
    return float(weight @ (value - mean) ** 2)


def _profile(value: _Row, variance: _Row, *, level: float) -> tuple[float, float]:
    """Values of tau2 at which the generalised Q is at its own quantiles; it falls as tau2 rises."""
    df = len(value) - 1
    far = _FAR * float(np.ptp(value) ** 2 + variance.max())

    def where(quantile: float) -> float:
        if _spread(0.0, value, variance) <= quantile:
            return 0.0
        return float(optimize.brentq(lambda tau2: _spread(tau2, value, variance) - quantile, 0.0, far))

    tail = (1.0 - level) / 2.0
    return where(float(stats.chi2.isf(tail, df))), where(float(stats.chi2.ppf(tail, df)))


def _shares(tau2s: tuple[float, float, float], variance: _Row, *, level: float) -> Estimate:
    """I2 = tau2 / (tau2 + s2), s2 the typical variance within people (Higgins and Thompson 2002)."""
    weight = 1.0 / variance
    typical = (len(variance) - 1) * weight.sum() / (weight.sum() ** 2 - (weight**2).sum())
    share, low, high = (float(tau2 / (tau2 + typical)) for tau2 in tau2s)
    return Estimate("I2", share, low, high, None, "Higgins-Thompson, Q-profile interval", level=level)


def _fixed(mean: float, error: float, *, scale: Scale, level: float) -> Estimate:
    """One effect that is presumed the same in everybody: right only for the people who took part."""
    reach = float(stats.norm.isf((1.0 - level) / 2.0)) * error
    p = float(2.0 * stats.norm.sf(abs(mean) / error))
    return _estimate(mean, reach, scale=scale, p=p, method="fixed effect, inverse variance", level=level)


def _prediction(mean: float, error: float, *, k: int, scale: Scale, level: float) -> Estimate:
    """Where the true effect in a next person lies: mean ± t(k - 2) sqrt(tau2 + SE2)."""
    method = "prediction interval, t with k - 2 degrees of freedom"
    if k < 3:
        return unknown(f"pooled {scale}", method=method, note="at least three people are needed", null=_null(scale))
    reach = float(stats.t.isf((1.0 - level) / 2.0, k - 2)) * error
    note = f"of fewer than {_FEW} people it covers less than it says" if k < _FEW else ""
    return _estimate(mean, reach, scale=scale, method=method, note=note, level=level)


def _shrunken(one: Effect, mean: float, error: float, tau2: float, *, scale: Scale, level: float) -> Estimate:
    """Best linear prediction of a person's own effect (Raudenbush and Bryk 1985), with the error of the mean in it."""
    own = tau2 / (tau2 + one.error**2)  # weight of what this person showed
    value = own * one.value + (1.0 - own) * mean
    reach = float(stats.norm.isf((1.0 - level) / 2.0)) * math.sqrt(own * one.error**2 + ((1.0 - own) * error) ** 2)
    method = f"shrunken towards the mean, own weight {own:.0%}"
    return _estimate(value, reach, scale=scale, measure=one.name, method=method, note=one.note, level=level)


def _estimate(
    value: float,
    reach: float,
    *,
    scale: Scale,
    method: str,
    p: float | None = None,
    measure: str = "",
    note: str = "",
    level: float = LEVEL,
) -> Estimate:
    middle, low, high = float(value), float(value - reach), float(value + reach)
    if scale == "ratio":
        middle, low, high = (_exp(figure) for figure in (middle, low, high))
    name = measure or f"pooled {scale}"
    return Estimate(name, middle, low, high, p, method, null=_null(scale), level=level, note=note)


def _exp(power: float) -> float:
    return math.exp(power) if power < 700.0 else math.inf


def _null(scale: Scale) -> float:
    return 1.0 if scale == "ratio" else 0.0
