"""One simulated trial: drawn, shown to the analysis, and what that says; beside it what a naive analysis says."""

import gc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scipy.stats import binomtest

from api.observed import counted, exposure_h
from api.trials.analyse import analyse
from api.trials.values import Analysis, Plan, Seen
from benchmarks.trials.cohort import draw
from benchmarks.trials.designs import Case
from benchmarks.trials.judge import Trial
from benchmarks.trials.schedules import allocated
from benchmarks.trials.shown import seen_of


@dataclass(frozen=True, slots=True)
class Task:
    """Trials of one case and one truth, seeded one after another."""

    key: str
    case: Case
    effects: Mapping[str, float]
    first: int
    trials: int
    naive: bool = False
    stream: int = 0  # so that tables do not share cohorts


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a task."""

    key: str
    ours: tuple[Trial, ...]
    naive: tuple[Trial, ...] = ()


def carry_out(task: Task) -> Done:
    """Every trial of a task, in one process."""
    ours, naive = [], []
    for number in range(task.first, task.first + task.trials):
        analysis, seen = simulated(task.case, task.effects, seed=(task.stream, number))
        ours.append(trial_of(analysis))
        if task.naive:
            naive.append(naively(task.case.plan, seen))
    gc.collect()
    return Done(task.key, tuple(ours), tuple(naive))


def simulated(case: Case, effects: Mapping[str, float], *, seed: Sequence[int]) -> tuple[Analysis, list[Seen]]:
    """One trial through the analysis of the service."""
    members, schedule = allocated(case.plan, seed=seed)
    cohort = draw(case.truth, schedule, seed=seed, effects=effects)
    seen = seen_of(cohort, kinds=case.plan.kinds)
    return analyse(case.plan, seen, members, only_primary=True), seen


def trial_of(analysis: Analysis) -> Trial:
    """The first of the results: the primary outcome, of a factorial trial for the first factor."""
    estimate = analysis.results[0].estimate
    p = float("nan") if estimate.p is None else estimate.p
    return Trial(estimate.value, estimate.low, estimate.high, p, analysis.conclusion)


def naively(plan: Plan, seen: Sequence[Seen]) -> Trial:
    """All cramps on A against all others, as if each came by itself: the exact binomial test of two Poisson rates."""
    on = [night for item in seen if "A" in item.phase.label for night in item.observed if night.enough]
    off = [night for item in seen if _is_other(plan, item) for night in item.observed if night.enough]
    on_h, off_h, cramps = exposure_h(on), exposure_h(off), counted(on)
    total = cramps + counted(off)
    if not total or not on_h or not off_h:
        return Trial(float("nan"), float("nan"), float("nan"), float("nan"), "not_enough_data")
    test = binomtest(cramps, total, on_h / (on_h + off_h))
    interval = test.proportion_ci(0.95)
    scale = off_h / on_h
    value, low, high = (scale * _odds(share) for share in (cramps / total, interval.low, interval.high))
    fewer = "fewer" if value < 1 else "more"
    return Trial(value, low, high, float(test.pvalue), fewer if test.pvalue < 0.05 else "no_difference_shown")


def _is_other(plan: Plan, item: Seen) -> bool:
    if plan.design == "before_after":
        return item.phase.kind == "baseline"
    return item.phase.kind == "treatment" and "A" not in item.phase.label


def _odds(share: float) -> float:
    return share / (1.0 - share) if share < 1.0 else float("inf")
