"""From trials to what is sent. Pure. Nothing here turns a sealed label into a name."""

from dataclasses import replace
from datetime import UTC, date, datetime

from api.times import utc_text
from api.trends.schemas import EstimateOut
from api.trials import schemas as out
from api.trials.case import labelled
from api.trials.registered import Joined, Key, Trial, Version
from api.trials.schedule import sequence_of
from api.trials.values import Analysis, FlowStep, Plan, Result, Seen


def trial(value: Trial, *, now_ns: int) -> out.TrialOut:
    """A trial with its whole history."""
    opened = value.unblinded
    return out.TrialOut(
        id=value.id,
        state=value.state(today_utc(now_ns)),
        plan=plan(value.plan),
        hash=value.registered.digest,
        registered=utc_text(value.registered.at_ns),
        versions=[_version(one) for one in value.versions],
        unblinded=None if opened is None else utc_text(opened.at_ns),
        openings=[
            out.OpeningOut(purpose=one.purpose, reason=one.reason, at=utc_text(one.at_ns)) for one in value.openings
        ],
        members=[_member(value, one) for one in value.joined],
        schedule=[out.PhaseOut.model_validate(phase) for phase in value.schedule],
    )


def plan(value: Plan) -> out.PlanOut:
    """A plan as it is registered."""
    return out.PlanOut.model_validate(value)


def key(value: Trial, sealed: Key) -> out.KeyOut:
    """What each label stands for. Only for who has been written down as looking."""
    # Without the plan's own letters: those that are shown mean something else.
    treatments = {one.label: replace(one, label="") for one in labelled(value.plan)}
    return out.KeyOut(
        trial=value.id,
        entries=[
            out.KeyEntryOut(label=shown, treatments=[out.TreatmentOut.model_validate(treatments[one]) for one in own])
            for shown, own in sorted(sealed.items())
        ],
    )


def analysis(value: Analysis) -> out.TrialAnalysisOut:
    """Everything that a report shows."""
    return out.TrialAnalysisOut(
        conclusion=value.conclusion,
        verdict=value.verdict,
        plan=plan(value.plan),
        arms=[out.ArmOut.model_validate(arm) for arm in value.arms],
        results=[_result(result) for result in value.results],
        checks=[out.CheckOut.model_validate(check) for check in value.checks],
        flow=[_flow(step) for step in value.flow],
        methods=value.methods,
        caveats=list(value.caveats),
        differences=[out.DifferenceOut.model_validate(difference) for difference in value.differences],
        seen=[_seen(one) for one in value.seen],
    )


def today_utc(now_ns: int) -> date:
    """The date in UTC: of a trial as a whole there is no local one."""
    return datetime.fromtimestamp(now_ns // 10**9, UTC).date()


def _version(value: Version) -> out.VersionOut:
    return out.VersionOut(
        number=value.number,
        hash=value.digest,
        text=value.text,
        at=utc_text(value.at_ns),
        reason=value.reason,
        circumstances=list(value.circumstances),
    )


def _member(value: Trial, one: Joined) -> out.MemberOut:
    return out.MemberOut(
        wearer=one.wearer,
        sequence=sequence_of(value.plan, one.place),
        first=one.first,
        left=one.left,
        reason=one.reason,
        excluded=one.excluded,
        joined=utc_text(one.joined_ns),
        impressions=[
            out.ImpressionOut.model_validate(said) for said in value.impressions if said.wearer == one.wearer
        ],
    )  # fmt: skip


def _result(value: Result) -> out.ResultOut:
    return out.ResultOut(
        outcome=value.outcome,
        role=value.role,
        contrast=value.contrast,
        estimate=EstimateOut.model_validate(value.estimate),
        probability=[out.ProbabilityOut(of=of, value=chance) for of, chance in value.probability],
    )


def _flow(value: FlowStep) -> out.FlowOut:
    lost = [out.LostOut(reason=reason, wearers=wearers) for reason, wearers in value.lost]
    return out.FlowOut(label=value.label, wearers=value.wearers, lost=lost)


def _seen(value: Seen) -> out.SeenOut:
    return out.SeenOut(
        phase=out.PhaseOut.model_validate(value.phase),
        felt_better=value.felt_better,
        periods=[
            out.PeriodOut(
                kind=item.kind, date=item.date, count=item.count, usable_h=item.usable_h, enough=item.enough
            )
            for item in value.observed
        ],
    )  # fmt: skip
