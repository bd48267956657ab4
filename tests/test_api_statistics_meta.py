"""Meta-analysis against a published worked example, other formulas and simulation."""

import math

import numpy as np
import pytest
from scipy import stats

from api.statistics.meta import Effect, combine
from api.statistics.meta_counts import CORRECTED, PersonCounts, effects_of, stratified_ratio

# Thirteen trials of BCG vaccine (Colditz 1994): cases and others, vaccinated and not. Worked in Viechtbauer 2010,
# Journal of Statistical Software 36(3), doi 10.18637/jss.v036.i03.
BCG = [
    (4, 119, 11, 128), (6, 300, 29, 274), (3, 228, 11, 209), (62, 13536, 248, 12619), (33, 5036, 47, 5761),
    (180, 1361, 372, 1079), (8, 2537, 10, 619), (505, 87886, 499, 87892), (29, 7470, 45, 7232), (17, 1699, 65, 1600),
    (186, 50448, 141, 27197), (5, 2493, 3, 2338), (27, 16886, 29, 17825),
]  # fmt: skip


def risk(number: int, row: tuple[int, int, int, int]) -> Effect:
    a, b, c, d = row
    value = math.log(a / (a + b)) - math.log(c / (c + d))
    return Effect(f"trial {number}", value, math.sqrt(1 / a - 1 / (a + b) + 1 / c - 1 / (c + d)))


@pytest.fixture(scope="module")
def bcg() -> list[Effect]:
    return [risk(number, row) for number, row in enumerate(BCG)]


def test_the_published_example_comes_out(bcg: list[Effect]) -> None:
    found = combine(bcg, scale="difference")
    assert found.q.value == pytest.approx(152.2330, abs=5e-5)
    assert found.fixed.value == pytest.approx(-0.4303, abs=5e-5)
    assert (found.fixed.high - found.fixed.low) / 2 / stats.norm.isf(0.025) == pytest.approx(0.0405, abs=5e-5)
    assert found.tau2.value == pytest.approx(0.3181, abs=5e-5)  # by REML it is 0.3132
    assert (found.tau2.low, found.tau2.high) == pytest.approx((0.1197, 1.1115), abs=5e-5)
    assert found.random.value == pytest.approx(-0.7150, abs=5e-5)
    assert found.i2.value == pytest.approx(0.923, abs=0.002)
    assert (found.i2.low, found.i2.high) == pytest.approx((0.8192, 0.9768), abs=1e-4)


def test_the_random_effect_and_its_prediction_follow_their_formulas(bcg: list[Effect]) -> None:
    found = combine(bcg)
    value, variance = np.array([one.value for one in bcg]), np.array([one.error**2 for one in bcg])
    weight = 1 / (variance + found.tau2.value)
    mean = float((weight * value).sum() / weight.sum())
    error = math.sqrt(float((weight * (value - mean) ** 2).sum()) / 12 / weight.sum())  # Hartung and Knapp
    assert found.random.value == pytest.approx(math.exp(mean))
    assert math.log(found.random.high) == pytest.approx(mean + stats.t.isf(0.025, 12) * error, rel=1e-4)
    reach = stats.t.isf(0.025, 11) * math.sqrt(found.tau2.value + error**2)
    assert math.log(found.prediction.low) == pytest.approx(mean - reach, rel=1e-4)
    assert found.random.excludes_null


def test_people_are_shrunken_towards_the_mean_most_where_they_showed_least(bcg: list[Effect]) -> None:
    found = combine(bcg, scale="difference")
    mean = found.random.value
    weights = [(person.value - mean) / (one.value - mean) for person, one in zip(found.persons, bcg, strict=True)]
    assert weights == pytest.approx([found.tau2.value / (found.tau2.value + one.error**2) for one in bcg])
    assert [person.measure for person in found.persons] == [one.name for one in bcg]


