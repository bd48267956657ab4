"""Analyses: what must hold of every trial, whatever was seen in it."""

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_api_trials_analyse import TRIALS
from trial_cases import MAGNESIUM, PLACEBO, n_of_1, plan, said

from api.trials.analyse import analyse
from api.trials.values import Result, Seen


@pytest.mark.parametrize("design", ["n_of_1", "crossover", "parallel"])
def test_swapping_the_labels_inverts_the_ratio(design: str) -> None:
    of, among = TRIALS[design]()
    turned = replace(of, treatments=(replace(PLACEBO, label="A"), replace(MAGNESIUM, label="B")))
    swap = str.maketrans("AB", "BA")
    swapped = [
        replace(
            one,
            phase=replace(
                one.phase, label=one.phase.label.translate(swap), sequence=one.phase.sequence.translate(swap)
            ),
        )
        for one in among
    ]
    control_swapped = replace(of, treatments=(replace(MAGNESIUM, control=True), replace(PLACEBO, control=False)))
    plain, renamed, inverted = (said(*pair) for pair in ((of, among), (turned, swapped), (control_swapped, among)))
    assert renamed.results[0].estimate.value == pytest.approx(plain.results[0].estimate.value)
    found, other = plain.results[0].estimate, inverted.results[0].estimate
    assert other.value == pytest.approx(1 / found.value)
    assert other.low == pytest.approx(1 / found.high, rel=1e-3)
    assert other.p == pytest.approx(found.p, rel=1e-6)


@pytest.mark.parametrize("design", list(TRIALS))
def test_the_order_of_wearers_and_phases_does_not_matter(design: str) -> None:
    of, among = TRIALS[design]()
    forwards, backwards = said(of, among), said(of, among[::-1])
    for one, other in zip(forwards.results, backwards.results, strict=True):
        assert other.estimate.value == pytest.approx(one.estimate.value, nan_ok=True)
        assert other.estimate.p == (None if one.estimate.p is None else pytest.approx(one.estimate.p, nan_ok=True))
    assert forwards.verdict == backwards.verdict


@pytest.mark.parametrize("design", list(TRIALS))
def test_nights_without_data_change_nothing_but_how_many_are_missing(design: str) -> None:
    of, among = TRIALS[design]()
    empty = [
        replace(
            one,
            observed=(*one.observed, *_missing(one, 3)),
            phase=replace(one.phase, last=one.phase.last + timedelta(days=3)),
        )
        for one in among
    ]
    whole, holes = said(of, among), said(of, empty)
    mine = [one for one in holes.results if "missing periods" not in one.estimate.measure]
    assert [repr(one.estimate) for one in mine] == [repr(one.estimate) for one in whole.results]  # NaN is not NaN
    assert [arm.planned - arm.judged for arm in holes.arms] == [3 * len(_side(among, arm.label)) for arm in whole.arms]
    assert len(holes.results) == len(mine) + 1


def _missing(one: Seen, nights: int) -> tuple[object, ...]:
    last = one.observed[-1]
    return tuple(
        replace(last, date=last.date + timedelta(days=1 + number), usable_s=0.0, enough=False, cramps=())
        for number in range(nights)
    )


def _side(among: Sequence[Seen], label: str) -> list[Seen]:
    return [one for one in among if one.phase.label == label]


@pytest.mark.parametrize("design", list(TRIALS))
def test_the_primary_result_alone_is_the_same(design: str) -> None:
    of, among = TRIALS[design]()
    short = said(of, among, only_primary=True)
    whole = said(of, among)
    assert short.results == whole.results[:1]
    assert (short.conclusion, short.verdict, short.arms) == (whole.conclusion, whole.verdict, whole.arms)


@pytest.mark.parametrize("design", ["before_after", "n_of_1", "crossover", "parallel", "factorial"])
def test_before_anything_was_seen(design: str) -> None:
    analysis = analyse(plan(design), (), ())
    assert analysis.conclusion == "not_enough_data"
    assert "no nights with enough data" in analysis.verdict


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.lists(st.one_of(st.none(), st.integers(0, 4)), min_size=8, max_size=8), min_size=4, max_size=4),
    st.sampled_from(["rate", "cramp_periods", "severity", "load", "cramp_index", "duration"]),
)
def test_any_nights_of_one_person_can_be_analysed(blocks: list[list[int | None]], primary: str) -> None:
    """Whatever was seen: every figure is within its interval, or not known with a note that says why."""
    secondary = () if primary == "rate" else ("rate",)
    analysis = said(plan(primary=primary, secondary=secondary, block_days=8), n_of_1("ABBA", blocks))
    for one in analysis.results:
        _sound(one)
    total = sum(count or 0 for block in blocks for count in block)
    assert total >= 30 or analysis.conclusion == "not_enough_data"


def _sound(one: Result) -> None:
    found = one.estimate
    if math.isnan(found.value):
        assert found.note, found
        assert found.p is None or math.isnan(found.p)
        return
    assert found.low <= found.value <= found.high, found
    assert found.p is None or 0 <= found.p <= 1
