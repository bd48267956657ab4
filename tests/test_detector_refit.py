"""Severity fitted to a wearer's ratings: the right answer, no harm with few ratings, and never out of order."""

from random import Random
from typing import Final

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import spearmanr
from statsmodels.miscmodels.ordinal_model import OrderedModel

from detector import DetectorError
from detector.refit import CUTS, FLOOR, LEAST, PARTS, Refit, refit, rescore
from detector.severity import WEIGHTS, severity

Array = NDArray[np.float64]
PUBLISHED: Final = np.array(list(WEIGHTS.values()))
NOTHING: Final = np.empty((0, len(PARTS)))
scales = st.sampled_from([(0, 10), (1, 3), (0, 3), (1, 5)])


def cramps(rng: np.random.Generator, n: int) -> Array:
    """Parts of cramps that differ as cramps do: log-normal length and amplitude, load that follows from both."""
    rows = []
    for _ in range(n):
        duration_s = float(np.clip(rng.lognormal(np.log(90), 1.0), 5, 900))
        peak_ratio = 1 + float(rng.lognormal(np.log(8), 0.7))
        load = duration_s * rng.uniform(0.3, 0.8) * peak_ratio / 19
        score = severity(peak_ratio=peak_ratio, duration_s=duration_s, load=load, recruitment=rng.uniform(0.35, 0.8))
        rows.append([getattr(score, name) for name in PARTS])
    return np.array(rows)


def rated(rng: np.random.Generator, parts: Array, weights: Array, *, noise: float = 0.7, shift: float = 0.0) -> Array:
    """What a wearer whose severity has these weights says on a scale of 0-10."""
    said: Array = np.clip(np.rint(parts @ weights + shift + rng.logistic(0, noise, len(parts))), 0, 10)
    return said


@st.composite
def diaries(draw: st.DrawFn, least: int = 0) -> tuple[Array, list[int], tuple[int, int]]:
    """Any parts with any ratings, related or not."""
    scale = draw(scales)
    n = draw(st.integers(least, 12))
    part = st.floats(0, 10, width=32)
    rows = draw(st.lists(st.tuples(part, part, part, part), min_size=n, max_size=n))
    return np.array(rows).reshape(-1, 4), draw(st.lists(st.integers(*scale), min_size=n, max_size=n)), scale


def test_without_a_penalty_it_is_the_ordered_logit_of_statsmodels() -> None:
    """On four levels that all occur, with weights well above zero: thresholds and weights to 1e-3."""
    rng = np.random.default_rng(0)
    parts = rng.uniform(0, 10, (300, 4))
    ratings = np.searchsorted([4.0, 9.0, 13.0], parts @ [0.5, 0.3, 0.8, 0.2] + rng.logistic(size=300))
    model = OrderedModel(ratings, parts, distr="logit")
    theirs = model.fit(method="bfgs", disp=False, gtol=1e-8)
    ours = refit(parts, ratings, scale=(0, 3), strength=1e-9)
    np.testing.assert_allclose(np.array(ours.weights) * ours.slope, theirs.params[:4], atol=1e-3)
    thresholds = model.transform_threshold_params(theirs.params)[1:-1]
    np.testing.assert_allclose(np.array(ours.thresholds) * ours.slope, thresholds, atol=1e-3)


def test_two_hundred_ratings_give_the_weights_away() -> None:
    rng = np.random.default_rng(1)
    truth = np.array([0.1, 0.5, 0.1, 0.3])
    parts = rng.uniform(0, 10, (200, 4))
    fitted = refit(parts, rated(rng, parts, truth))
    np.testing.assert_allclose(fitted.weights, truth, atol=0.05)
    assert fitted.rank > fitted.rank_convention + 0.1
    assert fitted.kappa.low > fitted.kappa_convention.high
    assert fitted.kappa.low <= fitted.kappa.value <= fitted.kappa.high <= 1


def test_a_stern_wearer_is_scored_sternly() -> None:
    """Who says 7 where the convention says 4 is believed, though the order of cramps stays."""
    rng = np.random.default_rng(2)
    parts = cramps(rng, 40)
    fitted = refit(parts, rated(rng, parts, PUBLISHED, shift=3.0))
    index = parts @ PUBLISHED
    wanted = np.minimum(index + 3, 10)
    assert np.abs(rescore(parts, fitted) - wanted).mean() < 0.5
    assert fitted.kappa.value > fitted.kappa_convention.value + 0.2


