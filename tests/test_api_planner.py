"""The planner before a trial: power by size, the sentence, the address and the command."""

import io
import math
import re
from dataclasses import replace
from pathlib import Path

import httpx
import numpy as np
import pytest
from rich.console import Console

from api.errors import Invalid
from api.statistics.power import power_two_rates
from api.statistics.power_tables import Presumed, levels_of, periods_of, weeks_of
from api.trials.planner import Ask, Planned, Step, layout_of, plan, power_of, sizes_of
from api.trials.planner_command import run_plan
from api.trials.planner_words import notes, power_told, sentence
from api.trials.plans import days_of
from api.trials.values import Plan, Treatment

CLEAN = Presumed(per_week=5.0, weekly_k=math.inf, usable=1.0, sensitivity=1.0, false_alarms=0.0)
URL = "/api/v1/planner"
DOCS = (Path(__file__).parents[1] / "docs" / "api.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("false_alarms", "seen"), [(0.03, 0.54), (0.1, 0.62), (0.25, 0.72), (0.5, 0.80), (1.0, 0.88)])
def test_false_alarms_dilute_a_ratio_as_is_known(false_alarms: float, seen: float) -> None:
    presumed = Presumed(per_week=2.5, ratio=0.5, sensitivity=0.9, false_alarms=false_alarms)
    assert presumed.seen_ratio == pytest.approx(seen, abs=0.005)


def test_drawn_counts_are_as_presumed() -> None:
    presumed = Presumed(per_week=4.0, correlation=0.5, usable=0.8, sensitivity=0.9, false_alarms=0.2)
    rng = np.random.default_rng(1)
    levels = levels_of(presumed, trials=400, people=100, periods=2, rng=rng)
    counts, exposures = periods_of(presumed, levels, weeks=np.full((1, 1, 2), 4.0), rng=rng)
    assert exposures.mean() == pytest.approx(4 * 0.8, rel=0.01)
    assert counts.sum() / exposures.sum() == pytest.approx(0.9 * 4.0 + 7 * 0.2, rel=0.02)
    one = replace(presumed, people_shape=math.inf, usable=1.0, sensitivity=1.0, false_alarms=0.0)
    weekly, _ = weeks_of(one, np.ones((1000, 20)), rng=rng)
    assert weekly.var() == pytest.approx(4.0 + 16.0 / 3.0, rel=0.05)


@pytest.mark.parametrize("correlation", [0.37, 0.5, 0.6])
def test_counts_of_two_periods_correlate_as_presumed(correlation: float) -> None:
    presumed = Presumed(per_week=4.0, correlation=correlation, usable=1.0, sensitivity=1.0, false_alarms=0.0)
    rng = np.random.default_rng(2)
    levels = levels_of(presumed, trials=1, people=60_000, periods=2, rng=rng)
    counts, _ = periods_of(presumed, levels, weeks=np.full((1, 1, 2), 4.0), rng=rng)
    assert np.corrcoef(counts[0].T)[0, 1] == pytest.approx(correlation, abs=0.02)


def test_weeks_drawn_at_once_spread_as_weeks_drawn_one_by_one() -> None:
    presumed = Presumed(per_week=6.0, weekly_k=1.5, people_shape=math.inf, usable=0.5)
    rng = np.random.default_rng(3)
    weekly, _ = weeks_of(presumed, np.ones((40_000, 4)), rng=rng)
    levels = np.full((1, 40_000, 1), 6.0)
    whole, _ = periods_of(presumed, levels, weeks=np.full((1, 1, 1), 4.0), rng=rng)
    assert whole.mean() == pytest.approx(weekly.sum(axis=1).mean(), rel=0.02)
    assert whole.var() == pytest.approx(weekly.sum(axis=1).var(), rel=0.04)


def test_many_steady_weeks_have_the_power_of_the_textbook() -> None:
    """Without overdispersion, dilution or missing nights it is that of two Poisson counts."""
    step = power_of(Ask("before_after", replace(CLEAN, ratio=0.7)), 20)
    assert step.power == pytest.approx(power_two_rates(expected_a=100, expected_b=100, ratio=0.7), abs=0.035)


def test_a_plan_says_what_is_needed() -> None:
    planned = plan(Ask("n_of_1", Presumed(per_week=8.0)))
    assert planned.smallest is not None
    cycles = planned.smallest.layout.cycles
    assert planned.smallest.power >= 0.8
    assert power_of(planned.ask, cycles - 2).power < 0.8
    said = sentence(planned)
    assert said.startswith(
        f"With 8 cramps a week you need {cycles} pairs of 2-week blocks ({4 * cycles} weeks): then 8"
    )
    assert said.endswith("halves them.")
    assert "seen as 0.54" in " ".join(notes(planned))
    assert power_of(planned.ask, cycles) == planned.smallest  # the seed is fixed


def test_too_few_cramps_are_said_to_be_too_few() -> None:
    planned = plan(Ask("before_after", Presumed(per_week=1.0, ratio=0.75), block_weeks=4))
    assert planned.smallest is None
    said = sentence(planned)
    assert "With 1 cramp a week even 28 weeks before and 28 weeks with it are not enough" in said
    assert "a quarter of them" in said
    assert "With 4 weeks before" in said
    assert "placebo arms fell by 28 to 36 %" in notes(planned)[0]


def test_power_rises_with_size_and_falls_with_what_is_in_the_way() -> None:
    ask = Ask("crossover", Presumed(per_week=3.0))
    powers = [power_of(ask, size).power for size in (8, 16, 32)]
    assert powers == sorted(powers)
    for worse in (
        replace(ask, presumed=replace(ask.presumed, false_alarms=1.0)),
        replace(ask, presumed=replace(ask.presumed, ratio=0.75)),
        replace(ask, presumed=replace(ask.presumed, correlation=0.2)),
        replace(ask, presumed=replace(ask.presumed, usable=0.3)),
        replace(ask, drop_out=0.5),
        replace(ask, alpha=0.01),
    ):
        assert power_of(worse, 16).power < powers[1] - 0.03


@pytest.mark.parametrize(
    ("design", "by"), [("parallel", "wearers"), ("factorial", "wearers"), ("crossover", "wearers")]
)
def test_groups_are_planned_by_their_number(design: str, by: str) -> None:
    planned = plan(Ask(design, Presumed(per_week=6.0, ratio=0.4, false_alarms=0.0), wearers=8))  # type: ignore[arg-type]
    assert planned.ask.by == by
    assert planned.smallest is not None
    assert planned.asked is not None
    assert planned.smallest.layout.wearers > planned.asked.layout.wearers
    assert f"{planned.smallest.layout.wearers} people" in sentence(planned)


def test_every_size_that_is_proposed_can_be_registered() -> None:
    both = (Treatment("A", "magnesium"), Treatment("B", "placebo", control=True))
    for cycles in sizes_of(Ask("n_of_1", CLEAN)):
        assert days_of(Plan("t", "q", "n_of_1", both, baseline_days=0, block_days=14, cycles=cycles)) <= 400
    for weeks in sizes_of(Ask("before_after", CLEAN)):
        assert days_of(Plan("t", "q", "before_after", both[:1], baseline_days=7 * weeks, block_days=7 * weeks)) <= 400


def test_what_is_presumed_is_said() -> None:
    few = replace(CLEAN, per_week=0.4, weekly_k=3.0)
    ask = Ask("crossover", few, wearers=40, drop_out=0.25)
    step = power_of(ask, 40, fine=False)
    said = " ".join(notes(Planned(ask, None, None, (step,))))
    assert "correlate at 0.35 at most" in said
    assert "25 % are presumed to drop out" in said
    assert "seen as" not in said  # nothing is missed, and there are no false alarms
    assert f"share of {step.trials} simulated trials" in said
    factorial = Planned(replace(ask, design="factorial"), None, None, (step,))
    assert "ratio of 0.75" in " ".join(notes(factorial))


@pytest.mark.parametrize(
    ("power", "said"),
    [(0.8, "8 of 10"), (0.82, "8 of 10"), (0.85, "85 of 100"), (0.02, "2 of 100"), (0.999, "100 of 100")],
)
def test_power_is_said_so_that_it_can_be_pictured(power: float, said: str) -> None:
    ask = Ask("crossover", CLEAN, wearers=40)
    step = Step(layout_of(ask, 40), power, 4000)
    assert sentence(Planned(ask, step, None, (step,))).endswith(
        f"you need 40 people who take each for 4 weeks: then {said} such trials find a treatment that halves them."
    )


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"presumed": replace(CLEAN, per_week=0.0)}, "rate"),
        ({"presumed": replace(CLEAN, ratio=1.0)}, "ratio"),
        ({"presumed": replace(CLEAN, usable=0.0)}, "usable"),
        ({"presumed": replace(CLEAN, false_alarms=math.nan)}, "false_alarms"),
        ({"power": 1.0}, "power"),
        ({"drop_out": 0.9}, "drop_out"),
        ({"block_weeks": 0}, "block_weeks"),
        ({"block_weeks": 20}, "block_weeks"),
        ({"cycles": 1}, "cycles"),
        ({"wearers": 501}, "wearers"),
    ],
)
def test_what_cannot_be_planned_is_refused_by_name(change: dict[str, object], name: str) -> None:
    with pytest.raises(Invalid) as refused:
        plan(replace(Ask("n_of_1", CLEAN), **change))  # type: ignore[arg-type]
    assert refused.value.name == name


