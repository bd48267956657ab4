"""Layer 2: the same cohorts as records in a store and a registry, read and analysed over HTTP; figures must be equal.

Nights are three hours long and trials shorter than those of the main table, as every night is a thousand records. The
service makes the schedule: plan and wearers are registered first, and the cohort follows it.
"""

import math
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import time
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from api.trials import keeping
from api.trials.analyse import analyse
from api.trials.registered import Trial
from api.trials.values import Analysis, Plan
from benchmarks.trials.cohort import Cohort, draw
from benchmarks.trials.designs import CASES, FIRST, Case
from benchmarks.trials.records import episodes_of, epochs_of, last_ns
from benchmarks.trials.service import System, system_in
from benchmarks.trials.shown import seen_of
from benchmarks.trials.spread import over
from benchmarks.trials.tables import Made
from benchmarks.trials.truth import Truth
from ingest.store import Epoch

TRIALS: Final = 20
QUICK: Final = 1
STREAM: Final = 4
EFFECT: Final = 0.5
BEGINS, HOURS = time(1, 0), 3
SMALLER: Final[Mapping[str, Mapping[str, int]]] = MappingProxyType({
    "n_of_1": {"block_days": 7},
    "before_after_one": {"baseline_days": 28, "block_days": 28},
    "before_after": {"wearers": 4, "baseline_days": 14, "block_days": 14},
    "crossover": {"wearers": 6, "block_days": 10, "washout_days": 2},
    "parallel": {"wearers": 8, "baseline_days": 7, "block_days": 10},
    "factorial": {"wearers": 8, "baseline_days": 7, "block_days": 10},
})  # fmt: skip
MORE: Final = 3.0  # cramps than in the main table, as nights are shorter
AT_ONCE: Final = 20_000  # records of one transaction: each waits for the disk
COMPARED: Final = ("value", "low", "high", "p")


@dataclass(frozen=True, slots=True)
class Job:
    """One trial to send through the system."""

    name: str
    number: int


@dataclass(frozen=True, slots=True)
class Figures:
    """What a trial came to: the primary estimate, and the sums of its arms."""

    estimate: tuple[float | None, ...]  # value, low, high, p
    arms: tuple[tuple[str, int, int, float | None, int], ...]  # label, planned and judged nights, usable hours, cramps
    conclusion: str


@dataclass(frozen=True, slots=True)
class Pair:
    """The figures of one trial by both ways, and those that the service sent, which have four digits."""

    job: Job
    direct: Figures
    system: Figures
    sent: Figures
    epochs: int
    episodes: int

    @property
    def same(self) -> bool:
        """Whether they are the same to the last digit, and what was sent is that; NaN equals NaN."""
        return repr(self.direct) == repr(self.system) and rounded(self.direct) == self.sent


@dataclass(frozen=True, slots=True)
class Compared:
    """All trials of a design."""

    name: str
    pairs: tuple[Pair, ...]

    @property
    def same(self) -> bool:
        return all(pair.same for pair in self.pairs)


def compare(names: tuple[str, ...], *, quick: bool) -> list[Compared]:
    """Every design, so many trials each."""
    jobs = [Job(name, number) for name in names for number in range(QUICK if quick else TRIALS)]
    pairs = over(through, jobs, what="trials through the system")
    return [Compared(name, tuple(pair for pair in pairs if pair.job.name == name)) for name in names]


def table(among: list[Compared]) -> Made:
    """How many are equal."""
    rows = [
        (
            CASES[one.name].plan.design + (", one person" if one.name.endswith("_one") else ""),
            str(len(one.pairs)), f"{sum(pair.epochs for pair in one.pairs):,}",
            str(sum(pair.episodes for pair in one.pairs)), str(sum(pair.same for pair in one.pairs)),
            interval(one.pairs[0].direct), interval(one.pairs[0].sent),
        )
        for one in among
    ]  # fmt: skip
    return Made(
        "Through the whole system",
        "The same cohorts as epochs and episodes in SQLite, wearers, devices and plan registered over HTTP, the "
        "schedule made by the service, the analysis read over HTTP. The primary estimate with its interval and p, "
        "the conclusion, and nights, hours and cramps of each arm must equal, to the last digit, those of the main "
        "table's way. True ratio "
        f"{EFFECT}; nights of three hours, and fewer and shorter than there.",
        ("design", "trials", "epochs", "episodes", "equal", "the first, directly", "the first, over HTTP"),
        tuple(rows),
    )


def interval(found: Figures) -> str:
    """A ratio with its interval in the four digits that the service sends."""
    value, low, high = (math.nan if part is None else part for part in found.estimate[:3])
    return f"{value:.4g} ({low:.4g} to {high:.4g})"