@pytest.mark.parametrize(("unlike", "gain"), [(False, -0.005), (True, 0.0)], ids=["alike", "unlike"])
def test_eight_ratings_do_no_harm(unlike: bool, gain: float) -> None:
    """Rank agreement with the truth of 300 other cramps, on average over 60 wearers, and error of severity.

    Alike: every wearer's truth is the convention, so that nothing can be gained; unlike: weights vary around it.
    """
    rng = np.random.default_rng(3)
    others = cramps(rng, 300)
    gains, closer = [], []
    for _ in range(60):
        truth = rng.dirichlet(8 * PUBLISHED) if unlike else PUBLISHED
        shift, noise = rng.normal(0, 1), rng.lognormal(np.log(0.8), 0.3)
        parts = cramps(rng, 8)
        fitted = refit(parts, rated(rng, parts, truth, noise=noise, shift=shift))
        score, true = rescore(others, fitted), np.clip(others @ truth + shift, 0, 10)
        gains.append(spearmanr(score, others @ truth)[0] - spearmanr(others @ PUBLISHED, others @ truth)[0])
        closer.append(np.abs(others @ PUBLISHED - true).mean() - np.abs(score - true).mean())
    assert np.mean(gains) >= gain
    assert np.min(gains) > -0.05
    assert np.mean(closer) > 0


def test_ratings_that_have_nothing_to_do_with_severity_are_found_out() -> None:
    rng = np.random.default_rng(4)
    parts = cramps(rng, 60)
    fitted = refit(parts, rng.integers(0, 11, 60))
    assert abs(fitted.rank) < 0.25
    assert fitted.slope < 0.5
    assert fitted.kappa.low < 0.1


@given(st.integers(0, LEAST - 1), scales)
def test_few_ratings_leave_the_convention_and_say_so(n: int, scale: tuple[int, int]) -> None:
    rng = np.random.default_rng(n)
    parts = cramps(rng, n) if n else NOTHING
    fitted = refit(parts, rng.integers(scale[0], scale[1] + 1, n), scale=scale)
    assert fitted.weights == tuple(PUBLISHED)
    assert fitted.n == n
    assert fitted.note.startswith(f"{n} of {LEAST} ratings: too few")
    others = cramps(rng, 20)
    np.testing.assert_allclose(rescore(others, fitted), others @ PUBLISHED, atol=1e-9)


@given(diaries(), st.integers(0, 3), st.tuples(*[st.floats(0, 10)] * 4), st.floats(0, 10))
@settings(max_examples=40)
def test_severity_never_falls_when_a_part_rises(
    diary: tuple[Array, list[int], tuple[int, int]], part: int, less: tuple[float, ...], by: float
) -> None:
    parts, ratings, scale = diary
    fitted = refit(parts, ratings, scale=scale)
    more = list(less)
    more[part] = min(more[part] + by, 10)
    low, high = rescore([less, more], fitted)
    assert 0 <= low <= high <= 10
    assert sum(fitted.weights) == pytest.approx(1)
    assert min(fitted.weights) > 0
    assert fitted.slope >= FLOOR * 0.999
    assert (np.diff(fitted.thresholds) > 0).all()
    assert len(fitted.thresholds) == scale[1] - scale[0]


@given(diaries(least=2), st.randoms(use_true_random=False))
@settings(max_examples=30)
def test_the_order_of_ratings_does_not_matter(diary: tuple[Array, list[int], tuple[int, int]], random: Random) -> None:
    parts, ratings, scale = diary
    order = list(range(len(ratings)))
    random.shuffle(order)
    one = refit(parts, ratings, scale=scale)
    other = refit(parts[order], np.array(ratings)[order], scale=scale)
    assert repr(one) == repr(other)  # as text, for NaN differs from itself


@given(diaries(least=LEAST))
@settings(max_examples=30)
def test_the_numbers_on_the_scale_are_only_names(diary: tuple[Array, list[int], tuple[int, int]]) -> None:
    parts, ratings, _ = diary
    ratings = [min(rating, 4) for rating in ratings]
    one = refit(parts, ratings, scale=(0, 4))
    other = refit(parts, np.array(ratings) + 7, scale=(7, 11))
    assert (one.weights, one.thresholds, one.slope) == (other.weights, other.thresholds, other.slope)


