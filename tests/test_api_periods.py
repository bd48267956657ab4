"""Nights and days over clock changes, odd zones and travel: every instant falls in exactly one."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.errors import Invalid
from api.periods import NightPreference, Period, locate, periods, periods_around
from api.times import date_range
from api.zones import ZoneChange, ZoneHistory, zone_names

HOUR = 3600.0
NS = 10**9
USUAL = NightPreference()


def at(text: str, zone: str = "UTC") -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()) * NS


def history(*changes: tuple[str, str]) -> ZoneHistory:
    """`("Europe/Berlin", "")` for ever before, then `(zone, UTC instant)`."""
    return ZoneHistory(tuple(ZoneChange(at(since) if since else 0, zone) for zone, since in changes))


def stay(zone: str) -> ZoneHistory:
    return history((zone, ""))


def found(zones: ZoneHistory, first: str, last: str, *, night: NightPreference = USUAL) -> dict[str, Period]:
    among = periods(zones=zones, night=night, first=date.fromisoformat(first), last=date.fromisoformat(last))
    return {period.id: period for period in among}


def hours(period: Period) -> float:
    return period.window.seconds / HOUR


def test_a_plain_night_runs_from_nine_to_nine_and_is_named_by_its_evening() -> None:
    here = found(stay("Europe/Berlin"), "2026-01-10", "2026-01-10")
    assert list(here) == ["day-2026-01-10", "night-2026-01-10"]
    night = here["night-2026-01-10"]
    assert night.window.start_ns == at("2026-01-10T21:00", "Europe/Berlin")
    assert night.window.end_ns == at("2026-01-11T09:00", "Europe/Berlin")
    assert night.window.source == "clock"


@pytest.mark.parametrize(
    ("zone", "evening", "length"),
    [
        ("Europe/Berlin", "2026-03-28", 11.0),
        ("Europe/Berlin", "2026-10-24", 13.0),
        ("Australia/Lord_Howe", "2026-10-03", 11.5),
        ("Australia/Lord_Howe", "2026-04-04", 12.5),
        ("Asia/Kathmandu", "2026-03-28", 12.0),
        ("America/St_Johns", "2026-11-01", 12.0),
        ("America/St_Johns", "2026-10-31", 13.0),
    ],
)
def test_nights_are_measured_in_elapsed_time(zone: str, evening: str, length: float) -> None:
    night = found(stay(zone), evening, evening)[f"night-{evening}"]
    assert hours(night) == length
    local = datetime.fromtimestamp(night.window.start_ns / NS, ZoneInfo(zone))
    assert (local.date().isoformat(), local.hour, local.minute) == (evening, 21, 0)


def test_days_of_23_and_25_hours_add_up() -> None:
    for evening, length in (("2026-03-28", 23.0), ("2026-10-24", 25.0)):
        here = found(stay("Europe/Berlin"), evening, evening)
        following = found(stay("Europe/Berlin"), evening, "2026-12-31")
        assert hours(here[f"night-{evening}"]) + hours(list(following.values())[2]) == length


def test_a_wall_time_that_does_not_exist_begins_when_the_clock_has_passed_it() -> None:
    night = NightPreference(time(2, 30), time(9, 0))
    here = found(stay("Europe/Berlin"), "2026-03-29", "2026-03-29", night=night)["night-2026-03-29"]
    assert here.window.start_ns == at("2026-03-29T01:00")  # 02:00 became 03:00
    assert hours(here) == 6.0


def test_a_wall_time_that_comes_twice_counts_the_first_time() -> None:
    night = NightPreference(time(21, 0), time(2, 30))
    here = found(stay("Europe/Berlin"), "2026-10-24", "2026-10-25", night=night)
    assert here["night-2026-10-24"].window.end_ns == at("2026-10-25T00:30")  # 02:30 of summer time
    assert list(here) == ["day-2026-10-24", "night-2026-10-24", "day-2026-10-25", "night-2026-10-25"]
    assert hours(here["day-2026-10-25"]) == 19.5  # 18.5 on the clock, and the hour that came twice


def test_who_sleeps_by_day_has_nights_on_one_date() -> None:
    night = NightPreference(time(9, 0), time(17, 0))
    here = found(stay("Europe/Berlin"), "2026-01-10", "2026-01-10", night=night)
    assert list(here) == ["night-2026-01-10", "day-2026-01-10"]
    assert hours(here["night-2026-01-10"]) == 8.0
    assert hours(here["day-2026-01-10"]) == 16.0


def test_a_short_flight_west_does_not_reopen_the_day() -> None:
    zones = history(("Europe/Berlin", ""), ("Europe/London", "2026-01-10T20:30"))  # 21:30 became 20:30
    here = found(zones, "2026-01-10", "2026-01-10")
    assert list(here) == ["day-2026-01-10", "night-2026-01-10"]
    assert hours(here["day-2026-01-10"]) == 12.0
    assert hours(here["night-2026-01-10"]) == 13.0


def test_a_flight_east_in_the_night_shortens_it() -> None:
    zones = history(("America/New_York", ""), ("Europe/Berlin", "2026-01-11T05:00"))  # midnight became 06:00
    here = found(zones, "2026-01-10", "2026-01-11")
    assert hours(here["night-2026-01-10"]) == 6.0
    assert here["day-2026-01-11"].window.end_ns == at("2026-01-11T21:00", "Europe/Berlin")


def test_a_long_flight_west_repeats_the_date() -> None:
    zones = history(("Asia/Tokyo", ""), ("America/New_York", "2026-01-10T13:00"))  # 22:00 became 08:00
    here = found(zones, "2026-01-10", "2026-01-10")
    assert list(here) == ["day-2026-01-10", "night-2026-01-10", "day-2026-01-10-2", "night-2026-01-10-2"]
    assert [hours(period) for period in here.values()] == [12.0, 2.0, 12.0, 12.0]


def test_a_night_over_the_date_line_eastwards_is_one_night() -> None:
    zones = history(
        ("Pacific/Auckland", ""), ("Pacific/Honolulu", "2026-01-10T09:00")
    )  # the 10th, 22:00, the 9th, 23:00
    here = found(zones, "2026-01-09", "2026-01-11")
    assert hours(here["night-2026-01-10"]) == 11.0
    assert list(here)[3:7] == ["night-2026-01-10", "day-2026-01-10-2", "night-2026-01-10-2", "day-2026-01-11"]


def test_a_skipped_date_has_neither_day_nor_night() -> None:
    zones = history(
        ("Pacific/Honolulu", ""), ("Pacific/Auckland", "2026-01-10T10:00")
    )  # the 10th 00:00, the 10th 23:00
    here = found(zones, "2026-01-08", "2026-01-11")
    assert "day-2026-01-10" not in here
    assert hours(here["night-2026-01-09"]) == 13.0
    assert list(here) == [
        "day-2026-01-08", "night-2026-01-08", "day-2026-01-09", "night-2026-01-09", "day-2026-01-11",
        "night-2026-01-11",
    ]  # fmt: skip


def test_two_whole_nights_are_not_one_even_where_the_day_between_is_skipped() -> None:
    zones = history(("America/New_York", ""), ("Asia/Tokyo", "2026-01-10T13:00"))  # 08:00 became 22:00
    here = found(zones, "2026-01-09", "2026-01-10")
    assert hours(here["night-2026-01-09"]) == 11.0
    assert hours(here["night-2026-01-10"]) == 11.0


def test_a_late_correction_moves_the_nights() -> None:
    before = found(stay("Europe/Berlin"), "2026-01-10", "2026-01-10")["night-2026-01-10"]
    after = found(stay("Asia/Kolkata"), "2026-01-10", "2026-01-10")["night-2026-01-10"]
    assert before.window.start_ns - after.window.start_ns == 4.5 * HOUR * NS


@pytest.mark.parametrize(
    ("start", "end"), [(time(21), time(21)), (time(21), time(22)), (time(9), time(8)), (time(21, 0, 30), time(9))]
)
def test_impossible_nights_are_refused(start: time, end: time) -> None:
    with pytest.raises(Invalid, match="night"):
        NightPreference(start, end)


@pytest.mark.parametrize(
    "zone",
    ["UTC", "Etc/GMT-2", "Etc/UTC", "+02:00", "UTC+2", "GMT", "EST", "CET", "Europe/Atlantis", "", "../etc/passwd"],
)
def test_fixed_offsets_and_unknown_zones_are_refused(zone: str) -> None:
    with pytest.raises(Invalid, match="place"):
        stay(zone)


def test_a_zone_history_is_in_order_and_begins_with_the_beginning() -> None:
    for changes in (
        (),
        (ZoneChange(5, "Europe/Berlin"),),
        (ZoneChange(0, "Europe/Berlin"), ZoneChange(9, "Asia/Tokyo"), ZoneChange(9, "Asia/Kolkata")),
    ):
        with pytest.raises(Invalid):
            ZoneHistory(changes)


ZONES = st.sampled_from(sorted(zone_names()))
SECONDS = st.integers(at("2021-01-01") // NS, at("2049-01-01") // NS)
NIGHTS = st.builds(
    lambda start, length: NightPreference(
        (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=start)).time(),
        (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=start + length)).time(),
    ),
    st.integers(0, 1439),
    st.integers(180, 1260),
)


@st.composite
def travels(draw: st.DrawFn) -> tuple[ZoneHistory, int]:
    """Some changes of zone, close together or far apart, and an instant among them."""
    second = draw(SECONDS)
    gaps = draw(st.lists(st.integers(1, 4 * 86_400), max_size=5))
    changes = [ZoneChange(0, draw(ZONES))]
    at_s = second
    for gap in gaps:
        at_s += gap
        changes.append(ZoneChange(at_s * NS + draw(st.integers(0, NS - 1)), draw(ZONES)))
    moment = draw(st.integers(second - 3 * 86_400, at_s + 3 * 86_400))
    return ZoneHistory(tuple(changes)), moment * NS + draw(st.integers(0, NS - 1))


@given(travels(), NIGHTS)
def test_every_instant_falls_in_exactly_one_period(travel: tuple[ZoneHistory, int], night: NightPreference) -> None:
    zones, instant_ns = travel
    among = periods_around(zones=zones, night=night, start_ns=instant_ns, end_ns=instant_ns + 1)
    holding = [period for period in among if period.window.start_ns <= instant_ns < period.window.end_ns]
    assert len(holding) == 1
    assert locate(among, instant_ns) == holding[0]
    assert len({period.id for period in among}) == len(among)
    for before, after in pairwise(among):
        assert before.window.start_ns < before.window.end_ns <= after.window.start_ns


@given(travels(), NIGHTS, st.integers(0, 20), st.integers(0, 20))
def test_what_is_asked_for_does_not_change_what_a_period_is(
    travel: tuple[ZoneHistory, int], night: NightPreference, before: int, after: int
) -> None:
    zones, instant_ns = travel
    day = zones.local(instant_ns).date()
    narrow = periods(zones=zones, night=night, first=day, last=day)
    wide = periods(zones=zones, night=night, first=day - timedelta(days=before), last=day + timedelta(days=after))
    assert [period for period in wide if period.date == day] == narrow


@given(travels(), NIGHTS)
def test_neighbours_touch(travel: tuple[ZoneHistory, int], night: NightPreference) -> None:
    zones, instant_ns = travel
    day = zones.local(instant_ns).date()
    # Dates may repeat or be skipped at the edges of a range, so look at the inside of a wide one.
    among = periods(zones=zones, night=night, first=day - timedelta(days=9), last=day + timedelta(days=9))
    inside = [period for period in among if abs(period.window.start_ns - instant_ns) < 5 * 86_400 * NS]
    assert len(inside) > 4
    for earlier, later in pairwise(inside):
        assert earlier.window.end_ns == later.window.start_ns
        assert (earlier.kind, earlier.date, earlier.part) != (later.kind, later.date, later.part)


@given(ZONES, st.integers(at("2021-01-01") // NS, at("2049-01-01") // NS))
def test_without_travel_a_period_is_what_the_wall_clock_says(zone: str, second: int) -> None:
    """The slow twin: read the wall clock, and step over the hours near a clock change."""
    local = datetime.fromtimestamp(second, ZoneInfo(zone))
    offsets = {
        datetime.fromtimestamp(second + shift, ZoneInfo(zone)).utcoffset() for shift in range(-14_400, 14_401, 900)
    }
    among = periods_around(zones=stay(zone), night=USUAL, start_ns=second * NS, end_ns=second * NS + 1)
    period = locate(among, second * NS)
    assert period is not None
    if len(offsets) == 1:
        by_day = 9 <= local.hour < 21
        evening = local.date() - timedelta(days=1) if local.hour < 9 else local.date()
        assert (period.kind, period.date) == ("day" if by_day else "night", evening)
    assert 10.0 <= hours(period) <= 14.0 or zone_jumps(zone, period)


def zone_jumps(zone: str, period: Period) -> bool:
    """A clock set forward or back by more than two hours, as islands have done to change sides of the date line."""
    ends = (period.window.start_ns // NS, period.window.end_ns // NS)
    first, last = (datetime.fromtimestamp(second, ZoneInfo(zone)).utcoffset() for second in ends)
    return first is not None and last is not None and abs(first - last) > timedelta(hours=2)


@pytest.mark.parametrize(
    ("local", "first", "last"),
    [
        ("2026-03-20T08:59", date(2026, 3, 12), date(2026, 3, 19)),  # last night is not over
        ("2026-03-20T09:00", date(2026, 3, 13), date(2026, 3, 20)),
        ("2026-03-20T23:59", date(2026, 3, 13), date(2026, 3, 20)),
    ],
)
def test_seven_whole_nights_are_there_at_any_hour(local: str, first: date, last: date) -> None:
    berlin = "Europe/Berlin"
    found_range = date_range(None, None, zones=stay(berlin), night_end=time(9, 0), now_ns=at(local, berlin))
    assert found_range == (first, last)
