"""What differs from the registered plan, and what was known when it was decided."""

from dataclasses import replace
from datetime import date, timedelta

from trial_cases import FIRST, n_of_1, plan

from api.trials import plans
from api.trials.differences import differences_of
from api.trials.registered import Joined, Opening, Trial, Version
from api.trials.values import Plan

DAY_NS = 86_400 * 10**9


def ns(day: date) -> int:
    return (day - date(1970, 1, 1)).days * DAY_NS


def version(number: int, of: Plan, *, at: date, reason: str = "", circumstances: tuple[str, ...] = ()) -> Version:
    text = plans.canonical(of)
    return Version(number, of, text, plans.digest(text), ns(at), reason, circumstances)


JOINED = Joined("w", 0, FIRST, ns(FIRST))
BEFORE = FIRST - timedelta(days=7)
REGISTERED = Trial("t", ns(BEFORE), (version(1, plan(baseline_days=0), at=BEFORE),), None, 1, (JOINED,))
SEEN = n_of_1("ABBA", [[1] * 14] * 4)


def told(trial: Trial) -> dict[str, tuple[str, str]]:
    return {one.what: (one.registered, one.done) for one in differences_of(trial, SEEN)}


def test_a_trial_that_went_by_its_plan_differs_in_nothing() -> None:
    assert told(REGISTERED) == {}


def test_amendments_say_what_was_known() -> None:
    later = version(2, plan(baseline_days=0, settle_days=2), at=FIRST + timedelta(days=3), reason="to be safe",
                    circumstances=("members", "data"))  # fmt: skip
    last = version(3, plan(baseline_days=0, settle_days=2, primary="load"), at=FIRST + timedelta(days=40),
                   reason="it is lower", circumstances=("members", "data", "unblinded"))  # fmt: skip
    found = told(replace(REGISTERED, versions=(*REGISTERED.versions, later, last)))
    assert found == {
        "settle days": ("0", "2 (amended on 2026-01-08, when wearers had joined and data existed: to be safe)"),
        "primary": (
            "rate",
            "load (amended on 2026-02-14, when wearers had joined and data existed and the trial was unblinded: "
            "it is lower)",
        ),
    }


def test_a_plan_that_came_after_the_data_is_told() -> None:
    late = replace(REGISTERED, versions=(version(1, plan(baseline_days=0), at=FIRST + timedelta(days=60)),))
    assert told(late)["registration"] == ("before the first day", "1 had begun before the plan was registered")


def test_exclusions_after_unblinding_are_told() -> None:
    opened = Opening("unblinding", "over", ns(FIRST + timedelta(days=60)))
    out = replace(JOINED, excluded="odd figures", excluded_ns=ns(FIRST + timedelta(days=61)))
    found = told(replace(REGISTERED, joined=(out,), openings=(opened,)))
    assert found["analysed"][1] == "one excluded after the trial was unblinded: odd figures"
    early = replace(out, excluded_ns=ns(FIRST))
    assert told(replace(REGISTERED, joined=(early,), openings=(opened,)))["analysed"][1] == "one excluded: odd figures"


def test_unblinding_before_the_end_is_told_and_packing_is_not() -> None:
    during = Opening("unblinding", "rash", ns(FIRST + timedelta(days=10)))
    packing = Opening("packing", "pharmacy", ns(FIRST + timedelta(days=1)))
    assert "blinding" in told(replace(REGISTERED, openings=(packing, during)))
    assert told(replace(REGISTERED, openings=(packing,))) == {}


def test_wearers_who_are_missing_forgotten_or_not_done_are_told() -> None:
    three = replace(REGISTERED, versions=(version(1, plan(baseline_days=0, wearers=3), at=BEFORE),))
    assert told(three)["wearers"] == ("3", "1 take part")
    assert "forgotten" in told(replace(REGISTERED, allocated=2))["wearers"][1]
    unfinished = differences_of(REGISTERED, SEEN[:3])
    assert [one.what for one in unfinished] == ["length"]
    gone = replace(JOINED, left=FIRST + timedelta(days=30), reason="moved")
    assert differences_of(replace(REGISTERED, joined=(gone,)), SEEN[:3]) == ()
