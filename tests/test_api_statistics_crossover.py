"""AB/BA crossovers: a published trial, brute force over who got which sequence, and simulated people."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from api.statistics.crossover import crossover
from api.statistics.crossover_binary import (
    Preferences,
    binary_crossover,
    carry_over,
    mainland_gart,
    period_effect,
    prescott,
)
from api.statistics.paired import paired_t

# Armitage and Berry's trial of a drug against bed-wetting: dry nights of fourteen, 17 with the drug first, 12 second.
DRUG_FIRST = [(8, 5), (14, 10), (8, 0), (9, 7), (11, 6), (3, 5), (6, 0), (0, 0), (13, 12), (10, 2), (7, 5), (13, 13),
              (8, 10), (7, 7), (9, 0), (10, 6), (2, 2)]  # fmt: skip
DRUG_LAST = [(12, 11), (6, 8), (13, 9), (8, 8), (8, 9), (4, 8), (8, 14), (2, 4), (8, 13), (9, 7), (7, 10), (7, 6)]
# Senn, Cross-over Trials in Clinical Research: formoterol and salbutamol, who did well in which period only.
FORMOTEROL_FIRST, SALBUTAMOL_FIRST = Preferences(9, 3, 0), Preferences(1, 5, 6)

cells = st.integers(0, 3)
sequences = st.builds(Preferences, first=cells, none=cells, second=cells).filter(lambda found: found.people > 0)


def test_the_trial_against_bed_wetting_by_t() -> None:
    """Hills and Armitage 1979: 2.04 more dry nights (0.77 to 3.31), t = 3.29 on 27; ignoring periods 2.17, t = 3.53."""
    found = crossover(DRUG_FIRST, DRUG_LAST, method="t")
    assert found.treatment.value == pytest.approx(2.0368, abs=1e-4)
    assert (found.treatment.low, found.treatment.high) == pytest.approx((0.77, 3.31), abs=5e-3)
    assert found.treatment.p == pytest.approx(2 * stats.t.sf(3.29, 27), rel=0.02)
    assert found.period.value == pytest.approx(-0.787, abs=1e-3)
    ignored = paired_t([a - b for a, b in DRUG_FIRST] + [b - a for a, b in DRUG_LAST])
    assert ignored.value == pytest.approx(2.172, abs=5e-4)
    assert ignored.p == pytest.approx(2 * stats.t.sf(3.53, 28), rel=0.02)


def test_the_trial_against_bed_wetting_by_ranks() -> None:
    found = crossover(DRUG_FIRST, DRUG_LAST)
    falls_ab = [a - b for a, b in DRUG_FIRST]
    falls_ba = [a - b for a, b in DRUG_LAST]
    assert found.treatment.value == np.median([x - y for x in falls_ab for y in falls_ba]) / 2
    assert found.treatment.low > 0
    assert found.treatment.p == pytest.approx(stats.mannwhitneyu(falls_ab, falls_ba).pvalue, abs=0.002)
    assert found.carry_over.p == pytest.approx(
        stats.mannwhitneyu([a + b for a, b in DRUG_FIRST], [a + b for a, b in DRUG_LAST]).pvalue, abs=0.02
    )
    assert "little power" in found.carry_over.note


def test_effects_that_were_put_in_come_out() -> None:
    rng = np.random.default_rng(2)
    level = rng.normal(20, 5, 4000)
    noise = rng.normal(0, 1, (4000, 2))
    treatment, period, carried = -3.0, 1.5, 0.8
    ab = [(own + treatment + e[0], own + period + carried + e[1])
          for own, e in zip(level[:2000], noise[:2000], strict=True)]  # fmt: skip
    ba = [(own + e[0], own + treatment + period + e[1]) for own, e in zip(level[2000:], noise[2000:], strict=True)]
    found = crossover(ab, ba, method="t")
    assert found.treatment.value == pytest.approx(treatment - carried / 2, abs=0.1)  # a carry-over biases, as it must
    assert found.period.value == pytest.approx(period + carried / 2, abs=0.1)
    assert found.carry_over.value == pytest.approx(carried, abs=1.5)


def test_turning_treatments_turns_the_sign_and_nothing_else() -> None:
    one, other = crossover(DRUG_FIRST, DRUG_LAST), crossover(DRUG_LAST, DRUG_FIRST)
    assert (other.treatment.value, other.treatment.low) == (-one.treatment.value, -one.treatment.high)
    assert other.treatment.p == pytest.approx(one.treatment.p)
    assert other.period.value == one.period.value


def test_who_gave_one_period_only_is_left_out_and_told() -> None:
    found = crossover([*DRUG_FIRST, (3, math.nan)], DRUG_LAST)
    assert found.treatment.value == crossover(DRUG_FIRST, DRUG_LAST).treatment.value
    assert found.treatment.note == "1 of 30 had data in one period only."
    assert not crossover([], DRUG_LAST).treatment.known


def test_senns_example() -> None:
    """Of 16 who differ 10 did better in their first period: 10 ways of 11,440 are so far out."""
    found = binary_crossover(FORMOTEROL_FIRST, SALBUTAMOL_FIRST)
    assert found.mainland_gart.p == pytest.approx(10 / math.comb(16, 9))
    assert found.mainland_gart.value == math.inf
    assert found.prescott.value == pytest.approx((9 / 12 + 5 / 12) / 2)
    assert found.prescott.p is not None
    assert found.mainland_gart.p is not None
    assert found.prescott.p < found.mainland_gart.p  # as Prescott claims for it
    assert found.mcnemar.p == pytest.approx(2 * (1 + 16) / 2**16)
    assert "period" in found.why
    assert found.period.p is not None
    assert found.period.p > 0.05


def test_luis_odds_ratio() -> None:
    """Lui's program: 32 of 48 and 15 of 56 who differ were better in their second period: odds ratio 2.338."""
    found = mainland_gart(Preferences(16, 0, 32), Preferences(41, 0, 15))
    assert 1 / found.value == pytest.approx(math.sqrt(32 * 41 / (16 * 15)), rel=0.01)  # his is the unconditional one
    turned = mainland_gart(Preferences(41, 0, 15), Preferences(16, 0, 32))
    assert turned.value == pytest.approx(1 / found.value, rel=1e-4)


