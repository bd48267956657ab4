"""What a reader has to keep in mind, most important first. Pure."""

from collections.abc import Sequence
from typing import Final

from api.trials.case import Case
from api.trials.sensitivity import FalseAlarms
from api.trials.values import ArmFigures, Check, Plan

QUININE: Final = (
    "Quinine is not approved by the FDA for leg cramps and can do serious harm to blood and heart: never take it "
    "without a doctor."
)
DEVICE: Final = "Charley is not a medical device; nothing here replaces a doctor."
GRADES: Final = "Severity and grades from the signal are conventions: no study ties them to pain."
_WELL: Final = 0.75


def caveats_of(
    case: Case, arms: Sequence[ArmFigures], checks: Sequence[Check], false_alarms: FalseAlarms | None
) -> tuple[str, ...]:
    """Those that apply."""
    plan = case.plan
    found = [
        *safety_of(plan),
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
        _alarms(case, false_alarms),
        _coverage(arms),
        _felt(case),
        *(check.sentence for check in checks if check.name in ("period effect", "carry-over") and _shown(check)),
        DEVICE,
        GRADES if {"severity", "load", "cramp_index"} & {plan.primary, *plan.secondary} else "",
    ]
    return tuple(caveat for caveat in found if caveat)


def safety_of(plan: Plan) -> tuple[str, ...]:
    """What has to be known of a treatment before anything else; of a blinded trial too, whose plan names it."""
    return (QUININE,) if any("quin" in treatment.name.lower() for treatment in plan.treatments) else ()


def _alarms(case: Case, alarms: FalseAlarms | None) -> str:
    if case.plan.counting == "felt":
        return ""
    if alarms is None:
        return "Some detected episodes may be none; how many is not known here, and they pull a ratio towards 1."
    return (
        f"About {alarms.per_8_usable_h:.2g} episodes in eight usable hours may be none (by {alarms.source}); they are "
        "the same on both sides and pull a ratio towards 1."
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
