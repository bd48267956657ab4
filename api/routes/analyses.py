"""`/analyses`: summary numbers as they are published in, estimates out. Nothing is kept, and nobody is named."""

import math
from collections.abc import Sequence

from fastapi import APIRouter

from api.schemas import Given
from api.statistics import crossover, crossover_binary, paired, proportions, rates, summary
from api.statistics import requests as taken
from api.statistics.proportions import McNemarKind
from api.statistics.values import Estimate
from api.trends.schemas import EstimateOut

router = APIRouter(prefix="/analyses", tags=["analyses"])
KINDS: Sequence[McNemarKind] = ("exact", "mid_p", "uncorrected", "corrected")


class AnalysisOut(Given):
    """Estimates, the one to go by first. `advice` says which to prefer where there are several."""

    estimates: list[EstimateOut]
    advice: str = ""


def _told(*estimates: Estimate, advice: str = "") -> AnalysisOut:
    return AnalysisOut(estimates=[EstimateOut.model_validate(found) for found in estimates], advice=advice)


def _freedom(df: float | None) -> float:
    return math.inf if df is None else df


@router.post("/welch", summary="Difference of two groups from means and standard deviations")
def welch(body: taken.GroupsIn) -> AnalysisOut:
    """Mean of a minus mean of b, of different people, by Welch's t test."""
    return _told(summary.welch(body.a.group(), body.b.group()))


@router.post("/ratio", summary="Ratio of two groups from means and standard deviations")
def ratio(body: taken.GroupsIn) -> AnalysisOut:
    """Mean of a over mean of b, of different people."""
    return _told(summary.ratio_of_means(body.a.group(), body.b.group()))


@router.post("/paired", summary="Difference within people from means, standard deviations and a correlation")
def paired_groups(body: taken.PairedGroupsIn) -> AnalysisOut:
    """Mean of a minus mean of b in the same people."""
    return _told(summary.paired(body.a.group(), body.b.group(), rho=body.rho))


@router.post("/correlation", summary="Correlation within people that a paired p value implies")
def correlation(body: taken.GroupsWithPIn) -> AnalysisOut:
    """What `paired` needs, from a paper that gives the p value but not the correlation."""
    return _told(summary.rho_from_p(body.a.group(), body.b.group(), p=body.p))


@router.post("/interval", summary="p value of a difference from its interval")
def interval(body: taken.IntervalIn) -> AnalysisOut:
    """By t, or by the normal distribution where degrees of freedom are not given."""
    df = _freedom(body.df)
    return _told(summary.from_interval(body.difference, body.low, body.high, df=df, level=body.level))


@router.post("/p-value", summary="Interval of a difference from its p value")
def p_value(body: taken.DifferenceWithPIn) -> AnalysisOut:
    """The interval that a t test with this p value must have had."""
    return _told(summary.from_p(body.difference, body.p, df=_freedom(body.df)))


@router.post("/spread", summary="Standard deviation from the interval of a difference")
def spread(body: taken.SpreadIn) -> AnalysisOut:
    """The standard deviation of a person, the same in both groups."""
    return _told(summary.sd_from_interval(body.low, body.high, n_a=body.n_a, n_b=body.n_b))


@router.post("/repeats", summary="Whether a printed interval took repeated values for people")
def repeats(body: taken.RepeatsIn) -> AnalysisOut:
    """How many independent values a person would have to give; and the interval that people give."""
    a, b = body.a.group(), body.b.group()
    return _told(summary.repeats_implied(a, b, low=body.low, high=body.high), summary.welch(a, b))


@router.post("/relative", summary="Rate ratio from a difference and the control's mean")
def relative(body: taken.RelativeIn) -> AnalysisOut:
    """One plus the difference over the control's mean."""
    df = _freedom(body.df)
    p = summary.from_interval(body.difference, body.low, body.high, df=df, level=body.level).p
    found = summary.relative(body.difference, body.low, body.high, control=body.control, p=p, level=body.level)
    return _told(found)


@router.post("/percent", summary="Rate ratio from a percentage")
def percent(body: taken.PercentIn) -> AnalysisOut:
    """-28 % is 0.72."""
    return _told(summary.from_percent(body.percent, body.low, body.high))


@router.post("/proportion", summary="A share with its exact interval")
def proportion(body: taken.ShareIn) -> AnalysisOut:
    """Clopper and Pearson's interval; a test where `null` is given."""
    return _told(proportions.proportion(body.having, body.among, null=body.null))


@router.post("/proportions", summary="Shares of two groups of different people")
def two_proportions(body: taken.SharesIn) -> AnalysisOut:
    """Their difference with Newcombe's interval, and Fisher's exact test with the odds ratio."""
    counts = (body.a.having, body.a.among, body.b.having, body.b.among)
    return _told(proportions.difference(*counts), proportions.fisher(*counts))


@router.post("/mcnemar", summary="Shares of the same people under two treatments")
def mcnemar(body: taken.PairedSharesIn) -> AnalysisOut:
    """McNemar's test in its four kinds; with all four counts the difference of the shares first."""
    kinds = [proportions.mcnemar(body.only_a, body.only_b, kind=kind) for kind in KINDS]
    advice = "The exact test never errs on the bold side; of a crossover give the sequences to crossover-binary."
    if body.both is None or body.neither is None:
        return _told(*kinds, advice=advice)
    found = proportions.difference_paired(both=body.both, only_a=body.only_a, only_b=body.only_b, neither=body.neither)
    return _told(found, *kinds, advice=advice)


@router.post("/signs", summary="Sign test of those who got better and worse")
def signs(body: taken.SignsIn) -> AnalysisOut:
    """Whether more got better than worse."""
    return _told(paired.sign_test(body.better, body.worse))


@router.post("/differences", summary="Differences within people, one by one")
def differences(body: taken.DifferencesIn) -> AnalysisOut:
    """Wilcoxon with Hodges and Lehmann's estimate, the sign test, and t."""
    values = body.differences
    advice = "Ranks are safer than t for counts; the sign test asks the least of the data and sees the least."
    return _told(paired.signed_rank(values), paired.signs(values), paired.paired_t(values), advice=advice)


@router.post("/crossover", summary="AB/BA crossover of counts or scores, person by person")
def two_periods(body: taken.CrossoverIn) -> AnalysisOut:
    """Treatment, period and carry-over by sequence."""
    found = crossover.crossover(body.ab, body.ba, method=body.method)
    return _told(found.treatment, found.period, found.carry_over)


@router.post("/crossover-binary", summary="AB/BA crossover of a yes or no")
def two_periods_binary(body: taken.BinaryCrossoverIn) -> AnalysisOut:
    """Prescott's test, Mainland and Gart's, McNemar's, and the period."""
    found = crossover_binary.binary_crossover(body.ab.preferences(), body.ba.preferences())
    return _told(found.prescott, found.mainland_gart, found.mcnemar, found.period, advice=found.why)


@router.post("/rates", summary="Ratio of two rates from counts and exposures")
def two_rates(body: taken.RatesIn) -> AnalysisOut:
    """Exact, and right only if cramps come singly; weeks differ by more than chance as a rule."""
    return _told(
        rates.rate_ratio_exact(body.count_a, body.exposure_a, body.count_b, body.exposure_b),
        rates.rate_interval(body.count_a, body.exposure_a),
        rates.rate_interval(body.count_b, body.exposure_b),
    )
