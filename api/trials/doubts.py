"""Was a trial begun before its nights, and is it the only one of them? What a single p value cannot show. Pure.

Rules
-----
- A period was late if it was over when the plan was registered, or when its wearer was entered: whoever asks for a
  trial then may have seen it, and may try seeds or outcomes until one suits.
- Only periods that are compared are counted, and only those with enough data.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta

from api.trials.plans import periods_word
from api.trials.registered import Trial
from api.trials.values import Doubts, Plan, Seen
from api.wording import count

Reach = tuple[date, date]


def doubts_of(trial: Trial, seen: Sequence[Seen], *, others: int) -> Doubts:
    """How much of what is compared was over before it could count, and how many other trials rest on it."""
    registered = trial.registered.at_ns
    entered = {one.wearer: max(one.joined_ns, registered) for one in trial.joined}
    found = Doubts(others=others)
    for one in seen:
        if one.phase.kind == "treatment" or (one.phase.kind == "baseline" and trial.plan.design == "before_after"):
            ends = _ends(trial.plan, one)
            found = replace(
                found,
                late=found.late + sum(end <= entered[one.phase.wearer] for end in ends),
                periods=found.periods + len(ends),
                plan_late=found.plan_late or any(end <= registered for end in ends),
            )
    return found


def others_of(trial: Trial, among: Iterable[Trial]) -> int:
    """How many other trials have one of these wearers over some of the same dates."""
    return sum(one.id != trial.id and _share(trial, one) for one in among)


def said_of_late(doubts: Doubts, plan: Plan) -> str:
    """Beside the verdict: that what was seen had been seen before; nothing where it had not."""
    if not doubts.late:
        return ""
    what = "The plan was registered" if doubts.plan_late else "Who takes part was entered"
    nights = periods_word(plan.kinds)
    if doubts.late == doubts.periods:
        when = f"only after the {nights} it rests on"
    else:
        when = f"when {doubts.late} of the {doubts.periods} {nights} it rests on were over"
    return f"{what} {when}, so it proves {'nothing' if doubts.proves_nothing else 'less'} by itself."


def caveats_of_doubt(doubts: Doubts, plan: Plan) -> tuple[str, ...]:
    """Those that apply."""
    late = said_of_late(doubts, plan)
    return tuple(
        filter(
            None,
            (
                f"{late} Plan, seed or outcome may have been chosen to suit what was seen." if late else "",
                _one_of_several(doubts, periods_word(plan.kinds)),
            ),
        )
    )


def _one_of_several(doubts: Doubts, nights: str) -> str:
    if not doubts.others:
        return ""
    rests = "rests" if doubts.others == 1 else "rest"
    whose = f"{count(doubts.others, 'other trial')} with a wearer of this one {rests}"
    return f"{whose} on the same {nights}: one of several may look good by chance."


def _ends(plan: Plan, one: Seen) -> list[int]:
    """When each period that counts was over."""
    settled = one.phase.first + timedelta(days=plan.settle_days)
    return [item.end_ns for item in one.observed if item.date >= settled and (item.enough or plan.counting == "felt")]


def _share(one: Trial, other: Trial) -> bool:
    reaches = _reaches(other)
    return any(
        wearer in reaches and first <= reaches[wearer][1] and reaches[wearer][0] <= last
        for wearer, (first, last) in _reaches(one).items()
    )


def _reaches(trial: Trial) -> dict[str, Reach]:
    """First and last date of everybody, up to when they left."""
    lasts = {phase.wearer: phase.last for phase in trial.schedule}  # in order of time
    return {one.wearer: (one.first, min(one.left or lasts[one.wearer], lasts[one.wearer])) for one in trial.joined}
