"""The scorer of the accuracy report against timescoring, SciPy, and small recordings whose score is known."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from timescoring.annotations import Annotation
from timescoring.scoring import EventScoring

from benchmarks.accuracy.envelope import audible_s, rms_uv
from benchmarks.accuracy.goals import Goal
from benchmarks.accuracy.hear import Heard, Hearing
from benchmarks.accuracy.intervals import Estimate, bootstrap, rate, share, spearman, wilson
from benchmarks.accuracy.leg import Cramp, Leg
from benchmarks.accuracy.reliability import reliability
from benchmarks.accuracy.rivals import lay, rule, runs, together
from benchmarks.accuracy.score import AFTER_S, BEFORE_S, Scored, matches, score
from benchmarks.accuracy.suite import Case
from benchmarks.accuracy.tally import cramps_where, tally
from benchmarks.accuracy.words import between, table, wrap

CASE = Case("shaped", "made_up", 1)
FS_HZ = 500.0


def leg(*spans: tuple[float, float], ratio: float = 10.0, duration_s: float = 400.0, rise_s: float = 0.0) -> Leg:
    """Noise of 4 µV, and 4 µV times `ratio` in the spans, reached along a line."""
    time_s = np.arange(int(duration_s * FS_HZ)) / FS_HZ
    gain = np.ones(time_s.size)
    for begin, end in spans:
        inside = (time_s >= begin) & (time_s < end)
        gain[inside] = 1 + (ratio - 1) * np.clip((time_s[inside] - begin) / max(rise_s, 1e-9), 0, 1)
    counts = np.random.default_rng(0).normal(0.0, 40.0, time_s.size) * gain
    return Leg(
        kind="event", sites=("soleus",), emg=counts[None].astype(np.int16), emg_fs_hz=FS_HZ, emg_scale_uv=0.1,
        acc=None, acc_fs_hz=50.0, acc_scale_g=1.0,
        cramps=tuple(Cramp(onset_s=a, end_s=b, peak_ratio=ratio, load=b - a, site="soleus") for a, b in spans),
    )  # fmt: skip


def heard(*spans: tuple[float, float], status: str = "final", confidence: float = 0.9, late_s: float = 12.0) -> Hearing:
    episodes = tuple(
        Heard(
            onset_s=a, end_s=b, opened_s=a + late_s, site="soleus", status=status, confidence=confidence,
            severity=b - a, load=1.0, peak_ratio=5.0, flags=(),
        )
        for a, b in spans
    )  # fmt: skip
    return Hearing(episodes=episodes, worn_s=400.0, usable_s=400.0)


def scored(true: list[tuple[float, float]], told: list[tuple[float, float]], **about: float) -> Scored:
    return score(CASE, leg(*true), heard(*told, **about))  # type: ignore[arg-type]


@st.composite
def spans(draw: st.DrawFn) -> list[tuple[int, int]]:
    """Events in order that do not touch, in whole seconds within an hour."""
    edges = sorted(draw(st.sets(st.integers(20, 3500), max_size=24)))
    return [(a, b) for a, b in zip(edges[0::2], edges[1::2], strict=False)]


@settings(max_examples=300, deadline=None)
@given(spans(), spans())
def test_counts_are_those_of_timescoring(true: list[tuple[int, int]], told: list[tuple[int, int]]) -> None:
    param = EventScoring.Parameters(
        toleranceStart=BEFORE_S, toleranceEnd=AFTER_S, minOverlap=0, maxEventDuration=1e9, minDurationBetweenEvents=0
    )
    theirs = EventScoring(Annotation(true, 1, 3600), Annotation(told, 1, 3600), param)
    pairs = matches(true, told)
    found = sum(bool(pair) for pair in pairs)
    false = sum(all(i not in pair for pair in pairs) for i in range(len(told)))
    assert (found, false) == (theirs.tp, theirs.fp)


def test_any_overlap_finds_and_the_rest_is_false() -> None:
    one = scored([(100, 130), (200, 230)], [(60, 95.5), (240.5, 260)])
    assert (one.found, one.false) == (1, 1)  # 4.5 s before the onset is near enough, 10.5 s after the end is not
    assert scored([], [(10, 30)]).false == 1


def test_what_was_rejected_counts_for_nothing() -> None:
    one = score(CASE, leg((100, 130)), heard((100, 130), (300, 320), status="rejected"))
    assert (one.found, one.false, one.episodes) == (0, 0, ())


def test_errors_and_delays_of_a_cramp() -> None:
    (cramp,) = scored([(100, 160)], [(103, 150)]).cramps
    assert cramp.onset_error_s == pytest.approx(3.0)
    assert cramp.duration_error_s == pytest.approx(-13.0)
    assert cramp.delay_s == pytest.approx(15.0)
    assert cramp.audible_delay_s == pytest.approx(15.0)
    assert cramp.severity == pytest.approx(47.0)


def test_splits_and_merges_are_told() -> None:
    split = scored([(100, 160)], [(100, 120), (130, 160)])
    assert (split.found, split.false, split.splits, split.merges) == (1, 0, 1, 0)
    assert split.cramps[0].onset_error_s == pytest.approx(30.0)  # of the episode with the largest overlap
    assert split.cramps[0].delay_s == pytest.approx(12.0)  # of the first to open
    merged = scored([(100, 130), (150, 180)], [(100, 180)])
    assert (merged.found, merged.splits, merged.merges) == (2, 0, 1)


def test_a_cramp_is_audible_once_it_stays_at_twice_rest() -> None:
    slow = leg((100, 300), ratio=11.0, rise_s=100.0)
    assert audible_s(slow, slow.cramps[0]) == pytest.approx(110.0, abs=2.0)
    quick = leg((100, 130))
    assert audible_s(quick, quick.cramps[0]) == pytest.approx(100.0)
    faint = leg((100, 130), ratio=1.5)
    assert audible_s(faint, faint.cramps[0]) == pytest.approx(130.0)


def test_the_envelope_leaves_mains_out() -> None:
    still = leg(duration_s=20.0)
    time_s = np.arange(still.emg.shape[1]) / FS_HZ
    hum = (still.emg + 3000 * np.sin(2 * np.pi * 50 * time_s)).astype(np.int16)
    humming = Leg(
        kind="event", sites=still.sites, emg=hum, emg_fs_hz=FS_HZ, emg_scale_uv=0.1, acc=None, acc_fs_hz=50.0,
        acc_scale_g=1.0, cramps=(),
    )  # fmt: skip
    assert rms_uv(humming, "soleus", 2, 18) == pytest.approx(rms_uv(still, "soleus", 2, 18), rel=0.05)


@given(st.integers(1, 200), st.data())
def test_shares_have_exact_and_wilson_intervals(total: int, data: st.DataObject) -> None:
    hits = data.draw(st.integers(0, total))
    exact = stats.binomtest(hits, total).proportion_ci(method="exact")
    by_score = stats.binomtest(hits, total).proportion_ci(method="wilson")
    assert (share(hits, total).low, share(hits, total).high) == pytest.approx((exact.low, exact.high), abs=1e-9)
    assert (wilson(hits, total).low, wilson(hits, total).high) == pytest.approx((by_score.low, by_score.high), abs=1e-9)


@pytest.mark.parametrize(("events", "low", "high"), [(0, 0.0, 3.689), (1, 0.0253, 5.572), (5, 1.623, 11.668)])
def test_rates_have_garwoods_interval(events: int, low: float, high: float) -> None:
    one = rate(events, 2.0)
    assert (one.value, one.low, one.high) == pytest.approx((events / 2, low / 2, high / 2), rel=1e-3)


def test_nothing_to_measure_is_no_figure() -> None:
    for one in (share(0, 0), rate(0, 0.0), wilson(0, 0), bootstrap([[], []], lambda _: 1.0)):
        assert math.isnan(one.value)


def test_the_bootstrap_draws_recordings_and_not_cramps() -> None:
    alike = [[0.0] * 50, [1.0] * 50]

    def mean(values: object) -> float:
        return float(np.mean(values))  # type: ignore[call-overload]

    of_two = bootstrap(alike, mean)
    of_many = bootstrap([[value] for group in alike for value in group], mean)
    assert (of_two.low, of_two.high) == (0.0, 1.0)
    assert of_many.high - of_many.low < 0.25
    assert bootstrap(alike, mean) == of_two


def test_spearman_is_scipys() -> None:
    pairs = [(1.0, 2.0), (2.0, 1.0), (3.0, 5.0), (3.0, 4.0), (9.0, 9.0)]
    assert spearman(pairs) == pytest.approx(stats.spearmanr(pairs).statistic)
    assert math.isnan(spearman([(1.0, 1.0), (2.0, 1.0), (3.0, 1.0)]))


def test_a_tally_adds_recordings_up() -> None:
    whole = tally([scored([(100, 130), (200, 230)], [(100, 131)]), scored([], [(10, 30), (50, 70)])])
    assert (whole.cramps, whole.found, whole.false) == (2, 1, 2)
    assert whole.sensitivity.value == 0.5
    assert whole.precision.value == pytest.approx(1 / 3)
    assert whole.false_per_event.value == 1.0
    assert math.isnan(whole.false_per_night.value)
    assert whole.duration_error.median == pytest.approx(1.0)
    of_late = cramps_where([scored([(100, 130), (300, 330)], [(300, 320)])], lambda _, cramp: cramp.onset_s > 200)
    assert of_late.value == 1.0


def test_reliability_of_what_is_always_right_and_always_sure() -> None:
    sure = reliability([score(CASE, leg((100, 130)), heard((100, 130), confidence=1.0))])
    assert (sure.brier, sure.error) == (0.0, 0.0)
    half = reliability([scored([(100, 130)], [(100, 130), (300, 330)], confidence=0.5)])
    assert half.brier == pytest.approx(0.25)
    assert half.error == pytest.approx(0.0)
    assert half.bins[0].episodes == 2


@pytest.mark.parametrize(
    ("figure", "verdict"),
    [
        (Estimate(0.97, 0.96, 0.98), "met"),
        (Estimate(0.97, 0.90, 0.99), "met, within the interval"),
        (Estimate(0.94, 0.90, 0.99), "**not met**"),
        (Estimate(math.nan, math.nan, math.nan), "not measured"),
    ],
)
def test_verdicts(figure: Estimate, verdict: str) -> None:
    assert Goal(name="sensitivity", side="least", limit=0.95, figure=figure).verdict == verdict


def test_rules_on_duration() -> None:
    grid = np.zeros(1000, bool)  # 100 s
    grid[100:160] = grid[220:300] = True  # 6 s, a gap of 6 s, 8 s
    assert rule(grid, dense=False) == [pytest.approx((10.0, 30.0))]
    assert rule(grid, dense=True) == []
    grid[160:220] = True
    ((begin, end),) = rule(grid, dense=True)
    assert (begin, end) == pytest.approx((7.6, 32.4), abs=0.3)  # a fifth of 12 s may be still at either end


def test_spans_on_a_grid_and_back() -> None:
    told = [(1.0, 2.0), (3.04, 3.06), (5.0, 9.5)]
    assert runs(lay(told, 100)) == [pytest.approx((1.0, 2.0)), pytest.approx((5.0, 9.5))]
    assert together([(5, 6), (0, 2), (1, 3)]) == [(0, 3), (5, 6)]
    assert together([(0, 2), (5, 6)], gap_s=3) == [(0, 6)]


def test_pages_are_filled_and_tables_left() -> None:
    rows = table(("a", "b"), [("x " * 100, "y")])
    assert wrap(f"# Head\n\nshort\nlines\n\n- one\n- two\n  more\n\n{rows}") == (
        f"# Head\n\nshort lines\n\n- one\n- two more\n\n{rows}"
    )
    assert between(Estimate(1.0, 0.5, 2.0), 1, " s") == "1.0 s (0.5–2.0)"
