"""Outcomes that are yes or no for each wearer: responders, remission, felt better. Pure."""

from collections.abc import Sequence
from typing import Final

from api.statistics.crossover_binary import Preferences, binary_crossover
from api.statistics.proportions import difference, fisher, mcnemar, proportion
from api.statistics.values import Estimate
from api.trials.case import Case
from api.trials.outcomes import reached_of
from api.trials.values import Outcome

WORDS: Final[dict[Outcome, str]] = {
    "responders_25": "at least 25 % fewer cramps than at baseline",
    "responders_50": "at least 50 % fewer cramps than at baseline",
    "remission": "no cramp at all",
    "felt_better": "felt better",
}
Answers = Sequence[tuple[bool, bool]]


def reached(case: Case, outcome: Outcome) -> list[Estimate]:
    """Estimates of how the two sides differ; the one to go by first."""
    match case.plan.design:
        case "crossover":
            return _crossed(case, outcome)
        case "parallel":
            return between(case, outcome, [case.treated], [case.reference])
        case "before_after":
            said = answers(case, outcome, [case.treated])
            return [proportion(sum(said), len(said), measure=f"share with {WORDS[outcome]}")]
        case _:
            both = pairs_of(case, outcome)
            odds = mcnemar(sum(a and not b for a, b in both), sum(b and not a for a, b in both), measure=_odds(outcome))
            return [odds]


def answers(case: Case, outcome: Outcome, arms: Sequence[str]) -> list[bool]:
    """The answers of everybody in some arms, as far as they are known."""
    found = [_answer(case, outcome, wearer, arm) for arm in arms for wearer in case.wearers]
    return [answer for answer in found if answer is not None]


def between(case: Case, outcome: Outcome, treated: Sequence[str], reference: Sequence[str]) -> list[Estimate]:
    """Fisher's exact test of two groups, and the difference of their shares."""
    a, b = answers(case, outcome, treated), answers(case, outcome, reference)
    return [
        fisher(sum(a), len(a), sum(b), len(b), measure=_odds(outcome)),
        difference(sum(a), len(a), sum(b), len(b), measure=f"difference of the shares with {WORDS[outcome]}"),
    ]


def _crossed(case: Case, outcome: Outcome) -> list[Estimate]:
    tables = {True: [0, 0, 0], False: [0, 0, 0]}
    for wearer in case.wearers:
        treated, other = (_answer(case, outcome, wearer, label) for label in (case.treated, case.reference))
        if treated is None or other is None:
            continue
        phases = case.side(case.treated, wearer)
        treated_first = phases[0].phase.position == 1
        better_first = treated > other if treated_first else other > treated
        tables[treated_first][1 if treated == other else 0 if better_first else 2] += 1
    found = binary_crossover(Preferences(*tables[True]), Preferences(*tables[False]))
    return [found.prescott, found.mainland_gart, found.mcnemar]


def pairs_of(case: Case, outcome: Outcome) -> Answers:
    """Answers with and without treatment, of each wearer who gave both; what was felt is asked pair by pair."""
    found = [
        tuple(_answer(case, outcome, wearer, label, cycle=cycle) for label in (case.treated, case.reference))
        for wearer in case.wearers
        for cycle in (range(1, case.plan.cycles + 1) if outcome == "felt_better" else (0,))
    ]
    return [(a, b) for a, b in found if a is not None and b is not None]


def _answer(case: Case, outcome: Outcome, wearer: str, label: str, *, cycle: int = 0) -> bool | None:
    among = [one for one in case.side(label, wearer) if not cycle or one.phase.cycle == cycle]
    return reached_of(outcome, among, baseline=case.baseline(wearer)) if among else None


def _odds(outcome: Outcome) -> str:
    return f"odds ratio of: {WORDS[outcome]}"
