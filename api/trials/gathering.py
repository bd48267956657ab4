"""Reads what was seen of everybody in a trial, phase by phase, and puts it through the analysis."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from typing import Final

from api.diary import contexts, cramps, reviews
from api.observed import Observed
from api.reading import Sources, Worn, changes_of, episodes_of, worn_by
from api.times import Interval
from api.trends.alarms import alarm_rate
from api.trends.gathering import seen_of
from api.trials import keeping
from api.trials.analyse import analyse
from api.trials.case import opened_seen
from api.trials.caveats import safety_of
from api.trials.differences import differences_of
from api.trials.doubts import doubts_of, others_of
from api.trials.felt import with_felt
from api.trials.methods import Registration
from api.trials.registered import Trial
from api.trials.sensitivity import FalseAlarms
from api.trials.values import Analysis, Phase, Seen
from api.zones import DAY_NS

Progress = Callable[[float], None]
PAGE: Final = 100
_READ: Final = 0.9  # of the work is reading
_SOURCES: Final = {
    "reviews": "the wearers' own reviews",
    "accuracy_report": "the accuracy report on simulated nights and days",
}
Wanted = tuple[Worn, Phase, date]


def analyse_trial(sources: Sources, trial: Trial, *, progress: Progress = lambda _: None) -> Analysis:
    """The analysis of a trial as far as it has come: with the names of treatments only if it is unblinded."""
    seen = seen_of_trial(sources, trial, progress=lambda share: progress(_READ * share))
    found = analyse(
        trial.shown_plan,
        opened_seen(trial.plan, seen, dict(trial.key or {})) if trial.unblinded else seen,
        trial.shown_members,
        false_alarms=_false_alarms(trial, seen),
        registration=Registration(
            trial.registered.digest, trial.registered.at_ns, len(trial.versions) - 1, seed_given=trial.seed_given
        ),
        differences=differences_of(trial, seen),
        doubts=doubts_of(trial, seen, others=others_of(trial, _with_same(sources, trial))),
        progress=lambda share: progress(_READ + (1.0 - _READ) * share),
    )
    warned = tuple(caveat for caveat in safety_of(trial.plan) if caveat not in found.caveats)
    return replace(found, caveats=(*warned, *found.caveats))


def seen_of_trial(sources: Sources, trial: Trial, *, progress: Progress = lambda _: None) -> tuple[Seen, ...]:
    """Every phase that has begun, of everybody who is not excluded, with the periods that have ended."""
    now_ns = sources.now_ns()
    said = {(one.wearer, one.position): one.felt_better for one in trial.impressions}
    wanted = _wanted(sources, trial, now_ns=now_ns)
    found = []
    for number, one in enumerate(wanted):
        progress(number / len(wanted))
        phase, observed = one[1], _observed(sources, trial, one, now_ns=now_ns)
        found.append(Seen(phase, tuple(observed), said.get((phase.wearer, phase.position))))
    return tuple(found)


def fingerprint(sources: Sources, trial: Trial) -> str:
    """What an analysis rests on, in short: the same as long as nothing that it reads has changed."""
    now_ns = sources.now_ns()
    parts: list[object] = [trial, others_of(trial, _with_same(sources, trial))]
    for worn, phase, last in _wanted(sources, trial, now_ns=now_ns):
        zones = worn.wearer.zones
        start_ns = zones.midnight_ns(phase.first) - DAY_NS
        end_ns = zones.midnight_ns(last) + 2 * DAY_NS
        changes = changes_of(sources, worn, [(start_ns, end_ns)])
        owned = episodes_of(sources, worn, Interval(start_ns, end_ns), withdrawn=True)
        # Which night has ended depends on the hour, too, while a phase goes on.
        parts.append(zones.local(now_ns).hour // 3 if last >= zones.local(now_ns).date() else 0)
        parts += [worn, phase, last, sorted((device, sorted(hours.items())) for device, hours in changes.items())]
        parts.append([(one.episode.id, one.episode.status, one.episode.updated_ns) for one in owned])
        with sources.registry.read() as db:
            among = {"start_ns": start_ns, "end_ns": end_ns}
            parts += [part.between(db, worn.wearer.id, **among) for part in (cramps, contexts, reviews)]
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _with_same(sources: Sources, trial: Trial) -> list[Trial]:
    """Every trial that one of these wearers takes part in."""
    found: list[Trial] = []
    while True:
        after = (found[-1].created_ns, found[-1].id) if found else None
        with sources.registry.read() as db:
            some = keeping.page(db, after=after, limit=PAGE, of_wearers=[one.wearer for one in trial.joined])
        found += some
        if len(some) < PAGE:
            return found


def _wanted(sources: Sources, trial: Trial, *, now_ns: int) -> list[Wanted]:
    """Phases that have begun, each with the last date that may be read."""
    found = []
    for one in trial.joined:
        if one.excluded:
            continue
        worn = worn_by(sources, one.wearer)
        today = worn.wearer.zones.local(now_ns).date()
        for phase in trial.schedule:
            last = min(phase.last, today, one.left or phase.last)
            if phase.wearer == one.wearer and phase.kind != "washout" and phase.first <= last:
                found.append((worn, phase, last))
    return found


def _observed(sources: Sources, trial: Trial, wanted: Wanted, *, now_ns: int) -> Sequence[Observed]:
    worn, phase, last = wanted
    among = [
        item
        for kind in trial.plan.kinds
        for item in seen_of(sources, worn, kind=kind, reach=(phase.first, last), now_ns=now_ns)
    ]
    in_order = sorted(among, key=lambda item: item.start_ns)
    return in_order if trial.plan.counting == "detected" else with_felt(sources, worn, in_order)


def _false_alarms(trial: Trial, seen: Sequence[Seen]) -> FalseAlarms | None:
    among = [item for one in seen for item in one.observed]
    if not among or trial.plan.counting == "felt":
        return None
    found = alarm_rate(among, kind="night" if trial.plan.kinds == ("night",) else "day")
    return FalseAlarms(found.rate.value, _SOURCES[found.source], found.rate.high)