@settings(max_examples=60)
@given(sequences, sequences)
def test_prescott_is_brute_force_over_who_got_which_sequence(ab: Preferences, ba: Preferences) -> None:
    scores = [1] * (ab.first + ba.first) + [0] * (ab.none + ba.none) + [-1] * (ab.second + ba.second)
    middle = sum(scores) * ab.people / len(scores)
    seen = abs(ab.first - ab.second - middle)
    sums = [abs(sum(chosen) - middle) for chosen in itertools.combinations(scores, ab.people)]
    assert prescott(ab, ba).p == pytest.approx(np.mean([far >= seen - 1e-9 for far in sums]))


@settings(max_examples=40)
@given(sequences, sequences)
def test_mainland_gart_is_brute_force_over_who_differs(ab: Preferences, ba: Preferences) -> None:
    found = mainland_gart(ab, ba)
    differs = ab.first + ab.second
    if min(differs, ba.first + ba.second) == 0:
        assert not found.known
        return
    periods = [1] * (ab.first + ba.first) + [0] * (ab.second + ba.second)
    chosen = [sum(some) for some in itertools.combinations(periods, differs)]
    chance = {count: chosen.count(count) / len(chosen) for count in set(chosen)}
    assert found.p == pytest.approx(sum(p for p in chance.values() if p <= chance[ab.first] * (1 + 1e-7)))


def test_a_pure_period_effect_fools_mcnemar_but_not_the_others() -> None:
    everybody_later = Preferences(2, 5, 30), Preferences(1, 4, 12)  # unequal sequences, all better in the second period
    found = binary_crossover(*everybody_later)
    for estimate in (found.prescott, found.mainland_gart):
        assert estimate.p is not None
        assert estimate.p > 0.5
    assert found.mcnemar.p is not None
    assert found.mcnemar.p < 0.05
    assert found.period.p is not None
    assert found.period.p < 0.001
    assert found.period.value > 1


def test_prescott_keeps_its_level_whatever_the_period_does() -> None:
    rng = np.random.default_rng(8)
    wrong = 0
    for _ in range(400):
        ab, ba = (Preferences(*rng.multinomial(15, (0.15, 0.4, 0.45))) for _ in range(2))
        p = prescott(ab, ba).p
        assert p is not None
        wrong += p <= 0.05
    assert wrong / 400 < 0.06


def test_the_interval_of_prescotts_difference_covers() -> None:
    rng = np.random.default_rng(9)
    inside = 0
    for _ in range(400):
        ab = Preferences(*rng.multinomial(40, (0.35, 0.45, 0.2)))
        ba = Preferences(*rng.multinomial(40, (0.1, 0.45, 0.45)))
        found = prescott(ab, ba)
        inside += found.low <= (0.15 + 0.35) / 2 <= found.high
    assert 0.92 < inside / 400 < 0.98


def test_nobody_and_everybody_alike() -> None:
    nobody = Preferences(0, 0, 0)
    assert not prescott(nobody, Preferences(1, 0, 0)).known
    assert not mainland_gart(Preferences(0, 4, 0), SALBUTAMOL_FIRST).known
    alike = prescott(Preferences(5, 0, 0), Preferences(0, 0, 5))
    assert (alike.value, alike.low, alike.high) == (1.0, -1.0, 1.0)
    assert "cannot be estimated" in alike.note
    assert alike.p == pytest.approx(2 / math.comb(10, 5))


def test_carry_over_goes_by_those_who_do_not_differ() -> None:
    found = carry_over(both_ab=8, neither_ab=2, both_ba=3, neither_ba=7)
    assert found.p == pytest.approx(stats.fisher_exact([[8, 2], [3, 7]]).pvalue)
    assert period_effect(FORMOTEROL_FIRST, SALBUTAMOL_FIRST).null == 1.0
