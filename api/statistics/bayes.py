"""Cramp rates and their ratio as posterior distributions, in closed form: nothing is sampled, no seed matters."""

import math
from dataclasses import dataclass
from typing import Any, Final

from scipy import stats

from api.statistics.values import LEVEL, Estimate, unknown

WORTHWHILE: Final = 0.75
_MEASURE: Final = "rate ratio, posterior median"


@dataclass(frozen=True, slots=True)
class Prior:
    """What is held of a rate beforehand: a gamma distribution worth `shape` cramps, with its mean per unit of exposure.

    The default is worth one cramp in each period, and centred on the rate of both periods together (`mean` None):
    before any data the ratio is as likely below 1 as above, and with 90 % between 1/19 and 19. It pulls a ratio
    from few cramps towards 1 and leaves one from many alone.
    """

    shape: float = 1.0
    mean: float | None = None

    def __post_init__(self) -> None:
        """Refuse what is no distribution."""
        if not self.shape > 0 or (self.mean is not None and not self.mean > 0):
            msg = "a gamma prior has a shape and a mean above 0"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class RatioPosterior:
    """The rate ratio as a distribution: its median with the credible interval, and what is likely."""

    estimate: Estimate
    probability: tuple[tuple[str, float], ...]  # ("RR<1", ...), ("RR<0.75", ...); empty where there is no posterior


def rate_posterior(
    count: float, exposure: float, *, prior: Prior | None = None, dispersion: float = 1.0, level: float = LEVEL
) -> Estimate:
    """A rate per unit of exposure: Gamma(shape + y / d, shape / mean + t / d), the conjugate posterior.

    `dispersion` d, where counts vary more than Poisson, divides the evidence: the likelihood to the power 1 / d
    (power posterior; quasi-Poisson variance). The source is Gelman et al., Bayesian Data Analysis, 3rd ed., 2.6.
    """
    given = prior or Prior()
    measure, method = "rate, posterior median", _words("gamma posterior of a Poisson rate", given, dispersion)
    mean = given.mean if given.mean is not None else _pooled(count, exposure)
    if exposure <= 0 or mean <= 0:
        note = "nothing was usable" if exposure <= 0 else "no cramp was counted: there is no centre for the prior"
        return unknown(measure, method=method, note=note)
    d = max(dispersion, 1.0)
    posterior = stats.gamma(given.shape + count / d, scale=1.0 / (given.shape / mean + exposure / d))
    return _summed(posterior, measure=measure, method=method, level=level)


def ratio_posterior(
    *,
    count_control: float,
    exposure_control: float,
    count_treated: float,
    exposure_treated: float,
    prior: Prior | None = None,
    dispersion: float = 1.0,
    worthwhile: float = WORTHWHILE,
    level: float = LEVEL,
) -> RatioPosterior:
    """Rate when treated over rate under control: of two gamma posteriors, a beta-prime (scaled F) distribution.

    If the rates are Gamma(a1, b1) and Gamma(a0, b0), their ratio is b0 / b1 times BetaPrime(a1, a0)
    (Johnson, Kotz and Balakrishnan, Continuous Univariate Distributions 2, 27.8). Prior and dispersion as in
    `rate_posterior`; the dispersion is taken as known.
    """
    given = prior or Prior()
    method = _words("gamma-Poisson posterior of the ratio", given, dispersion)
    if min(exposure_control, exposure_treated) <= 0:
        return RatioPosterior(unknown(_MEASURE, method=method, note="a period without usable time", null=1.0), ())
    if count_control + count_treated <= 0:
        return RatioPosterior(unknown(_MEASURE, method=method, note="no cramp in either period", null=1.0), ())
    d = max(dispersion, 1.0)
    mean = given.mean or _pooled(count_control + count_treated, exposure_control + exposure_treated)
    before = given.shape / mean
    posterior = stats.betaprime(
        given.shape + count_treated / d,
        given.shape + count_control / d,
        scale=(before + exposure_control / d) / (before + exposure_treated / d),
    )
    likely = tuple((f"RR<{bound:g}", float(posterior.cdf(bound))) for bound in sorted({1.0, worthwhile}, reverse=True))
    return RatioPosterior(_summed(posterior, measure=_MEASURE, method=method, level=level, null=1.0), likely)


# SciPy's frozen distributions have no public type.
def _summed(posterior: Any, *, measure: str, method: str, level: float, null: float | None = None) -> Estimate:
    """Median and equal-tailed credible interval. A posterior has no p value."""
    tail = (1.0 - level) / 2.0
    low, median, high = (float(posterior.ppf(q)) for q in (tail, 0.5, 1.0 - tail))
    return Estimate(measure, median, low, high, None, method, null=null, level=level)


def _pooled(count: float, exposure: float) -> float:
    return count / exposure if exposure > 0 else math.nan


def _words(what: str, prior: Prior, dispersion: float) -> str:
    centre = "the common rate" if prior.mean is None else f"{prior.mean:g}"
    text = f"{what}, prior gamma with shape {prior.shape:g} and mean {centre}, equal-tailed interval"
    return f"{text}, evidence divided by the dispersion {dispersion:.2g}" if dispersion > 1.0 else text
