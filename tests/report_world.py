"""Trials that never were, one of each design, with figures of their own to be found again in the report."""

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np

from api.observed import Cramp, Observed, counted, exposure_h
from api.report import Registered
from api.statistics.values import Estimate, unknown
from api.trials.analyse import analyse
from api.trials.methods import Registration
from api.trials.schedule import phases_of
from api.trials.values import (
    Analysis,
    ArmFigures,
    Check,
    Design,
    Difference,
    FlowStep,
    Member,
    Outcome,
    Phase,
    Plan,
    Result,
    Role,
    Seen,
    Treatment,
)

FIRST = date(2026, 1, 5)
NOW = datetime(2026, 6, 1, 8, 30, tzinfo=UTC)
REGISTERED = Registered(datetime(2026, 1, 2, 19, 5, tzinfo=UTC), "9f86d081884c7d659a2feaa0c55ad015" * 2)
MAGNESIUM = (Treatment("A", "magnesium citrate", "300 mg"), Treatment("B", "placebo", control=True))
STRETCH = (Treatment("A", "calf stretch before bed"), Treatment("B", "nothing", control=True))
VITAMINS = (Treatment("A", "vitamin E", "400 mg"), Treatment("B", "vitamin C", "250 mg"))
DAY_NS = 86_400 * 10**9
DESIGNS: tuple[Design, ...] = ("n_of_1", "before_after", "crossover", "parallel", "factorial")


def night(phase: Phase, when: date, *, cramps: int, usable_h: float) -> Observed:
    """A night with so many cramps; with less than four usable hours it is missing."""
    start_ns = round(datetime(when.year, when.month, when.day, 22, tzinfo=UTC).timestamp()) * 10**9
    held = tuple(Cramp(start_ns + (number + 1) * 10**12, 90.0, 5.0, episode=f"e{number}") for number in range(cramps))
    return Observed(
        phase.wearer, "night", when, 1, start_ns, start_ns + 8 * 3600 * 10**9, 28_800.0, usable_h * 3600, usable_h >= 4,
        held, when.weekday(),
    )  # fmt: skip


def plan_of(design: Design, **changes: object) -> Plan:
    """A plan of each design."""
    usual: dict[Design, Plan] = {
        "n_of_1": Plan(
            "Stretching before bed", "Do I have fewer cramps in weeks in which I stretch?", "n_of_1", STRETCH,
            baseline_days=0, block_days=7, settle_days=1, cycles=4, expected_per_week=4.0, power=0.71, seed=11,
        ),
        "before_after": Plan(
            "Zinc for twelve weeks", "Do cramps become fewer with zinc?", "before_after",
            (Treatment("A", "zinc sulphate", "220 mg twice a day"),), baseline_days=28, block_days=56,
        ),
        "crossover": Plan(
            "Magnesium at night", "Does magnesium make night cramps fewer than placebo does?", "crossover", MAGNESIUM,
            baseline_days=14, block_days=28, washout_days=14, settle_days=3, wearers=14, blinded=True,
            power=0.62, seed=3,
        ),
        "parallel": Plan(
            "Magnesium oxide, two arms", "Are there fewer cramps with magnesium oxide than with placebo?", "parallel",
            MAGNESIUM, baseline_days=14, block_days=28, wearers=24, seed=5, secondary=("responders_50", "severity"),
        ),
        "factorial": Plan(
            "Vitamins at dialysis", "Do vitamin E, vitamin C, or both make cramps fewer?", "factorial", VITAMINS,
            baseline_days=14, block_days=42, wearers=16, seed=8,
        ),
    }  # fmt: skip
    return replace(usual[design], **changes)  # type: ignore[arg-type]


def seen_of(plan: Plan, *, ratio: float = 0.55, weekly: float = 4.0, missing: float = 0.1) -> tuple[Seen, ...]:
    """Nights of all wearers: A (and in a factorial trial B) multiplies the rate."""
    rng = np.random.default_rng(plan.seed + 1)
    found = []
    for place in range(plan.wearers):
        own = weekly * (float(rng.gamma(2.5, 1 / 2.5)) if plan.wearers > 1 else 1.0)
        for phase in phases_of(plan, wearer=f"w-{place:03}", place=place, first=FIRST + timedelta(days=place % 5)):
            treated = {"A", "B"} if plan.design == "factorial" else {"A"}
            rate = own / 7 * math.prod(ratio for label in phase.label if label in treated)
            nights = []
            for number in range((phase.last - phase.first).days + 1):
                usable_h = float(rng.uniform(0, 3)) if rng.random() < missing else float(rng.uniform(6, 8))
                cramps = int(rng.poisson(rate * usable_h / 8))
                nights.append(night(phase, phase.first + timedelta(days=number), cramps=cramps, usable_h=usable_h))
            found.append(Seen(phase, tuple(nights)))
    return tuple(found)


