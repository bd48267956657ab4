"""Nights as the leg's movements show them: when they are believed, what the legs agree on, what the days become."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import msgspec
import numpy as np
import pytest
from api_world import EPOCH_NS, HOUR_NS, World, add_wearer, assign, episode, epochs, get, ns
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from api.nights import Rest, night_seen, nights_about, search_of, with_nights
from api.periods import NightPreference, Period, Window, locate, periods
from api.zones import ZoneChange, ZoneHistory
from detector.sleep import SleepWindow
from ingest.store import DeviceStatus, Epoch
from ingest.store.memory import MemoryStore

LATER = ns("2026-02-01T00:00:00")
CLOCK = Window(ns("2026-01-10T20:00:00"), ns("2026-01-11T08:00:00"))
WEEK = periods(
    zones=ZoneHistory((ZoneChange(0, "Europe/Berlin"),)),
    night=NightPreference(), first=date(2026, 1, 8), last=date(2026, 1, 14),
)  # fmt: skip


def slept(onset: str, end: str, *, awake_after: bool = True, asleep_s: float = 20_000.0, watched: float = 1.0) -> Rest:
    sleep = SleepWindow(
        onset_ns=ns(f"2026-01-{onset}"), end_ns=ns(f"2026-01-{end}"), asleep_s=asleep_s, seen=1.0,
        awake_after=awake_after, threshold_deg=0.3,
    )  # fmt: skip
    return Rest(sleep, watched)


USUAL = slept("10T22:10:00", "11T05:40:00")
NOTHING = Rest(None, 1.0)


def seen(*rests: Rest, now_ns: int = LATER) -> tuple[str, str] | None:
    window = night_seen(CLOCK, rests, now_ns=now_ns)
    if window is None:
        return None
    assert window.source == "accelerometer"
    return tuple(_text(edge) for edge in (window.start_ns, window.end_ns))  # type: ignore[return-value]


def _text(instant_ns: int) -> str:
    hour, rest = divmod(instant_ns // 10**9 % 86_400, 3600)
    return f"{hour:02}:{rest // 60:02}"


def test_a_night_is_what_the_leg_slept() -> None:
    assert seen(USUAL) == ("22:10", "05:40")
    assert seen(USUAL, NOTHING) == ("22:10", "05:40")
    assert seen(NOTHING) is None
    assert seen() is None


def test_two_legs_sleep_while_both_do() -> None:
    other = slept("10T22:30:00", "11T06:10:00", asleep_s=19_000.0)
    assert seen(USUAL, other) == ("22:30", "05:40")
    window = night_seen(CLOCK, [USUAL, other], now_ns=LATER)
    assert window is not None
    assert window.asleep_s == 19_000


def test_legs_that_contradict_each_other_leave_the_clock() -> None:
    assert seen(USUAL, slept("11T03:00:00", "11T07:50:00")) is None
    assert seen(slept("10T20:10:00", "10T23:40:00"), slept("11T00:00:00", "11T07:50:00")) is None


def test_who_was_not_seen_awake_afterwards_may_have_slept_on() -> None:
    broken_off = slept("10T22:00:00", "11T02:00:00", awake_after=False)
    assert seen(broken_off) is None
    assert seen(broken_off, USUAL) == ("22:10", "05:40")


def test_sleep_by_day_is_a_night_only_if_the_night_was_watched() -> None:
    """Who wears the device by day only would otherwise have a night on the sofa."""
    assert seen(slept("11T08:30:00", "11T13:30:00")) == ("08:30", "13:30")
    assert seen(slept("11T08:30:00", "11T13:30:00", watched=0.7)) is None
    assert seen(slept("11T05:30:00", "11T09:30:00", watched=0.0)) == ("05:30", "09:30")


@pytest.mark.parametrize(
    ("end", "now", "found"),
    [
        ("11T05:40:00", "11T07:59:59", False),  # the clock night is not over
        ("11T05:40:00", "11T08:00:00", True),
        ("11T07:30:00", "11T08:29:59", False),  # may fall asleep again
        ("11T07:30:00", "11T08:30:00", True),
    ],
)
def test_the_clock_stands_until_the_night_is_settled(end: str, now: str, found: bool) -> None:
    window = seen(slept("10T22:10:00", end), now_ns=ns(f"2026-01-{now}"))
    assert (window is not None) is found


def test_a_search_reaches_from_the_middle_of_a_day_to_that_of_the_next() -> None:
    index = next(i for i, period in enumerate(WEEK) if period.id == "night-2026-01-10")
    assert search_of(WEEK, index) == (ns("2026-01-10T14:00:00"), ns("2026-01-11T14:00:00"))
    assert search_of(WEEK, index - 1) is None
    assert search_of(WEEK[index:], 0) is None


@pytest.mark.parametrize(
    ("change", "evening", "hours"),
    [("", "2026-03-28", 23.0), ("", "2026-10-24", 25.0), ("2026-01-10T13:00:00", "2026-01-09", 24.0)],
)
def test_searches_tile_time_over_clock_changes_and_travel(change: str, evening: str, hours: float) -> None:
    changes = [ZoneChange(0, "Europe/Berlin")] + ([ZoneChange(ns(change), "America/New_York")] if change else [])
    day = date.fromisoformat(evening)
    among = periods(
        zones=ZoneHistory(tuple(changes)), night=NightPreference(),
        first=day - timedelta(days=3), last=day + timedelta(days=3),
    )  # fmt: skip
    searches = [search for index in range(len(among)) if (search := search_of(among, index))]
    assert len(searches) >= 5
    assert all(before[1] == after[0] for before, after in pairwise(searches))
    own = next(
        search for index in range(len(among)) if among[index].date == day and (search := search_of(among, index))
    )
    assert (own[1] - own[0]) / HOUR_NS == pytest.approx(hours, abs=4.0 if change else 0.51)


WINDOWS = st.dictionaries(
    st.integers(0, len(WEEK) - 1), st.tuples(st.integers(0, 8639), st.integers(1, 5000)), max_size=6
)


@given(WINDOWS, st.integers(0, 5 * 24 * 3600))
def test_with_any_nights_moved_every_instant_is_in_one_period(drawn: dict[int, tuple[int, int]], after_s: int) -> None:
    moved: dict[int, Window] = {}
    for index, (first, length) in drawn.items():
        search = search_of(WEEK, index)
        if search is not None:
            onset_ns = search[0] + first * EPOCH_NS
            moved[index] = Window(onset_ns, min(onset_ns + length * EPOCH_NS, search[1]), "accelerometer")
    now = with_nights(WEEK, moved)
    assert [period.id for period in now] == [period.id for period in WEEK]
    assert all(before.window.end_ns == after.window.start_ns for before, after in pairwise(now))
    instant_ns = WEEK[2].window.start_ns + after_s * 10**9
    full = locate(now, instant_ns)
    about = nights_about(WEEK, [instant_ns])
    # One night is enough to know what an instant falls in.
    few = locate(with_nights(WEEK, {index: window for index, window in moved.items() if index in about}), instant_ns)
    assert full is not None
    assert few is not None
    assert full.id == few.id


def living(
    device: str, start: str, end: str, *asleep: tuple[str, str], off: tuple[str, str] | None = None
) -> list[Epoch]:
    """Epochs of a leg that walks and, between pairs of instants, sleeps; `off` it lies on a table, electrodes quiet."""
    spans = [(ns(low), ns(high)) for low, high in asleep]
    table = (ns(off[0]), ns(off[1])) if off else (0, 0)
    made = []
    for number, epoch in enumerate(epochs(device, ns(start), ns(end))):
        at = epoch.start_ns
        if table[0] <= at < table[1]:
            changes = {"angle_deg": 1.0, "movement_g": 0.002, "rms_uv": 1.0}
        elif any(low <= at < high for low, high in spans):
            changes = {"angle_deg": 20.0 * (number // 150 % 3) - 20, "movement_g": 0.05 if number % 150 == 0 else 0.003}
        else:
            changes = {"angle_deg": 70.0 + number % 7, "movement_g": 0.15}
        made.append(msgspec.structs.replace(epoch, **changes))
    return made


def listed(http: httpx.Client, wearer: str, kind: str, first: str, last: str) -> dict[str, Any]:
    items = get(http, f"/wearers/{wearer}/{kind}", **{"from": first, "to": last})["items"]
    return {item["id"]: item for item in items}


def minutes(window: dict[str, str]) -> tuple[str, str]:
    return window["start"][:16], window["end"][:16]


def test_nights_days_and_cramps_follow_the_sleep_of_the_leg(world: World, http: httpx.Client) -> None:
    wearer = add_wearer(http)
    assign(http, wearer, "leg", since="2026-03-01T00:00:00Z")
    nights = [("2026-03-10T22:10:00", "2026-03-11T05:40:00"), ("2026-03-11T23:00:00", "2026-03-12T06:00:00")]
    world.write(living("leg", "2026-03-10T10:00:00", "2026-03-13T02:00:00", *nights))
    onsets = ("2026-03-10T20:30:00", "2026-03-10T22:30:00", "2026-03-11T06:00:00")
    world.write(episode("leg", ns(onset)) for onset in onsets)
    night = listed(http, wearer, "nights", "2026-03-10", "2026-03-12")
    window = night["night-2026-03-10"]["window"]
    assert minutes(window) == ("2026-03-10T23:10", "2026-03-11T06:40")
    assert window["source"] == "accelerometer"
    assert window["duration_s"] == pytest.approx(7.5 * 3600, abs=20)
    assert 0.7 * window["duration_s"] < window["asleep_s"] <= window["duration_s"]
    assert window["sentence"] == "Asleep 23:10–06:40, as the leg's movements show."
    assert night["night-2026-03-10"]["coverage"]["usable_s"] == window["duration_s"]
    assert night["night-2026-03-10"]["cramps"]["count"] == 1
    assert night["night-2026-03-12"]["window"]["source"] == "clock"
    day = listed(http, wearer, "days", "2026-03-10", "2026-03-11")
    assert day["day-2026-03-11"]["window"]["start"] == window["end"]
    assert day["day-2026-03-11"]["window"]["end"][:16] == "2026-03-12T00:00"
    assert day["day-2026-03-11"]["window"]["source"] == "accelerometer"
    assert day["day-2026-03-11"]["cramps"]["count"] == 1
    found = get(http, f"/wearers/{wearer}/episodes", **{"from": "2026-03-10", "to": "2026-03-12"})["items"]
    assert [item["period"]["id"] for item in found] == ["day-2026-03-10", "night-2026-03-10", "day-2026-03-11"]


def test_a_night_over_a_clock_change_is_measured_in_elapsed_time(world: World, http: httpx.Client) -> None:
    world.now = "2026-03-31T12:00:00"
    wearer = add_wearer(http)
    assign(http, wearer, "leg", since="2026-03-01T00:00:00Z")
    asleep = ("2026-03-28T22:00:00", "2026-03-29T05:00:00")
    world.write(living("leg", "2026-03-28T10:00:00", "2026-03-29T14:00:00", asleep))
    window = listed(http, wearer, "nights", "2026-03-28", "2026-03-28")["night-2026-03-28"]["window"]
    assert minutes(window) == ("2026-03-28T23:00", "2026-03-29T07:00")
    assert window["duration_s"] == pytest.approx(7 * 3600, abs=20)


def test_who_sleeps_by_day_is_found_without_saying_so(world: World, http: httpx.Client) -> None:
    wearer = add_wearer(http)
    assign(http, wearer, "leg", since="2026-03-01T00:00:00Z")
    asleep = ("2026-03-11T07:00:00", "2026-03-11T13:00:00")
    world.write(living("leg", "2026-03-10T10:00:00", "2026-03-11T20:00:00", asleep))
    window = listed(http, wearer, "nights", "2026-03-10", "2026-03-10")["night-2026-03-10"]["window"]
    assert minutes(window) == ("2026-03-11T08:00", "2026-03-11T14:00")


def test_the_leg_of_somebody_else_is_not_looked_at(world: World, http: httpx.Client) -> None:
    ada, bea = add_wearer(http), add_wearer(http, "Bea")
    assign(http, ada, "leg", since="2026-03-01T00:00:00Z", to="2026-03-11T00:00:00Z")
    assign(http, bea, "leg", since="2026-03-11T00:00:00Z")
    asleep = ("2026-03-10T21:00:00", "2026-03-11T06:00:00")
    world.write(living("leg", "2026-03-10T10:00:00", "2026-03-11T20:00:00", asleep))
    for wearer in (ada, bea):
        window = listed(http, wearer, "nights", "2026-03-10", "2026-03-10")["night-2026-03-10"]["window"]
        assert window["source"] == ("clock" if wearer == ada else "accelerometer")


def test_a_device_that_lies_about_was_not_worn(world: World, http: httpx.Client) -> None:
    wearer = add_wearer(http)
    assign(http, wearer, "leg", since="2026-03-01T00:00:00Z")
    table = ("2026-03-10T21:00:00", "2026-03-11T07:00:00")
    world.write(living("leg", "2026-03-10T10:00:00", "2026-03-11T20:00:00", off=table))
    night = listed(http, wearer, "nights", "2026-03-10", "2026-03-10")["night-2026-03-10"]
    assert night["window"]["source"] == "clock"
    assert night["coverage"] == {"expected_s": 43_200, "received_s": 43_200, "worn_s": 7200, "usable_s": 7200}
    assert night["reason"] == "The device was worn for 2 h only: 2 h usable, 4 h needed."
    assert [stretch["seen"] for stretch in night["devices"][0]["timeline"]] == ["usable", "not_worn", "usable"]


class Counting(MemoryStore):
    """Counts what it is asked."""

    asked = 0

    def columns(
        self, device: str, *, start_ns: int, end_ns: int, members: Sequence[str]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        self.asked += 1
        return super().columns(device, start_ns=start_ns, end_ns=end_ns, members=members)


def test_what_is_remembered_of_a_night_is_read_once_and_follows_new_data(tmp_path: Path) -> None:
    store = Counting()
    world = World(tmp_path, store=store)
    with world.client() as http:
        wearer = add_wearer(http)
        assign(http, wearer, "leg", since="2026-03-01T00:00:00Z")
        asleep = ("2026-03-10T22:10:00", "2026-03-11T05:40:00")
        whole = living("leg", "2026-03-10T10:00:00", "2026-03-12T10:00:00", asleep)
        status = DeviceStatus(device="leg", boot=1, online=True, last_received_ns=ns("2026-03-12T10:00:00"))

        def source_of(until: str) -> str:
            world.write([epoch for epoch in whole if epoch.start_ns < ns(until)])
            world.write(msgspec.structs.replace(status, last_sample_ns=ns(until)))
            return str(
                listed(http, wearer, "nights", "2026-03-10", "2026-03-10")["night-2026-03-10"]["window"]["source"]
            )

        assert [source_of(f"2026-03-11T{clock}:00") for clock in ("03:00", "05:00", "05:45", "06:00")] == [
            "clock", "clock", "clock", "accelerometer",
        ]  # fmt: skip
        assert source_of("2026-03-12T10:00:00") == "accelerometer"
        before = store.asked
        listed(http, wearer, "nights", "2026-03-10", "2026-03-10")
        assert store.asked == before
    world.close()


def test_a_refined_period_keeps_its_name() -> None:
    period = WEEK[5]
    assert replace(period, window=Window(1, 2, "accelerometer")).id == period.id
    assert isinstance(period, Period)
