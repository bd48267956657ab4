"""Cramps felt and detected: the pairing is the best there is, and agreement is what can be counted by hand."""

import math
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.diary.agreement import LEAST_PAIRS, agreement, grade_of, own_severity
from api.diary.matching import (
    MEANT_S,
    SLACK_S,
    Detected,
    Match,
    Pairing,
    cost,
    meant,
    pair,
    sees,
    told,
)
from api.diary.values import FeltCramp
from detector.agreement import quadratic_kappa
from detector.refit import LEAST, rescore

MINUTE = 60 * 10**9
T0 = 20_500 * 86_400 * 10**9


def felt(minute: float, *, uncertain_min: float = 0.0, **more: object) -> FeltCramp:
    return FeltCramp(T0 + round(minute * MINUTE), uncertain_min * 60.0, **more)  # type: ignore[arg-type]


def seen(minute: float, *, seconds: float = 90.0, **more: object) -> Detected:
    onset_ns = T0 + round(minute * MINUTE)
    values: dict[str, object] = {
        "side": "left", "muscle": "gastrocnemius_medialis", "severity": 5.0, "parts": (5.0, 5.0, 5.0, 5.0), "grade": 2,
    } | more  # fmt: skip
    return Detected(f"leg.soleus.{onset_ns}", onset_ns, onset_ns + round(seconds * 1e9), **values)  # type: ignore[arg-type]


