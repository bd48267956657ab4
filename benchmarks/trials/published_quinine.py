"""Quinine, hydroquinine and mexiletine."""

import math
from dataclasses import replace
from typing import Final

from api.statistics.paired import sign_test
from api.statistics.proportions import proportion
from api.statistics.summary import from_interval, from_p, from_percent, relative
from api.statistics.values import Estimate
from benchmarks.trials.published_row import CROSSOVER, PARALLEL, Ratio, Row, interval, number, p_of, percents

RISK: Final = "Quinine is not approved for cramps by the FDA (second-hand) and has serious risks."


def cochrane_quinine() -> Row:
    """Pooled frequency and severity."""
    cramps = from_interval(-2.45, -3.54, -1.36)
    pain = from_interval(-0.12, -0.20, -0.05)
    ratio = relative(-2.45, -3.54, -1.36, control=8.8, p=cramps.p)
    severity = relative(-0.12, -0.20, -0.05, control=1.2, p=pain.p)
    return Row(
        "cochrane_quinine", "Quinine, all trials", "El-Tawil and others 2015, Cochrane CD005044",
        "meta-analysis: 23 trials, 1,586 persons; frequency: 13 studies, 952 persons",
        "cramps in two weeks 8.8 in the control, −2.45 (−3.54 to −1.36), 28 % fewer; intensity (1 to 3) 1.2, −0.12 "
        "(−0.20 to −0.05)",
        "`summary.from_interval`, `relative`",
        f"{100 * (1 - ratio.value):.0f} % fewer, ratio {interval(ratio)}, {p_of(cramps)}; intensity "
        f"{100 * (1 - severity.value):.0f} % "
        f"less, {p_of(pain)}",
        "agrees",
        "",
        doi="10.1002/14651858.CD005044.pub3",
        warning=RISK,
        ratios=(Ratio("Quinine, Cochrane 2015", ratio),),
    )  # fmt: skip


def man_son_hing_1998() -> Row:
    """What was published against what was not."""
    everybody, published = from_interval(-3.60, -5.05, -2.15), from_interval(-8.83, -13.49, -4.16)
    all_of_it, printed = from_percent(-21, -30, -12, p=everybody.p), from_percent(-43, -65, -21, p=published.p)
    return Row(
        "man_son_hing_1998",
        "Quinine, published and unpublished", "Man-Son-Hing and others 1998, J Gen Intern Med 13:600",
        "meta-analysis of eight trials, four of them unpublished; data of 659 persons",
        "cramps in four weeks −3.60 (2.15 to 5.05), 21 % fewer (12 to 30); published studies alone −8.83 (4.16 to "
        "13.49), 43 % (21 to 65)",
        "`summary.from_interval`, `from_percent`",
        f"{p_of(everybody)} and {p_of(published)}; control {3.60 / 0.21:.0f} and {8.83 / 0.43:.0f} in four weeks; "
        "ratio "
        f"{interval(all_of_it)} and {interval(printed)}",
        "agrees",
        "",
        doi="10.1046/j.1525-1497.1998.00182.x",
        warning=f"Publication bias: what was published showed twice the effect. {RISK}",
        ratios=(
            Ratio("Quinine, all data, Man-Son-Hing 1998", all_of_it),
            Ratio("Quinine, published data only", printed),
        ),
    )  # fmt: skip


def jansen_1997() -> Row:
    """Responders of one arm."""
    found = proportion(32, 49)
    return Row(
        "jansen_1997", "Hydroquinine, 300 mg", "Jansen and others 1997, Lancet 349:528",
        "double-blind parallel arms, two weeks before, on and after; 49 against 53 persons analysed",
        "median 8 (7 to 12) fewer cramps against 3 (0 to 5), 3 (1 to 4) fewer days with cramps against 1 (0 to 5); at "
        "least "
        "half as many: 32 of 49 (65 %)",
        "`proportions.proportion`; with counts `paired.shift`",
        f"responders {percents(found, 0)}",
        "agrees in part",
        "Medians cannot be tested without the persons, and the responders of the placebo arm are not in the abstract.",
        warning=f"A responder rate without that of placebo proves little. {RISK}",
        simulated=(PARALLEL,),
    )  # fmt: skip


def sidorov_1993() -> Row:
    """Two means and a p value."""
    found = from_p(3.5 - 4.2, 0.48, df=15)
    ratio = relative(found.value, found.low, found.high, control=4.2, p=found.p)
    return Row(
        "sidorov_1993", "Quinine, 16 persons", "Sidorov 1993",
        "double-blind crossover, two weeks each; 16 persons",
        "cramps 3.5 against 4.2, p = 0.48; duration 152 against 163 s; severity 4.2 against 4.0",
        "`summary.from_p`, `relative`",
        f"the p value implies {interval(found)}, ratio {interval(ratio)}",
        "cannot be reproduced",
        "No deviations in the abstract; the interval is what the p value implies in a paired t test.",
        warning=f"Too few cramps to tell 28 % fewer from none. {RISK}",
        simulated=(CROSSOVER,),
        ratios=(Ratio("Quinine, Sidorov 1993", ratio),),
    )  # fmt: skip


def mexiletine() -> Row:
    """A crossover of 20, and three arms of 60, in ALS."""
    better = sign_test(18, 2)
    low, high = (_implied_ratio(told, p) for told, p in ((0.31, 0.047), (0.16, 0.002)))
    return Row(
        "mexiletine",
        "Mexiletine in ALS", "Oskarsson and others 2018, Muscle Nerve 58:42; Weiss and others 2016, Neurology 86:1474",
        "double-blind crossover, 20 persons; three parallel arms, 60 persons",
        "5.3 to 3.5 cramps a day, fewer in 18 of 20; rate 31 % of placebo (300 mg, p = 0.047), 16 % (900 mg, p = "
        "0.002)",
        "`paired.sign_test`, `summary.from_p` on logarithms",
        f"18 of 20 are {percents(better, 0)}, {p_of(better)}; crossover ratio {number(3.5 / 5.3)}; the p values imply "
        f"{interval(low)} and {interval(high)}",
        "agrees in part",
        "No deviations in the abstracts: the intervals of the rates are those that the p values imply.",
        doi="10.1002/mus.26117, 10.1212/WNL.0000000000002507",
        warning="Cramps of ALS vary much from month to month, and are not those of healthy sleepers.",
        ratios=(Ratio("Mexiletine 300 mg, Weiss 2016", low), Ratio("Mexiletine 900 mg, Weiss 2016", high)),
    )  # fmt: skip


def _implied_ratio(ratio: float, p: float) -> Estimate:
    log = from_p(math.log(ratio), p)
    return replace(log, measure="rate ratio", value=ratio, low=math.exp(log.low), high=math.exp(log.high), null=1.0)