def arm(name: str, label: str, among: Sequence[Seen]) -> ArmFigures:
    """Sums of some phases."""
    nights = [item for seen in among for item in seen.observed]
    judged = [item for item in nights if item.enough]
    hours, cramps = exposure_h(judged), counted(judged)
    rate = cramps * 56 / hours if hours else math.nan
    reach = 1.96 * math.sqrt(cramps) * 56 / hours if hours else math.nan
    return ArmFigures(
        label, name, len({seen.phase.wearer for seen in among}), len(nights), len(judged),
        sum(item.expected_s for item in nights) / 3600, exposure_h(nights), cramps,
        Estimate("cramps a week", rate, max(rate - reach, 0.0), rate + reach, None, "Garwood"),
        sum(item.count > 0 for item in judged),
    )  # fmt: skip


def result(outcome: Outcome, role: Role, estimate: Estimate, **more: object) -> Result:
    """A result of magnesium against placebo."""
    return Result(outcome, role, estimate, "the treatment against its control", **more)  # type: ignore[arg-type]


def analysis(design: Design, **changes: object) -> Analysis:
    """The analysis of a trial of this design."""
    plan = plan_of(design)
    seen = seen_of(plan)
    phases: dict[tuple[str, str], list[Seen]] = {}
    for each in seen:
        name = {treatment.label: treatment.name for treatment in plan.treatments}.get(
            each.phase.label, each.phase.label
        )
        key = (each.phase.label, name) if each.phase.kind == "treatment" else ("", each.phase.kind)
        phases.setdefault(key, []).append(each)
    made = Analysis(
        plan, seen, tuple(arm(name or "neither", label, among) for (label, name), among in phases.items()),
        _results(), _checks(), _flow(plan), "fewer",
        "With the treatment you had about half as many cramps (54 %), and chance is an unlikely reason.",
        "Weekly counts were compared by a quasi-Poisson regression with the usable hours as exposure, a linear trend "
        "and a t interval; the exact conditional test and a gamma-Poisson model are sensitivity analyses. Nights with "
        "fewer than four usable hours are missing, not zero.",
        (
            "You knew what you took: expectation alone changes how cramps are felt and counted.",
            "Placebo arms of published trials fell by 28 to 36 % within weeks.",
            "The device counts some movements as cramps; that makes any effect look smaller than it is.",
        ),
        (Difference("End of block 3", "15 February 2026", "17 February 2026"),),
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


def analysed(design: Design) -> Analysis:
    """The same trial as it is really analysed."""
    plan = replace(plan_of(design), blinded=False)
    seen = tuple(each for each in seen_of(plan) if each.phase.kind != "washout")
    firsts = {each.phase.wearer: each.phase for each in reversed(seen)}
    members = [Member(wearer, phase.sequence, phase.first) for wearer, phase in sorted(firsts.items())]
    at_ns = round(REGISTERED.at.timestamp()) * 10**9
    return analyse(plan, seen, members, registration=Registration(REGISTERED.plan_hash, at_ns, 0))


def _results() -> tuple[Result, ...]:
    likely = (("RR<1", 0.987), ("RR<0.75", 0.913))
    return (
        result(
            "rate", "primary", Estimate("rate ratio", 0.541, 0.352, 0.832, 0.0081, "quasi-Poisson by week, t", null=1)
        ),
        result("rate", "sensitivity", Estimate("rate ratio", 0.523, 0.31, 0.87, 0.0119, "exact conditional", null=1)),
        result(
            "rate",
            "sensitivity",
            Estimate("rate ratio, posterior median", 0.553, 0.36, 0.86, None, "gamma-Poisson", null=1),
            probability=likely,
        ),
        result("cramp_periods", "secondary", Estimate("ratio of shares", 0.61, 0.4, math.inf, 0.03, "GEE", null=1)),
        result(
            "severity",
            "secondary",
            Estimate("difference of severity", -0.42, -1.31, 0.47, 0.352, "Hodges-Lehmann", null=0),
        ),
        result(
            "duration",
            "secondary",
            unknown("difference of minutes", method="Hodges-Lehmann", note="too few cramps", null=0),
        ),
    )


def _checks() -> tuple[Check, ...]:
    return (
        Check(
            "Dispersion",
            Estimate("variance over mean", 1.62, 1.1, 2.9, None, "Pearson"),
            "Counts vary more than chance.",
        ),
        Check("Period", Estimate("rate ratio", 0.93, 0.7, 1.24, 0.62, "GEE", null=1), "No period effect is seen."),
        Check(
            "Carry-over",
            Estimate("difference", 0.4, -1.9, 2.7, 0.73, "rank sum", null=0),
            "None is seen; the test is weak.",
        ),
    )


def _flow(plan: Plan) -> tuple[FlowStep, ...]:
    if plan.wearers == 1:
        return (FlowStep("Registered", 1), FlowStep("Analysed", 1))
    return (
        FlowStep("Asked to take part", plan.wearers + 3),
        FlowStep("Registered and allocated", plan.wearers, (("declined", 2), ("a new medicine for blood pressure", 1))),
        FlowStep("Finished the first phase", plan.wearers - 1, (("stopped because of diarrhoea", 1),)),
        FlowStep("Analysed", plan.wearers - 1),
    )
