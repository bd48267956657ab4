"""Weighted kappa: against its author's example, against another implementation, and what it must do."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from statsmodels.stats.inter_rater import cohens_kappa

from detector import DetectorError
from detector.agreement import quadratic, quadratic_kappa, weighted_kappa

# Cohen 1968, Psychol Bull 70:213: two psychiatrists place 200 patients in personality disorder, neurosis, psychosis.
COHEN = 200 * np.array([[0.44, 0.05, 0.01], [0.07, 0.20, 0.03], [0.09, 0.05, 0.06]])
COHEN_WEIGHTS = np.array([[0.0, 1, 3], [1, 0, 6], [3, 6, 0]])

tables = arrays(np.float64, (4, 4), elements=st.integers(0, 40).map(float))


def test_the_published_example_comes_out_as_published() -> None:
    assert weighted_kappa(COHEN, COHEN_WEIGHTS).value == pytest.approx(0.348, abs=5e-4)
    assert weighted_kappa(COHEN, 1 - np.eye(3)).value == pytest.approx(0.492, abs=5e-4)


@given(tables)
def test_kappa_and_interval_are_those_of_another_implementation(table: NDArray[np.float64]) -> None:
    assume(min(np.count_nonzero(table.sum(0)), np.count_nonzero(table.sum(1))) > 1)
    theirs = cohens_kappa(table, weights=quadratic(4))
    assume(np.isfinite(theirs.std_kappa) and theirs.var_kappa > 1e-12)  # below, rounding decides
    ours = weighted_kappa(table, quadratic(4))
    assert ours.value == pytest.approx(theirs.kappa, abs=1e-9)
    assert ours.low == pytest.approx(max(theirs.kappa_low, -1), abs=1e-6)
    assert ours.high == pytest.approx(min(theirs.kappa_upp, 1), abs=1e-6)


@given(st.lists(st.integers(0, 3), min_size=2, max_size=40))
def test_a_rater_agrees_with_itself(levels: list[int]) -> None:
    same = np.array(levels)
    kappa = quadratic_kappa(same, same, levels=4)
    if len(set(levels)) == 1:
        assert np.isnan([kappa.value, kappa.low, kappa.high]).all()
    else:
        assert (kappa.value, kappa.low, kappa.high) == pytest.approx((1, 1, 1))


def test_who_always_says_the_same_neither_agrees_nor_disagrees() -> None:
    table = np.array([[0.0, 0, 0], [3, 1, 4], [0, 0, 0]])
    assert np.isnan(weighted_kappa(table, quadratic(3)).value)
    assert np.isnan(weighted_kappa(table.T, quadratic(3)).low)


@given(tables, st.floats(0.1, 100))
def test_neither_who_comes_first_nor_the_unit_of_weights_matters(table: NDArray[np.float64], by: float) -> None:
    assume(table.sum() > 0)
    one, other = weighted_kappa(table, quadratic(4)), weighted_kappa(table.T, by * quadratic(4))
    assert other.value == pytest.approx(one.value, nan_ok=True)


def test_its_interval_covers_the_truth_in_about_95_of_100_samples() -> None:
    rng = np.random.default_rng(0)
    share = COHEN / COHEN.sum()
    truth = weighted_kappa(COHEN, quadratic(3)).value
    drawn = [rng.multinomial(150, share.ravel()).reshape(3, 3).astype(float) for _ in range(400)]
    kappas = [weighted_kappa(table, quadratic(3)) for table in drawn]
    assert 0.91 <= np.mean([kappa.low <= truth <= kappa.high for kappa in kappas]) <= 0.98


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        (np.zeros((3, 3)), "at least one of them above zero"),
        (-np.eye(3), "counts"),
        (np.full((3, 3), np.nan), "counts"),
        (np.ones((2, 3)), "one square shape"),
        (np.ones((2, 2)), "one square shape"),
    ],
)
def test_what_is_no_table_is_refused(table: NDArray[np.float64], sentence: str) -> None:
    with pytest.raises(DetectorError, match=sentence):
        weighted_kappa(table, quadratic(3))
