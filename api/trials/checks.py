"""Tests of what an analysis presumes: period effect, carry-over, drift, interaction, how much weeks differ. Pure."""

import math
from typing import Final

from api.statistics import grouped
from api.statistics.values import Estimate
from api.trials import counts
from api.trials.case import Case, is_masked
from api.trials.measured import periods_compared
from api.trials.values import Check
from api.trials.wording import changed

PLACEBO_LOW, PLACEBO_HIGH = 0.28, 0.36  # falls in placebo arms
PLACEBO: Final = Estimate(
    "rate ratio of placebo arms in print, after against before",
    1.0 - (PLACEBO_LOW + PLACEBO_HIGH) / 2.0,
    1.0 - PLACEBO_HIGH,
    1.0 - PLACEBO_LOW,
    None,
    "range of placebo arms: -28 % (Cochrane review of magnesium 2012, PMC7025716) and -36 % (Roguin Maor et al. 2017, "
    "JAMA Intern Med 177:617)",
    null=1.0,
)
_OVERDISPERSED: Final = 1.5


def checks_of(case: Case) -> list[Check]:
    """The checks that belong to the design."""
    match case.plan.design:
        case "crossover":
            found = [_period(case), _carry_over(case)]
        case "before_after":
            found = [_placebo(case)]
        case "parallel":
            found = [_drift(case)] if case.baseline() else []
        case "factorial":
            found = [] if is_masked(case.plan) else [_interaction(case)]
        case _:
            found = []
    return [*found, _dispersion(case)]


def _period(case: Case) -> Check:
    found = counts.period(case)
    if not found.known:
        sentence = f"Whether the second period differs from the first cannot be told: {found.note}"
    elif found.excludes_null:
        sentence = (
            f"The second period had {_fewer(found.value, 'the first')}, whatever was taken; the estimate allows for it."
        )
    else:
        sentence = "No difference between the first and the second period was shown."
    return Check("period effect", found, sentence)


def _carry_over(case: Case) -> Check:
    found = periods_compared(case, "rate").carry_over
    shown = (
        "The sequences differ in sum, so the first treatment may have lasted into the second period: read the "
        "result with care."
        if found.excludes_null
        else "No carry-over was shown; this test seldom shows one that is there."
    )
    return Check("carry-over", found, shown if found.known else f"Carry-over cannot be told: {found.note}")


def _placebo(case: Case) -> Check:
    mine = counts.primary(case)
    here = f"Here there were {_fewer(mine.value, 'before')}. " if mine.known else ""
    return Check(
        "drift without treatment",
        PLACEBO,
        f"{here}Placebo arms in print fell by {PLACEBO_LOW * 100:.0f} to {PLACEBO_HIGH * 100:.0f} % with no drug at "
        "all: that much is to be expected from time and hope alone.",
    )


def _drift(case: Case) -> Check:
    rows = [
        (one.phase.wearer, one.phase.kind == "treatment", one.count, one.exposure)
        for one in (*case.side(case.reference), *case.baseline())
        if any(case.side(case.reference, one.phase.wearer))
    ]
    found = grouped.within(
        wearers=[row[0] for row in rows],
        treated=[float(row[1]) for row in rows],
        counts=[row[2] for row in rows],
        exposures=[row[3] for row in rows],
    )
    sentence = (
        f"In the arm on {case.name(case.reference)} there were {_fewer(found.value, 'at its own baseline')}."
        if found.known
        else f"How the arm on {case.name(case.reference)} changed from its baseline cannot be told: {found.note}"
    )
    return Check(f"drift of {case.name(case.reference)}", found, sentence)


def _interaction(case: Case) -> Check:
    found = counts.factors(case).interaction
    if not found.known:
        sentence = f"Whether the two change each other's effect cannot be told: {found.note}"
    elif found.excludes_null:
        sentence = "The two change each other's effect: the figure of each alone misleads; read the four arms."
    else:
        sentence = "It was not shown that the two change each other's effect; this test seldom shows it."
    return Check("interaction", found, sentence)


def _dispersion(case: Case) -> Check:
    found = counts.dispersion(case)
    if not found.known:
        sentence = f"How much weeks differ cannot be told: {found.note}"
    elif found.value > _OVERDISPERSED:
        sentence = (
            f"Weeks differ {found.value:.1f} times as much as chance alone would have them; intervals are wider for it."
        )
    else:
        sentence = "Weeks differ about as much as chance would have them."
    return Check("overdispersion", found, sentence)


def _fewer(ratio: float, than: str) -> str:
    """30 % fewer cramps than before; no cramps, and some before."""
    if math.isinf(ratio):
        return f"cramps, and none {than}"
    if ratio == 0:
        return f"no cramps, and some {than}"
    said = changed(ratio)
    return f"{said} cramps {'as' if said.endswith('as many') else 'than'} {than}"
