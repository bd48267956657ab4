"""The documents say what the application does: OpenAPI, and docs/api.md."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from api_world import V1, World, get

from api import figures, health, liveness, remedies
from api.liveness import StateCode
from api.problems import PROBLEMS, TYPE_PREFIX
from api.recent import SIGNAL
from api.routes import (
    analyses,
    assignments,
    devices,
    diary,
    episodes,
    epochs,
    planner,
    reports,
    summaries,
    trends,
    trials,
    wearers,
)
from api.routes import health as health_routes
from api.times import MAX_DAYS
from api.watch import EVERY_NS, SCAN

DOCS, WIRE = ((Path(__file__).parents[1] / "docs" / name).read_text(encoding="utf-8") for name in ("api.md", "wire.md"))


@pytest.fixture
def openapi(tmp_path: Path) -> Iterator[dict[str, Any]]:
    world = World(tmp_path)
    with world.client() as http:
        yield http.get("/api/v1/openapi.json").json()
    world.close()


def operations(openapi: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (method.upper(), path): operation
        for path, methods in openapi["paths"].items()
        for method, operation in methods.items()
    }


def test_the_table_of_addresses_is_the_application(openapi: dict[str, Any]) -> None:
    rows = re.findall(r"^\| (GET|POST|PUT|PATCH|DELETE) \| `([^`]+)` \| \S", DOCS, flags=re.MULTILINE)
    assert sorted(rows) == sorted(operations(openapi))


def test_the_table_of_problems_is_the_application() -> None:
    rows = re.findall(rf"^\| `{TYPE_PREFIX}([a-z-]+)` \| (\d|\w+) \|", DOCS, flags=re.MULTILINE)
    known = {problem.name: "4xx" if problem.name == "http" else str(problem.status) for problem in PROBLEMS}
    assert dict(rows) == known


def test_the_table_of_states_is_the_application() -> None:
    section = DOCS.split("## Is the device working?")[1].split("## ")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", section, flags=re.MULTILINE)) == set(get_args(StateCode))


def test_the_states_are_listed_in_the_order_in_which_they_hold() -> None:
    """The rules in the code and the table in the document name them alike."""
    section = DOCS.split("## Is the device working?")[1].split("## ")[0]
    table = re.findall(r"^\| `(\w+)` \|", section, flags=re.MULTILINE)
    rules = [
        name
        for line in re.findall(r"^- ((?:`\w+`,? ?)+)", liveness.__doc__ or "", flags=re.MULTILINE)
        for name in re.findall(r"`(\w+)`", line)
    ]
    assert list(dict.fromkeys(rules)) == table


def test_every_reason_of_the_wire_format_has_a_clause() -> None:
    table = WIRE.split("| reason | when |")[1].split("\n\n")[0]
    # Blocks with an unset clock are kept.
    assert set(re.findall(r"^\| `(\w+)` \|", table, flags=re.MULTILINE)) - {"clock"} <= set(remedies.REFUSALS)


def test_the_first_registration_works_as_it_is_written(tmp_path: Path) -> None:
    section = DOCS.split("## Beginning")[1].split("## ")[0]
    calls = re.findall(r"-d '([^']+)' \\\n +http://127\.0\.0\.1:8000(\S+)", section)
    assert [path for _, path in calls] == [f"{V1}/wearers", f"{V1}/devices", f"{V1}/assignments"]
    world, ids = World(tmp_path), []
    with world.client() as http:
        for body, path in calls:
            answer = http.post(path, json=json.loads(body.replace("WEARER", ids[0] if ids else "")))
            assert answer.status_code == 201, answer.text
            ids.append(answer.json()["id"])
        assert re.fullmatch(r"w\w{16}", ids[0])
        assert get(http, f"/wearers/{ids[0]}")["devices"] == ["leg-1"]
        without = json.loads(calls[2][0].replace("WEARER", ids[0]).replace("+01:00", ""))
        assert http.post(calls[2][1], json=without).status_code == 422
    world.close()


def test_the_parts_in_the_text_are_those_of_readyz(tmp_path: Path) -> None:
    world = World(tmp_path)
    with world.client() as http:
        parts = http.get("/readyz").json()["parts"]
    world.close()
    section = DOCS.split("## Is the service working?")[1].split("## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", section, flags=re.MULTILINE) == list(parts)
    assert f"{health.LEAST_FREE_BYTES >> 20} MiB" in section
    assert f"{health.SILENT_S:.0f} s" in section
    for name in (*figures.OF_INGESTER, "charley_part_up", "charley_devices"):
        assert f"`{name}`" in section


def test_limits_in_the_text_are_those_of_the_code() -> None:
    listed = re.search(r"`resolution` ([\d, ()a-z]+) seconds", DOCS)
    assert listed is not None
    assert [int(number) for number in re.findall(r"\d+", listed[1])] == [int(step) for step in epochs.Resolution]
    assert f"{MAX_DAYS} days" in DOCS
    assert f"{SCAN} devices or {SCAN // 2} wearers" in DOCS
    assert f"read every {EVERY_NS // 10**9} s at most" in DOCS
    minutes = (liveness.SILENT_S, liveness.BEHIND_S, liveness.CLOCK_OFF_S, SIGNAL * 10, health.BEHIND_S)
    assert minutes == (120, 300, 300, 120, 300)  # written out in the text


def test_every_operation_states_what_it_gives_and_how_it_fails(openapi: dict[str, Any]) -> None:
    for (method, path), operation in operations(openapi).items():
        assert operation["summary"], (method, path)
        success = [code for code in operation["responses"] if code.startswith("2")]
        assert len(success) == 1, (method, path)
        content = operation["responses"][success[0]].get("content", {})
        if success[0] == "204":
            assert content == {}
        elif path != "/metrics" and not path.endswith(("/report", ".csv")):
            assert "$ref" in content["application/json"]["schema"], (method, path)
        assert "application/problem+json" in operation["responses"]["default"]["content"], (method, path)
        assert "422" not in operation["responses"], (method, path)


def test_every_route_is_in_the_document(openapi: dict[str, Any]) -> None:
    versioned = (
        analyses, assignments, devices, diary, episodes, epochs, planner, reports, summaries, trends, trials, wearers,
    )  # fmt: skip
    served = {f"/api/v1{route.path}" for part in versioned for route in part.router.routes}
    served |= {route.path for route in health_routes.router.routes}
    assert served == set(openapi["paths"])
