"""The API over HTTP: what it gives, in which pages, and how it refuses."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from api_world import V1, World, add_wearer, assign, check_problem, episode, epochs, get, ns

from ingest.store import DeviceStatus
from ingest.store.memory import MemoryStore
from ingest.store.sqlite import SqliteStore


@pytest.fixture(params=["memory", "sqlite"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    store = MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "store.sqlite")
    with closing(World(tmp_path, store=store)) as made:
        yield made


def test_a_wearer_is_registered_read_changed_and_forgotten(http: httpx.Client) -> None:
    made = http.post(f"{V1}/wearers", json={"name": "Ada", "zone": "Europe/Berlin"})
    assert made.status_code == 201
    here = made.headers["location"]
    assert http.get(here).json() == made.json()
    assert made.json()["night_start"] == "21:00"
    assert made.json()["today"] == "2026-03-20"
    changed = http.patch(here, json={"name": "Ada L", "night_start": "22:30"}).json()
    assert (changed["name"], changed["night_start"], changed["night_end"]) == ("Ada L", "22:30", "09:00")
    assert http.delete(here).status_code == 204
    check_problem(http.get(here), 404, "not-found")


def test_a_device_claimed_late_brings_its_past_along(world: World, http: httpx.Client) -> None:
    world.write(epochs("leg", ns("2026-03-10T20:00:00"), ns("2026-03-11T08:00:00")))
    newest_ns = ns("2026-03-20T11:59:50")
    world.write(
        episode("leg", ns("2026-03-11T01:00:00")),
        DeviceStatus(device="leg", boot=1, online=True, last_received_ns=newest_ns, last_sample_ns=newest_ns),
    )
    wearer = add_wearer(http)
    before = get(http, f"/wearers/{wearer}/nights", **{"from": "2026-03-10", "to": "2026-03-10"})
    assert before["items"][0]["cramps"]["count"] == 0
    assert before["items"][0]["status"] == "not_enough_data"
    assign(http, wearer, "leg", since="2026-03-01T00:00:00Z")
    after = get(http, f"/wearers/{wearer}/nights", **{"from": "2026-03-10", "to": "2026-03-10"})
    assert after["items"][0]["cramps"]["count"] == 1
    assert after["items"][0]["coverage"]["usable_s"] == 43_200
    assert after["total"]["sentence"] == (
        "1 night, 1 cramp, 1 min 30 s in all, worst severity 5.0 of 10, 100 % covered."
    )


def test_a_late_zone_correction_moves_an_episode_to_another_period(world: World, http: httpx.Client) -> None:
    wearer = add_wearer(http)
    assign(http, wearer, "leg")
    world.write(episode("leg", ns("2026-03-11T20:30:00")))
    asked = {"from": "2026-03-11T00:00:00Z", "to": "2026-03-13T00:00:00Z"}
    found = get(http, f"/wearers/{wearer}/episodes", **asked)["items"][0]
    assert found["onset"] == "2026-03-11T21:30:00+01:00"
    assert found["period"]["id"] == "night-2026-03-11"
    zones = [{"zone": "Europe/Berlin"}, {"zone": "America/New_York", "from": "2026-03-11T10:00:00Z"}]
    assert http.put(f"{V1}/wearers/{wearer}/zones", json={"zones": zones}).status_code == 200
    corrected = get(http, f"/wearers/{wearer}/episodes", **asked)["items"][0]
    assert corrected["onset"] == "2026-03-11T16:30:00-04:00"
    assert corrected["zone"] == "America/New_York"
    assert corrected["period"]["kind"] == "day"
    day = get(http, f"/wearers/{wearer}/days", **{"from": "2026-03-11", "to": "2026-03-11"})["items"][-1]
    assert day["cramps"]["count"] == 1
    assert get(http, f"/wearers/{wearer}/zones")["zones"] == [
        {"zone": "Europe/Berlin", "from": None},
        {"zone": "America/New_York", "from": "2026-03-11T10:00:00Z"},
    ]


def test_every_episode_is_in_the_summary_of_the_period_that_it_names(world: World, http: httpx.Client) -> None:
    wearer = add_wearer(http, zone="Asia/Kathmandu")
    assign(http, wearer, "leg")
    onsets = [ns("2026-03-10T00:00:00") + step * 7 * 3600 * 10**9 + step for step in range(20)]
    world.write(episode("leg", onset_ns) for onset_ns in onsets)
    http.post(f"{V1}/wearers/{wearer}/zones", json={"zone": "Pacific/Auckland", "from": "2026-03-12T01:00:00Z"})
    http.post(f"{V1}/wearers/{wearer}/zones", json={"zone": "Pacific/Honolulu", "from": "2026-03-13T08:00:00Z"})
    span = {"from": "2026-03-08", "to": "2026-03-18"}
    named: dict[str, int] = {}
    for item in get(http, f"/wearers/{wearer}/episodes", **span)["items"]:
        named[item["period"]["id"]] = named.get(item["period"]["id"], 0) + 1
    listed = [item for kind in ("nights", "days") for item in get(http, f"/wearers/{wearer}/{kind}", **span)["items"]]
    assert {item["id"]: item["cramps"]["count"] for item in listed if item["cramps"]["count"]} == named
    assert sum(named.values()) == 20


def test_pages_of_episodes_link_to_each_other(world: World, http: httpx.Client) -> None:
    wearer = add_wearer(http)
    assign(http, wearer, "leg")
    onsets = [ns("2026-03-18T00:00:00") + step * 10**12 for step in range(7)]
    world.write(episode("leg", onset_ns) for onset_ns in onsets)
    seen: list[str] = []
    address: str | None = f"{V1}/wearers/{wearer}/episodes?limit=3"
    pages = 0
    while address:
        response = http.get(address)
        body = response.json()
        seen.extend(item["id"] for item in body["items"])
        address, pages = body["next"], pages + 1
        assert response.headers.get("link") == (f'<{address}>; rel="next"' if address else None)
    assert seen == [f"leg.gastrocnemius_medialis.{onset_ns}" for onset_ns in onsets]
    assert pages == 3


def test_lists_of_the_registry_come_in_pages(http: httpx.Client) -> None:
    wearers = [add_wearer(http, f"W{number}") for number in range(3)]
    for number, wearer in enumerate(wearers):
        assign(http, wearer, f"leg{number}")
    for name, key in (("wearers", "id"), ("devices", "id"), ("assignments", "id")):
        first = get(http, f"/{name}", limit=2)
        second = http.get(first["next"]).json()
        assert [len(first["items"]), len(second["items"]), second["next"]] == [2, 1, None]
        assert len({item[key] for item in first["items"] + second["items"]}) == 3
    assert [item["wearer"] for item in get(http, "/assignments", wearer=wearers[1])["items"]] == [wearers[1]]
    assert [item["device"] for item in get(http, "/assignments", device="leg2")["items"]] == ["leg2"]


def test_a_cursor_fits_only_the_question_it_came_from(http: httpx.Client) -> None:
    for number in range(2):
        add_wearer(http, f"W{number}")
    cursor = httpx.URL(get(http, "/wearers", limit=1)["next"]).params["cursor"]
    for path in (
        f"devices?cursor={cursor}",
        "wearers?cursor=nonsense",
        f"wearers?cursor={cursor[:-4]}",
        "wearers?cursor=é",
    ):
        assert "Follow the `next` link" in check_problem(http.get(f"{V1}/{path}"), 422, "invalid-request")["detail"]


def test_mirrors_get_what_changed_rejected_episodes_included(world: World, http: httpx.Client) -> None:
    wearer = add_wearer(http)
    assign(http, wearer, "leg")
    old, new, gone = (ns(f"2026-03-18T0{hour}:00:00") for hour in (1, 2, 3))
    world.write(
        episode("leg", old, updated_ns=ns("2026-03-18T06:00:00")),
        episode("leg", new, updated_ns=ns("2026-03-19T06:00:00")),
        episode("leg", gone, updated_ns=ns("2026-03-19T07:00:00"), status="rejected"),
    )
    everything = get(http, f"/wearers/{wearer}/episodes")
    assert [item["status"] for item in everything["items"]] == ["final", "final"]
    assert everything["as_of"] is None
    changed = get(http, f"/wearers/{wearer}/episodes", updated_after="2026-03-18T12:00:00Z")
    assert [item["status"] for item in changed["items"]] == ["final", "rejected"]
    assert changed["as_of"] == "2026-03-20T11:59:00Z"
    again = get(http, f"/wearers/{wearer}/episodes", updated_after=changed["as_of"])
    assert again["items"] == []


def test_all_pages_of_a_mirror_bear_the_time_of_the_first(world: World, http: httpx.Client) -> None:
    wearer = add_wearer(http)
    assign(http, wearer, "leg")
    world.write(episode("leg", ns("2026-03-18T00:00:00") + step * 10**12) for step in range(2))
    first = get(http, f"/wearers/{wearer}/episodes", updated_after="2026-03-01T00:00:00Z", limit=1)
    world.now = "2026-03-20T13:00:00"
    assert http.get(first["next"]).json()["as_of"] == first["as_of"]


def test_epochs_at_a_resolution_add_up_and_page(world: World, http: httpx.Client) -> None:
    wearer = add_wearer(http)
    assign(http, wearer, "leg", since="2026-03-18T00:30:00Z")
    world.write(epochs("leg", ns("2026-03-18T00:00:00"), ns("2026-03-18T04:00:00"), usable_s=5))
    asked = {"from": "2026-03-18", "to": "2026-03-18", "resolution": 3600}
    items = get(http, f"/wearers/{wearer}/epochs", **asked)["items"]
    assert [item["start"] for item in items] == [f"2026-03-18T0{hour}:00:00+01:00" for hour in (1, 2, 3, 4)]
    assert [item["coverage"]["expected_s"] for item in items] == [1800, 3600, 3600, 3600]
    assert [item["coverage"]["usable_s"] for item in items] == [900, 1800, 1800, 1800]
    assert items[0]["rms_uv"] == 4.0
    assert items[0]["flags"] == ["electrode_off"]
    first = get(http, f"/wearers/{wearer}/epochs", **asked, limit=3)
    assert http.get(first["next"]).json()["items"] == items[3:]
    fine = get(http, f"/wearers/{wearer}/epochs", **(asked | {"resolution": 10}), limit=1000)
    assert len(fine["items"]) == 1000
    assert len(http.get(fine["next"]).json()["items"]) == 260


def test_a_device_moved_to_the_other_leg_within_an_epoch_is_not_counted_twice(world: World, http: httpx.Client) -> None:
    wearer = add_wearer(http)
    moved = "2026-03-18T00:00:25Z"
    assign(http, wearer, "leg", since="2026-03-18T00:00:00Z", to=moved)
    assign(http, wearer, "leg", since=moved, side="right")
    world.write(epochs("leg", ns("2026-03-18T00:00:00"), ns("2026-03-18T00:01:00")))
    asked = {"from": "2026-03-18", "to": "2026-03-18", "resolution": 60}
    items = get(http, f"/wearers/{wearer}/epochs", **asked)["items"]
    assert {item["side"]: item["coverage"]["received_s"] for item in items} == {"left": 30, "right": 30}
    for night in get(http, f"/wearers/{wearer}/nights", **{"from": "2026-03-17", "to": "2026-03-17"})["items"]:
        assert night["coverage"]["received_s"] == 60


def test_what_was_not_measured_is_null(world: World, http: httpx.Client) -> None:
    wearer = add_wearer(http)
    assign(http, wearer, "leg")
    world.write(epochs("leg", ns("2026-03-18T00:00:00"), ns("2026-03-18T00:10:00"), usable_s=0))
    item = get(http, f"/wearers/{wearer}/epochs", **{"from": "2026-03-18", "to": "2026-03-18"})["items"][0]
    assert (item["rms_uv"], item["median_hz"], item["coverage"]["received_s"]) == (None, None, 60)


def test_nothing_found_is_an_empty_list_with_coverage(http: httpx.Client) -> None:
    wearer = add_wearer(http)
    assert get(http, f"/wearers/{wearer}/episodes")["items"] == []
    assert get(http, f"/wearers/{wearer}/epochs")["items"] == []
    nights = get(http, f"/wearers/{wearer}/nights")
    assert nights["total"]["coverage"]["expected_s"] == 0
    assert nights["total"]["sentence"] == "7 nights: no device was assigned."
    assert len(nights["items"]) == 8  # the seven before, and the one to come


def test_an_offset_whose_plus_became_a_space_is_understood(http: httpx.Client) -> None:
    wearer = add_wearer(http)
    asked = f"{V1}/wearers/{wearer}/episodes?from=2026-03-20T10:00:00+01:00&to=2026-03-20T10:00:01%2B01:00"
    assert http.get(asked).status_code == 200


def test_an_assignment_is_read_ended_reopened_and_forgotten(http: httpx.Client) -> None:
    made = assign(http, add_wearer(http), "leg")
    here = f"{V1}/assignments/{made}"
    assert http.get(here).json()["to"] is None
    assert http.patch(here, json={"to": "2026-02-01T00:00:00+01:00"}).json()["to"] == "2026-01-31T23:00:00Z"
    assert http.patch(here, json={"side": "right"}).json()["to"] == "2026-01-31T23:00:00Z"
    reopened = http.patch(here, json={"to": None}).json()
    assert (reopened["to"], reopened["side"]) == (None, "right")
    assert http.delete(here).status_code == 204
    check_problem(http.get(here), 404, "not-found")


def test_an_unchanged_answer_is_not_sent_twice(world: World, http: httpx.Client) -> None:
    wearer = add_wearer(http)
    assign(http, wearer, "leg")
    address = f"{V1}/wearers/{wearer}/nights?from=2026-03-10&to=2026-03-12"
    first = http.get(address)
    assert first.headers["etag"].startswith('W/"')
    assert first.headers["cache-control"] == "private, no-cache"
    same = http.get(address, headers={"If-None-Match": f'"other", {first.headers["etag"]}'})
    assert (same.status_code, same.content) == (304, b"")
    assert same.headers["etag"] == first.headers["etag"]
    world.write(episode("leg", ns("2026-03-11T01:00:00")))
    changed = http.get(address, headers={"If-None-Match": first.headers["etag"]})
    assert changed.status_code == 200
    assert changed.headers["etag"] != first.headers["etag"]


def test_a_night_that_is_running_counts_up_to_now(world: World, http: httpx.Client) -> None:
    world.now = "2026-03-20T22:00:00"
    wearer = add_wearer(http)
    assign(http, wearer, "leg")
    world.write(epochs("leg", ns("2026-03-20T20:00:00"), ns("2026-03-20T22:00:00")))
    world.write(episode("leg", ns("2026-03-20T21:59:00"), seconds=30, status="preliminary", revision=0))
    night = get(http, f"/wearers/{wearer}/nights")["items"][-1]
    assert night["coverage"]["expected_s"] == 7200
    assert night["cramps"]["ongoing"] == 1
    assert night["window"] == {
        "start": "2026-03-20T21:00:00+01:00", "end": "2026-03-21T09:00:00+01:00", "duration_s": 43_200,
        "source": "clock", "asleep_s": None, "sentence": "Night by the clock: 21:00–09:00.",
    }  # fmt: skip


def test_metrics_count_by_route_and_name_nobody(http: httpx.Client) -> None:
    wearer = add_wearer(http)
    get(http, f"/wearers/{wearer}/nights")
    figures = http.get("/metrics")
    assert figures.headers["content-type"].startswith("text/plain")
    assert 'charley_api_requests_total{method="GET"' in figures.text
    assert "nights" in figures.text
    assert wearer not in figures.text
