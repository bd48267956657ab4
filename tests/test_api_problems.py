"""How the API refuses: every error is a problem with a sentence that helps."""

import json
import re
from collections.abc import Sequence
from pathlib import Path

import httpx
import numpy as np
import pytest
from api_world import V1, World, add_wearer, assign, check_problem
from numpy.typing import NDArray

from api.faults import PATTERNS
from ingest.store import DeviceStatus, Episode, Epoch, Record, ServiceStatus, StoreRefused, StoreUnavailable

ASSIGNMENT = {
    "device": "leg",
    "wearer": "{wearer}",
    "side": "left",
    "muscle": "soleus",
    "from": "2026-01-01T00:00:00Z",
}


@pytest.mark.parametrize("path", ["", "/zones", "/nights", "/days", "/episodes", "/epochs"])
def test_an_unknown_wearer_is_not_found_in_the_same_words(http: httpx.Client, path: str) -> None:
    bodies = [http.get(f"{V1}{address}").content for address in (f"/wearers/w0{path}", "/devices/none", "/nowhere")]
    assert bodies[0] == bodies[1] == bodies[2]
    check_problem(http.get(f"{V1}/wearers/w0{path}"), 404, "not-found")


@pytest.mark.parametrize(
    ("query", "help_"),
    [
        ("nights?from=2026-03-20&to=2026-03-19", "exchange"),
        ("nights?from=2025-01-01&to=2026-03-19", "400 at a time"),
        ("days?from=yesterday", "local date"),
        ("days?to=2026-02-30", "local date"),
        ("days?from=9999-12-31&to=9999-12-31", "local date"),
        ("episodes?from=2026-03-20T10:00:00", "offset"),
        ("episodes?from=2026-03-20T10:00:00Z&to=2026-03-20T09:00:00Z", "exchange"),
        ("episodes?from=2025-01-01", "400 at a time"),
        ("episodes?updated_after=soon", "instant"),
        ("episodes?updated_after=2026-03-20", "instant"),
        ("episodes?limit=1001", "less than or equal to 1000"),
        ("epochs?resolution=7", "resolution"),
        ("epochs?from=0001-01-01", "local date"),
        ("epochs?from=0001-01-01T00:00:00Z", "between"),
    ],
)
def test_a_wrong_question_is_refused_with_a_sentence_that_helps(http: httpx.Client, query: str, help_: str) -> None:
    wearer = add_wearer(http)
    assert help_ in check_problem(http.get(f"{V1}/wearers/{wearer}/{query}"), 422, "invalid-request")["detail"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/wearers", {"name": "Ada", "zone": "UTC+2"}),
        ("POST", "/wearers", {"name": "Ada", "zone": "Etc/GMT-2"}),
        ("POST", "/wearers", {"name": "", "zone": "Europe/Berlin"}),
        ("POST", "/wearers", {"name": "Ada", "zone": "Europe/Berlin", "nigth_start": "22:00"}),
        ("POST", "/wearers", {"name": "Ada", "zone": "Europe/Berlin", "night_start": "25:00"}),
        ("POST", "/wearers", {"name": "Ada", "zone": "Europe/Berlin", "night_start": "08:59"}),
        ("POST", "/wearers", [1]),
        ("POST", "/devices", {"id": "a/b"}),
        ("PUT", "/wearers/{wearer}/zones", {"zones": []}),
        ("PUT", "/wearers/{wearer}/zones", {"zones": [{"zone": "Europe/Berlin", "from": "2026-01-01T00:00:00Z"}]}),
        ("PUT", "/wearers/{wearer}/zones", {"zones": [{"zone": "Europe/Berlin"}, {"zone": "Asia/Tokyo"}]}),
        ("POST", "/wearers/{wearer}/zones", {"zone": "Asia/Tokyo", "from": "2026-01-01T00:00:00"}),
        ("POST", "/assignments", ASSIGNMENT | {"side": "middle"}),
        ("POST", "/assignments", ASSIGNMENT | {"to": ASSIGNMENT["from"]}),
        ("POST", "/assignments", {"device": "leg"}),
    ],
)
def test_wrong_bodies_are_refused_as_problems(http: httpx.Client, method: str, path: str, body: object) -> None:
    wearer = add_wearer(http)
    content = json.dumps(body).replace("{wearer}", wearer)
    response = http.request(
        method, V1 + path.replace("{wearer}", wearer), content=content, headers={"Content-Type": "application/json"}
    )
    check_problem(response, 422, "invalid-request")


