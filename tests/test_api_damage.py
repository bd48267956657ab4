"""Store or registry damaged: who reads is told, and readiness says so, of the store though other reads go well."""

import logging
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import httpx
import pytest
from api_world import V1, World, add_wearer, assign, check_problem, epochs, ns
from trial_cases import plan, wait_for_analyses

from api.errors import RegistryDamaged
from api.registry import devices, open_registry
from api.trials import keeping
from api.trials.jobs import Analyses
from ingest.store import DeviceStatus, ServiceStatus, StoreDamaged
from ingest.store.sqlite import SqliteStore

NOW = "2026-03-20T12:00:00"
PAGE = 4096
WHAT_TO_DO = 'docs/operations.md, "When a file is damaged"'


def damage(path: Path, *, quarters: int) -> None:
    """Overwrite so many quarters of the file, from the second on; what is around them can still be read."""
    pages = path.stat().st_size // PAGE
    with path.open("r+b") as file:
        file.seek(pages // 4 * PAGE)
        file.write(b"\xa5" * (quarters * pages // 4 * PAGE))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A night of a device, in a file that was damaged while nobody had it open."""
    path = tmp_path / "store.sqlite"
    whole = SqliteStore(path)
    whole.write([ServiceStatus(name="ingest", started_ns=1, beat_ns=ns(NOW), version="1", connected=True)])
    whole.write([DeviceStatus(device="leg", boot=1, online=True, last_received_ns=ns(NOW), last_sample_ns=ns(NOW))])
    whole.write(epochs("leg", ns("2026-03-19T12:00:00"), ns(NOW)))
    whole.close()
    damage(path, quarters=2)
    with closing(World(tmp_path, now=NOW, store=SqliteStore(path))) as made:
        yield made


def test_the_store_tells_damage_from_an_outage(world: World) -> None:
    assert [service.name for service in world.store.services()] == ["ingest"]
    with pytest.raises(StoreDamaged, match=rf"store\.sqlite: .*malformed\. Stop every role .*{WHAT_TO_DO}"):
        world.store.epochs("leg", start_ns=0, end_ns=2**62)


def test_damage_that_a_read_met_is_said_and_makes_unready(
    world: World, http: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    wearer = add_wearer(http, name="Ada Example")
    assign(http, wearer, "leg")
    assert http.get("/readyz").status_code == 200  # nothing has looked there yet
    with caplog.at_level(logging.INFO):
        answers = [http.get(f"{V1}/wearers/{wearer}/nights") for _ in range(2)]
    for answer in answers:
        assert (answer.status_code, answer.json()["type"]) == (503, "urn:charley:problem:store-damaged")
        assert WHAT_TO_DO in answer.json()["detail"]
        assert "Retry-After" not in answer.headers
    (record,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert "store.sqlite" in record.getMessage()
    assert WHAT_TO_DO in record.getMessage()
    for word in ("Ada", wearer, "leg "):
        assert word not in record.getMessage()
    assert world.store.services()  # other reads go well
    answer = http.get("/readyz")
    assert (answer.status_code, answer.json()["ready"]) == (503, False)
    assert answer.json()["parts"]["store"] == {
        "state": "unavailable", "sentence": f"The store is damaged. Stop every role and restore it: {WHAT_TO_DO}.",
    }  # fmt: skip


def test_figures_that_met_damage_say_so_the_next_time(world: World, http: httpx.Client) -> None:
    with world.registry.write() as db:
        devices.add(db, device_id="leg", label="leg", created_ns=1)
    damage(world.folder / "store.sqlite", quarters=3)  # the newest epochs too
    assert 'charley_part_up{part="store"} 1.0' in http.get("/metrics").text
    assert 'charley_part_up{part="store"} 0.0' in http.get("/metrics").text


def test_damage_that_is_met_beside_the_requests_makes_unready_at_once(world: World, http: httpx.Client) -> None:
    wearer = add_wearer(http)
    assign(http, wearer, "leg")
    with world.registry.write() as db:
        trial = keeping.register(db, plan(), now_ns=ns("2026-03-17T12:00:00"))
        trial = keeping.join(db, trial.id, wearer=wearer, first=date(2026, 3, 18), now_ns=ns("2026-03-17T13:00:00"))
    assert http.get("/readyz").status_code == 200
    Analyses(world.app.state.sources, patience_s=0.0).ask(trial)
    wait_for_analyses()
    assert http.get("/readyz").status_code == 503


@pytest.mark.parametrize("begin", [0, PAGE])
def test_a_damaged_registry_is_told_from_one_that_does_not_answer(tmp_path: Path, begin: int) -> None:
    with closing(World(tmp_path, now=NOW)) as world, world.client() as http:
        add_wearer(http)
        world.registry.close()  # whoever reads from now on opens it again
        path = tmp_path / "registry.sqlite"
        whole = path.read_bytes()
        path.write_bytes(whole[:begin] + b"\xa5" * (len(whole) - begin))
        answer = http.get(f"{V1}/wearers")
        check_problem(answer, 503, "registry-damaged")
        assert WHAT_TO_DO in answer.json()["detail"]
        assert "Retry-After" not in answer.headers
        if begin == 0:  # else what is asked for readiness can still be read
            part = http.get("/readyz").json()["parts"]["registry"]
            assert (part["state"], WHAT_TO_DO in part["sentence"]) == ("unavailable", True)
    with pytest.raises(RegistryDamaged, match=f"The registry is damaged: .*{WHAT_TO_DO}"):
        open_registry(f"sqlite:///{path}")