def test_the_document_says_what_the_planner_says() -> None:
    section = DOCS.split("## Planning a trial")[1].split("\n## ")[0]
    usual = dict(re.findall(r"^\| `(\w+)` \| ([\d.]+) \|", section, flags=re.MULTILINE))
    ask = Ask("n_of_1", Presumed(per_week=8.0))
    for name, value in usual.items():
        assert float(value) == getattr(ask if hasattr(ask, name) else ask.presumed, name), name
    quoted = re.search(r'"(With 8 cramps .*?)"', section, flags=re.DOTALL)
    assert quoted is not None
    assert " ".join(quoted[1].split()) == sentence(plan(ask))
    assert "alpha" in usual
    assert set(re.findall(r"`(\w+)`", section.split("| parameter |")[1].split("\n\n")[0])) == set(usual)


def test_the_address_answers_for_each_ratio(http: httpx.Client) -> None:
    found = http.get(URL, params={"design": "before_after", "rate": 8, "block_weeks": 6, "false_alarms": 0.03})
    assert found.status_code == 200
    answers = found.json()["answers"]
    assert [one["ratio"] for one in answers] == [0.5, 0.75]
    assert answers[0]["asked"]["power"] > answers[1]["asked"]["power"]
    assert answers[0]["smallest"]["power"] >= 0.8
    assert [row["block_weeks"] for row in answers[0]["table"]][:3] == [2, 4, 6]
    assert answers[0]["sentence"].startswith("With 8 cramps a week you need")


