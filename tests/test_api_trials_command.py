"""`charley trial`: a plan from a file, a schedule, people, and the report."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from api_world import HOUR_NS, World, add_wearer, assign, episode, epochs, ns
from rich.console import Console

from api.reading import Sources
from api.trials.command import Action, run_trial

FIRST = date(2026, 3, 2)
PLAN = {
    "title": "Stretching",
    "question": "Do I have fewer cramps when I stretch before bed?",
    "design": "n_of_1",
    "treatments": [{"name": "stretching"}, {"name": "no stretching", "control": True}],
    "baseline_days": 0,
    "block_days": 3,
    "seed": 5,
}


@dataclass
class Desk:
    """Runs commands over a world and keeps what they print."""

    world: World

    def run(self, action: Action, *words: str, **options: Any) -> tuple[int, str, str]:
        out, err = io.StringIO(), io.StringIO()
        sources: Sources = self.world.app.state.sources
        code = run_trial(
            sources, action, *words, **options,
            out=Console(file=out, width=200), err=Console(file=err, width=200),
        )  # fmt: skip
        return code, out.getvalue(), err.getvalue()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    world = World(tmp_path)
    yield Desk(world)
    world.close()


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(PLAN), encoding="utf-8")
    return path


def registered(desk: Desk, plan: Path) -> str:
    code, out, _ = desk.run("register", plan=plan)
    assert code == 0
    assert "SHA-256" in out
    return out.split()[2]


def test_from_the_plan_to_the_report(desk: Desk, plan: Path, tmp_path: Path) -> None:
    trial = registered(desk, plan)
    with desk.world.client() as http:
        ada = add_wearer(http)
        assign(http, ada, "leg")
    for shift in range(12):
        start_ns = ns(f"{FIRST + timedelta(days=shift)}T22:00:00+01:00")
        desk.world.write(epochs("leg", start_ns, start_ns + 6 * HOUR_NS))
        desk.world.write([episode("leg", start_ns + (1 + hour) * HOUR_NS) for hour in range(3)])
    code, joined, _ = desk.run("join", trial, ada, day="2026-03-02")
    assert (code, joined) == (0, f"{ada} takes part from 2026-03-02 to 2026-03-13\n")
    _, listed, _ = desk.run("list")
    assert trial in listed
    assert "1 of 1" in listed
    _, schedule, _ = desk.run("schedule", trial)
    assert schedule.count("no stretching") == 2
    assert "2026-03-11" in schedule
    _, shown, _ = desk.run("show", trial)
    assert "Do I have fewer cramps when I stretch before bed?" in shown
    assert trial in shown
    assert ada in shown
    code, report, _ = desk.run("report", trial)
    assert code == 0
    assert report.startswith(
        "On stretching you had 28.0 cramps a week (of seven nights of eight hours), on no stretching 28.0: as many"
    )
    assert "not a medical device" in report
    assert "sensitivity" in report
    assert "a: quasi-Poisson regression" in report
    assert "0.000" not in report
    page = tmp_path / "report.html"
    assert desk.run("report", trial, html=page)[0] == 0
    assert "On stretching you had 28.0 cramps a week" in page.read_text(encoding="utf-8")
    code, text, _ = desk.run("report", trial, as_json=True)
    assert json.loads(text)["conclusion"] == "no_difference_shown"
    assert desk.run("leave", trial, ada, day="2026-03-10", reason="travelled")[0] == 0
    assert "2026-03-10" in desk.run("schedule", trial)[1]


def test_a_sealed_key_stays_sealed(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "blinded.json"
    path.write_text(json.dumps(PLAN | {"blinded": True}), encoding="utf-8")
    trial = registered(desk, path)
    with desk.world.client() as http:
        ada = add_wearer(http)
    desk.run("join", trial, ada, day="2026-03-02")
    _, schedule, _ = desk.run("schedule", trial)
    assert "stretching" not in schedule
    assert "stretching" not in desk.run("report", trial)[1]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", "Correct the plan"),
        (json.dumps(PLAN | {"block_days": 2}), "too short"),
        (json.dumps(PLAN | {"colour": "red"}), "colour"),
        (None, "cannot be read"),
    ],
)
def test_a_plan_that_cannot_be_registered(desk: Desk, tmp_path: Path, content: str | None, says: str) -> None:
    path = tmp_path / "bad.json"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    code, out, err = desk.run("register", plan=path)
    assert (code, out) == (2, "")
    assert says in err


def test_what_is_not_there_or_not_said(desk: Desk, plan: Path) -> None:
    trial = registered(desk, plan)
    for words, options, says in (
        (("show", "t0"), {}, "no such trial"),
        (("report", "t0"), {}, "no such trial"),
        (("register",), {}, "Name the file"),
        (("join", trial, "w0"), {"day": "2026-03-02"}, "no such wearer: GET /api/v1/wearers has the ids"),
        (("join", trial, "w0"), {"day": "today"}, "local date"),
        (("join", trial, "w0"), {}, "--day: charley trial join TRIAL WEARER --day 2026-12-01"),
        (("leave", trial, "w0"), {"reason": "ill"}, "--day: charley trial leave TRIAL WEARER --day"),
        (("leave", trial, "w0"), {"day": "2026-03-02", "reason": "x"}, "no such member"),
    ):
        code, _, err = desk.run(*words, **options)  # type: ignore[arg-type]
        assert code == 2
        assert says in err


@pytest.mark.parametrize("action", ["list", "report"])
def test_where_there_is_no_data_folder_none_is_made(tmp_path: Path, action: str) -> None:
    folder = tmp_path / "data"
    environ = os.environ | {"CHARLEY_DATA_DIR": str(folder)}
    environ.pop("CHARLEY_REGISTRY_URL", None)
    ran = subprocess.run(
        [sys.executable, "-m", "charley", "trial", action, "t0"],
        env=environ, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert ran.returncode == 2
    assert "There is no registry yet" in ran.stderr
    assert not folder.exists()
