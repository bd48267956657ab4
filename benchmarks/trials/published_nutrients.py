"""Zinc, vitamins E, C, B and K2, taurine, pickle brine."""

import math

from scipy import stats

from api.statistics.paired import sign_test
from api.statistics.proportions import fisher, mcnemar, proportion
from api.statistics.summary import Group, from_p, ratio_of_means, repeats_implied, welch
from benchmarks.trials.published_patterns import TESTS
from benchmarks.trials.published_row import CROSSOVER, PARALLEL, Ratio, Row, interval, number, p_of, p_text, percents


def kugelmas_2000() -> Row:
    """Ten and seven of twelve, without a control."""
    improved, resolved = proportion(10, 12), proportion(7, 12)
    best, worst = sign_test(10, 0), sign_test(10, 2)
    gone = mcnemar(7, 0)
    return Row(
        "kugelmas_2000", "Zinc sulphate, 220 mg twice daily", "Kugelmas 2000, J Am Coll Nutr 19:13",
        "before and after in one group, open, without a control, twelve weeks; 12 persons with cirrhosis and low zinc",
        "improved 10 of 12, resolved 7 of 12",
        "`proportions.proportion`, `paired.sign_test`, `proportions.mcnemar`",
        f"improved {percents(improved)}, resolved {percents(resolved)}; 10 better and none worse {p_of(best)}, 10 and "
        "2 "
        f"worse {p_of(worst)}; resolved {p_of(gone)}",
        "agrees",
        "Whether the other two stayed the same or got worse is not printed.",
        warning="No control: where placebo arms fall by 28 to 36 %, ten of twelve improved proves little.",
        simulated=("zinc 220 mg twice daily, 12 before and after",),
    )  # fmt: skip


def khajehdehi_2001() -> Row:
    """Four arms by percentages: what the two vitamins would do if they did not help each other."""
    left = {"E": 1 - 0.54, "C": 1 - 0.61, "both": 1 - 0.97, "placebo": 1 - 0.07}
    against = {arm: share / left["placebo"] for arm, share in left.items()}
    expected = against["E"] * against["C"]
    t = 0.33 * math.sqrt(58 / (1 - 0.33**2))
    p = float(2 * stats.t.sf(t, 58))
    return Row(
        "khajehdehi_2001",
        "Vitamins E (400 mg) and C (250 mg) at dialysis", "Khajehdehi and others 2001, Nephrol Dial Transplant 16:1448",
        "double-blind 2 × 2 factorial, eight weeks; four arms of 15 persons on hemodialysis",
        "cramps fell by 54 % with E, 61 % with C, 97 % with both, 7 % with placebo; correlation with the kind of "
        "therapy "
        "r = 0.33, p = 0.01",
        "ratios by hand; with counts `grouped.factorial`",
        f"against placebo {number(against['E'])}, {number(against['C'])} and {number(against['both'])}; two that act "
        "by "
        f"themselves would give {number(expected)}; r = 0.33 of 60 is {p_text(p)}",
        "agrees in part",
        "Counts and their spread are not in the abstract, so no interval can be given; only the correlation can be "
        "checked.",
        doi="10.1093/ndt/16.7.1448",
        warning="15 persons in each arm; placebo fell by 7 % only, unlike the other placebo arms here.",
        simulated=("vitamin E at dialysis, during sessions, four arms of 15",),
    )  # fmt: skip


def vitamin_e_dialysis() -> Row:
    """A percentage against own baseline, held against what placebo does."""
    left = 1 - 0.683
    return Row(
        "vitamin_e_dialysis",
        "Vitamin E, 400 IU, at dialysis, against own baseline", "a study of 19 persons in Am J Ther, second-hand",
        "before and after in one group, twelve weeks; 19 persons on hemodialysis",
        "cramps fell by 68.3 %",
        "ratio by hand; with counts `grouped.within`, and for one wearer the rates during sessions and between them "
        f"(`{TESTS}`)",
        f"ratio {number(left)}; held against a placebo that falls by 28 to 36 % it would be {number(left / 0.72)} to "
        f"{number(left / 0.64)}",
        "cannot be reproduced",
        "Only the percentage is known to us, second-hand: no counts, no spread, no interval.",
        seen="second-hand",
        warning="No control. Cramps during sessions and between them are different questions, and are counted apart "
        "here.",
        simulated=(
            "vitamin E at dialysis, during sessions, four arms of 15",
            "vitamin E at dialysis, between sessions, four arms of 15",
        ),
    )  # fmt: skip


