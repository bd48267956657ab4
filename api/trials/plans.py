"""Plans as they are registered: checked, written as canonical JSON, hashed. Pure.

Rules
-----
- Canonical JSON: members in order of name, no spaces, text as UTF-8. Its SHA-256 is the plan's hash: whoever has the
  text can work it out with any tool.
- Treatments are A and B in the order given. A blinded plan has no labels: the schedule's A and B are told apart by the
  sealed key alone.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Final

from pydantic import TypeAdapter

from api.errors import Invalid
from api.observed import ObservedKind
from api.trials.values import Outcome, Plan, Treatment

BINARY: Final[frozenset[Outcome]] = frozenset({"responders_25", "responders_50", "remission", "felt_better"})
OF_BASELINE: Final[frozenset[Outcome]] = frozenset({"responders_25", "responders_50"})
OF_DEVICE: Final[frozenset[Outcome]] = frozenset({"load"})
WITH_CONTROL: Final = frozenset({"n_of_1", "crossover", "parallel"})
WITH_WASHOUT: Final = frozenset({"n_of_1", "crossover"})
LEAST_COUNTED: Final = {"n_of_1": 3}  # days of a block that count; LEAST_USUAL in other designs
LEAST_USUAL: Final = 5
LEAST_BASELINE: Final = 7
LEAST_WEARERS: Final = {"crossover": 4, "parallel": 4, "factorial": 8}
LONGEST_DAYS: Final = 400
MOST_CYCLES: Final = 20
MOST_WEARERS: Final = 500
LARGEST_SEED: Final = 2**53 - 1  # what every reader of JSON reads without loss
LABELS: Final = ("A", "B")
_PLAN: Final = TypeAdapter(Plan)


def check(plan: Plan) -> Plan:
    """The plan as it is registered: trimmed and labelled; or `Invalid` with what to change."""
    tidy = replace(
        plan,
        title=_line(plan.title, "title", most=120),
        question=_line(plan.question, "question", most=400),
        treatments=_treatments(plan),
    )
    _check_control(tidy)
    _check_days(tidy)
    _check_people(tidy)
    _check_outcomes(tidy)
    _check_figures(tidy)
    return tidy


def canonical(plan: Plan) -> str:
    """The plan as the one text that is hashed."""
    return json.dumps(asdict(plan), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(text: str) -> str:
    """SHA-256 of a canonical plan, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def read(text: str) -> Plan:
    """A plan from its canonical JSON."""
    return _PLAN.validate_json(text)


def days_of(plan: Plan) -> int:
    """How long one wearer takes part."""
    blocks = {"n_of_1": 2 * plan.cycles, "crossover": 2}.get(plan.design, 1)
    return plan.baseline_days + blocks * plan.block_days + (blocks - 1) * plan.washout_days


def periods_word(kinds: Sequence[ObservedKind]) -> str:
    """Nights, days, or a word for several kinds."""
    return {"night": "nights", "day": "days"}.get(kinds[0], "periods") if len(kinds) == 1 else "periods"


def _line(text: str, name: str, *, most: int) -> str:
    trimmed = " ".join(text.split())
    if not 1 <= len(trimmed) <= most or not trimmed.isprintable():
        raise Invalid(name, f"Give {name} as 1 to {most} printable characters.")
    return trimmed


def _treatments(plan: Plan) -> tuple[Treatment, ...]:
    wanted = 1 if plan.design == "before_after" else 2
    if len(plan.treatments) != wanted:
        raise Invalid(
            "treatments",
            f"A {plan.design} plan has {'one treatment' if wanted == 1 else 'two treatments'}, not "
            f"{len(plan.treatments)}: give {'the one that follows the baseline' if wanted == 1 else 'two'}.",
        )
    given = [treatment.label for treatment in plan.treatments]
    if any(given) and sorted(given) != list(LABELS[:wanted]):
        raise Invalid("treatments", "Leave the labels out, or label the treatments A and B.")
    ordered = sorted(plan.treatments, key=lambda treatment: treatment.label)
    tidy = tuple(
        replace(
            treatment,
            label="" if plan.blinded else label,
            name=_line(treatment.name, "treatments", most=80),
            dose=" ".join(treatment.dose.split())[:40],
        )
        for label, treatment in zip(LABELS, ordered, strict=False)
    )
    if len({(treatment.name, treatment.dose) for treatment in tidy}) < wanted:
        raise Invalid("treatments", "Both treatments are the same: give what each of them is.")
    return tidy


