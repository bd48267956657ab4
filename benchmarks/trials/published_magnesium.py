"""Magnesium: four trials and the Cochrane review."""

from typing import Final

from api.statistics.proportions import difference_paired, fisher, mcnemar
from api.statistics.summary import (
    Group,
    from_interval,
    from_p,
    paired,
    ratio_of_means,
    relative,
    rho_from_p,
    standard_error,
    welch,
)
from benchmarks.trials.published_row import CROSSOVER, PARALLEL, Ratio, Row, interval, number, p_of, p_text, percents

PLACEBO_FALLS: Final = "Placebo arms of these trials fell by 28 to 36 % within four weeks."


def roffe_2002() -> Row:
    """78 % against 54 % felt helped, of whom only the margins are printed."""
    people, with_magnesium, with_placebo = 46, 36, 25
    more = with_magnesium - with_placebo
    # Who felt helped by neither is at most ten, which bounds the pairs that differ.
    tables = {(more + only, only): mcnemar(more + only, only) for only in range(people - with_magnesium + 1)}
    likely = {pair: found for pair, found in tables.items() if found.p is not None and 0.025 <= found.p < 0.035}
    told = "; ".join(f"{a} and {b}: {p_of(found)}" for (a, b), found in likely.items())
    worst = max(found.p or 0.0 for found in tables.values())
    shares = [
        difference_paired(both=with_magnesium - a, only_a=a, only_b=b, neither=people - with_magnesium - b)
        for a, b in likely
    ]
    unpaired = fisher(with_magnesium, people, with_placebo, people)
    return Row(
        "roffe_2002",
        "Magnesium citrate, 300 mg of magnesium at night", "Roffe, Sills and others 2002, Med Sci Monit 8:CR326",
        "double-blind AB/BA crossover, six weeks each, the last four counted; 46 persons",
        "felt helped: 36 of 46 (78 %) on magnesium, 25 (54 %) on placebo, p = 0.03; cramps: median 9 to 5 in those "
        "with "
        "placebo first, 9 to 8 in those with magnesium first; treatment p = 0.07, period p = 0.008, carry-over p = "
        "0.88",
        "`proportions.mcnemar`, `difference_paired`, `fisher`; for counts `crossover.crossover`, which wants each "
        "person's",
        f"those who felt helped by one only differ by {more}; exact McNemar of {told}; difference "
        f"{' or '.join(percents(found, 0) for found in shares)}; Fisher, which ignores the pairs: {p_of(unpaired)}",
        "agrees in part",
        "The abstract gives the margins, not the pairs: its p fits two tables of pairs, and a test that ignores "
        "pairs; with "
        f"other pairs it could be up to {worst:.2f}. Counts per person are not printed, so p = 0.07 is taken as it "
        "is.",
        warning="Counts did not differ significantly, and there was a period effect: by sequence Prescott's test "
        "would be right.",
        simulated=("magnesium 300 mg, crossover of 46",),
    )  # fmt: skip


def roguin_maor_2017() -> Row:
    """Changes with their deviations: all that a Welch test wants."""
    magnesium, placebo = Group(-3.41, 4.05, 48), Group(-3.03, 4.53, 46)
    change = welch(magnesium, placebo)
    ratio = ratio_of_means(Group(4.44, 5.66, 48), Group(5.48, 4.93, 46))
    error = standard_error(change.low, change.high, df=89.9)
    fell = 100 * (1 - 5.48 / 8.51)
    return Row(
        "roguin_maor_2017", "Magnesium oxide at night", "Roguin Maor and others 2017, JAMA Intern Med 177:617",
        "double-blind parallel arms, two weeks of screening and four of treatment; 48 against 46 persons",
        "cramps a week 7.84 (5.68) to 4.44 (5.66), change −3.41 (4.05); placebo 8.51 (5.20) to 5.48 (4.93), change "
        "−3.03 (4.53); P = 0.67",
        "`summary.welch`, `ratio_of_means`",
        f"difference of changes {interval(change)}, {p_of(change)}; ratio on treatment {interval(ratio)}; placebo "
        "fell by "
        f"{fell:.0f} %",
        "agrees",
        f"The difference is printed as 0.38 (0.48); with the printed p goes a standard error of {number(error)}.",
        doi="10.1001/jamainternmed.2016.9261",
        warning=f"Both arms fell. {PLACEBO_FALLS} Before against after, either would have looked like a success.",
        simulated=(PARALLEL,),
        ratios=(Ratio("Magnesium oxide, Roguin Maor 2017", ratio),),
    )  # fmt: skip


