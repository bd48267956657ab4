"""Schedules: the same for ever, balanced, without gaps, and saying nothing of the key."""

from collections import Counter
from datetime import date, timedelta
from itertools import pairwise

import pytest
from trial_cases import FIRST, plan

from api.trials.plans import days_of
from api.trials.schedule import arms_of, phases_of, sequence_of
from api.trials.values import Phase, Plan

CROSSOVER = ["AB", "AB", "BA", "BA", "BA", "AB", "BA", "AB"]
FACTORIAL = ["B", "AB", "", "A", "A", "AB", "", "B"]
BLOCKS = ["ABBAABBA", "ABABBAAB"]


def schedule(of: Plan, place: int = 0) -> list[Phase]:
    return phases_of(of, wearer="w", place=place, first=FIRST)


def test_the_allocation_of_a_seed_never_changes() -> None:
    """A trial that runs must not be drawn anew by another release: these are written down."""
    assert [sequence_of(plan("crossover", seed=5), place) for place in range(8)] == CROSSOVER
    assert [sequence_of(plan("factorial", seed=5), place) for place in range(8)] == FACTORIAL
    assert [sequence_of(plan("n_of_1", seed=5, cycles=4), place) for place in range(2)] == BLOCKS


@pytest.mark.parametrize("design", ["crossover", "parallel", "factorial"])
@pytest.mark.parametrize("seed", range(20))
def test_every_four_wearers_are_balanced(design: str, seed: int) -> None:
    of = plan(design, seed=seed)
    for block in range(3):
        drawn = Counter(sequence_of(of, 4 * block + place) for place in range(4))
        assert drawn == dict.fromkeys(arms_of(of), 4 // len(arms_of(of)))


def test_all_orders_of_a_block_are_drawn() -> None:
    orders = Counter(
        "".join(sequence_of(plan("parallel", seed=seed), place) for place in range(4)) for seed in range(600)
    )
    assert set(orders) == {"AABB", "ABAB", "ABBA", "BAAB", "BABA", "BBAA"}
    assert all(60 <= count <= 145 for count in orders.values())  # 100 each, give or take 4.5 standard deviations


def test_blocks_of_one_person_come_in_pairs() -> None:
    for seed in range(50):
        sequence = sequence_of(plan("n_of_1", seed=seed, cycles=6), 0)
        pairs = [sequence[at : at + 2] for at in range(0, 12, 2)]
        assert set(pairs) <= {"AB", "BA"}
    firsts = Counter(sequence_of(plan("n_of_1", seed=seed), 0)[0] for seed in range(400))
    assert 155 <= firsts["A"] <= 245


@pytest.mark.parametrize(
    "of",
    [
        plan("before_after", baseline_days=28, block_days=42),
        plan("n_of_1", cycles=3, washout_days=4),
        plan("crossover", washout_days=14, baseline_days=0),
        plan("parallel"),
        plan("factorial"),
    ],
    ids=lambda of: of.design,
)
def test_phases_follow_each_other_without_gaps(of: Plan) -> None:
    phases = schedule(of)
    assert phases[0].first == FIRST
    assert all(later.first == earlier.last + timedelta(days=1) for earlier, later in pairwise(phases))
    assert (phases[-1].last - FIRST).days + 1 == days_of(of)
    assert [phase.position for phase in phases if phase.kind == "treatment"] == list(
        range(1, 1 + sum(phase.kind == "treatment" for phase in phases))
    )


def test_a_crossover_has_baseline_period_washout_period() -> None:
    phases = schedule(plan("crossover", baseline_days=14, block_days=28, washout_days=7, seed=5))
    told = [(phase.kind, phase.label, phase.first, phase.last) for phase in phases]
    first, second = phases[0].sequence
    assert told == [
        ("baseline", "", date(2026, 1, 5), date(2026, 1, 18)),
        ("treatment", first, date(2026, 1, 19), date(2026, 2, 15)),
        ("washout", "", date(2026, 2, 16), date(2026, 2, 22)),
        ("treatment", second, date(2026, 2, 23), date(2026, 3, 22)),
    ]


def test_blocks_know_their_cycle() -> None:
    blocks = [phase for phase in schedule(plan("n_of_1", cycles=3)) if phase.kind == "treatment"]
    assert [block.cycle for block in blocks] == [1, 1, 2, 2, 3, 3]


def test_a_blinded_factorial_trial_shows_numbers_of_packs() -> None:
    arms = {sequence_of(plan("factorial", blinded=True), place) for place in range(4)}
    assert arms == {"1", "2", "3", "4"}
