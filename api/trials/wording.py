"""The figures of both sides, and how they differ, in words for a wearer. Pure."""

import math
from typing import Final

from api.observed import RATE_H
from api.statistics.values import Estimate
from api.trials.case import BASELINE, Case
from api.trials.counts import contrast, is_treated, of_both_sides
from api.trials.measured import UNITS
from api.trials.outcomes import PER_WEEK, Tally
from api.trials.plans import BINARY, periods_word
from api.trials.reached import WORDS, answers, pairs_of
from api.trials.values import Outcome, Result
from api.wording import count

_PLAIN: Final[dict[Outcome, str]] = {
    "duration": "the mean length of a cramp in minutes",
    "severity": "the mean severity of a cramp",
    "load": "the load in eight hours",
    "cramp_index": "the cramp index in eight hours",
}
MANY_TIMES: Final = 3.0
LEAST_TOLD: Final = 0.005  # as a share: below, a fall would be rounded to all of it
Sides = tuple[list[Tally], list[Tally]]
LEAST_POWER: Final = 0.5


def figures_of(case: Case, result: Result) -> str:
    """What was seen on both sides, and how they differ."""
    found = result.estimate
    match result.outcome:
        case "rate" | "cramp_periods":
            told = _sides_told(case, found)
            figures = _rates(case, *told) if result.outcome == "rate" else _shares(case, *told)
            level = _rate if result.outcome == "rate" else _share
            change = found.value - 1.0
            against = abs(change) >= LEAST_TOLD and change * (level(told[0]) - level(told[1])) <= 0
            return f"{figures}{_complete(case, told)}{_differ(case, found, against=against)}"
        case outcome if outcome in BINARY:
            return _people(case, outcome, found)
        case outcome:
            if not found.known:
                return f"{_capital(_PLAIN[outcome])} cannot be compared: {found.note or 'there are too few figures.'}"
            return _measured(case, outcome, found)


def _sides_told(case: Case, found: Estimate) -> Sides:
    """The phases that the figures are of; of one person in pairs those alone that the ratio is of."""
    on, off = sides_of(case)
    if not _is_in_pairs(case, found):
        return on, off
    cycles = {one.phase.cycle for one in on if one.exposure} & {one.phase.cycle for one in off if one.exposure}
    kept = [[one for one in side if one.phase.cycle in cycles] for side in (on, off)]
    return (kept[0], kept[1]) if cycles else (on, off)


def _is_in_pairs(case: Case, found: Estimate) -> bool:
    return case.plan.design == "n_of_1" and len(case.wearers) == 1 and not found.method.startswith("exact")


def _complete(case: Case, told: Sides) -> str:
    """That a pair of which one block has no data is not told of."""
    if {id(one) for side in told for one in side} == {id(one) for side in sides_of(case) for one in side}:
        return ""
    pairs = len({one.phase.cycle for one in told[0]})
    return f", in the {count(pairs, 'pair')} of {case.plan.cycles} with data on both sides"


def _differ(case: Case, found: Estimate, *, against: bool) -> str:
    """30 % fewer, but it could be anything from 60 % fewer to 10 % more; of a side without cramps no such figure."""
    if not found.known:
        return "; how they differ cannot be estimated."
    if found.value == 0:
        return f": none were seen on {name_treated(case)}, but it could be anything {_between(found)}."
    if math.isinf(found.value):
        return f": none were seen {other_side(case)}, and it could be anything {_between(found)}."
    allowed = _allowed(case, found, against=against)
    return f": {changed(found.value)}{allowed}, but it could be anything {_between(found)}."


def _measured(case: Case, outcome: Outcome, found: Estimate) -> str:
    """How much lower or higher a figure was, and how much it may have been."""
    way = (
        "as high"
        if f"{found.value:.2g}" == "0"
        else f"{abs(found.value):.2g} {'lower' if found.value < 0 else 'higher'}"
    )
    than = f"{'as' if way == 'as high' else 'than'} {other_side(case)}"
    said = f"{_capital(_PLAIN[outcome])} was {way} on {case.name(case.treated)} {than}"
    if math.isinf(found.low) or math.isinf(found.high):
        return f"{said}, but so few figures cannot tell how far that may be off."
    return f"{said}, but the difference could be anything from {found.low:.2g} to {found.high:.2g} ({UNITS[outcome]})."


def also_told(result: Result) -> str:
    """What the second factor of a factorial trial did."""
    name, found = result.contrast.removesuffix(" against none"), result.estimate
    if result.outcome not in ("rate", "cramp_periods"):
        return f"What {name} did is told with the results."
    if not found.known:
        return f"What {name} did cannot be estimated."
    return f"With {name} rather than without it: {changed(found.value)}, but it could be anything {_between(found)}."


def _rates(case: Case, on: list[Tally], off: list[Tally]) -> str:
    """On magnesium you had 3.1 cramps a week (of seven nights of eight hours), on placebo 4.4."""
    # A week has seven nights, but 112 hours of day: of other kinds a week would be a wrong one.
    nights = case.plan.kinds == ("night",)
    unit, by = ("a week (of seven nights of eight hours)", PER_WEEK) if nights else ("in eight hours", 1.0)
    treated, other = (by * RATE_H * _rate(among) for among in (on, off))
    unknown = "not known how many" if math.isnan(other) else f"{other:.1f}"
    return f"{_begun(case)} had {_number(treated)} cramps {unit}, {other_side(case)} {unknown}"


