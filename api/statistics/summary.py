"""Estimates from published summary numbers: means, deviations, intervals, percentages. Notes say what was assumed."""

import math
from dataclasses import dataclass
from typing import Final

from scipy import stats

from api.statistics.values import LEVEL, Estimate, unknown

_WELCH: Final = "Welch's t test from means, standard deviations and numbers of people"
_INTERVAL: Final = "t test from a difference and its interval"
_FROM_P: Final = "interval that a difference and its p value from a t test imply"
_PAIRED: Final = "paired t test from means, standard deviations and a correlation"
_SD: Final = "standard deviation of a person from the interval of a difference"
_RHO: Final = "correlation within people from a paired p value"
_RATIO: Final = "ratio of means, interval by the delta method on the logarithm, Welch's degrees of freedom"
_RELATIVE: Final = "difference and its interval divided by the control's mean"
_PERCENT: Final = "one plus the percentage, and its interval likewise"
_REPEATS: Final = "square of the interval's width that the people's spread gives over the printed one"


@dataclass(frozen=True, slots=True)
class Group:
    """Mean and standard deviation (not standard error) of some people."""

    mean: float
    sd: float
    n: int

    @property
    def variance_of_mean(self) -> float:
        return self.sd**2 / self.n


def welch(a: Group, b: Group, *, measure: str = "difference", level: float = LEVEL) -> Estimate:
    """Mean of a minus mean of b, of different people (Welch 1947)."""
    if min(a.n, b.n) < 2 or a.sd + b.sd == 0:
        return unknown(measure, method=_WELCH, note="Two people and some spread are needed in each group.", null=0.0)
    value, error, df = a.mean - b.mean, _error(a, b), _welch_df(a, b)
    reach = float(stats.t.ppf((1.0 + level) / 2.0, df)) * error
    p = float(stats.ttest_ind_from_stats(a.mean, a.sd, a.n, b.mean, b.sd, b.n, equal_var=False).pvalue)
    note = f"t = {value / error:.2f} on {df:.1f} degrees of freedom. Assumes one value a person."
    return Estimate(measure, value, value - reach, value + reach, p, _WELCH, 0.0, level, note)


def from_interval(
    value: float, low: float, high: float, *, df: float = math.inf, measure: str = "difference", level: float = LEVEL
) -> Estimate:
    """p of a difference that was published with its interval; without degrees of freedom the normal distribution."""
    t = value / standard_error(low, high, df=df, level=level)
    p = float(2.0 * stats.t.sf(abs(t), df))
    known = f"t = {t:.2f} on {df:g} degrees of freedom" if math.isfinite(df) else f"z = {t:.2f}"
    note = f"{known}. Assumes a symmetric interval of {level:.0%}."
    return Estimate(measure, value, low, high, p, _INTERVAL, 0.0, level, note)


def from_p(
    value: float, p: float, *, df: float = math.inf, measure: str = "difference", level: float = LEVEL
) -> Estimate:
    """Interval of a difference that was published with its p value alone."""
    t = float(stats.t.isf(p / 2.0, df))
    if t == 0 or value == 0:
        return unknown(measure, method=_FROM_P, note="A p of one, or no difference, implies no interval.", null=0.0)
    reach = float(stats.t.ppf((1.0 + level) / 2.0, df)) * abs(value) / t
    known = f"a t test on {df:g} degrees of freedom" if math.isfinite(df) else "a test by the normal distribution"
    note = f"Assumes that the p value comes from {known} and is not rounded much."
    return Estimate(measure, value, value - reach, value + reach, p, _FROM_P, 0.0, level, note)


def sd_from_interval(low: float, high: float, *, n_a: int, n_b: int, level: float = LEVEL) -> Estimate:
    """Standard deviation that both groups have if it is the same and the interval comes from a t test."""
    df = n_a + n_b - 2
    value = standard_error(low, high, df=df, level=level) / math.sqrt(1.0 / n_a + 1.0 / n_b)
    below, above = (value * math.sqrt(df / float(stats.chi2.ppf(tail, df))) for tail in (0.975, 0.025))
    note = f"Assumes equal spread in both groups and an interval of t on {df} degrees of freedom."
    return Estimate("standard deviation", value, below, above, None, _SD, level=level, note=note)


def paired(a: Group, b: Group, *, rho: float, measure: str = "difference", level: float = LEVEL) -> Estimate:
    """Mean of a minus mean of b in the same people, whose two values correlate by rho."""
    if a.n != b.n or a.n < 2:
        return unknown(measure, method=_PAIRED, note="Both must be of the same people, two or more.", null=0.0)
    spread = sd_of_difference(a.sd, b.sd, rho)
    if spread == 0:
        return unknown(measure, method=_PAIRED, note="The differences have no spread.", null=0.0)
    value, error, df = a.mean - b.mean, spread / math.sqrt(a.n), a.n - 1
    reach = float(stats.t.ppf((1.0 + level) / 2.0, df)) * error
    p = float(2.0 * stats.t.sf(abs(value) / error, df))
    note = f"Assumes a correlation of {rho:g} within people: standard deviation of the difference {spread:.2f}."
    return Estimate(measure, value, value - reach, value + reach, p, _PAIRED, 0.0, level, note)