def _check_control(plan: Plan) -> None:
    controls = sum(treatment.control for treatment in plan.treatments)
    if plan.design in WITH_CONTROL and controls != 1:
        raise Invalid(
            "treatments",
            "No control, or two: mark the one treatment that the other is held against, placebo or doing nothing, "
            "with `control`.",
        )
    if plan.design not in WITH_CONTROL and controls:
        raise Invalid(
            "treatments",
            "The baseline is what a before_after plan compares with: mark no treatment as control."
            if plan.design == "before_after"
            else "Each factor of a factorial plan is given or not: mark none as control.",
        )
    if plan.blinded and plan.design == "before_after":
        raise Invalid("blinded", "Before and after cannot be blinded: plan n_of_1 or crossover, or leave blinded out.")


def _check_days(plan: Plan) -> None:
    for name in ("baseline_days", "block_days", "washout_days", "settle_days"):
        if getattr(plan, name) < 0:
            raise Invalid(name, f"Give {name} as whole days, none or more.")
    if plan.washout_days and plan.design not in WITH_WASHOUT:
        raise Invalid("washout_days", f"There is nothing to wash out in a {plan.design} plan: leave washout_days out.")
    least = LEAST_COUNTED.get(plan.design, LEAST_USUAL)
    if plan.block_days - plan.settle_days < least:
        raise Invalid(
            "block_days",
            f"The block is too short: of {plan.block_days} days {max(plan.block_days - plan.settle_days, 0)} are "
            f"counted after settling, and at least {least} are needed. Make the blocks longer.",
        )
    wants_baseline = plan.design == "before_after" or OF_BASELINE & {plan.primary, *plan.secondary}
    if wants_baseline and plan.baseline_days - plan.settle_days < LEAST_BASELINE:
        raise Invalid(
            "baseline_days",
            f"This plan compares with a baseline: give it at least {LEAST_BASELINE} days that count "
            "(those of settling do not).",
        )
    if plan.design == "n_of_1" and not 2 <= plan.cycles <= MOST_CYCLES:
        raise Invalid(
            "cycles", f"An n_of_1 plan has 2 to {MOST_CYCLES} pairs of blocks: one pair cannot tell drift from effect."
        )
    if days_of(plan) > LONGEST_DAYS:
        raise Invalid(
            "block_days", f"That is {days_of(plan)} days for one wearer: plan for {LONGEST_DAYS} days at most."
        )


def _check_people(plan: Plan) -> None:
    least = LEAST_WEARERS.get(plan.design, 1)
    if not least <= plan.wearers <= MOST_WEARERS:
        raise Invalid(
            "wearers",
            f"A {plan.design} plan has {least} to {MOST_WEARERS} wearers."
            + (" For one person plan n_of_1." if plan.wearers < least else ""),
        )
    if not plan.kinds or len(set(plan.kinds)) < len(plan.kinds):
        raise Invalid("kinds", "Say in which kinds of period cramps are counted, each once: night, day, ...")


def _check_outcomes(plan: Plan) -> None:
    outcomes = (plan.primary, *plan.secondary)
    if len(set(outcomes)) < len(outcomes):
        raise Invalid("secondary", "Each outcome has one role: name it once, as primary or as secondary.")
    if plan.primary in BINARY and plan.wearers == 1:
        raise Invalid(
            "primary",
            f"{plan.primary} is yes or no for each wearer, and there is one: choose rate, or plan for more wearers.",
        )
    if plan.counting == "felt" and OF_DEVICE & set(outcomes):
        raise Invalid("counting", "Load is measured by a device: count detected cramps, or choose severity.")


def _check_figures(plan: Plan) -> None:
    if not 0 < plan.worthwhile_ratio < 1:
        raise Invalid("worthwhile_ratio", "Give the smallest effect worth having as a ratio below 1, such as 0.75.")
    if not 0 < plan.expected_ratio < 1:
        raise Invalid("expected_ratio", "Give the effect expected as a ratio below 1, such as 0.5.")
    if plan.expected_per_week is not None and not 0 < plan.expected_per_week <= 1000:
        raise Invalid("expected_per_week", "Give the cramps expected in a week without treatment, above none.")
    if plan.power is not None and not 0 < plan.power <= 1:
        raise Invalid("power", "Give power as a share between 0 and 1, as the planner does.")
    if not 0 <= plan.seed <= LARGEST_SEED:
        raise Invalid("seed", f"Give seed as a whole number from 0 to {LARGEST_SEED}.")
