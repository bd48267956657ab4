"""The address of a trial's report: from the same analysis as the API, numbered unless names are asked for."""

import httpx
import pytest
from api_world import World, add_wearer, assign, check_problem, enrol, episode, epochs, get, ns
from test_api_report import Page

from api.report import style_hash
from api.report.words import figure

PLAN = {
    "title": "Stretching & <sleep>",
    "question": "Are there fewer cramps in weeks with stretching?",
    "design": "n_of_1",
    "treatments": [{"name": "calf stretch"}, {"name": "nothing", "control": True}],
    "baseline_days": 0,
    "block_days": 3,
    "cycles": 2,
    "seed": 4,
}


@pytest.fixture
def world(world: World) -> World:
    world.now = "2026-03-16T12:00:00"
    return world


def trial_of(world: World, http: httpx.Client) -> tuple[str, str]:
    """A trial of twelve nights that has ended, and its wearer."""
    now, world.now = world.now, "2026-03-01T12:00:00"
    ada = add_wearer(http, "Ada Lovelace", zone="Europe/London")
    assign(http, ada, "leg")
    trial = enrol(http, ada, PLAN, first="2026-03-02")["id"]
    world.now = now
    for day in range(2, 14):
        if day == 6:
            continue  # a night that is missing
        start = ns(f"2026-03-{day:02}T22:00:00")
        world.write(epochs("leg", start, start + 6 * 3600 * 10**9))
        world.write(episode("leg", start + number * 3600 * 10**9) for number in range(1, 2 + day % 3))
    return trial, ada


def report(http: httpx.Client, trial: str, **params: str) -> httpx.Response:
    """The report, asked for until it is there; meanwhile the page must ask again by itself."""
    for _ in range(2000):
        response = http.get(f"/api/v1/trials/{trial}/report", params=params)
        assert response.headers["content-type"].startswith("text/html")
        assert f"style-src {style_hash()}" in response.headers["content-security-policy"]
        assert "script-src" not in response.headers["content-security-policy"]
        if response.status_code != 202:
            return response
        waiting = Page(response.text)
        assert {"http-equiv": "refresh", "content": "3"} in waiting.named("meta")
        assert "being read and analysed" in waiting.text
        assert response.headers["retry-after"]
    raise AssertionError("the report never came")


def test_the_report_is_the_analysis_of_the_api(world: World) -> None:
    with world.client() as http:
        trial, ada = trial_of(world, http)
        world.app.state.analyses.patience_s = 0.0
        first = http.get(f"/api/v1/trials/{trial}/report")
        assert first.status_code == 202
        answer = report(http, trial)
        analysis = get(http, f"/trials/{trial}/analysis")["analysis"]
        registered = get(http, f"/trials/{trial}")
    page = Page(answer.text)
    assert answer.status_code == 200
    for said in (analysis["verdict"], analysis["methods"], *analysis["caveats"], PLAN["title"], registered["hash"]):
        assert " ".join(str(said).split()) in page.text
    for arm in analysis["arms"]:
        assert any(cell.startswith(f"{figure(arm['per_week']['value'])} (") for cell in page.cells)
    nights = [night for seen in analysis["seen"] for night in seen["periods"]]
    missing = sum(not night["enough"] for night in nights)
    assert missing == 1
    assert f"Of {len(nights)} planned nights {len(nights) - 1} had enough data" in page.text
    assert "Ada" not in answer.text
    assert ada not in answer.text


def test_wearers_are_named_only_where_that_is_asked(world: World) -> None:
    with world.client() as http:
        trial, _ = trial_of(world, http)
        assert "Ada Lovelace" not in report(http, trial).text
        assert "Ada Lovelace" in report(http, trial, names="true").text


def test_an_unknown_trial_is_a_problem_and_the_door_is_shut(world: World) -> None:
    with world.client() as http:
        check_problem(http.get("/api/v1/trials/nowhere/report"), 404, "not-found")
    with world.client(signed_in=False) as http:
        assert http.get("/api/v1/trials/nowhere/report").status_code == 401
