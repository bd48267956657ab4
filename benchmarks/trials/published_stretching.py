"""Stretching: before bed, as advice, at dialysis."""

from api.statistics.summary import Group, from_interval, ratio_of_means, relative, sd_from_interval, welch
from benchmarks.trials.published_row import FACTORIAL, Ratio, Row, interval, number, p_of, t_of


def hallegraeff_2012() -> Row:
    """A difference with its interval: t and the spread behind it."""
    found = from_interval(-1.2, -1.8, -0.6, df=78)
    spread = sd_from_interval(-1.8, -0.6, n_a=40, n_b=40)
    pain = from_interval(-1.3, -1.7, -0.9, df=78)
    ratio = relative(-1.2, -1.8, -0.6, control=3.0, p=found.p)
    return Row(
        "hallegraeff_2012",
        "Stretching calf and hamstrings before bed", "Hallegraeff and others 2012, J Physiother 58:17",
        "parallel arms, open, six weeks; 40 against 40 persons over 55",
        "−1.2 cramps a night (95 % CI 0.6 to 1.8); pain −1.3 cm (0.9 to 1.7); baseline about 3 a night (second-hand)",
        "`summary.from_interval`, `sd_from_interval`, `relative`",
        f"{t_of(found)}, {p_of(found)}; standard deviation {number(spread.value)}; "
        "pain "
        f"{p_of(pain)}; ratio {interval(ratio)}",
        "agrees",
        "The ratio rests on the second-hand baseline.",
        doi="10.1016/S1836-9553(12)70068-1",
        seen="abstract and second-hand",
        warning="Nobody can be blind to stretching, and the control did nothing in its place.",
        simulated=(
            "stretching before bed, two arms of 40",
            "stretching on and off, one person, two pairs of two weeks",
        ),
        ratios=(Ratio("Stretching, Hallegraeff 2012", ratio, sure=False),),
    )  # fmt: skip


def coppin_2005() -> Row:
    """Two factors, each with its interval."""
    stretching, stopping = (from_interval(*told, df=177) for told in ((1.95, -3.01, 6.90), (3.45, -1.52, 8.41)))
    return Row(
        "coppin_2005", "Advice to stretch; advice to stop quinine", "Coppin and others 2005, Br J Gen Pract 55:186",
        "2 × 2 factorial, 12 weeks; 181 of 191 persons on quinine",
        "cramps in four weeks: stretching +1.95 (−3.01 to 6.90), stopping quinine +3.45 (−1.52 to 8.41)",
        "`summary.from_interval`; with counts `grouped.factorial`",
        f"stretching {p_of(stretching)}, stopping quinine {p_of(stopping)}",
        "agrees",
        "No p is printed; both intervals hold zero, and so say the tests.",
        warning="After six weeks everybody was free to do as they liked, so that arms may have become alike.",
        simulated=(FACTORIAL,),
    )  # fmt: skip


def intradialytic_stretching() -> Row:
    """Three outcomes with means and deviations, and printed t values."""
    cramps, minutes, intensity = (
        welch(Group(*with_it, 32), Group(*without, 32))
        for with_it, without in (((0.30, 0.54), (1.3, 1.44)), ((1.4, 3.3), (6.9, 5.4)), ((1.6, 2.8), (6.03, 4.7)))
    )
    ratio = ratio_of_means(Group(0.30, 0.54, 32), Group(1.3, 1.44, 32))
    ts = ", ".join(t_of(found).split()[2] for found in (cramps, minutes, intensity))
    return Row(
        "intradialytic_stretching",
        "Stretching during dialysis", "Elavally and others 2017, Brunei Darussalam J Health 7:50",
        "parallel arms, measured afterwards only; 32 against 32 persons, the last two hours of a session",
        "cramps 0.30 (0.54) against 1.3 (1.44), t = 2.695; duration 1.4 (3.3) against 6.9 (5.4), t = 5.57; intensity "
        "1.6 "
        "(2.8) against 6.03 (4.7), t = 4.42; each P < 0.001",
        "`summary.welch`, `ratio_of_means`",
        f"t = {ts}; {p_of(cramps)}, {p_of(minutes)}, {p_of(intensity)}; ratio {interval(ratio)}",
        "differs",
        "The t values of the printed means and deviations are not quite the printed ones (2.695 with 62 degrees of "
        "freedom "
        "would be p = 0.009, not below 0.001). The conclusion is the same. The unit of duration is not stated.",
        warning="No baseline, and one session each: who cramps less anyway cannot be told from who stretched.",
        ratios=(Ratio("Stretching at dialysis, Elavally 2017", ratio),),
    )  # fmt: skip