@pytest.mark.parametrize(("people", "predicts"), [(8, 0.90), (30, 0.94)])
def test_the_mean_is_covered_and_the_next_person_too_unless_people_are_few(people: int, predicts: float) -> None:
    rng = np.random.default_rng(2)
    covered = predicted = 0
    rounds = 600
    for _ in range(rounds):
        errors = rng.uniform(0.2, 0.6, people)
        true = rng.normal(-0.5, 0.5, people + 1)
        seen = true[:people] + rng.normal(0.0, errors)
        pairs = zip(seen, errors, strict=True)
        found = combine([Effect("one", float(a), float(b)) for a, b in pairs], scale="difference")
        covered += found.random.low <= -0.5 <= found.random.high
        predicted += found.prediction.low <= true[people] <= found.prediction.high
    assert covered / rounds == pytest.approx(0.95, abs=0.025)
    assert predicted / rounds == pytest.approx(predicts, abs=0.025)
    assert ("covers less" in found.prediction.note) == (people < 10)


def test_people_who_agree_give_no_spread_and_the_interval_of_the_fixed_effect() -> None:
    found = combine([Effect(str(number), -0.5, 0.3) for number in range(5)])
    assert (found.tau2.value, found.tau2.low) == (0.0, 0.0)
    assert found.random.value == pytest.approx(math.exp(-0.5))
    assert (found.random.low, found.random.high) == pytest.approx((found.fixed.low, found.fixed.high))
    assert all(person.value == pytest.approx(math.exp(-0.5)) for person in found.persons)


def test_one_person_is_not_pooled_and_two_predict_nothing() -> None:
    one, other = Effect("a", -0.7, 0.3), Effect("b", -0.2, 0.3)
    alone = combine([one])
    assert not alone.random.known
    assert "at least two" in alone.random.note
    assert alone.persons[0].value == pytest.approx(math.exp(-0.7))
    assert combine([]).persons == ()
    both = combine([one, other])
    assert both.random.known
    assert not both.prediction.known
    assert "at least three" in both.prediction.note


def test_people_without_cramps_are_left_out_by_name_and_half_empty_ones_are_marked() -> None:
    people = [
        PersonCounts("a", 10, 4.0, 5, 4.0),
        PersonCounts("b", 6, 4.0, 0, 4.0),
        PersonCounts("c", 0, 4.0, 0, 4.0),
        PersonCounts("d", 3, 4.0, 0, 0.0),
    ]
    effects, left_out = effects_of(people)
    assert [one.name for one in effects] == ["a", "b"]
    assert [one.note for one in effects] == ["", CORRECTED]
    assert left_out == (("c", "no cramp in either period"), ("d", "a period without usable time"))
    assert effects[0].value == pytest.approx(math.log(0.5))
    assert effects[0].error == pytest.approx(math.sqrt(0.3))
    assert effects[1].value == pytest.approx(math.log(0.5 / 6.5))
    assert effects_of(people, dispersion=4.0)[0][0].error == pytest.approx(2 * effects[0].error)
    assert combine(effects).persons[1].note == CORRECTED


def test_the_stratified_ratio_is_that_of_a_poisson_model_with_an_intercept_for_each_person() -> None:
    """Same exposures everywhere: then the conditional likelihood gives the ratio of the sums."""
    counts = [(10, 4), (6, 0), (0, 0), (3, 5), (9, 6)]
    people = [PersonCounts(str(number), a, 4.0, b, 4.0) for number, (a, b) in enumerate(counts)]
    found = stratified_ratio(people)
    assert found.value == pytest.approx(15 / 28)
    assert math.log(found.high / found.value) == pytest.approx(1.959964 * math.sqrt(1 / 15 + 1 / 28))
    wider = stratified_ratio(people, dispersion=2.25)
    assert math.log(wider.high / wider.value) == pytest.approx(1.5 * math.log(found.high / found.value))
    assert not stratified_ratio(people[1:3]).known


def test_the_stratified_ratio_is_unbiased_where_the_corrected_one_is_not() -> None:
    rng = np.random.default_rng(3)
    found = []
    for _ in range(300):
        rates = rng.gamma(2.5, 1.0, 30)
        people = [
            PersonCounts(str(number), int(rng.poisson(rate)), 1.0, int(rng.poisson(rate * 0.5)), 2.0 / 2.0)
            for number, rate in enumerate(rates)
        ]
        found.append(math.log(stratified_ratio(people).value))
    assert np.mean(found) == pytest.approx(math.log(0.5), abs=0.03)


@pytest.mark.parametrize(("value", "error"), [(math.inf, 0.1), (0.1, 0.0), (0.1, math.nan)])
def test_an_effect_without_weight_is_refused(value: float, error: float) -> None:
    with pytest.raises(ValueError, match="standard error"):
        Effect("a", value, error)