def minutes(pairing: Pairing) -> list[tuple[int, int]]:
    return [((a.at_ns - T0) // MINUTE, (b.onset_ns - T0) // MINUTE) for a, b in pairing.pairs]


def test_what_is_near_is_paired_and_what_is_far_is_not() -> None:
    pairing = pair([felt(0), felt(200), felt(500)], [seen(10), seen(190), seen(320)])
    assert minutes(pairing) == [(0, 10), (200, 190)]
    assert [item.at_ns for item in pairing.felt] == [felt(500).at_ns]
    assert [item.onset_ns for item in pairing.detected] == [seen(320).onset_ns]


def test_as_many_as_possible_are_paired_not_the_nearest_first() -> None:
    # The nearest of the first is the only one of the second.
    assert minutes(pair([felt(20), felt(45)], [seen(0), seen(25)])) == [(20, 0), (45, 25)]


@pytest.mark.parametrize(
    ("one", "other", "possible"),
    [
        (felt(0, side="right"), seen(0), False),
        (felt(0, side="left"), seen(0), True),
        (felt(0), seen(0, side="right"), True),
        (felt(0, muscle="foot"), seen(0), False),
        (felt(0, muscle="thigh"), seen(0), False),
        (felt(0, muscle="calf"), seen(0), True),
        (felt(0, muscle="shin"), seen(0), True),
        (felt(SLACK_S / 60 + 1.5), seen(0), True),  # from its end
        (felt(SLACK_S / 60 + 1.6), seen(0), False),
        (felt(-SLACK_S / 60), seen(0), True),
        (felt(-SLACK_S / 60 - 0.1), seen(0), False),
        (felt(-SLACK_S / 60 - 9, uncertain_min=9), seen(0), True),
        (felt(0), seen(0, confirmed=False), False),
        (felt(0), seen(0, confirmed=True), True),
    ],
)
def test_which_pairs_are_possible(one: FeltCramp, other: Detected, possible: bool) -> None:
    assert bool(pair([one], [other]).pairs) == possible


def test_a_likelier_muscle_is_preferred_where_times_are_alike() -> None:
    calf, shin = seen(0), seen(1, muscle="tibialis_anterior")
    assert pair([felt(0, muscle="shin")], [calf, shin]).pairs[0][1] == shin
    assert pair([felt(1, muscle="soleus")], [calf, shin]).pairs[0][1] == calf


def test_a_cramp_of_some_night_takes_what_an_exact_one_leaves() -> None:
    whole = felt(360, uncertain_min=360, about=("night", None))
    exact = felt(100)
    assert minutes(pair([whole, exact], [seen(101), seen(650)])) == [(100, 101), (360, 650)]
    assert minutes(pair([whole, exact], [seen(101)])) == [(100, 101)]


def naive(some: list[FeltCramp], others: list[Detected]) -> tuple[int, float]:
    """The most pairs, and the least that so many cost, by trying everything."""
    best = (0, 0.0)
    width = max(len(some), len(others))
    for order in permutations(range(width)):
        costs = [
            cost(some[row], others[column])
            for row, column in enumerate(order)
            if row < len(some) and column < len(others) and math.isfinite(cost(some[row], others[column]))
        ]
        best = max(best, (len(costs), -sum(costs)))
    return best[0], -best[1]


times = st.floats(0, 300)
some_felt = st.builds(
    felt, times, uncertain_min=st.sampled_from([0.0, 0.0, 20.0, 200.0]), side=st.sampled_from([None, "left", "right"]),
    muscle=st.sampled_from([None, "calf", "shin", "foot"]),
)  # fmt: skip
some_seen = st.builds(
    seen, times, seconds=st.floats(5, 600), side=st.sampled_from(["left", "right"]),
    muscle=st.sampled_from(["soleus", "tibialis_anterior"]),
)  # fmt: skip


@given(
    some=st.lists(some_felt, max_size=5),
    others=st.lists(some_seen, max_size=5, unique_by=lambda item: item.onset_ns),
)
@settings(max_examples=150, deadline=None)
def test_the_pairing_is_the_best_of_all(some: list[FeltCramp], others: list[Detected]) -> None:
    found = pair(some, others)
    assert (len(found.pairs), pytest.approx(sum(cost(a, b) for a, b in found.pairs))) == naive(some, others)
    assert len(found.pairs) + len(found.felt) == len(some)
    assert len(found.pairs) + len(found.detected) == len(others)
    assert len({b.episode for _, b in found.pairs}) == len(found.pairs)


def test_the_order_in_which_cramps_come_is_of_no_consequence() -> None:
    rng = np.random.default_rng(5)
    some = [felt(float(at)) for at in np.sort(rng.uniform(0, 5000, 80))]
    others = [seen(float(at)) for at in np.sort(rng.uniform(0, 5000, 90))]
    expected = pair(some, others)
    mixed = pair(rng.permutation(np.array(some, object)).tolist(), rng.permutation(np.array(others, object)).tolist())
    assert mixed.pairs == expected.pairs
    assert len(expected.pairs) > 40


def test_where_a_device_must_have_been_usable() -> None:
    low_ns, high_ns = meant(felt(0))
    assert high_ns - low_ns == 2 * MEANT_S * 1e9
    low_ns, high_ns = meant(felt(0, uncertain_min=60))
    assert high_ns - low_ns == 2 * 3600 * 10**9
    assert sees(felt(0), side="left", muscle="soleus")
    assert sees(felt(0, muscle="calf"), side="left", muscle="soleus")
    assert not sees(felt(0, muscle="calf"), side="left", muscle="tibialis_anterior")
    assert not sees(felt(0, side="right"), side="left", muscle="soleus")
    assert not sees(felt(0, muscle="foot"), side="left", muscle="soleus")


def test_every_cramp_is_told_once_in_order_of_time() -> None:
    pairing = pair([felt(0), felt(200), felt(500)], [seen(10), seen(320)])
    matches = told(pairing, seeable=[True, False])
    assert [match.seen for match in matches] == ["both", "diary_only", "device_only", "not_seeable"]


def test_figures_of_agreement_are_those_counted_by_hand() -> None:
    both = [
        Match("both", felt(at, pain=7, duration_s=120.0), seen(at, seconds=90.0 + at, confirmed=True if at else None))
        for at in range(3)
    ]
    alone = [seen(100 + at, confirmed=verdict) for at, verdict in enumerate((True, False, None, None))]
    matches = [
        *both, *(Match("device_only", None, item) for item in alone), Match("diary_only", felt(900), None),
        Match("not_seeable", felt(950), None), Match("not_seeable", felt(990), None),
    ]  # fmt: skip
    found = agreement(matches, rejected_at_night=1, unreviewed=2, nights=4)
    assert (found.both, found.device_only, found.diary_only, found.not_seeable, found.rejected) == (3, 4, 1, 2, 1)
    assert (found.sensitivity.value, found.felt.value) == (3 / 4, 4 / 7)
    # Clopper-Pearson of 3 of 4, as printed in tables of binomial limits.
    assert (found.sensitivity.low, found.sensitivity.high) == pytest.approx((0.194, 0.9937), abs=1e-3)
    assert found.duration.value == pytest.approx(29.0)
    assert (found.reviewed.cramps, found.reviewed.none, found.reviewed.unsure, found.reviewed.unreviewed) == (
        3,
        1,
        1,
        2,
    )
    assert found.reviewed.wrong.value == 1 / 4
    assert found.reviewed.per_night.value == pytest.approx(0.25)
    assert "lower bound" in found.reviewed.sentence


def test_nothing_gives_no_figure_instead_of_a_wrong_one() -> None:
    found = agreement([], rejected_at_night=0, unreviewed=0, nights=0)
    for estimate in (found.sensitivity, found.felt, found.duration, found.kappa, found.reviewed.wrong):
        assert not estimate.known
        assert estimate.note
    assert not found.reviewed.per_night.known
    assert found.own.fit is None
    assert found.own.sentence.startswith("Not enough: 0 of at least 5")


@pytest.mark.parametrize(("pain", "grade"), [(0, 1), (4, 1), (5, 2), (6, 2), (7, 3), (10, 3)])
def test_pain_is_graded_by_published_cut_points(pain: int, grade: int) -> None:
    assert grade_of(pain) == grade


def test_kappa_is_that_of_grades_and_waits_for_enough_pairs() -> None:
    pains = [2, 3, 5, 6, 7, 8, 9, 1, 5, 7]
    grades = [1, 1, 2, 2, 3, 3, 2, 1, 3, 3]
    matches = [
        Match("both", felt(at * 60, pain=pain), seen(at * 60, grade=grade))
        for at, (pain, grade) in enumerate(zip(pains, grades, strict=True))
    ]
    found = agreement(matches, rejected_at_night=0, unreviewed=10, nights=1).kappa
    expected = quadratic_kappa(
        np.array(grades) - 1, np.array([grade_of(pain) for pain in pains]) - 1, levels=3
    )  # fmt: skip
    assert (found.value, found.low, found.high) == (expected.value, expected.low, expected.high)
    # Counted by hand: two of ten pairs are one grade apart; by chance the mean square is twice the variance.
    assert found.value == pytest.approx(1 - 0.2 / 1.38)
    few = agreement(matches[: LEAST_PAIRS - 1], rejected_at_night=0, unreviewed=9, nights=1).kappa
    assert not few.known
    assert "9 of at least 10" in few.note
    alike = [Match("both", felt(at * 60, pain=1), seen(at * 60, grade=1)) for at in range(12)]
    assert "not defined" in agreement(alike, rejected_at_night=0, unreviewed=0, nights=1).kappa.note


def rated(count: int) -> list[tuple[FeltCramp, Detected]]:
    """Pain that follows duration and nothing else."""
    rng = np.random.default_rng(3)
    parts = rng.uniform(1, 9, (count, 4))
    severities = (parts @ np.array([0.3, 0.2, 0.4, 0.1])).tolist()
    return [
        (felt(at, pain=round(row[1])), seen(at, parts=tuple(row), severity=severity))
        for at, (row, severity) in enumerate(zip(parts.tolist(), severities, strict=True))
    ]


def test_severity_is_fitted_to_the_wearers_ratings_beside_the_convention() -> None:
    pairs = rated(40)
    own = own_severity(pairs)
    assert own.fit is not None
    assert own.fit.weights[1] > 0.3  # duration; 0.2 by convention
    assert own.fit.rank > own.fit.rank_convention
    assert [item.severity for item in own.rescored] == [detected.severity for _, detected in pairs]
    expected = rescore([detected.parts for _, detected in pairs], own.fit)
    assert [item.own for item in own.rescored] == pytest.approx(expected.tolist())


@pytest.mark.parametrize("count", [0, 1, LEAST - 1])
def test_few_ratings_change_nothing_and_say_so(count: int) -> None:
    own = own_severity([*rated(count), (felt(999), seen(999))])
    assert (own.fit, own.rescored, own.ratings) == (None, (), count)
    assert f"{count} of at least {LEAST}" in own.sentence
