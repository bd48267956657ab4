"""What docs/trials.md says of the planner: every design, within three points; and it can be made again."""

import json
import math
from typing import get_args

import pytest

from api.trials.planner import power_of
from api.trials.values import Design
from benchmarks.trials.planner import GOAL, RESULTS, SETTINGS, Hits, Part, rejected, table

TRIALS = 100


def test_the_planner_is_within_three_points_of_the_analysis_in_every_setting() -> None:
    made = json.loads(RESULTS.read_text())["planner"]["tables"][0]
    rows = [dict(zip(made["columns"], row, strict=True)) for row in made["rows"]]
    assert len(rows) == len(SETTINGS) >= 24
    assert {row["design"] for row in rows} == set(get_args(Design))
    assert all(int(row["trials"]) >= 2000 for row in rows)
    assert all(abs(float(row["difference, points"])) <= 100 * GOAL for row in rows)


@pytest.mark.parametrize("number", [7, 11])
def test_a_setting_can_be_tried_again(number: int) -> None:
    ask, size = SETTINGS[number]
    hits = rejected(Part(number, 0, TRIALS))
    power = power_of(ask, size).power
    assert hits / TRIALS == pytest.approx(power, abs=4 * math.sqrt(power * (1 - power) / TRIALS))


def test_the_table_shows_the_largest_difference() -> None:
    (ask, size), *_ = some = SETTINGS[:2]
    made, worst = table([Hits(100, 100), Hits(100, 100)], settings=some)
    assert worst == pytest.approx(1.0 - power_of(ask, size).power)
    assert f"largest difference is {100 * worst:.1f} points" in made.note
    assert made.rows[0][-1] == f"{-100 * worst:+.1f}"