def rho_from_p(a: Group, b: Group, *, p: float) -> Estimate:
    """Correlation within people that a paired t test with this p must have had."""
    df = a.n - 1
    t = float(stats.t.isf(p / 2.0, df))
    spread = abs(a.mean - b.mean) * math.sqrt(a.n) / t if t > 0 else math.nan
    rho = rho_of_spread(a.sd, b.sd, spread)
    note = f"Assumes a paired t test on {df} degrees of freedom: standard deviation of the difference {spread:.2f}."
    if not -1.0 <= rho <= 1.0:
        return unknown("correlation", method=_RHO, note="No correlation gives this p: it came from another test.")
    return Estimate("correlation", rho, -1.0, 1.0, None, _RHO, note=note)


def sd_of_difference(sd_a: float, sd_b: float, rho: float) -> float:
    """Standard deviation of differences within people."""
    return math.sqrt(max(sd_a**2 + sd_b**2 - 2.0 * rho * sd_a * sd_b, 0.0))


def rho_of_spread(sd_a: float, sd_b: float, sd_difference: float) -> float:
    """Correlation within people from the three standard deviations."""
    return (sd_a**2 + sd_b**2 - sd_difference**2) / (2.0 * sd_a * sd_b)


def standard_error(low: float, high: float, *, df: float = math.inf, level: float = LEVEL) -> float:
    """Standard error behind a symmetric interval."""
    return (high - low) / 2.0 / float(stats.t.ppf((1.0 + level) / 2.0, df))


def ratio_of_means(a: Group, b: Group, *, measure: str = "rate ratio", level: float = LEVEL) -> Estimate:
    """Mean of a over mean of b, of different people."""
    if min(a.mean, b.mean) <= 0 or min(a.n, b.n) < 2:
        return unknown(measure, method=_RATIO, note="Both means must be above zero, of two people or more.", null=1.0)
    log = math.log(a.mean / b.mean)
    relative = (Group(1.0, group.sd / group.mean, group.n) for group in (a, b))
    first, second = relative
    error = _error(first, second)
    if error == 0:
        return unknown(measure, method=_RATIO, note="The groups have no spread.", null=1.0)
    df = _welch_df(first, second)
    reach = float(stats.t.ppf((1.0 + level) / 2.0, df)) * error
    p = float(2.0 * stats.t.sf(abs(log) / error, df))
    note = "Assumes one value a person, and means that are far from zero beside their standard errors."
    return Estimate(measure, math.exp(log), math.exp(log - reach), math.exp(log + reach), p, _RATIO, 1.0, level, note)


def relative(
    change: float, low: float, high: float, *, control: float, p: float | None = None, level: float = LEVEL
) -> Estimate:
    """Rate ratio from a difference and the control's mean."""
    ends = sorted((1.0 + low / control, 1.0 + high / control))
    note = "Assumes that the control's mean is known without error, so the interval is a little too narrow."
    return Estimate("rate ratio", 1.0 + change / control, ends[0], ends[1], p, _RELATIVE, 1.0, level, note)


def from_percent(percent: float, low: float, high: float, *, p: float | None = None, level: float = LEVEL) -> Estimate:
    """Rate ratio from a change in per cent: -28 is 0.72."""
    ends = sorted((1.0 + low / 100.0, 1.0 + high / 100.0))
    note = "Assumes that the percentage is of the control's mean."
    return Estimate("rate ratio", 1.0 + percent / 100.0, ends[0], ends[1], p, _PERCENT, 1.0, level, note)


def repeats_implied(a: Group, b: Group, *, low: float, high: float) -> Estimate:
    """How many independent values each person would have to give for the printed interval of the difference."""
    value = (_error(a, b) / standard_error(low, high, df=_welch_df(a, b))) ** 2
    note = "One if the interval rests on people; more if repeated values of a person were taken for independent ones."
    return Estimate("values a person", value, value, value, None, _REPEATS, note=note)


def _error(a: Group, b: Group) -> float:
    return math.sqrt(a.variance_of_mean + b.variance_of_mean)


def _welch_df(a: Group, b: Group) -> float:
    """Welch and Satterthwaite's degrees of freedom."""
    first, second = a.variance_of_mean, b.variance_of_mean
    return (first + second) ** 2 / (first**2 / (a.n - 1) + second**2 / (b.n - 1))