def case_of(name: str) -> Case:
    """A design in the size that is sent through the system."""
    case = CASES[name]
    rhythm = replace(case.truth.rhythm, begins=BEGINS, hours=HOURS)
    truth: Truth = replace(case.truth, rhythm=rhythm, per_week=MORE * case.truth.per_week, false_alarms=0.1)
    return replace(case, plan=replace(case.plan, **SMALLER[name]), truth=truth)  # type: ignore[arg-type]


def through(job: Job) -> Pair:
    """One trial by both ways."""
    case = case_of(job.name)
    case = replace(case, plan=replace(case.plan, seed=job.number))
    with tempfile.TemporaryDirectory(prefix="charley-trial-") as folder, system_in(Path(folder)) as system:
        trial, devices = registered(system, case.plan)
        cohort = draw(case.truth, trial.schedule, seed=(STREAM, job.number), effects=case.effects(EFFECT))
        epochs, episodes = stored(system, cohort, devices)
        system.now_ns = last_ns(cohort) + 10**9
        sent = _sent(system.analysis(trial.id))
        kept = system.analyses.ask(trial).analysis
    if kept is None:
        raise RuntimeError("The service sent an analysis that it does not have.")
    direct = analyse(trial.plan, seen_of(cohort), trial.members, only_primary=True)
    return Pair(job, figures(direct), figures(kept), sent, epochs, episodes)


def registered(system: System, plan: Plan) -> tuple[Trial, dict[str, str]]:
    """The trial with everybody in it, before anything has happened, and who wears which device."""
    system.now_ns = (FIRST.toordinal() - 719_163 - 7) * 86_400 * 10**9  # a week before
    devices = {}
    trial = system.post("/trials", _plan(plan))["id"]
    for place in range(plan.wearers):
        night = {"night_start": f"{BEGINS:%H:%M}", "night_end": f"{BEGINS.hour + HOURS:02}:00"}
        wearer = system.post("/wearers", {"name": f"simulated {place}", "zone": "Europe/Berlin", **night})["id"]
        device = f"leg-{place}"
        system.post("/devices", {"id": device})
        system.post(
            "/assignments",
            {"device": device, "wearer": wearer, "side": "left", "muscle": "gastrocnemius_medialis",
             "from": "2025-12-01T00:00:00Z"},
        )  # fmt: skip
        system.post(f"/trials/{trial}/members", {"wearer": wearer, "first": str(FIRST)})
        devices[wearer] = device
    with system.registry.read() as db:
        return keeping.find(db, trial), devices


def stored(system: System, cohort: Cohort, devices: Mapping[str, str]) -> tuple[int, int]:
    """Write the records of a cohort, and say how many there are."""
    epochs = 0
    waiting: list[Epoch] = []
    for night in epochs_of(cohort, devices):
        waiting += night
        epochs += len(night)
        if len(waiting) >= AT_ONCE:
            system.store.write(waiting)
            waiting = []
    system.store.write(waiting)
    episodes = episodes_of(cohort, devices)
    system.store.write(episodes)
    return epochs, len(episodes)


def _plan(plan: Plan) -> dict[str, object]:
    """What is sent to register it."""
    return {
        "title": plan.title, "question": plan.question, "design": plan.design,
        "treatments": [
            {"name": treatment.name, "dose": treatment.dose, "control": treatment.control}
            for treatment in plan.treatments
        ],
        "baseline_days": plan.baseline_days, "block_days": plan.block_days, "washout_days": plan.washout_days,
        "cycles": plan.cycles, "wearers": plan.wearers, "seed": plan.seed,
    }  # fmt: skip


def figures(analysis: Analysis) -> Figures:
    """The figures of an analysis."""
    found = analysis.results[0].estimate
    return Figures(
        (found.value, found.low, found.high, found.p),
        tuple((arm.label, arm.planned, arm.judged, arm.usable_h, arm.cramps) for arm in analysis.arms),
        analysis.conclusion,
    )


def rounded(found: Figures) -> Figures:
    """As the service sends them: four digits, and null for what is not known or has no bound."""
    arms = tuple((*arm[:3], _four(arm[3]), arm[4]) for arm in found.arms)
    return Figures(tuple(_four(value) for value in found.estimate), arms, found.conclusion)


def _four(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(f"{value:.4g}")


def _sent(body: Mapping[str, Any]) -> Figures:
    found = body["results"][0]["estimate"]
    return Figures(
        tuple(found[name] for name in COMPARED),
        tuple((arm["label"], arm["planned"], arm["judged"], arm["usable_h"], arm["cramps"]) for arm in body["arms"]),
        body["conclusion"],
    )
