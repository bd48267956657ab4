"""Plans that came after their nights, several of them, and seeds that were given: what one p value does not show."""

from datetime import date, timedelta
from typing import Any

import httpx
import pytest
from api_world import HOUR_NS, World, add_wearer, assign, enrol, episode, epochs, get, ns
from trial_cases import FIRST, half, n_of_1, plan, said

from api.report import words
from api.trials import keeping, plans
from api.trials.doubts import doubts_of, others_of
from api.trials.gathering import analyse_trial, fingerprint
from api.trials.methods import Registration
from api.trials.registered import SEED, Joined, Trial, Version
from api.trials.values import Analysis, Doubts, Plan

DAY_NS = 86_400 * 10**9
BLOCKS = ([1] * 14, [3] * 14, [3] * 14, [1] * 14)
SEEN = n_of_1("ABBA", BLOCKS)
NOTHING = "rests on, so it proves nothing by itself."


def ns_of(day: date) -> int:
    return (day - date(1970, 1, 1)).days * DAY_NS


def trial(*, registered: date, joined: date | None = None, name: str = "t", seed: tuple[str, ...] = ()) -> Trial:
    of = plan(baseline_days=0)
    text = plans.canonical(of)
    version = Version(1, of, text, plans.digest(text), ns_of(registered), circumstances=seed)
    return Trial(name, 0, (version,), None, 1, (Joined("w", 0, FIRST, ns_of(joined or registered)),))


def analysis(doubts: Doubts, of: Plan | None = None) -> Analysis:
    return said(of or plan(power=0.8), SEEN, doubts=doubts)


def test_nights_that_were_over_are_counted() -> None:
    """A night ends at five on the next date: as the tenth one goes on, nine are over."""
    before, after = FIRST, FIRST + timedelta(days=60)
    assert doubts_of(trial(registered=before), SEEN, others=0) == Doubts(periods=56)
    assert doubts_of(trial(registered=after), SEEN, others=2) == Doubts(56, 56, plan_late=True, others=2)
    entered = doubts_of(trial(registered=before, joined=before + timedelta(days=10)), SEEN, others=0)
    assert entered == Doubts(late=9, periods=56)


def test_a_plan_after_its_nights_says_fewer_to_nobody() -> None:
    honest, late = analysis(Doubts(periods=56)), analysis(Doubts(56, 56, plan_late=True))
    assert honest.conclusion == late.conclusion == "fewer"
    assert "by more than chance explains" in honest.verdict
    assert NOTHING not in honest.verdict
    assert "by more than chance explains" not in late.verdict
    assert late.verdict.endswith(f"The plan was registered only after the nights it {NOTHING}")
    assert late.caveats[0].endswith("Plan, seed or outcome may have been chosen to suit what was seen.")
    assert words.badge(late.plan, late.conclusion, doubts=late.doubts) == "Begun too late to tell"
    assert words.badge(honest.plan, honest.conclusion, doubts=honest.doubts) == "Fewer cramps"


def test_a_few_nights_too_late_are_said_and_leave_the_rest() -> None:
    found = analysis(Doubts(late=3, periods=56))
    assert "by more than chance explains" in found.verdict
    assert "Who takes part was entered when 3 of the 56 nights it rests on were over" in found.verdict


@pytest.mark.parametrize(("others", "rest"), [(1, "1 other trial with a wearer of this one rests"),
                                              (5, "5 other trials with a wearer of this one rest")])  # fmt: skip
def test_other_trials_of_the_same_nights_are_said(others: int, rest: str) -> None:
    assert analysis(Doubts(periods=56, others=others)).caveats[0].startswith(f"{rest} on the same nights: one of")


def test_trials_share_nights_where_dates_of_one_wearer_overlap() -> None:
    one = trial(registered=FIRST)
    same = trial(registered=FIRST, name="u")
    later = Trial("v", 0, one.versions, None, 1, (Joined("w", 0, FIRST + timedelta(days=56), 0),))
    other = Trial("x", 0, one.versions, None, 1, (Joined("z", 0, FIRST, 0),))
    assert others_of(one, [one, same, later, other]) == 1


