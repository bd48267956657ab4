"""Figures, outcomes and designs in words."""

import math
from datetime import date
from typing import Final

from api.statistics.values import Estimate
from api.trials.plans import BINARY
from api.trials.schedule import CODES
from api.trials.values import Conclusion, Design, Doubts, Outcome, Phase, Plan, Role

OUTCOMES: Final[dict[Outcome, str]] = {
    "rate": "Cramps per 8 usable hours",
    "cramp_periods": "Nights with a cramp",
    "duration": "Length of a cramp",
    "severity": "Severity (0-10)",
    "load": "Load",
    "cramp_index": "Cramp index (length × severity)",
    "responders_25": "At least 25 % fewer cramps",
    "responders_50": "At least 50 % fewer cramps",
    "remission": "No cramps at all",
    "felt_better": "Felt better",
}
DESIGNS: Final[dict[Design, str]] = {
    "before_after": "before and after, no control",
    "n_of_1": "one person, blocks on and off in random order",
    "crossover": "crossover of two sequences",
    "parallel": "parallel arms",
    "factorial": "two factors, four arms",
}
COUNTED: Final[frozenset[Outcome]] = frozenset({"rate", "cramp_periods"})
ROLES: Final[dict[Role, str]] = {"primary": "Primary", "secondary": "Secondary", "sensitivity": "Sensitivity"}
CONCLUSIONS: Final[dict[Conclusion, str]] = {
    "fewer": "Fewer cramps",
    "more": "More cramps",
    "no_difference_shown": "No difference shown",
    "not_enough_data": "Not enough data",
}
NOT_KNOWN: Final = "not estimated"


def badge(plan: Plan, conclusion: Conclusion, *, doubts: Doubts = Doubts()) -> str:  # noqa: B008 - frozen
    """What may be concluded, in two words; of what is not counted in cramps it is better or worse."""
    if doubts.proves_nothing and conclusion in ("fewer", "more"):
        return "Begun too late to tell"
    if plan.design == "before_after" and plan.primary in BINARY:
        return CONCLUSIONS["not_enough_data"] if conclusion == "not_enough_data" else "Nothing to compare with"
    if plan.primary in COUNTED or conclusion not in ("fewer", "more"):
        return CONCLUSIONS[conclusion]
    if plan.primary in BINARY:
        return "Better" if conclusion == "fewer" else "Worse"
    return "Lower" if conclusion == "fewer" else "Higher"


def figure(value: float) -> str:
    """Two decimals, less of large numbers, more of small ones; ∞ and – where there is no number."""
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    size = abs(value)
    if size < 0.1:
        return f"{value:.2g}".replace("-", "−") if size >= 0.001 else "0"
    return f"{value:.{0 if size >= 100 else 1 if size >= 10 else 2}f}".replace("-", "−")


def tick(value: float) -> str:
    """A round number at an axis."""
    return f"{value:g}".replace("-", "−")


def letter(number: int) -> str:
    """a, b, ... z, aa, ab, ..."""
    before, last = divmod(number, 26)
    return (letter(before - 1) if before else "") + chr(ord("a") + last)


def capital(said: str) -> str:
    """A text that begins with a capital."""
    return said[:1].upper() + said[1:]


def joined(said: str) -> str:
    """A text in which no line begins with a per cent sign."""
    return said.replace(" %", "\u00a0%")


def is_share(estimate: Estimate) -> bool:
    """Whether a figure is a share of a whole, which reads best in per cent."""
    return estimate.measure.startswith(("proportion", "share")) and estimate.null != 1


def in_words(estimate: Estimate, value: float) -> str:
    """One number of an estimate, in per cent where it is a share."""
    return f"{tick(round(100 * value, 1))} %" if is_share(estimate) and math.isfinite(value) else figure(value)


def interval(estimate: Estimate) -> str:
    """The interval, low to high."""
    return f"{in_words(estimate, estimate.low)} to {in_words(estimate, estimate.high)}" if estimate.known else "–"


def p_value(p: float | None) -> str:
    """A p value as journals print it."""
    if p is None or math.isnan(p):
        return "–"
    if p < 0.001:
        return "< 0.001"
    return f"{p:.3f}" if p < 0.1 else f"{p:.2f}"


def chance(probability: float) -> str:
    """A probability in per cent, never rounded to certainty."""
    if probability > 0.995:
        return "> 99 %"
    return "< 1 %" if probability < 0.005 else f"{100 * probability:.0f} %"


def unit(plan: Plan) -> str:
    """What rates are drawn in: of nights a week of seven times eight hours; days are longer, and sessions rarer."""
    return "cramps a week" if plan.kinds == ("night",) else "cramps in 56 usable hours"


def periods(plan: Plan) -> str:
    """The periods of a plan, as a word."""
    named = {"night": "nights", "day": "days"}
    return named.get(plan.kinds[0], "sessions") if len(plan.kinds) == 1 else "periods"


def percent(part: float, whole: float) -> str:
    """A part of a whole."""
    return f"{100 * part / whole:.0f} %" if whole > 0 else "–"


def day(when: date) -> str:
    """A date."""
    return f"{when.day} {when:%b %Y}"


def phase_name(plan: Plan, phase: Phase) -> str:
    """What a phase is: baseline, washout, or its treatment."""
    if phase.kind != "treatment":
        return phase.kind
    return arm_name(plan, phase.label)


def arm_name(plan: Plan, label: str) -> str:
    """What a label stands for; in a factorial trial it may hold two, or none."""
    if plan.design == "factorial" and not label:
        return "neither"
    labelled = [treatment for treatment in plan.treatments if treatment.label]  # none of a blinded trial has a label
    names = [treatment.name for treatment in labelled if treatment.label == label]
    names = names or [treatment.name for treatment in labelled if treatment.label in label]
    return " and ".join(names) if names else f"pack {label}" if label in CODES else label


def sequence_name(plan: Plan, sequence: str) -> str:
    """A sequence of a crossover trial, or the arm."""
    if plan.design == "crossover" and len(sequence) > 1:
        return f"{arm_name(plan, sequence[0])} first"
    if plan.design == "n_of_1":
        return ""
    return arm_name(plan, sequence) if sequence or plan.design == "factorial" else ""
