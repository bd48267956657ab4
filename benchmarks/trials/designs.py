"""The designs that are simulated: a plan as it would be registered, how many take part, and what is true of them.

One person's level is fixed, as it is of any one person; of a group it varies between people and from phase to phase,
so that counts of two phases correlate at about 0.5 (0.37 to 0.74 in Frusso 1999 and Roguin Maor 2017).
"""

from dataclasses import dataclass, replace
from datetime import date
from types import MappingProxyType
from typing import Final

from api.trials.values import Plan, Treatment
from benchmarks.trials.truth import Truth

FIRST: Final = date(2026, 1, 5)  # a Monday; summer time begins on 29 March
RATIOS: Final = (1.0, 0.75, 0.5)
OTHER: Final = 0.75  # what the second factor of a factorial trial does
TREATMENTS: Final = (Treatment("A", "magnesium", "300 mg"), Treatment("B", "placebo", control=True))
ONE_ARM: Final = (Treatment("A", "magnesium", "300 mg"),)
FACTORS: Final = (Treatment("A", "vitamin E", "400 mg"), Treatment("B", "vitamin C", "250 mg"))
ONE: Final = Truth(per_week=8.0, shape=float("inf"))
GROUP: Final = Truth(wander=0.1)


@dataclass(frozen=True, slots=True)
class Case:
    """A design with its wearers."""

    name: str
    title: str
    plan: Plan
    truth: Truth

    def effects(self, ratio: float) -> dict[str, float]:
        """By what each letter of a label multiplies the rate."""
        return {"A": ratio, "B": OTHER if self.plan.design == "factorial" else 1.0}


def _case(name: str, title: str, plan: Plan, truth: Truth) -> tuple[str, Case]:
    return name, Case(name, title, replace(plan, title=title, question="Are there fewer cramps?"), truth)


CASES: Final = MappingProxyType(dict((
    _case(
        "n_of_1", "one person, four pairs of two weeks",
        Plan("", "", "n_of_1", TREATMENTS, baseline_days=0, block_days=14, cycles=4), ONE,
    ),
    _case(
        "before_after_one", "one person, eight weeks before and eight after, without drift",
        Plan("", "", "before_after", ONE_ARM, baseline_days=56, block_days=56), ONE,
    ),
    _case(
        "before_after", "twenty wearers, four weeks before and four after, without drift",
        Plan("", "", "before_after", ONE_ARM, baseline_days=28, block_days=28, wearers=20), GROUP,
    ),
    _case(
        "crossover", "forty wearers, AB/BA, four weeks each, two weeks of washout",
        Plan("", "", "crossover", TREATMENTS, baseline_days=0, block_days=28, washout_days=14, wearers=40),
        GROUP,
    ),
    _case(
        "parallel", "two arms of 45, two weeks of baseline and four of treatment",
        Plan("", "", "parallel", TREATMENTS, baseline_days=14, block_days=28, wearers=90), GROUP,
    ),
    _case(
        "factorial", "four arms of 45, two weeks of baseline and four of treatment; the other factor 0.75",
        Plan("", "", "factorial", FACTORS, baseline_days=14, block_days=28, wearers=180), GROUP,
    ),
)))  # fmt: skip