def test_methods_say_that_a_seed_was_given() -> None:
    for seed, told in (((SEED,), True), ((), False)):
        kept = trial(registered=FIRST, seed=seed)
        registration = Registration(kept.registered.digest, 0, seed_given=kept.seed_given)
        methods = said(kept.plan, SEEN, registration=registration).methods
        assert ("which was given and not drawn" in methods) is told


def test_power_that_was_low_or_never_worked_out_is_a_caveat() -> None:
    """A clear difference is still told as one; its size is not to be believed."""
    for power, says in ((None, "was not worked out before"), (0.14, "chance of 14 % to find the effect it expected")):
        found = analysis(Doubts(periods=56), plan(power=power))
        assert found.conclusion == "fewer"
        assert any(says in caveat and "exaggerated" in caveat for caveat in found.caveats)
    assert not any("exaggerated" in caveat for caveat in analysis(Doubts(periods=56)).caveats)


def test_trying_seeds_until_one_suits_is_told(world: World) -> None:
    """Six plans after the nights, each with another seed: none of them may be read alone."""
    with world.client() as http:
        ada = add_wearer(http)
        assign(http, ada, "leg")
        for shift in range(12):
            start_ns = ns(f"{date(2026, 3, 2) + timedelta(days=shift)}T22:00:00+01:00")
            world.write(epochs("leg", start_ns, start_ns + 6 * HOUR_NS))
            world.write([episode("leg", start_ns + (1 + hour) * HOUR_NS) for hour in range(1 + shift % 4)])
        ids = [_registered(http, ada, seed) for seed in range(1, 3)]
        sources, kept = world.app.state.sources, _kept(world, ids[0])
        before = fingerprint(sources, kept)
        ids += [_registered(http, ada, seed) for seed in range(3, 7)]
        assert fingerprint(sources, kept) != before
        assert get(http, f"/trials/{ids[0]}")["versions"][0]["circumstances"] == ["seed"]
    found = analyse_trial(sources, kept)
    assert (found.doubts.late, found.doubts.others) == (12, 5)
    assert NOTHING in found.verdict
    assert any(caveat.startswith("5 other trials") for caveat in found.caveats[:2])
    assert "which was given and not drawn" in found.methods


def _registered(http: httpx.Client, wearer: str, seed: int) -> str:
    body: dict[str, Any] = {
        "title": "Stretching", "question": "Fewer?", "design": "n_of_1", "baseline_days": 0, "block_days": 3,
        "treatments": [{"name": "stretching"}, {"name": "nothing", "control": True}], "seed": seed,
    }  # fmt: skip
    return str(enrol(http, wearer, body, first="2026-03-02")["id"])


def _kept(world: World, trial_id: str) -> Trial:
    with world.registry.read() as db:
        return keeping.find(db, trial_id)


def test_a_pair_without_its_other_block_is_in_no_figure() -> None:
    """Ten against twenty cramps; the third block had forty, and its other half is still to come."""
    among = n_of_1("ABA", [half(10), half(20), half(40)])
    verdict = said(plan(), among).verdict
    assert verdict.startswith(
        "On magnesium you had 5.0 cramps a week (of seven nights of eight hours), on placebo 10.0, in the 1 pair of 2 "
        "with data on both sides: 50 % fewer (pair by pair), but"
    )


def test_figures_that_go_against_the_ratio_are_told_as_such() -> None:
    """Half as many in each pair; the heavy one has few nights on placebo, the light one few on magnesium."""
    among = n_of_1("ABBA", [[4] * 14, [8] * 4 + [None] * 10, [2] * 14, [1] * 4 + [None] * 10])
    verdict = said(plan(), among).verdict
    assert "50 % fewer (pair by pair, which the two figures are not), but" in verdict
    even = n_of_1("ABBA", [[4] * 14, [8] * 14, [2] * 14, [1] * 14])
    assert "50 % fewer (pair by pair), but" in said(plan(), even).verdict