def _shares(case: Case, on: list[Tally], off: list[Tally]) -> str:
    what = periods_of(case)
    shares = [_share(among) for among in (on, off)]
    treated, other = ("an unknown share" if math.isnan(share) else f"{percent(share)} %" for share in shares)
    return f"{_begun(case)} had cramps in {treated} of {what}, {other_side(case)} in {other}"


def periods_of(case: Case) -> str:
    """Nights, days, or a word for several kinds."""
    return periods_word(case.plan.kinds)


def _people(case: Case, outcome: Outcome, found: Estimate) -> str:
    if case.plan.design == "before_after":
        said = answers(case, outcome, [case.treated])
        interval = f" (from {percent(found.low)} to {percent(found.high)} % of such people)" if found.known else ""
        had = WORDS[outcome] if outcome == "felt_better" else f"had {WORDS[outcome]}"
        return f"With {case.name(case.treated)} {sum(said)} of {len(said)} {had}{interval}."
    if case.plan.design == "n_of_1":
        pairs = pairs_of(case, outcome)
        first, second = sum(on for on, _ in pairs), sum(off for _, off in pairs)
        of = f"of {count(len(pairs), 'pair' if outcome == 'felt_better' else 'wearer')}"
        return f"{_capital(WORDS[outcome])}, {of}: {first} on {name_treated(case)}, {second} {other_side(case)}."
    arms = (["AB", "A"], ["B", ""]) if case.plan.design == "factorial" else ([case.treated], [case.reference])
    a, b = (answers(case, outcome, side) for side in arms)
    both = f"{sum(a)} of {len(a)} on {name_treated(case)}, {sum(b)} of {len(b)} {other_side(case)}"
    return f"{_capital(WORDS[outcome])}: {both}."


def sides_of(case: Case) -> Sides:
    """The phases that the figures are of: treated, and the others."""
    compared = case.compared()
    if case.plan.design not in ("parallel", "factorial"):
        compared = of_both_sides(case) or compared
    return [one for one in compared if is_treated(case, one)], [one for one in compared if not is_treated(case, one)]


def _begun(case: Case) -> str:
    who = "you" if case.plan.wearers == 1 and len(case.wearers) <= 1 else "wearers"
    return f"On {name_treated(case)} {who}"


def name_treated(case: Case) -> str:
    """What the treated side took."""
    return contrast(case).removesuffix(" against none") if case.plan.design == "factorial" else case.name(case.treated)


def other_side(case: Case) -> str:
    """On what, or without what, the other side was."""
    return "without it" if case.plan.design == "factorial" else _on(case, case.reference)


def _on(case: Case, label: str) -> str:
    name = case.name(label)
    return "before" if name == BASELINE else f"on {name}"


def _allowed(case: Case, found: Estimate, *, against: bool) -> str:
    """Why the ratio need not be that of the two figures, and may even go against them."""
    how = _how_allowed(case, found)
    which = ", which the two figures are not" if case.plan.design == "n_of_1" else ", which the two figures do not"
    return f" ({how}{which if against else ''})" if how else ""


def _how_allowed(case: Case, found: Estimate) -> str:
    if found.method.startswith("exact"):  # of the sums
        return ""
    match case.plan.design:
        case "parallel" | "factorial" if case.baseline():
            return "allowing for how each began"
        case "n_of_1":
            return "pair by pair" if len(case.wearers) == 1 else "wearer by wearer"
        case "crossover":
            return "allowing for the order"
        case _:
            return ""


def changed(ratio: float) -> str:
    """30 % fewer, 18 % more, 4.2 times as many, as many, none."""
    if math.isinf(ratio):
        return "more by any number"
    if ratio >= MANY_TIMES:
        return f"{ratio:.{0 if ratio >= 10 else 1}f} times as many"
    if ratio < LEAST_TOLD:
        return "over 99 % fewer" if ratio > 0 else "none"
    change = percent(abs(1.0 - ratio))
    return "as many" if change == "0" else f"{change} % {'fewer' if ratio < 1 else 'more'}"


def _between(found: Estimate) -> str:
    if math.isinf(found.high):
        return f"from {changed(found.low)} upwards"
    return f"from {changed(found.low)} to {changed(found.high)}"


def _rate(among: list[Tally]) -> float:
    hours = sum(one.exposure for one in among)
    return sum(one.count for one in among) / hours if hours else math.nan


def _share(among: list[Tally]) -> float:
    judged = sum(one.judged for one in among)
    return sum(float((one.counts > 0).sum()) for one in among) / judged if judged else math.nan


def _number(value: float) -> str:
    return "an unknown number of" if math.isnan(value) else f"{value:.1f}"


def percent(share: float) -> str:
    """A share as a whole number of hundredths."""
    return "?" if math.isnan(share) else f"{100 * share:.0f}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def two_places(value: float) -> str:
    """A figure for a table; a dash where there is none."""
    if math.isnan(value):
        return "–"
    return f"{value:.2f}" if math.isfinite(value) else ("∞" if value > 0 else "-∞")
