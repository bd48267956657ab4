"""Where what was done differs from what was first registered, and what was known when it was decided. Pure."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final

from api.trials.registered import Joined, Trial, Version
from api.trials.values import Difference, Plan, Seen, Treatment

KNOWN: Final = {
    "members": "wearers had joined",
    "data": "data existed",
    "unblinded": "the trial was unblinded",
}


def differences_of(trial: Trial, seen: Sequence[Seen]) -> tuple[Difference, ...]:
    """Amendments in order of time, then what was done otherwise than planned."""
    found = [item for before, after in pairwise(trial.versions) for item in _amended(before, after)]
    found += _people(trial)
    found += _exclusions(trial)
    if trial.unblinded and _goes_on(trial, trial.unblinded.at_ns):
        found.append(
            Difference(
                "blinding", "sealed to the end", f"unblinded on {_day(trial.unblinded.at_ns)} while wearers took part"
            )
        )
    unfinished = _unfinished(trial, seen)
    if unfinished:
        done = f"analysed while {unfinished} of {len(trial.joined)} wearers were still taking part"
        found.append(Difference("length", "every phase to its end", done))
    return tuple(found)


def _amended(before: Version, after: Version) -> list[Difference]:
    known = [said for name, said in KNOWN.items() if name in after.circumstances]
    when = f"amended on {_day(after.at_ns)}" + (f", when {' and '.join(known)}" if known else ", before anybody joined")
    return [
        Difference(
            what=field.name.replace("_", " "),
            registered=_said(getattr(before.plan, field.name)),
            done=f"{_said(getattr(after.plan, field.name))} ({when}: {after.reason})",
        )
        for field in fields(Plan)
        if getattr(before.plan, field.name) != getattr(after.plan, field.name)
    ]


def _people(trial: Trial) -> list[Difference]:
    found = []
    if len(trial.joined) != trial.plan.wearers:
        found.append(Difference("wearers", str(trial.plan.wearers), f"{len(trial.joined)} take part"))
    forgotten = trial.allocated - len(trial.joined)
    if forgotten:
        found.append(Difference("wearers", "all kept", f"{forgotten} were forgotten at their wish, with their data"))
    early = [one for one in trial.joined if _begun(one, trial.registered.at_ns)]
    behind = [one for one in trial.joined if _begun(one, one.joined_ns) and one not in early]
    if early:
        found.append(
            Difference("registration", "before the first day", f"{len(early)} had begun before the plan was registered")
        )
    if behind:
        found.append(Difference("joining", "before the first day", f"{len(behind)} had begun before they were entered"))
    return found


def _exclusions(trial: Trial) -> list[Difference]:
    opened = trial.unblinded
    return [
        Difference(
            "analysed",
            "everybody who joined",
            f"one excluded{_after(one, opened.at_ns if opened else None)}: {one.excluded}",
        )
        for one in trial.joined
        if one.excluded
    ]


def _after(one: Joined, opened_ns: int | None) -> str:
    late = opened_ns is not None and one.excluded_ns is not None and one.excluded_ns > opened_ns
    return " after the trial was unblinded" if late else ""


def _goes_on(trial: Trial, at_ns: int) -> bool:
    day = datetime.fromtimestamp(at_ns // 10**9, UTC).date()
    return any(phase.first <= day <= phase.last for phase in trial.schedule)


def _begun(one: Joined, at_ns: int) -> bool:
    return one.first < datetime.fromtimestamp(at_ns // 10**9, UTC).date()


def _unfinished(trial: Trial, seen: Sequence[Seen]) -> int:
    """Wearers who have not left, and whose last phase has not come to its end."""
    reached = {(one.phase.wearer, one.phase.position): one.observed[-1].date for one in seen if one.observed}
    last = {phase.wearer: phase for phase in trial.schedule}  # in order of time
    staying = [one.wearer for one in trial.joined if not one.left and not one.excluded]
    ends = [(reached.get((wearer, last[wearer].position)), last[wearer].last) for wearer in staying]
    return sum(day is None or day < end for day, end in ends)


def _said(value: object) -> str:
    """A member of a plan in words."""
    if isinstance(value, tuple):
        return ", ".join(_said(item) for item in value) or "none"
    if isinstance(value, Treatment):
        return " ".join(filter(None, (value.name, value.dose)))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "not given" if value is None else str(value).replace("_", " ")


def _day(at_ns: int) -> str:
    return f"{datetime.fromtimestamp(at_ns // 10**9, UTC):%Y-%m-%d}"
