"""The paragraph that a referee reads, from the design to the hash of the plan. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from api.trials.case import Case, is_masked
from api.trials.schedule import BLOCK
from api.trials.values import Counting, Design, Outcome, Plan, Result
from api.wording import count

SOFTWARE: Final = ("charley", "numpy", "scipy", "statsmodels")
OF_COUNTS: Final[frozenset[Outcome]] = frozenset({"responders_25", "responders_50", "remission"})
HALF: Final = "Whether a wearer responded is unknown where fewer than half of the periods could be judged."
_COUNTING: Final[dict[Counting, str]] = {
    "detected": "Cramps are episodes that the device detected and the wearer had not called none",
    "felt": "Cramps are those that the wearer felt and wrote down, or confirmed",
    "both": "Cramps are those detected and not called none, and those felt; one that is both counts once",
}
_ALLOCATED: Final[dict[Design, str]] = {
    "before_after": "Nothing was allocated: treatment followed the baseline",
    "n_of_1": "The order of the two treatments was drawn within each pair of blocks",
    "crossover": f"Sequences AB and BA were drawn in permuted blocks of {BLOCK}",
    "parallel": f"Arms were drawn in permuted blocks of {BLOCK}",
    "factorial": f"The four arms were drawn in permuted blocks of {BLOCK}",
}


@dataclass(frozen=True, slots=True)
class Registration:
    """When the plan was registered, and its hash; how often it was amended."""

    digest: str
    at_ns: int
    amendments: int = 0
    seed_given: bool = False  # and not drawn


def methods_of(case: Case, results: Sequence[Result], registration: Registration | None) -> str:
    """The paragraph, of what was done and not of what could have been."""
    plan, primary = case.plan, results[0]
    sentences = [
        f"{design_of(plan)}.",
        f"{_ALLOCATED[plan.design]}"
        + (f" (numpy PCG64, seed {plan.seed}{_given(registration)})" if plan.design != "before_after" else "")
        + ".",
        _blinding(plan),
        f"{_COUNTING[plan.counting]}.",
        _exposure(plan),
        HALF if OF_COUNTS & {plan.primary, *plan.secondary} else "",
        f"The primary outcome was {_outcome(primary.outcome)}, {primary.contrast}: {primary.estimate.method}.",
        *_secondary(results),
        "Intervals are 95 %; p values are two-sided and not adjusted for the number of outcomes.",
        f"Analysed with {', '.join(software())}.",
        _registered(registration),
    ]
    return " ".join(sentence for sentence in sentences if sentence)


def design_of(plan: Plan) -> str:
    """The design and its times in words."""
    days = count(plan.block_days, "day")
    blocks = {
        "before_after": f"Baseline of {count(plan.baseline_days, 'day')}, then {days} of treatment",
        "n_of_1": f"N-of-1 trial of {count(plan.cycles, 'pair')} of blocks of {days}",
        "crossover": f"AB/BA crossover trial with periods of {days}",
        "parallel": f"Parallel trial of two arms over {days}",
        "factorial": f"Two by two factorial trial over {days}",
    }[plan.design]
    before = (
        f" after {count(plan.baseline_days, 'day')} of baseline"
        if plan.baseline_days and plan.design != "before_after"
        else ""
    )
    washout = f", with {count(plan.washout_days, 'day')} of washout between" if plan.washout_days else ""
    first = (
        "the first day of each phase was"
        if plan.settle_days == 1
        else f"the first {plan.settle_days} days of each phase were"
    )
    settle = f"; {first} not counted" if plan.settle_days else ""
    return f"{blocks}{before}{washout}{settle}"


def software() -> list[str]:
    """Names and versions of what the figures come from."""
    return [f"{name} {_version(name)}" for name in SOFTWARE]


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:  # run from a checkout that is not installed
        return "(not installed)"


def _blinding(plan: Plan) -> str:
    if not plan.blinded:
        return "" if plan.design == "before_after" else "Wearers knew what they took."
    still = "the key was sealed when this was analysed" if is_masked(plan) else "the key has been opened"
    return f"Treatments were packed under labels that told nothing of them; {still}."


def _exposure(plan: Plan) -> str:
    kinds = " and ".join({"night": "nights", "day": "days"}.get(kind, kind) for kind in plan.kinds)
    if plan.counting == "felt":
        return f"Exposure is the length of the {kinds}, of all that have ended."
    return (
        f"Exposure is the hours of usable signal in {kinds} that had at least four (or half of a period shorter than "
        "eight); the others are missing, and not counted as zero."
    )


def _secondary(results: Sequence[Result]) -> list[str]:
    """What else was done, method by method."""
    said: dict[str, list[str]] = {}
    for result in results[1:]:
        if result.role == "secondary":
            names = said.setdefault(result.estimate.method, [])
            if (name := _outcome(result.outcome)) not in names:
                names.append(name)
    parts = [f"{', '.join(names)} by {method}" for method, names in said.items()]
    return [f"Secondary: {'; '.join(parts)}."] if parts else []


def _outcome(outcome: str) -> str:
    return {
        "rate": "the rate of cramps per eight usable hours",
        "cramp_periods": "the share of periods with a cramp",
        "duration": "the duration of cramps",
        "severity": "the severity of cramps",
        "load": "load",
        "cramp_index": "the cramp index (duration in minutes times severity)",
        "responders_25": "the share with a fall of 25 % or more",
        "responders_50": "the share with a fall of 50 % or more",
        "remission": "the share without cramps",
        "felt_better": "the share who felt better",
    }[outcome]


def _given(registration: Registration | None) -> str:
    """Who gives a seed can try several, and keep the order that suits."""
    return ", which was given and not drawn" if registration and registration.seed_given else ""


def _registered(registration: Registration | None) -> str:
    if registration is None:
        return "The plan was not registered."
    at = datetime.fromtimestamp(registration.at_ns // 10**9, UTC)
    amended = f"; it was amended {count(registration.amendments, 'time')} since" if registration.amendments else ""
    return f"The plan was registered on {at:%Y-%m-%d %H:%M} UTC with SHA-256 {registration.digest}{amended}."
