"""What `results.json` keeps of simulated cohorts is within the goal, whole, and on the page."""

import json
from typing import Any

import pytest

from benchmarks.trials.articles import shapes
from benchmarks.trials.coverage import TRIALS
from benchmarks.trials.designs import CASES, RATIOS
from benchmarks.trials.figure import FIGURE, LINK
from benchmarks.trials.judge import COVERAGE, FALSE_POSITIVE
from benchmarks.trials.page import PAGE, RESULTS
from benchmarks.trials.system import TRIALS as SENT


@pytest.fixture(scope="module")
def tables() -> dict[str, list[dict[str, str]]]:
    """By title, rows by the names of their columns."""
    made: list[dict[str, Any]] = json.loads(RESULTS.read_text(encoding="utf-8"))["cohorts"]["tables"]
    return {one["title"]: [dict(zip(one["columns"], row, strict=True)) for row in one["rows"]] for one in made}


def share(cell: str) -> float:
    """The share that a cell begins with."""
    return float(cell.split(" %", maxsplit=1)[0]) / 100


def test_intervals_and_tests_of_every_design_are_within_the_goal(tables: dict[str, list[dict[str, str]]]) -> None:
    rows = tables["How often the intervals hold the truth"]
    assert len(rows) == len(CASES) * len(RATIOS)
    for row in rows:
        assert int(row["trials"].split()[0]) == TRIALS
        assert COVERAGE[0] <= share(row["interval holds the truth"]) <= COVERAGE[1], row
        if row["true ratio"] == "1":
            assert FALSE_POSITIVE[0] <= share(row["false positives"]) <= FALSE_POSITIVE[1], row
        assert abs(float(row["bias"].split(" %")[0])) < 6, row
        assert row["within the goal"] == "yes"


def test_every_trial_through_the_system_is_equal(tables: dict[str, list[dict[str, str]]]) -> None:
    rows = tables["Through the whole system"]
    assert len(rows) == len(CASES)
    for row in rows:
        assert (int(row["trials"]), int(row["equal"])) == (SENT, SENT)


def test_a_naive_test_is_too_sure_and_ours_is_not(tables: dict[str, list[dict[str, str]]]) -> None:
    for row in tables["Weeks differ by more than chance"]:
        assert share(row["naive positives"]) > 0.05, row
        assert share(row["our verdict is an effect"]) < 0.07, row
        if float(row["cramps a week"]) * int(row["weeks an arm"]) >= 20:
            assert 0.035 < share(row["our false positives"]) < 0.07, row
            assert share(row["naive positives"]) > 2 * share(row["our false positives"]), row


def test_a_fall_of_placebo_fools_before_and_after_only(tables: dict[str, list[dict[str, str]]]) -> None:
    for row in tables["A placebo's fall, taken for an effect"]:
        alone = "before" in row["design"] and "arms" not in row["design"]
        assert (share(row["our interval holds 1"]) < 0.93) == alone, row


def test_false_alarms_dilute_as_arithmetic_says(tables: dict[str, list[dict[str, str]]]) -> None:
    for row in tables["False alarms dilute an effect"]:
        assert abs(float(row["seen as, median"]) - float(row["seen as, by arithmetic"])) < 0.04, row


def test_every_system_is_simulated_with_an_effect_and_without(tables: dict[str, list[dict[str, str]]]) -> None:
    rows = tables["The systems of the articles, simulated"]
    assert [row["system"] for row in rows[::2]] == [f"{shape.name} ({shape.source})" for shape in shapes()]
    assert all(row["true ratio"] == "1" for row in rows[::2])
    assert all(float(row["true ratio"]) < 1 for row in rows[1::2])
    for without, works in zip(rows[::2], rows[1::2], strict=True):
        assert share(works["says fewer"]) > share(without["says fewer"])


def test_the_page_shows_what_is_kept() -> None:
    shown = PAGE.read_text(encoding="utf-8")
    for made in json.loads(RESULTS.read_text(encoding="utf-8"))["cohorts"]["tables"]:
        assert f"### {made['title']}\n\n{made['note']}\n" in shown
        for row in made["rows"]:
            assert f"| {' | '.join(row)} |" in shown
    assert LINK in shown
    assert FIGURE.read_bytes().startswith(b"\x89PNG")
    assert FIGURE.stat().st_size < 120_000
