"""`/readyz` and `/metrics`: what keeps the service from its work, in a state and a sentence."""

import httpx
import pytest
from api_world import World, add_wearer, assign, epochs, ns
from msgspec.structs import replace

from api import health
from ingest.store import DeviceStatus, ServiceStatus

NOW = "2026-03-20T12:00:00"
SECOND = 10**9
WELL = ServiceStatus(
    name="ingest", started_ns=ns("2026-03-01T00:00:00"), beat_ns=ns(NOW) - 5 * SECOND, version="1", connected=True
)
STARTS = "No ingester has been heard yet: start `charley ingest`."
WORKS = "It works."


@pytest.fixture
def world(world: World) -> World:
    world.now = NOW
    return world


def late(seconds: int, **changes: object) -> ServiceStatus:
    return replace(WELL, **{"oldest_outbox_ns": ns(NOW) - seconds * SECOND, "outbox": 12, **changes})


@pytest.mark.parametrize(
    ("service", "state", "ingester", "results"),
    [
        (WELL, "ok", WORKS, WORKS),
        (None, "degraded", STARTS, WORKS),
        (replace(WELL, name="other"), "degraded", STARTS, WORKS),
        (replace(WELL, beat_ns=ns(NOW) - 60 * SECOND), "ok", WORKS, WORKS),
        (
            replace(WELL, beat_ns=ns(NOW) - 61 * SECOND), "degraded",
            "The ingester has not been heard for 1 min 1 s. What devices send waits at the broker.", WORKS,
        ),
        (
            replace(WELL, accepting=False, reason="only 80 MB are free"), "unavailable",
            "The ingester takes no more: only 80 MB are free.", WORKS,
        ),
        (
            replace(WELL, accepting=False, beat_ns=ns(NOW) - 7200 * SECOND), "unavailable",
            "The ingester takes no more: it gave no reason. The ingester has not been heard for 2 h.", WORKS,
        ),
        (replace(WELL, connected=False), "degraded", "The ingester is not connected to the broker.", WORKS),
        (late(300), "ok", WORKS, WORKS),
        (late(720), "degraded", WORKS, "Results are 12 min behind: 12 records not delivered."),
        (late(720, event_outbox=3), "degraded", WORKS, "Results are 12 min behind: 15 records not delivered."),
    ],
)  # fmt: skip
def test_readiness_says_how_each_part_does(
    world: World, http: httpx.Client, *, service: ServiceStatus | None, state: str, ingester: str, results: str
) -> None:
    if service is not None:
        world.write(service)
    response = http.get("/readyz")
    assert response.status_code == (503 if state == "unavailable" else 200)
    body = response.json()
    assert (body["ready"], body["state"]) == (state != "unavailable", state)
    assert {name: part["sentence"] for name, part in body["parts"].items()} == {
        "registry": WORKS, "store": WORKS, "disk": WORKS, "ingester": ingester, "results": results,
    }  # fmt: skip
    assert http.get("/livez").status_code == 200


def test_the_worst_part_is_the_state_of_all() -> None:
    ok, poor, bad = (health.Part(state, "") for state in ("ok", "degraded", "unavailable"))  # type: ignore[arg-type]
    assert health.overall({"a": ok, "b": ok}) == "ok"
    assert health.overall({"a": ok, "b": poor}) == "degraded"
    assert health.overall({"a": poor, "b": bad, "c": ok}) == "unavailable"


def test_a_store_that_is_down_leaves_the_ingester_unknown(world: World, http: httpx.Client) -> None:
    world.write(WELL)
    world.store.close()
    response = http.get("/readyz")
    assert response.status_code == 503
    parts = response.json()["parts"]
    assert parts["store"] == {"state": "unavailable", "sentence": "The store cannot be read."}
    assert parts["ingester"] == parts["results"] == {
        "state": "degraded", "sentence": "Not known while the store cannot be read.",
    }  # fmt: skip


def figures(http: httpx.Client) -> dict[str, float]:
    response = http.get("/metrics")
    assert response.status_code == 200
    lines = [line.rsplit(" ", 1) for line in response.text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in lines}


def test_metrics_tell_of_parts_ingester_and_devices(world: World, http: httpx.Client) -> None:
    assign(http, add_wearer(http), "leg")
    http.post("/api/v1/devices", json={"id": "spare"})
    world.write(
        late(720, unacked=3, revising=2, journal_bytes=4096, free_bytes=10**9, lag_s=1.5, event_outbox=1),
        DeviceStatus(device="leg", boot=1, online=True, last_received_ns=ns(NOW), last_sample_ns=ns(NOW)),
        epochs("leg", ns(NOW) - 120 * SECOND, ns(NOW)),
    )
    got = figures(http)
    ingester = {name.removeprefix("charley_ingester_"): value for name, value in got.items() if "ingester_" in name}
    assert ingester == {
        "silent_seconds": 5, "results_behind_seconds": 720, "lag_seconds": 1.5, "accepting": 1, "connected": 1,
        "unacked": 3, "outbox": 12, "event_outbox": 1, "revising": 2, "journal_bytes": 4096, "free_bytes": 10**9,
    }  # fmt: skip
    devices = {name: value for name, value in got.items() if name.startswith("charley_devices") and value}
    assert devices == {'charley_devices{state="receiving"}': 1, 'charley_devices{state="never_heard"}': 1}
    assert got['charley_part_up{part="results"}'] == 1


def test_metrics_survive_a_store_that_is_down(world: World, http: httpx.Client) -> None:
    world.store.close()
    got = figures(http)
    assert got['charley_part_up{part="store"}'] == 0
    assert not any("ingester_" in name or name.startswith("charley_devices") for name in got)