@pytest.mark.parametrize("wrong", [{"rate": 0}, {"ratio": 2}, {"design": "other"}, {"rate": "nan"}, {"wearers": 0}])
def test_the_address_refuses_with_a_reason(http: httpx.Client, wrong: dict[str, object]) -> None:
    found = http.get(URL, params={"design": "crossover", "rate": 4, **wrong})
    assert found.status_code == 422
    assert found.headers["content-type"] == "application/problem+json"


def test_the_command_shows_a_sentence_and_a_table() -> None:
    out, err = Console(file=io.StringIO(), width=100), Console(file=io.StringIO(), width=100)
    asks = [Ask("before_after", Presumed(per_week=8.0, ratio=ratio)) for ratio in (0.3, 0.5)]
    assert run_plan(asks, out=out, err=err) == 0
    said = out.file.getvalue()  # type: ignore[attr-defined]
    assert said.count("With 8 cramps a week you need") == 2
    assert "Ratio 0.5, seen as 0.54" in said
    assert run_plan([replace(asks[0], power=2.0)], out=out, err=err) == 2
    assert "power wanted" in err.file.getvalue()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("power", "told", "of"),
    [(0.7996, "79.9%", "79 of 100"), (0.80, "80.0%", "8 of 10"), (0.78, "78%", "78 of 100"), (0.71, "71%", "7 of 10"),
     (0.829, "83%", "83 of 100")],
)  # fmt: skip
def test_a_power_just_too_small_is_not_rounded_to_enough(power: float, told: str, of: str) -> None:
    ask = Ask("n_of_1", Presumed(per_week=8.0, ratio=0.5))
    step = Step(layout_of(ask, 10), power, 2000)
    assert power_told(power, wanted=0.8) == told
    assert f"even 10 pairs of 2-week blocks (40 weeks) are not enough: only {of} such" in sentence(
        Planned(ask, None, None, (step,))
    )
