"""What a reader has to keep in mind, most important first. Pure."""

from collections.abc import Sequence
from typing import Final

from api.trials.case import Case
from api.trials.doubts import caveats_of_doubt
from api.trials.sensitivity import FalseAlarms
from api.trials.values import ArmFigures, Check, Difference, Doubts, Plan
from api.trials.wording import LEAST_POWER, percent

QUININE: Final = (
    "Quinine is not approved by the FDA for leg cramps and can do serious harm to blood and heart: never take it "
    "without a doctor."
)
DEVICE: Final = "Charley is not a medical device; nothing here replaces a doctor."
GRADES: Final = "Severity and grades from the signal are conventions: no study ties them to pain."
UNPLANNED: Final = {  # by what differs from the plan
    "length": "This is a look before the trial is over. Who looks often and stops at a good moment finds effects that "
    "are not there: intervals and p values hold for the end that was planned.",
    "registration": "Some began before the plan was registered, so it may have been made to fit what was seen.",
    "blinding": "The key was opened while wearers took part: from then on they may have known what they took.",
}
SEVERAL: Final = (
    "The primary outcome decides. Of several others, one in twenty differs by chance alone; they are not adjusted for "
    "that."
)
_WELL: Final = 0.75


def caveats_of(
    case: Case,
    arms: Sequence[ArmFigures],
    checks: Sequence[Check],
    *,
    false_alarms: FalseAlarms | None,
    differences: Sequence[Difference] = (),
    doubts: Doubts = Doubts(),  # noqa: B008 - frozen
) -> tuple[str, ...]:
    """Those that apply."""
    plan = case.plan
    found = [
        *safety_of(plan),
        *caveats_of_doubt(doubts, plan),
        *_unplanned(differences, doubts),
        "One person was studied: the result is theirs, and says nothing of others." if len(case.wearers) == 1 else "",
        (
            "Before and after without a control: time, season and hope change counts too, and placebo arms alone fall "
            "by 28 to 36 %."
            if plan.design == "before_after"
            else ""
        ),
        (
            "Not blinded: who knows what they take may sleep, report and confirm differently."
            if not plan.blinded and plan.design != "before_after"
            else ""
        ),
        _power(plan),
        _alarms(case, false_alarms),
        _coverage(arms),
        _felt(case),
        *(check.sentence for check in checks if check.name in ("period effect", "carry-over") and _shown(check)),
        SEVERAL if plan.secondary else "",
        DEVICE,
        GRADES if {"severity", "load", "cramp_index"} & {plan.primary, *plan.secondary} else "",
    ]
    return tuple(caveat for caveat in found if caveat)


def _unplanned(differences: Sequence[Difference], doubts: Doubts) -> list[str]:
    """What was done otherwise; that a plan came late is said by its nights, where any was over by then."""
    done = {one.what for one in differences} - ({"registration"} if doubts.late else set())
    return [said for what, said in UNPLANNED.items() if what in done]


def is_early(differences: Sequence[Difference]) -> bool:
    """Whether the trial was still going on when it was analysed."""
    return any(one.what == "length" for one in differences)


def safety_of(plan: Plan) -> tuple[str, ...]:
    """What has to be known of a treatment before anything else; of a blinded trial too, whose plan names it."""
    return (QUININE,) if any("quin" in treatment.name.lower() for treatment in plan.treatments) else ()


def _power(plan: Plan) -> str:
    """What little power does to the size of what is found (Button and others 2013, doi:10.1038/nrn3475)."""
    if plan.power is None:
        return (
            "How likely this plan was to find the effect it expected was not worked out before: a difference that it "
            "finds may be exaggerated, and one that it does not find may be there."
        )
    if plan.power >= LEAST_POWER:
        return ""
    return (
        f"The plan had a chance of {percent(plan.power)} % to find the effect it expected: a difference that so weak a "
        "plan finds is probably exaggerated."
    )


def _alarms(case: Case, alarms: FalseAlarms | None) -> str:
    if case.plan.counting == "felt":
        return ""
    if alarms is None:
        return "Some detected episodes may be none; how many is not known here, and they pull a ratio towards 1."
    return (
        f"About {alarms.per_8_usable_h:.2g} episodes in eight usable hours may be none (by {alarms.source}). If they "
        "are as many on both sides they pull a ratio towards 1."
    )


def _coverage(arms: Sequence[ArmFigures]) -> str:
    low = [arm for arm in arms if arm.planned and arm.judged < _WELL * arm.planned]
    if not low:
        return ""
    named = ", ".join(f"{arm.judged} of {arm.planned} periods on {arm.name}" for arm in low)
    return f"Many periods are missing: enough data for {named}. If cramps kept the device off, the rates are too low."


def _felt(case: Case) -> str:
    if case.plan.counting != "felt":
        return ""
    return "Felt cramps are counted as if the diary had been kept every night: a night without an entry is one without."


def _shown(check: Check) -> bool:
    return check.estimate.excludes_null
