"""What a trial says, by the plan that was registered. Pure: a simulated trial and a real one go this one way."""

from collections.abc import Callable, Sequence
from typing import Final

from api.statistics.values import unknown
from api.trials import checks, counts, sensitivity
from api.trials.arms import arms_of, flow_of
from api.trials.case import Case, case_of, is_masked, name_of
from api.trials.caveats import caveats_of, is_early
from api.trials.measured import between as measured_between
from api.trials.measured import measured
from api.trials.methods import Registration, methods_of
from api.trials.plans import BINARY
from api.trials.reached import between as reached_between
from api.trials.reached import reached
from api.trials.values import Analysis, Difference, Doubts, Member, Outcome, Plan, Result, Role, Seen
from api.trials.verdict import conclude, verdict_of

COUNTS: Final[frozenset[Outcome]] = frozenset({"rate", "cramp_periods"})
FACTORS: Final = {"A": (("AB", "A"), ("B", "")), "B": (("AB", "B"), ("A", ""))}  # arms with a factor, and without
SEALED: Final = "The trial is blinded: which pack held which treatments is not known."


def analyse(
    plan: Plan,
    seen: Sequence[Seen],
    members: Sequence[Member],
    *,
    only_primary: bool = False,
    false_alarms: sensitivity.FalseAlarms | None = None,
    registration: Registration | None = None,
    differences: Sequence[Difference] = (),
    doubts: Doubts = Doubts(),  # noqa: B008 - frozen
    progress: Callable[[float], None] = lambda _: None,
) -> Analysis:
    """Everything that a report shows; with `only_primary` the primary result, the arms and the conclusion alone."""
    case = case_of(plan, seen, members)
    results = results_of(case, plan.primary, role="primary", only_main=only_primary)
    if not only_primary:
        progress(0.3)
        for outcome in plan.secondary:
            results += results_of(case, outcome, role="secondary")
        progress(0.6)
        results += sensitivity.results_of(case, seen, members, false_alarms=false_alarms)
    arms = arms_of(case)
    found = [] if only_primary else checks.checks_of(case)
    conclusion = conclude(case, results[0])
    return Analysis(
        plan=plan,
        seen=tuple(seen),
        arms=arms,
        results=tuple(results),
        checks=tuple(found),
        flow=() if only_primary else flow_of(case, members),
        conclusion=conclusion,
        verdict=verdict_of(
            case, results[0], conclusion, also=_second(results), early=is_early(differences), doubts=doubts
        ),
        methods="" if only_primary else methods_of(case, results, registration),
        caveats=()
        if only_primary
        else caveats_of(case, arms, found, false_alarms=false_alarms, differences=differences, doubts=doubts),
        differences=tuple(differences),
        doubts=doubts,
    )


def _second(results: Sequence[Result]) -> Result | None:
    """The other factor of a factorial trial, which is primary too."""
    return results[1] if len(results) > 1 and results[1].role == "primary" else None


def results_of(case: Case, outcome: Outcome, *, role: Role, only_main: bool = False) -> list[Result]:
    """One outcome by every method that applies; the one to go by first, in the role that the plan gives it."""
    if case.plan.design == "factorial":
        return _factorial(case, outcome, role=role, only_main=only_main)
    if outcome in COUNTS:
        return _counted(case.counting(outcome), outcome, role=role, only_main=only_main)
    estimates = reached(case, outcome) if outcome in BINARY else measured(case, outcome)
    kept = estimates[:1] if only_main else estimates
    return [
        Result(outcome, role if number == 0 else "secondary", estimate, case.contrast)
        for number, estimate in enumerate(kept)
    ]


def _counted(case: Case, outcome: Outcome, *, role: Role, only_main: bool) -> list[Result]:
    """A ratio of counts: dispersion-aware, exact, Bayesian; of several n_of_1 trials also what each of them says."""
    if only_main:
        return [Result(outcome, role, counts.primary(case), case.contrast)]
    own_control = case.plan.design != "parallel"
    both = [counts.ratio(case), *([counts.exact(case)] if own_control else [])]
    found = [
        Result(outcome, role if number == 0 else "secondary", estimate, case.contrast)
        for number, estimate in enumerate(both[::-1] if counts.is_few(case) else both)
    ]
    return [*found, *_seen_otherwise(case)] if outcome == "rate" else found


def _seen_otherwise(case: Case) -> list[Result]:
    """The rate by methods that presume something else: Bayesian, by pairs of blocks, by each wearer's difference."""
    said = counts.posterior(case)
    several = len(case.wearers) > 1
    found = [Result("rate", "secondary", said.estimate, case.contrast, said.probability)]
    if case.plan.design == "n_of_1":
        found.append(Result("rate", "secondary", counts.cycles(case), case.contrast))
        persons = counts.persons(case) if several else []
        found += [Result("rate", "secondary", estimate, contrast) for contrast, estimate in persons]
    elif several:
        found.append(Result("rate", "secondary", measured(case, "rate")[0], case.contrast))
    return found


def _factorial(case: Case, outcome: Outcome, *, role: Role, only_main: bool) -> list[Result]:
    """Each factor against its absence, whatever the other."""
    if is_masked(case.plan):
        return [Result(outcome, role, unknown("rate ratio", method="none", note=SEALED, null=1.0), "packs")]
    if outcome in COUNTS:
        both = counts.factors(case.counting(outcome))
        estimates = [both.first, both.second]
    else:
        by = reached_between if outcome in BINARY else measured_between
        estimates = [by(case, outcome, *groups)[0] for groups in FACTORS.values()]
    contrasts = [f"{name_of(case.plan, factor)} against none" for factor in FACTORS]
    pairs = list(zip(estimates, contrasts, strict=True))
    if only_main:
        return [Result(outcome, role, *pairs[0])]
    found = [Result(outcome, role, estimate, contrast) for estimate, contrast in pairs]
    if outcome == "rate":
        changes = [measured_between(case, outcome, *groups)[0] for groups in FACTORS.values()]
        found += [
            Result(outcome, "secondary", change, contrast) for change, contrast in zip(changes, contrasts, strict=True)
        ]
    return found
