"""Cohorts shaped like the trials of the articles, with and without an effect, and what the analysis says of each.

Sizes, lengths and baselines are those of the articles as far as they are published; levels and spreads else are those
of the main table. With a placebo's fall of 30 % within four weeks of the first dose, as in their placebo arms.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import time
from typing import Final

from api.trials.values import Design, Plan, Treatment
from benchmarks.trials.designs import GROUP, ONE, Case
from benchmarks.trials.judge import judge
from benchmarks.trials.simulate import Done, Task
from benchmarks.trials.tables import Made, ratio, said
from benchmarks.trials.truth import Rhythm, Truth

TRIALS: Final = 200
QUICK: Final = 6
STREAM: Final = 3
FALL: Final = -0.3
SESSIONS: Final = Rhythm("dialysis", "between", weekdays=(0, 2, 4), begins=time(13), hours=4, inside=0.43)
TRAINING: Final = Rhythm("training", "between", weekdays=(1, 3, 6), begins=time(18), hours=2, inside=0.75)


@dataclass(frozen=True, slots=True)
class Shape:
    """A system of an article as a simulated trial."""

    name: str
    source: str
    case: Case
    effects: Mapping[str, float]  # what it does where it does something

    def key(self, works: bool) -> str:
        return f"articles {self.name} {works}"


def shapes() -> Iterator[Shape]:
    """Every system."""
    yield _shape(
        "magnesium 300 mg, crossover of 46", "Roffe 2002",
        _plan("crossover", "magnesium citrate", "placebo", wearers=46, block_days=42, settle_days=14, baseline_days=0),
        replace(GROUP, per_week=2.25 / 0.73), 0.5,
    )  # fmt: skip
    yield _shape(
        "zinc 220 mg twice daily, 12 before and after", "Kugelmas 2000",
        _plan("before_after", "zinc sulphate", wearers=12, baseline_days=28, block_days=84),
        replace(GROUP, per_week=5.0), 0.25,
    )  # fmt: skip
    for kind in (SESSIONS.kind, SESSIONS.rest):
        plan = replace(
            _plan("factorial", "vitamin E", "vitamin C", wearers=60, baseline_days=28, block_days=56), kinds=(kind,)
        )
        what = "during sessions" if kind == SESSIONS.kind else "between sessions"
        truth = replace(GROUP, per_week=3.5, rhythm=SESSIONS)
        yield Shape(
            f"vitamin E at dialysis, {what}, four arms of 15",
            "Khajehdehi 2001",
            _named(plan, truth),
            {"A": 0.46, "B": 0.39},
        )
    yield _shape(
        "stretching before bed, two arms of 40", "Hallegraeff 2012",
        _plan("parallel", "stretching", "no stretching", wearers=80, baseline_days=14, block_days=42),
        replace(GROUP, per_week=21.0 / 0.73), 0.6,
    )  # fmt: skip
    yield _shape(
        "stretching on and off, one person, two pairs of two weeks", "a wearer's story",
        _plan("n_of_1", "stretching", "no stretching", cycles=2, block_days=14, baseline_days=0),
        replace(ONE, per_week=21.0 / 0.73), 0.4,
    )  # fmt: skip
    yield _shape(
        "quinine, one person, three pairs of four weeks", "Woodfield 2005",
        _plan("n_of_1", "quinine", "placebo", cycles=3, block_days=28, baseline_days=14),
        replace(ONE, per_week=4.25 / 0.73), 0.4,
    )  # fmt: skip
    yield _shape(
        "drink at training, crossover of 20", "exercise cramps",
        replace(_plan("crossover", "drink", "water", wearers=20, block_days=28, baseline_days=0), kinds=("training",)),
        replace(GROUP, per_week=2.0, rhythm=TRAINING), 0.5,
    )  # fmt: skip


def tasks(*, quick: bool) -> list[Task]:
    """What to simulate."""
    trials = QUICK if quick else TRIALS
    return [
        Task(shape.key(works), shape.case, shape.effects if works else {}, 0, trials, stream=STREAM)
        for shape in shapes()
        for works in (False, True)
    ]


def table(found: Mapping[str, Done]) -> Made:
    """What the analysis says, trial by trial."""
    rows = []
    for shape in shapes():
        for works in (False, True):
            trials = found[shape.key(works)].ours
            truth = shape.effects["A"] if works else 1.0
            verdict = judge(trials, truth=truth)
            rows.append((
                f"{shape.name} ({shape.source})", f"{truth:g}", said(trials, "fewer"), said(trials, "more"),
                said(trials, "no_difference_shown"), said(trials, "not_enough_data"), ratio(verdict.ratio),
            ))  # fmt: skip
    return Made(
        "The systems of the articles, simulated",
        f"{TRIALS} simulated trials a line, with nothing to find (ratio 1) and with an effect. The effects are chosen "
        "to show what the design can see, near what the article reports where it reports one; all cohorts share a "
        "placebo's fall of 30 % within four weeks of the first dose, which is why the trial without a control says "
        "fewer where there is no effect. Magnesium and quinine did less than this in their trials.",
        ("system", "true ratio", "says fewer", "says more", "no difference shown", "not enough data", "median ratio"),
        tuple(rows),
    )


def _shape(name: str, source: str, plan: Plan, truth: Truth, effect: float) -> Shape:
    return Shape(name, source, _named(plan, truth), {"A": effect})


def _named(plan: Plan, truth: Truth) -> Case:
    return Case("", plan.title, plan, replace(truth, drift=FALL))


def _plan(
    design: Design, first: str, second: str = "", *, wearers: int = 1, block_days: int, baseline_days: int,
    settle_days: int = 0, cycles: int = 2,
) -> Plan:  # fmt: skip
    treatments = [Treatment("A", first)]
    if second:
        treatments.append(Treatment("B", second, control=design != "factorial"))
    return Plan(
        first, "Are there fewer cramps?", design, tuple(treatments), wearers=wearers, block_days=block_days,
        baseline_days=baseline_days, settle_days=settle_days, cycles=cycles,
    )  # fmt: skip