def chan_1998() -> Row:
    """Remission in 86 %, of whom we remember the numbers only."""
    remission, test = proportion(12, 14), fisher(12, 14, 0, 14)
    return Row(
        "chan_1998", "Vitamin B complex", "Chan and others 1998, J Clin Pharmacol 38:1151",
        "double-blind parallel arms, three months; 28 persons, 14 against 14 (unverified)",
        "remission in 86 % (second-hand); 12 of 14 against 0 of 14 (unverified)",
        "`proportions.proportion`, `fisher`",
        f"12 of 14 are {percents(remission)}; against 0 of 14 {p_text(test.p)}",
        "agrees in part",
        "12 of 14 are the 86 %; the split itself, and so the p value, rests on unverified numbers.",
        seen="unverified",
        warning="No remission at all on placebo is unlike the other placebo arms here.",
        simulated=(PARALLEL,),
    )  # fmt: skip


def tan_2024() -> Row:
    """The interval from the spread between people is not the printed one."""
    vitamin, placebo = Group(0.96, 1.41, 103), Group(3.63, 2.20, 96)
    found = welch(vitamin, placebo)
    repeats = repeats_implied(vitamin, placebo, low=-2.86, high=-2.49)
    severity = welch(Group(-2.55, 2.12, 103), Group(-1.24, 1.16, 96))
    minutes = welch(Group(-0.90, 0.88, 103), Group(-0.32, 0.78, 96))
    ratio = ratio_of_means(vitamin, placebo)
    return Row(
        "tan_2024", "Vitamin K2, 180 µg", "Tan and others 2024, JAMA Intern Med",
        "double-blind parallel arms, eight weeks; 103 against 96 persons",
        "cramps a week 0.96 (1.41) against 3.63 (2.20), difference −2.67 (95 % CI −2.86 to −2.49); baseline 2.60 "
        "against "
        "2.71; severity −2.55 (2.12) against −1.24 (1.16); minutes −0.90 (0.88) against −0.32 (0.78)",
        "`summary.welch`, `repeats_implied`, `ratio_of_means`",
        f"difference {interval(found)}, {p_of(found)}; the printed interval needs {number(repeats.value, 1)} "
        "independent "
        f"values a person; ratio {interval(ratio)}; severity {interval(severity)}; minutes {interval(minutes)}",
        "differs",
        "The printed interval is as narrow as if the eight weekly counts of a person were independent. This is a "
        "finding of "
        "reproduction from the abstract, not an accusation: the paper itself was not read, and may explain it. The "
        "conclusion stays: our interval is far from zero too.",
        doi="10.1001/jamainternmed.2024.5726",
        warning="Placebo rose from 2.71 to 3.63 a week, unlike the other placebo arms here.",
        simulated=(PARALLEL,),
        ratios=(Ratio("Vitamin K2, Tan 2024", ratio),),
    )  # fmt: skip


def taurine_2018() -> Row:
    """A difference and a p value of a crossover."""
    found = from_p(-7.0, 0.03, df=29)
    apart = 9.6 - 4.2
    return Row(
        "taurine_2018", "Taurine, 2 g", "Vidot and others 2018, Aliment Pharmacol Ther 48:704",
        "double-blind crossover, four weeks each, two doses; 30 of 49 persons with liver disease completed",
        "cramps in two weeks −7, p = 0.03; minutes −89, p = 0.03; severity −1.4, p < 0.004; second-hand 13.2 to 4.2 "
        "against 9.6",
        "`summary.from_p`",
        f"the p value implies {interval(found, 1)}; the second-hand means are {number(apart, 1)} apart, not 7",
        "cannot be reproduced",
        "A mixed model of two doses, of which the abstract gives no spread.",
        doi="10.1111/apt.14950",
        seen="abstract and second-hand",
        warning="19 of 49 did not complete and were left out.",
        simulated=(CROSSOVER,),
    )  # fmt: skip


def piccles_2022() -> Row:
    """Changes with their deviations."""
    found = welch(Group(-2.25, 3.61, 37), Group(-0.36, 2.87, 37))
    other = welch(Group(-2.25, 3.61, 38), Group(-0.36, 2.87, 36))
    return Row(
        "piccles_2022",
        "Pickle brine, sipped when a cramp begins", "Tapper and others 2022, Am J Gastroenterol 117:895",
        "parallel arms, open, 28 days; 74 of 82 persons with cirrhosis completed, 38 against 36 (second-hand)",
        "change of severity (0 to 10) −2.25 (3.61) against −0.36 (2.87), P = 0.03",
        "`summary.welch`",
        f"difference {interval(found)}, {p_of(found)} with 37 and 37; {p_text(other.p)} with 38 and 36",
        "differs",
        "A Welch test of the printed numbers gives a smaller p than is printed; the printed one may come from another "
        "test. "
        "The conclusion is the same.",
        doi="10.14309/ajg.0000000000001781",
        warning="Who sips knows what it is: the outcome is a feeling, and the taste cannot be hidden.",
    )  # fmt: skip