def test_bytes_that_are_not_json_and_wrong_methods_are_problems(http: httpx.Client) -> None:
    response = http.post(f"{V1}/wearers", content=b"{", headers={"Content-Type": "application/json"})
    check_problem(response, 422, "invalid-request")
    wrong = http.delete(f"{V1}/wearers")
    check_problem(wrong, 405, "method-not-allowed")
    assert wrong.headers["allow"]
    check_problem(http.get("/static/none.js"), 404, "not-found")
    check_problem(http.get("/static/../app.py"), 404, "not-found")


@pytest.mark.parametrize(
    ("path", "content", "where", "says"),
    [
        ("wearers", '{"name": "Ada",\n "zone" "Europe/Berlin"}', "body", "':' delimiter at line 2, column 9."),
        ("wearers", "{", "body", "This is no JSON"),
        ("devices", '{"id": "a/b"}', "id", "1 to 64 letters, digits, hyphens and underscores"),
        ("wearers", '{"name": "Ada", "zone": "Europe/Rome", "night_end": "9am"}', "night_end", "HH:MM, such as 21:00"),
        ("wearers/{wearer}/zones", '{"zone": "Asia/Tokyo", "from": "2026-01-01T00:00"}', "from", "T21:00:00+01:00"),
        ("wearers/{wearer}/zones", '{"zone": "Asia/Tokyo", "from": "soon"}', "from", "2026-01-31T20:00:00Z"),
        ("wearers", "[1]", "body", "Send a JSON object"),
        ("wearers", '{"name": "Ada", "zone": "UTC"}', "zone", "UTC is a time zone, but of no place"),
        ("wearers", '{"name": "Ada", "zone": "GMT"}', "zone", "such as Europe/London"),
        ("wearers", '{"name": "Ada", "zone": "Europe/Atlantis"}', "zone", "Unknown time zone"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_body_is_said_with_what_to_send(
    http: httpx.Client, path: str, content: str, where: str, says: str
) -> None:
    url = f"{V1}/{path}".replace("{wearer}", add_wearer(http))
    response = http.post(url, content=content, headers={"Content-Type": "application/json"})
    problem = check_problem(response, 422, "invalid-request")
    (fault,) = problem["errors"]
    assert fault["where"] == where
    assert says in problem["detail"].replace("column 9. Names", "column 9.")
    assert "A-Za" not in problem["detail"]
    assert "decode error" not in problem["detail"]


def test_every_pattern_of_a_body_has_its_words(http: httpx.Client) -> None:
    text = json.dumps(http.get(f"{V1}/openapi.json").json()["components"])
    assert {json.loads(f'"{found}"') for found in re.findall(r'"pattern": "((?:[^"\\]|\\.)*)"', text)} == set(PATTERNS)


def test_of_several_ids_in_a_body_the_one_that_is_not_there_is_named(http: httpx.Client) -> None:
    wearer = add_wearer(http)
    http.post(f"{V1}/devices", json={"id": "leg"})
    for changes, where in (({"wearer": "w0"}, "wearer"), ({"wearer": wearer, "device": "none"}, "device")):
        problem = check_problem(http.post(f"{V1}/assignments", json=ASSIGNMENT | changes), 404, "not-found")
        assert problem["errors"][0]["where"] == where
        assert f"no {where} of the id in `{where}`" in problem["detail"]
        assert f"GET /api/v1/{where}s lists all" in problem["detail"]
        assert http.get(f"{V1}/{where}s").status_code == 200


def test_contradictions_are_conflicts(http: httpx.Client) -> None:
    wearer = add_wearer(http)
    assign(http, wearer, "leg")
    check_problem(http.post(f"{V1}/devices", json={"id": "leg"}), 409, "conflict")
    check_problem(http.delete(f"{V1}/devices/leg"), 409, "conflict")
    body = {"device": "leg", "wearer": wearer, "side": "right", "muscle": "soleus", "from": "2026-02-01T00:00:00Z"}
    assert "assigned already" in check_problem(http.post(f"{V1}/assignments", json=body), 409, "conflict")["detail"]


class BrokenStore:
    """A store that answers every question with one error."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def write(self, records: Sequence[Record]) -> None:
        raise self._refusal(records)

    def episodes(
        self,
        devices: Sequence[str],
        *,
        start_ns: int,
        end_ns: int,
        updated_after_ns: int | None = None,
        withdrawn: bool = False,
    ) -> list[Episode]:
        raise self._refusal(devices, start_ns, end_ns, updated_after_ns, withdrawn)

    def epochs(self, device: str, *, start_ns: int, end_ns: int, void: bool = False) -> list[Epoch]:
        raise self._refusal(device, start_ns, end_ns, void)

    def columns(
        self, device: str, *, start_ns: int, end_ns: int, members: Sequence[str]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        raise self._refusal(device, start_ns, end_ns, members)

    def changes(self, device: str, *, start_ns: int, end_ns: int, every_ns: int) -> dict[int, int]:
        raise self._refusal(device, start_ns, end_ns, every_ns)

    def statuses(self, devices: Sequence[str]) -> list[DeviceStatus]:
        raise self._refusal(devices)

    def services(self) -> list[ServiceStatus]:
        raise self._refusal()

    def devices(self) -> list[str]:
        raise self._refusal()

    def close(self) -> None:
        """Nothing is open."""

    def _refusal(self, *_asked: object) -> Exception:
        return self.error


@pytest.mark.parametrize(
    ("error", "code", "name"),
    [
        (StoreUnavailable("secret host is down"), 503, "store-unavailable"),
        (StoreRefused("secret table is missing"), 502, "store-refused"),
        (ZeroDivisionError("secret"), 500, "internal"),
    ],
)
def test_a_broken_store_is_a_problem_that_tells_no_secrets(
    tmp_path: Path, error: Exception, code: int, name: str
) -> None:
    world = World(tmp_path, store=BrokenStore(error))
    with world.client() as http:
        wearer = add_wearer(http)
        assign_without_reading(http, wearer)
        for kind in ("nights", "episodes", "epochs"):
            response = http.get(f"{V1}/wearers/{wearer}/{kind}")
            assert "secret" not in json.dumps(check_problem(response, code, name))
            assert response.headers.get("retry-after") == ("5" if code == 503 else None)
            assert response.headers["x-content-type-options"] == "nosniff"
        if code == 503:
            ready = http.get("/readyz")
            assert ready.status_code == 503
            states = {name: part["state"] for name, part in ready.json()["parts"].items()}
            unknown = {"ingester": "degraded", "results": "degraded"}
            assert states == {"registry": "ok", "store": "unavailable", "disk": "ok"} | unknown
            assert "secret" not in ready.text
            assert http.get("/livez").status_code == 200
    world.close()


def assign_without_reading(http: httpx.Client, wearer: str) -> None:
    """Adding a device reads its status, which a broken store refuses after the device was added."""
    http.post(f"{V1}/devices", json={"id": "leg"})
    body = {"device": "leg", "wearer": wearer, "side": "left", "muscle": "soleus", "from": "2026-01-01T00:00:00Z"}
    assert http.post(f"{V1}/assignments", json=body).status_code == 201


def test_a_registry_that_is_gone_is_a_problem(world: World, http: httpx.Client) -> None:
    wearer = add_wearer(http)
    world.registry.close()
    for path in world.folder.glob("registry.sqlite*"):
        path.unlink()
    (world.folder / "registry.sqlite").mkdir()
    response = http.get(f"{V1}/wearers/{wearer}")
    check_problem(response, 503, "registry-unavailable")
    assert response.headers["retry-after"] == "5"
    assert http.get("/readyz").json()["parts"]["registry"]["state"] == "unavailable"
