"""Late data: exactly the nights it touches change, mirrors hear what is no longer so, and who waits is told."""

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from api_world import EPOCH_NS, HOUR_NS, NAN, World, add_wearer, assign, episode, epochs, get, ns
from msgspec.structs import replace
from numpy.typing import NDArray
from test_api_nights import living

from api.completeness import pending
from api.periods import Period, Window
from api.registry import Assignment
from ingest.store import DeviceStatus
from ingest.store.memory import MemoryStore

LATE_NS = ns("2026-03-19T09:00:00")
SLEPT = [(f"2026-03-{day}T22:10:00", f"2026-03-{day + 1}T05:40:00") for day in range(10, 14)]
STATUS = DeviceStatus(
    device="leg", boot=1, online=True, last_received_ns=LATE_NS, last_sample_ns=ns("2026-03-15T12:00:00")
)


class Listening(MemoryStore):
    """Notes which epochs it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.read: list[tuple[int, int]] = []

    def columns(
        self, device: str, *, start_ns: int, end_ns: int, members: Sequence[str]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        self.read.append((start_ns, end_ns))
        return super().columns(device, start_ns=start_ns, end_ns=end_ns, members=members)


@pytest.fixture
def store() -> Listening:
    return Listening()


@pytest.fixture
def world(tmp_path: Path, store: Listening) -> Iterator[World]:
    with closing(World(tmp_path, store=store)) as made:
        yield made


@pytest.fixture
def wearer(world: World, http: httpx.Client) -> str:
    """Some days of one leg, with a cramp in each night and all in."""
    made = add_wearer(http)
    assign(http, made, "leg", since="2026-03-01T00:00:00Z")
    world.write(living("leg", "2026-03-10T09:00:00", "2026-03-15T12:00:00", *SLEPT), STATUS)
    world.write(episode("leg", ns(f"2026-03-{day}T23:30:00")) for day in range(10, 14))
    return made


def listed(http: httpx.Client, wearer: str, kind: str = "nights") -> dict[str, Any]:
    items = get(http, f"/wearers/{wearer}/{kind}", **{"from": "2026-03-10", "to": "2026-03-14"})["items"]
    return {item["id"]: item for item in items}


def changed(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    assert list(before) == list(after)
    return [name for name in before if json.dumps(before[name]) != json.dumps(after[name])]


def test_exactly_the_nights_whose_records_changed_are_revised(
    world: World, http: httpx.Client, store: Listening, wearer: str
) -> None:
    nights, days = listed(http, wearer), listed(http, wearer, "days")
    assert [item["window"]["source"] for item in nights.values()] == ["accelerometer"] * 4 + ["clock"]
    assert listed(http, wearer) == nights
    store.read.clear()
    asleep = ("2026-03-12T23:20:00", "2026-03-13T04:40:00")  # he slept less than was thought
    late = living("leg", "2026-03-12T18:00:00", "2026-03-13T06:00:00", asleep)
    world.write(replace(epoch, updated_ns=LATE_NS) for epoch in late)
    old, new = ns("2026-03-12T23:30:00"), ns("2026-03-13T00:10:00")
    successor = episode("leg", new, severity=7.0, updated_ns=LATE_NS)
    world.write(
        episode("leg", old, status="withdrawn", revision=2, superseded_by=successor.id, updated_ns=LATE_NS), successor
    )
    after = listed(http, wearer)
    assert changed(nights, after) == ["night-2026-03-12"]
    night = after["night-2026-03-12"]
    assert (night["window"]["start"][11:16], night["window"]["end"][11:16]) == ("00:20", "05:40")
    assert (night["cramps"]["count"], night["cramps"]["worst_severity"], night["revised"]) == (1, 7.0, 1)
    # Both days beside it end and begin with the night.
    assert changed(days, listed(http, wearer, "days")) == ["day-2026-03-12", "day-2026-03-13"]
    assert store.read == [(ns("2026-03-12T18:00:00"), ns("2026-03-13T06:00:00"))]


def test_epochs_that_are_no_longer_there_are_forgotten(world: World, http: httpx.Client, wearer: str) -> None:
    before = listed(http, wearer)
    gone = epochs("leg", ns("2026-03-12T18:00:00"), ns("2026-03-13T06:00:00"), received_s=0, worn_s=0, usable_s=0)
    world.write(replace(epoch, rms_uv=NAN, movement_g=NAN, angle_deg=NAN, updated_ns=LATE_NS) for epoch in gone)
    after = listed(http, wearer)
    assert changed(before, after) == ["night-2026-03-12"]
    assert after["night-2026-03-12"]["status"] == "not_enough_data"
    assert after["night-2026-03-12"]["coverage"]["received_s"] == 2 * 3600


def test_records_written_again_unchanged_change_nothing(
    world: World, http: httpx.Client, store: Listening, wearer: str
) -> None:
    before = listed(http, wearer)
    again = living("leg", "2026-03-10T09:00:00", "2026-03-15T12:00:00", *SLEPT)
    world.write(replace(epoch, updated_ns=LATE_NS) for epoch in again)
    store.read.clear()
    assert listed(http, wearer) == before
    assert store.read


def test_episodes_show_revisions_and_withdrawn_ones_only_when_asked(
    world: World, http: httpx.Client, wearer: str
) -> None:
    first, second, third = (ns(f"2026-03-{day}T23:30:00") for day in (10, 11, 12))
    world.write(
        episode("leg", first, revision=3, updated_ns=LATE_NS),
        episode("leg", second, status="withdrawn", revision=2, superseded_by="leg.soleus.7", updated_ns=LATE_NS),
        episode("leg", third, status="rejected", updated_ns=LATE_NS),
    )
    path, week = f"/wearers/{wearer}/episodes", {"from": "2026-03-10", "to": "2026-03-14"}

    def told(**params: str) -> list[tuple[str, str, int, str | None]]:
        items = get(http, path, **week, **params)["items"]
        return [(item["onset"][8:10], item["status"], item["revision"], item["superseded_by"]) for item in items]

    usual = [("11", "final", 3, None), ("14", "final", 1, None)]
    gone = ("12", "withdrawn", 2, "leg.soleus.7")
    assert told()[:2] == usual[:2]
    assert told(withdrawn="true")[:2] == [usual[0], gone]
    mirrored = [usual[0], gone, ("13", "rejected", 1, None)]
    since = "2026-03-19T00:00:00Z"
    assert told(updated_after=since) == told(updated_after=since, withdrawn="false") == mirrored
    nights = listed(http, wearer)
    assert [nights[f"night-2026-03-{day}"]["cramps"]["count"] for day in range(10, 14)] == [1, 0, 0, 1]
    assert [nights[f"night-2026-03-{day}"]["revised"] for day in range(10, 14)] == [1, 1, 0, 0]
    assert get(http, f"/wearers/{wearer}/nights", **week)["total"]["cramps"]["count"] == 2


def test_a_night_says_whether_it_is_complete(world: World, http: httpx.Client, wearer: str) -> None:
    nights = listed(http, wearer)
    assert [item["complete"] for item in nights.values()] == [True] * 5
    assert {item["pending"] for item in nights.values()} == {None}
    world.write(replace(STATUS, late_blocks=41))
    assert {item["pending"] for item in listed(http, wearer).values()} == {
        "41 blocks came late: the results are still being completed."
    }
    world.write(replace(STATUS, last_sample_ns=ns("2026-03-13T03:00:00")))
    assert [item["complete"] for item in listed(http, wearer).values()] == [True] * 2 + [False] * 3


def test_a_night_of_which_blocks_wait_is_said_to_be_worked_in(world: World, http: httpx.Client, wearer: str) -> None:
    gone = epochs("leg", ns("2026-03-12T12:00:00"), ns("2026-03-13T12:00:00"), received_s=0, worn_s=0, usable_s=0)
    world.write(replace(epoch, rms_uv=NAN, movement_g=NAN, angle_deg=NAN, updated_ns=LATE_NS) for epoch in gone)
    night = listed(http, wearer)["night-2026-03-12"]
    off = "Nothing has arrived from the device: it was off, out of reach, or has yet to synchronise."
    assert night["reason"] == off
    assert night["sentence"].endswith(f". {off}")
    begins = "This night is still being worked in: "
    for changes, what in (
        ({"late_blocks": 41}, "what came late"),
        ({"undated_blocks": 4}, "what is kept until the clock of the device is known"),
    ):
        world.write(replace(STATUS, **changes))
        nights = listed(http, wearer)
        worked_in = f"{begins}{what} may be of it, and is not in the results yet."
        night = nights["night-2026-03-12"]
        assert night["reason"] == worked_in
        assert night["sentence"].endswith(f". {worked_in}")
        assert nights["night-2026-03-11"]["reason"] is None
    world.write(replace(epoch, usable_s=5.0, received_s=10.0, updated_ns=LATE_NS + 1) for epoch in gone[4000:4360])
    assert listed(http, wearer)["night-2026-03-12"]["reason"].startswith(
        "This night is still being worked in. So far: only 1 h arrived from the device: "
    )


def night() -> Period:
    return Period("night", date(2026, 3, 10), 1, Window(ns("2026-03-10T20:00:00"), ns("2026-03-11T08:00:00")))


def assigned(device: str, *, to: str | None = None) -> Assignment:
    return Assignment(
        id=f"a-{device}-{to}", device=device, wearer="w", side="left", muscle="soleus", from_ns=0,
        to_ns=ns(to) if to else None,
    )  # fmt: skip


END = night().window.end_ns
WHOLE = DeviceStatus(device="a", boot=1, online=True, last_received_ns=END, last_sample_ns=END)
YET = "The rest has yet to come from the device on the left leg."


@pytest.mark.parametrize(
    ("who", "statuses", "now_ns", "expected"),
    [
        ([assigned("a")], [WHOLE], END, None),
        ([assigned("a")], [WHOLE], END - 1, "This night is not over."),
        ([assigned("a")], [], END, YET),
        ([], [], END, None),
        ([assigned("a")], [replace(WHOLE, last_sample_ns=END - 60 * 10**9)], END, None),
        ([assigned("a")], [replace(WHOLE, last_sample_ns=END - 61 * 10**9)], END, YET),
        ([assigned("a", to="2026-03-11T02:00:00")], [replace(WHOLE, last_sample_ns=END - 6 * HOUR_NS)], END, None),
        ([assigned("a", to="2026-03-10T20:00:00")], [replace(WHOLE, late_blocks=1)], END, None),
        (
            [assigned("a"), assigned("b")], [WHOLE, replace(WHOLE, device="b", late_blocks=1)], END,
            "1 block came late: the results are still being completed.",
        ),
        (
            [assigned("a")], [replace(WHOLE, undated_blocks=2)], END,
            "Kept until the clock of the device is known: 2 blocks.",
        ),
        (
            [assigned("a"), assigned("a", to="2026-03-11T02:00:00")],
            [replace(WHOLE, last_sample_ns=END - 6 * HOUR_NS)], END, YET,
        ),
    ],
)  # fmt: skip
def test_what_is_still_to_come(
    who: list[Assignment], statuses: list[DeviceStatus], now_ns: int, expected: str | None
) -> None:
    known = {status.device: status for status in statuses}
    assert pending(night(), assignments=who, statuses=known, now_ns=now_ns) == expected


def test_a_live_night_is_read_by_the_hour(world: World, http: httpx.Client, store: Listening) -> None:
    """What was read of a running night is kept, but for its newest hour."""
    world.now = "2026-03-21T01:30:00"
    wearer = add_wearer(http)
    assign(http, wearer, "leg")
    world.write(epochs("leg", ns("2026-03-20T18:00:00"), ns(world.now)))
    world.write(replace(STATUS, last_sample_ns=ns(world.now)))
    get(http, f"/wearers/{wearer}/nights")
    store.read.clear()
    for step in range(1, 4):
        at_ns = ns("2026-03-21T01:30:00") + step * EPOCH_NS
        world.now = f"2026-03-21T01:30:{10 * step}"
        world.write(epochs("leg", at_ns - EPOCH_NS, at_ns), replace(STATUS, last_sample_ns=at_ns))
        night = get(http, f"/wearers/{wearer}/nights", **{"from": "2026-03-20", "to": "2026-03-20"})["items"][0]
        assert night["coverage"]["usable_s"] == 5.5 * 3600 + 10 * step
    assert store.read == [(ns("2026-03-21T01:00:00"), ns("2026-03-21T02:00:00"))] * 3