@given(diaries(least=LEAST))
@settings(max_examples=20)
def test_a_strong_convention_yields_to_nothing(diary: tuple[Array, list[int], tuple[int, int]]) -> None:
    parts, ratings, scale = diary
    fitted = refit(parts, ratings, scale=scale, strength=1e6)
    np.testing.assert_allclose(fitted.weights, PUBLISHED, atol=1e-3)
    np.testing.assert_allclose(rescore(parts, fitted), parts @ PUBLISHED, atol=0.02)


def test_named_scales_begin_at_published_cut_points() -> None:
    for scale, cuts in CUTS.items():
        assert refit(NOTHING, [], scale=scale).thresholds == cuts
    assert refit(NOTHING, [], scale=(0, 10)).thresholds == tuple(np.arange(10) + 0.5)
    assert refit(NOTHING, [], scale=(1, 5)).thresholds == (1.25, 3.75, 6.25, 8.75)


def test_equal_ratings_say_how_stern_the_wearer_is_and_nothing_of_order() -> None:
    parts = cramps(np.random.default_rng(5), 12)
    fitted = refit(parts, [9] * 12)
    assert "all alike" in fitted.note
    assert np.isnan([fitted.rank, fitted.kappa_convention.low]).all()
    assert rescore(parts, fitted).mean() > (parts @ PUBLISHED).mean() + 1


def test_one_cramp_or_many_are_rescored_alike() -> None:
    rng = np.random.default_rng(6)
    parts = cramps(rng, 24)
    fitted = refit(parts, rated(rng, parts, PUBLISHED))
    many = rescore(parts.reshape(2, 3, 4, 4), fitted)
    assert many.shape == (2, 3, 4)
    np.testing.assert_allclose(many.ravel(), [float(rescore(row, fitted)) for row in parts], rtol=1e-12)


def test_a_fit_cannot_be_changed() -> None:
    fitted: Refit = refit(NOTHING, [])
    with pytest.raises(AttributeError):
        fitted.n = 3  # type: ignore[misc]


SIX: Final = np.full((6, 4), 5.0)


@pytest.mark.parametrize(
    ("parts", "ratings", "scale", "strength", "sentence"),
    [
        (SIX, [5] * 5, (0, 10), 1.0, r"parts \(6, 4\) and ratings \(5,\)"),
        (SIX[0], [5], (0, 10), 1.0, r"parts \(4,\) and ratings \(1,\)"),
        (SIX[:, :3], [5] * 6, (0, 10), 1.0, "must be amplitude, duration, load, recruitment"),
        (SIX * np.nan, [5] * 6, (0, 10), 1.0, "numbers from 0 to 10"),
        (SIX * 2.1, [5] * 6, (0, 10), 1.0, "numbers from 0 to 10"),
        (-SIX, [5] * 6, (0, 10), 1.0, "numbers from 0 to 10"),
        (SIX, [5, 5, 11, 5, 5, 5], (0, 10), 1.0, "rating 2 is 11: a whole number from 0 to 10"),
        (SIX, [5, 5, 5, 5, 5, -1], (0, 10), 1.0, "rating 5 is -1"),
        (SIX, [5, 4.5, 5, 5, 5, 5], (0, 10), 1.0, "rating 1 is 4.5"),
        (SIX, [float("nan")] + [5] * 5, (0, 10), 1.0, "rating 0 is nan"),
        (SIX, [0, 1, 2, 3, 1, 1], (1, 3), 1.0, "rating 0 is 0: a whole number from 1 to 3"),
        (SIX, [50] * 6, (0, 100), 1.0, "2 to 11 whole levels, not 0 to 100: group finer ratings"),
        (SIX, [5] * 6, (5, 5), 1.0, "2 to 11 whole levels"),
        (SIX, [5] * 6, (0, 10), 0.0, "strength must be positive"),
        (SIX, [5] * 6, (0, 10), float("nan"), "strength must be positive"),
    ],
)
def test_what_cannot_be_fitted_is_refused(
    parts: Array, ratings: list[float], scale: tuple[int, int], strength: float, sentence: str
) -> None:
    with pytest.raises(DetectorError, match=sentence):
        refit(parts, ratings, scale=scale, strength=strength)


def test_parts_that_are_no_parts_are_not_rescored() -> None:
    with pytest.raises(DetectorError, match="numbers from 0 to 10"):
        rescore([1.0, 2.0, 3.0, 10.5], refit(NOTHING, []))
