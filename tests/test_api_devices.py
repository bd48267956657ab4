"""Devices over HTTP: each with its state, filtered by it, and never slow however many there are."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from api_world import EPOCH_NS, HOUR_NS, V1, World, add_wearer, assign, check_problem, epochs, get, ns
from msgspec.structs import replace

from api.watch import SCAN
from ingest.store import DeviceStatus, Epoch
from ingest.store.memory import MemoryStore

NOW = "2026-03-20T12:00:00"
MINUTE = 60 * 10**9
HEARD = DeviceStatus(device="leg", boot=1, online=True, last_received_ns=ns(NOW), last_sample_ns=ns(NOW), battery=0.9)


class Counting(MemoryStore):
    """Counts what it is asked."""

    epochs_asked = 0
    statuses_asked = 0

    def epochs(self, device: str, *, start_ns: int, end_ns: int, void: bool = False) -> list[Epoch]:
        self.epochs_asked += 1
        return super().epochs(device, start_ns=start_ns, end_ns=end_ns, void=void)

    def statuses(self, devices: Sequence[str]) -> list[DeviceStatus]:
        self.statuses_asked += 1
        return super().statuses(devices)


@pytest.fixture
def store() -> Counting:
    return Counting()


@pytest.fixture
def world(tmp_path: Path, store: Counting) -> Iterator[World]:
    with closing(World(tmp_path, now=NOW, store=store)) as made:
        yield made


def live(world: World, device: str, **seconds: float) -> None:
    world.write(replace(HEARD, device=device), epochs(device, ns(NOW) - 5 * MINUTE, ns(NOW), **seconds))


def ids(http: httpx.Client, path: str, *states: str, **more: str | int) -> list[str]:
    params = [*(("state", state) for state in states), *((name, str(value)) for name, value in more.items())]
    response = http.get(f"{V1}{path}", params=params)
    assert response.status_code == 200, response.text
    return [item["id"] for item in response.json()["items"]]


def test_a_device_shows_its_state_and_what_is_known_of_its_blocks(world: World, http: httpx.Client) -> None:
    wearer = add_wearer(http)
    assign(http, wearer, "leg")
    live(world, "leg", worn_s=0, usable_s=0)
    world.write(
        replace(HEARD, late_blocks=2, undated_blocks=3, refused_blocks=4, refused_reason="rate", clock_offset_s=1.23456)
    )
    got = get(http, "/devices/leg")
    assert got["state"] == "not_worn"
    assert got["sentence"].startswith("Not worn. Put it on. Results of 2 late blocks")
    assert [got[f"{kind}_blocks"] for kind in ("missing", "late", "undated", "refused")] == [0, 2, 3, 4]
    assert (got["refused_reason"], got["clock_offset_s"]) == ("rate", 1.235)
    assert got["assignment"]["wearer"] == wearer
    assert get(http, "/devices")["items"] == [got]


def test_sentences_tell_times_on_the_clock_of_the_wearer(world: World, http: httpx.Client) -> None:
    assign(http, add_wearer(http, zone="Asia/Tokyo"), "leg")
    http.post(f"{V1}/devices", json={"id": "spare"})
    gone = replace(HEARD, online=False, last_received_ns=ns(NOW) - HOUR_NS)
    world.write(gone, replace(gone, device="spare"))
    tokyo, nobody = (item["sentence"] for item in get(http, "/devices")["items"])
    assert "since Fri 20 Mar, 20:00 (1 h ago)" in tokyo
    assert "since Fri 20 Mar, 11:00 UTC (1 h ago)" in nobody


def test_who_does_not_wear_a_device_is_one_question(world: World, http: httpx.Client) -> None:
    ada, bea, cem = (add_wearer(http, name) for name in ("Ada", "Bea", "Cem"))
    for wearer, device in ((ada, "good"), (bea, "table"), (bea, "good-2"), (cem, "gone")):
        assign(http, wearer, device)
    assign(http, ada, "former", to="2026-03-01T00:00:00Z")
    live(world, "good")
    live(world, "good-2")
    live(world, "table", worn_s=0, usable_s=0)
    live(world, "former", worn_s=0, usable_s=0)
    assert ids(http, "/devices", "not_worn") == ["former", "table"]
    assert ids(http, "/devices", "not_worn", "never_heard") == ["former", "gone", "table"]
    assert ids(http, "/devices", wearer=bea) == ["good-2", "table"]
    assert ids(http, "/devices", "receiving", wearer=bea) == ["good-2"]
    assert ids(http, "/devices", wearer="w0") == []
    assert ids(http, "/wearers", "not_worn") == [bea]
    assert set(ids(http, "/wearers", "receiving")) == {ada, bea}
    assert ids(http, "/wearers", "offline") == []
    assert "not_worn" in check_problem(http.get(f"{V1}/devices?state=asleep"), 422, "invalid-request")["detail"]


def test_pages_of_a_state_hold_each_device_once(world: World, http: httpx.Client) -> None:
    for number in range(7):
        assign(http, add_wearer(http), f"leg-{number}")
        live(world, f"leg-{number}", worn_s=10 * (number % 2), usable_s=10 * (number % 2))
    for path in ("/devices", "/wearers"):
        found, address = [], f"{V1}{path}?state=not_worn&limit=2"
        while address:
            page = http.get(address).json()
            assert len(page["items"]) <= 2
            found += [item.get("devices", [item["id"]])[0] for item in page["items"]]
            address = page["next"]
        assert sorted(found) == ["leg-0", "leg-2", "leg-4", "leg-6"]


def test_a_page_of_a_state_looks_at_so_many_devices_and_no_more(world: World, http: httpx.Client) -> None:
    with world.registry.write() as db:
        for number in range(SCAN + 1):
            db.exec_driver_sql(
                "INSERT INTO devices (id, label, created_ns) VALUES (?, ?, ?)", (f"d{number:05}", "d", number)
            )
    world.write(replace(HEARD, device="d01000"), epochs("d01000", ns(NOW) - MINUTE, ns(NOW)))
    first = http.get(f"{V1}/devices?state=receiving").json()
    assert first["items"] == []
    assert [item["id"] for item in http.get(first["next"]).json()["items"]] == ["d01000"]


def test_watching_reads_the_signal_of_who_is_heard_and_once_a_while(
    world: World, http: httpx.Client, store: Counting
) -> None:
    for number in range(5):
        http.post(f"{V1}/devices", json={"id": f"leg-{number}"})
    live(world, "leg-0")
    live(world, "leg-1")
    world.write(replace(HEARD, device="leg-2", last_received_ns=ns(NOW) - HOUR_NS))
    store.epochs_asked = store.statuses_asked = 0
    for _ in range(3):
        assert len(ids(http, "/devices")) == 5
    assert (store.epochs_asked, store.statuses_asked) == (2, 3)
    later = ns(NOW) + 3 * EPOCH_NS
    world.write(replace(HEARD, device="leg-0", last_received_ns=later, last_sample_ns=later))
    ids(http, "/devices")
    assert store.epochs_asked == 3