def frusso_1999() -> Row:
    """Means of a crossover: the p value says how the two periods correlate."""
    magnesium, placebo = Group(11.8, 7.6, 42), Group(11.1, 7.3, 42)
    rho = rho_from_p(magnesium, placebo, p=0.59)
    found = paired(magnesium, placebo, rho=rho.value)
    others = [paired(magnesium, placebo, rho=other) for other in (0.2, 0.74)]
    ratio = relative(found.value, found.low, found.high, control=placebo.mean, p=found.p)
    return Row(
        "frusso_1999", "Magnesium citrate, 900 mg twice daily", "Frusso and others 1999, J Fam Pract 48:868",
        "double-blind AB/BA crossover, four weeks each, four weeks of placebo before and between; 42 of 45 persons",
        "cramps in four weeks 11.8 (7.6) on magnesium, 11.1 (7.3) on placebo, P = 0.59; all improved with time",
        "`summary.rho_from_p`, `paired`, `relative`",
        f"difference {interval(found)}, {p_of(found)} with a correlation of {number(rho.value)}; with 0.20 or 0.74 "
        f"{p_of(others[0])} or {p_text(others[1].p)}; ratio {interval(ratio)}",
        "agrees",
        "The correlation is not printed: 0.37 is what the printed p implies. Any usual one leads to the same "
        "conclusion.",
        warning="A strong period effect: everybody improved, whatever came first.",
        simulated=(CROSSOVER,),
        ratios=(Ratio("Magnesium citrate, Frusso 1999", ratio),),
    )  # fmt: skip


def barna_2021() -> Row:
    """Changes and a p value, without deviations."""
    found = from_p(-3.4 + 2.6, 0.01, df=173)
    return Row(
        "barna_2021", "Magnesium oxide monohydrate, 226 mg at night", "Barna and others 2021, Nutr J 20:90",
        "double-blind parallel arms, 60 days; 175 of 216 persons completed",
        "change of cramps −3.4 against −2.6, p = 0.01",
        "`summary.from_p`",
        f"the p value implies {interval(found)}",
        "cannot be reproduced",
        "The abstract gives no deviations, so p cannot be checked; the interval is what it implies in a t test.",
        doi="10.1186/s12937-021-00747-9",
        warning="Only those who completed were analysed. Placebo fell by 2.6 too.",
        simulated=(PARALLEL,),
    )  # fmt: skip


def cochrane_magnesium() -> Row:
    """Pooled differences, as ratios of the control."""
    weekly = from_interval(0.01, -0.52, 0.55)
    ratio = relative(0.01, -0.52, 0.55, control=4.35, p=weekly.p)
    share = from_interval(-0.08, -0.28, 0.12)
    later = from_interval(-0.18, -0.84, 0.49)
    return Row(
        "cochrane_magnesium",
        "Magnesium, all trials", "Cochrane review of magnesium 2012 (PMC7025716) and its update of 2020",
        "meta-analysis: 4 studies, 213 persons; 2020: 5 studies, 307 persons",
        "placebo 4.35 cramps a week, magnesium +0.01 (−0.52 to 0.55); placebo changed by −27.8 %; responders (25 % "
        "fewer) "
        "65.9 % on placebo, −8 points (−28 to 12); 2020: −0.18 a week (−0.84 to 0.49)",
        "`summary.from_interval`, `relative`; studies are pooled by `meta`",
        f"weekly {p_of(weekly)}; ratio {interval(ratio)}; responders {p_of(share)}; 2020 {p_of(later)}",
        "agrees",
        "",
        seen="abstract and second-hand",
        warning="Two in three responded to placebo: a responder is no proof. The update of 2020 is known second-hand.",
        ratios=(Ratio("Magnesium, Cochrane 2012", ratio),),
    )  # fmt: skip
