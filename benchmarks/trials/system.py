"""Layer 2: the same cohorts as records in a store and a registry, read and analysed over HTTP; figures must be equal.

Nights are three hours long and trials shorter than those of the main table, as every night is a thousand records. The
service makes the schedule: plan and wearers are registered first, and the cohort follows it.
"""

import asyncio
import math
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import time
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import httpx
from fastapi import FastAPI

from api.app import create_app
from api.registry import Registry, open_registry
from api.trials import keeping
from api.trials.analyse import analyse
from api.trials.registered import Trial
from api.trials.values import Analysis, Plan
from benchmarks.trials.cohort import Cohort, draw
from benchmarks.trials.designs import CASES, FIRST, Case
from benchmarks.trials.records import episodes_of, epochs_of, last_ns
from benchmarks.trials.shown import seen_of
from benchmarks.trials.spread import over
from benchmarks.trials.tables import Made, ratio
from benchmarks.trials.truth import Truth
from ingest.store.sqlite import SqliteStore

TRIALS: Final = 20
QUICK: Final = 1
STREAM: Final = 4
EFFECT: Final = 0.5
V1: Final = "/api/v1"
TOKEN: Final = "of-a-simulated-trial-0123456789abcdef"  # noqa: S105 - opens nothing but what this process made
BEGINS, HOURS = time(1, 0), 3
SMALLER: Final[Mapping[str, Mapping[str, int]]] = MappingProxyType({
    "n_of_1": {"block_days": 7},
    "before_after_one": {"baseline_days": 28, "block_days": 28},
    "before_after": {"wearers": 4, "baseline_days": 14, "block_days": 14},
    "crossover": {"wearers": 6, "block_days": 10, "washout_days": 2},
    "parallel": {"wearers": 8, "baseline_days": 7, "block_days": 10},
    "factorial": {"wearers": 8, "baseline_days": 7, "block_days": 10},
})  # fmt: skip
COMPARED: Final = ("value", "low", "high", "p")


@dataclass(frozen=True, slots=True)
class Job:
    """One trial to send through the system."""

    name: str
    number: int


@dataclass(frozen=True, slots=True)
class Figures:
    """What a trial came to: the primary estimate, and the sums of its arms."""

    estimate: tuple[float, float, float, float | None]  # value, low, high, p
    arms: tuple[tuple[str, int, int, float, int], ...]  # label, planned and judged nights, usable hours, cramps
    conclusion: str


@dataclass(frozen=True, slots=True)
class Pair:
    """The figures of one trial by both ways."""

    job: Job
    direct: Figures
    system: Figures
    epochs: int
    episodes: int

    @property
    def same(self) -> bool:
        """Whether they are the same to the last digit; what both cannot tell is the same too."""
        return repr(self.direct) == repr(self.system)


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
            ratio(one.pairs[0].direct.estimate[0]), ratio(one.pairs[0].system.estimate[0]),
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
        ("design", "trials", "epochs", "episodes", "equal", "first trial, direct", "first trial, system"),
        tuple(rows),
    )


def case_of(name: str) -> Case:
    """A design in the size that is sent through the system."""
    case = CASES[name]
    rhythm = replace(case.truth.rhythm, begins=BEGINS, hours=HOURS)
    truth: Truth = replace(case.truth, rhythm=rhythm, per_week=2 * case.truth.per_week, false_alarms=0.1)
    return replace(case, plan=replace(case.plan, **SMALLER[name]), truth=truth)  # type: ignore[arg-type]


def through(job: Job) -> Pair:
    """One trial by both ways."""
    case = case_of(job.name)
    case = replace(case, plan=replace(case.plan, seed=job.number))
    with tempfile.TemporaryDirectory(prefix="charley-trial-") as folder, system_in(Path(folder)) as system:
        trial, devices = registered(system, case.plan)
        cohort = draw(case.truth, trial.schedule, seed=(STREAM, job.number), effects=case.effects(EFFECT))
        epochs, episodes = kept(system, cohort, devices)
        system.now_ns = last_ns(cohort) + 10**9
        told = _told(system.get(f"/trials/{trial.id}/analysis"))
    direct = analyse(trial.plan, seen_of(cohort), trial.members, only_primary=True)
    return Pair(job, _direct(direct), told, epochs, episodes)


class _Transport(httpx.BaseTransport):
    """Calls an application without a server."""

    def __init__(self, app: FastAPI) -> None:
        self._transport = httpx.ASGITransport(app)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return asyncio.run(self._answer(request))

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        response = await self._transport.handle_async_request(request)
        return httpx.Response(response.status_code, headers=response.headers, content=await response.aread())


@dataclass
class System:
    """Store, registry and API in a folder, with a clock that is set."""

    registry: Registry
    store: SqliteStore
    now_ns: int = 0
    http: httpx.Client = field(init=False)

    def get(self, path: str) -> Any:
        """What an address gives."""
        return _answered(self.http.get(V1 + path))

    def post(self, path: str, body: Mapping[str, object]) -> Any:
        """What becomes of something sent."""
        return _answered(self.http.post(V1 + path, json=body))


@contextmanager
def system_in(folder: Path) -> Iterator[System]:
    """A whole system of its own, closed at the end."""
    registry, store = open_registry(f"sqlite:///{folder / 'registry.sqlite'}"), SqliteStore(folder / "store.sqlite")
    system = System(registry, store)
    app = create_app(
        registry=registry, store=store, admin_token=TOKEN, data_dir=folder, version="simulated",
        now_ns=lambda: system.now_ns,
    )  # fmt: skip
    headers = {"Authorization": f"Bearer {TOKEN}"}
    system.http = httpx.Client(transport=_Transport(app), base_url="http://charley.test", headers=headers)
    try:
        yield system
    finally:
        registry.close()
        store.close()


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


def kept(system: System, cohort: Cohort, devices: Mapping[str, str]) -> tuple[int, int]:
    """Write the records of a cohort, and say how many there are."""
    epochs = 0
    for night in epochs_of(cohort, devices):
        system.store.write(night)
        epochs += len(night)
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


def _direct(analysis: Analysis) -> Figures:
    found = analysis.results[0].estimate
    return Figures(
        (found.value, found.low, found.high, found.p),
        tuple((arm.label, arm.planned, arm.judged, arm.usable_h, arm.cramps) for arm in analysis.arms),
        analysis.conclusion,
    )


def _told(body: Mapping[str, Any]) -> Figures:
    """The same from the answer, in which null is what cannot be told."""
    found = body["results"][0]["estimate"]
    value, low, high = (math.nan if found[name] is None else found[name] for name in COMPARED[:3])
    return Figures(
        (value, low, high, found["p"]),
        tuple((arm["label"], arm["planned"], arm["judged"], arm["usable_h"], arm["cramps"]) for arm in body["arms"]),
        body["conclusion"],
    )


def _answered(response: httpx.Response) -> Any:
    if response.status_code not in (200, 201):
        raise RuntimeError(f"The service answers {response.status_code}: {response.text}")
    return response.json()
