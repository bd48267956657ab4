"""Coverage and cramps of a period: what counts, what does not, and what is not known."""

import math
from datetime import date, time
from itertools import pairwise

import pytest
from api_world import EPOCH_NS, HOUR_NS, episode, epochs, ns
from hypothesis import given
from hypothesis import strategies as st

from api.columns import columns_of
from api.coverage import Coverage, cells_of, covered, covered_together, timeline
from api.periods import NightPreference, Period, periods
from api.registry import Assignment
from api.registry.values import Side
from api.summaries import Summary, members, owned_by, summarise, total
from api.wording import duration, of_summary, of_total
from api.zones import ZoneChange, ZoneHistory
from ingest.store import Episode, Epoch

ZONES = ZoneHistory((ZoneChange(0, "Europe/Berlin"),))
BEGIN, END = ns("2026-01-10T20:00:00"), ns("2026-01-11T08:00:00")  # 21:00 to 09:00 in Berlin
LATER = ns("2026-02-01T00:00:00")


def night() -> Period:
    day = date(2026, 1, 10)
    return periods(zones=ZONES, night=NightPreference(), first=day, last=day)[1]


def assigned(
    device: str = "leg", *, since: int = 0, to: int | None = None, side: Side = "left", name: str = ""
) -> Assignment:
    return Assignment(
        id=name or f"a-{device}", device=device, wearer="w", side=side, muscle="soleus", from_ns=since, to_ns=to
    )


def summary(
    measured: dict[str, list[Epoch]],
    found: list[Episode] | None = None,
    *,
    who: list[Assignment] | None = None,
    now_ns: int = LATER,
) -> Summary:
    who = [assigned()] if who is None else who
    columns = {device: columns_of(epochs) for device, epochs in measured.items()}
    return summarise(night(), assignments=who, epochs=columns, episodes=owned_by(who, found or []), now_ns=now_ns)


def test_a_night_fully_seen() -> None:
    got = summary({"leg": epochs("leg", BEGIN, END)}, [episode("leg", BEGIN + HOUR_NS)])
    assert got.coverage == Coverage(43_200, 43_200, 43_200, 43_200)
    assert (got.status, got.reason) == ("ok", None)
    assert got.cramps.per_8_usable_h == pytest.approx(8 / 12)
    assert of_summary(got) == "1 cramp, 1 min 30 s in all, worst severity 5.0 of 10."


def test_counts_durations_severities_and_load_are_added_up() -> None:
    onsets = [episode("leg", BEGIN + hour * HOUR_NS, seconds=60 * hour, severity=hour) for hour in (1, 2, 3)]
    got = summary({"leg": epochs("leg", BEGIN, END)}, onsets).cramps
    assert (got.count, got.total_s, got.longest_s) == (3, 360.0, 180.0)
    assert (got.worst_severity, got.mean_severity, got.load) == (3, 2.0, pytest.approx(36.0))
    assert not got.at_least


def test_an_episode_belongs_where_its_onset_lies() -> None:
    edges = [BEGIN - 1, BEGIN, END - 1, END]
    got = owned_by([assigned()], [episode("leg", onset_ns) for onset_ns in edges])
    assert [item.episode.onset_ns for item in members(night(), got)] == [BEGIN, END - 1]


def test_rejected_episodes_do_not_count_and_preliminary_ones_are_going_on() -> None:
    found = [
        episode("leg", BEGIN + HOUR_NS, status="rejected"),
        episode("leg", BEGIN + 2 * HOUR_NS, status="preliminary", revision=0),
    ]
    got = summary({"leg": epochs("leg", BEGIN, END)}, found).cramps
    assert (got.count, got.ongoing) == (1, 1)


def test_an_episode_counts_for_whom_the_device_was_assigned_to_at_its_onset() -> None:
    lent = ns("2026-01-11T00:00:00")
    who = [assigned(to=lent)]
    got = owned_by(who, [episode("leg", lent - 1), episode("leg", lent), episode("other", lent - 1)])
    assert [item.episode.onset_ns for item in got] == [lent - 1]


def test_cramps_on_both_legs_are_two() -> None:
    who = [assigned("left"), assigned("right", side="right")]
    measured = {device: epochs(device, BEGIN, END) for device in ("left", "right")}
    found = [episode("left", BEGIN + HOUR_NS), episode("right", BEGIN + HOUR_NS)]
    got = summary(measured, found, who=who)
    assert got.cramps.count == 2
    assert got.coverage.usable_s == 43_200
    assert got.cramps.per_8_usable_h == pytest.approx(16 / 12)


def test_one_of_two_legs_is_half_covered() -> None:
    who = [assigned("left"), assigned("right", side="right")]
    got = summary({"left": epochs("left", BEGIN, END), "right": []}, who=who)
    assert got.coverage == Coverage(43_200, 21_600, 21_600, 21_600)
    assert [share.coverage.usable_s for share in got.devices] == [43_200, 0]


def test_the_mean_of_several_devices_is_not_taken_for_what_one_gave() -> None:
    who = [assigned("left"), assigned("right", side="right"), assigned("third", side="right")]
    got = summary({"left": epochs("left", BEGIN, BEGIN + 9 * HOUR_NS), "right": [], "third": []}, who=who)
    assert got.reason == "Only 3 h arrived from the devices, on their mean: 3 h usable, 4 h needed."
    off = summary({"left": [], "right": [], "third": []}, who=who).reason
    assert off == "Nothing has arrived from any device: they were off, out of reach, or have yet to synchronise."
    change = BEGIN + HOUR_NS
    one_after_another = summary(
        {"left": [], "right": []}, who=[assigned("left", to=change), assigned("right", since=change)]
    )
    assert "from the device" in str(one_after_another.reason)


def test_a_night_that_is_running_gives_poor_ones_no_rate() -> None:
    now_ns = BEGIN + 86_400 * 10**9 + HOUR_NS
    who = [assigned()]
    poor = [summary({"leg": epochs("leg", BEGIN, BEGIN + 3 * HOUR_NS)}, now_ns=now_ns) for _ in range(2)]
    running = summary({"leg": epochs("leg", BEGIN, BEGIN + HOUR_NS)}, now_ns=BEGIN + HOUR_NS)
    got = total([*poor, running], owned_by(who, [episode("leg", BEGIN + HOUR_NS)]), now_ns=BEGIN + HOUR_NS)
    assert got.coverage.usable_s > 4 * 3600
    assert got.cramps.per_8_usable_h is None
    good = summary({"leg": epochs("leg", BEGIN, END)})
    assert total([*poor, good], [], now_ns=LATER).cramps.per_8_usable_h is not None


def test_a_device_replaced_in_the_night_covers_all_of_it() -> None:
    change = ns("2026-01-11T02:00:05")  # inside an epoch
    who = [assigned("old", to=change), assigned("new", since=change)]
    got = summary({device: epochs(device, BEGIN, END) for device in ("old", "new")}, who=who)
    assert got.coverage == Coverage(43_200, 43_200, 43_200, 43_200)


def test_seconds_before_an_assignment_belong_to_nobody() -> None:
    got = summary({"leg": epochs("leg", BEGIN, END)}, who=[assigned(since=END - HOUR_NS)])
    assert got.coverage == Coverage(3600, 3600, 3600, 3600)


def test_the_future_is_not_expected() -> None:
    now_ns = BEGIN + 2 * HOUR_NS
    got = summary({"leg": epochs("leg", BEGIN, now_ns)}, now_ns=now_ns)
    assert got.coverage == Coverage(7200, 7200, 7200, 7200)
    assert got.status == "not_enough_data"
    assert got.reason == "This night is still going on: 2 h usable, 4 h needed."


def test_a_device_with_two_sites_counts_by_the_better() -> None:
    both = sorted(
        [*epochs("leg", BEGIN, END, site="a", usable_s=0), *epochs("leg", BEGIN, END, site="b", worn_s=8, usable_s=8)],
        key=lambda epoch: (epoch.start_ns, epoch.site),
    )
    got = summary({"leg": both})
    assert got.coverage == Coverage(43_200, 43_200, 43_200, 34_560)


@pytest.mark.parametrize(
    ("measured", "reason"),
    [
        ([], "Nothing has arrived from the device: it was off, out of reach, or has yet to synchronise."),
        (epochs("leg", BEGIN, BEGIN + HOUR_NS), "Only 1 h arrived from the device: 1 h usable, 4 h needed."),
        (
            epochs("leg", BEGIN, END, worn_s=1, usable_s=1),
            "The device was worn for 1 h 12 min only: 1 h 12 min usable, 4 h needed.",
        ),
        (
            epochs("leg", BEGIN, END, usable_s=3),
            "The signal was poor; check the electrodes and the cable: 3 h 36 min usable, 4 h needed.",
        ),
    ],
)  # fmt: skip
def test_not_enough_data_says_why_and_gives_no_rate(measured: list[Epoch], reason: str) -> None:
    got = summary({"leg": measured}, [episode("leg", BEGIN + 1)])
    assert (got.status, got.reason) == ("not_enough_data", reason)
    assert got.cramps.at_least
    assert got.cramps.count == 1
    assert got.cramps.per_8_usable_h is None
    assert of_summary(got).startswith("Not enough data: at least 1 cramp")


def test_nobody_assigned_and_not_begun_are_not_zero_cramps() -> None:
    assert summary({}, who=[]).reason == "No device was assigned in this night."
    assert summary({"leg": []}, now_ns=BEGIN).reason == "This night has not begun."


def test_four_hours_are_enough_and_a_second_less_is_not() -> None:
    four = BEGIN + 4 * HOUR_NS
    assert summary({"leg": epochs("leg", BEGIN, four)}).status == "ok"
    assert summary({"leg": epochs("leg", BEGIN, four - EPOCH_NS)}).status == "not_enough_data"


def test_a_short_night_needs_half_of_it() -> None:
    short = NightPreference(time(22), time(2))
    day = date(2026, 1, 10)
    period = next(p for p in periods(zones=ZONES, night=short, first=day, last=day) if p.kind == "night")
    start = period.window.start_ns
    measured = {"leg": columns_of(epochs("leg", start, start + 2 * HOUR_NS))}
    got = summarise(period, assignments=[assigned()], epochs=measured, episodes=[], now_ns=LATER)
    assert (got.enough_s, got.status) == (7200, "ok")


def test_the_total_of_nights_in_a_sentence() -> None:
    found = [episode("leg", BEGIN + HOUR_NS, seconds=730, severity=6.14)]
    good = summary({"leg": epochs("leg", BEGIN, END - HOUR_NS)}, found)
    got = total([good], owned_by([assigned()], found), now_ns=LATER)
    assert of_total(got, "night") == "1 night, 1 cramp, 12 min 10 s in all, worst severity 6.1 of 10, 92 % covered."
    poor = summary({"leg": []})
    both = total([good, poor], [], now_ns=LATER)
    assert of_total(both, "night") == "2 nights, no cramps seen, 46 % covered. Not enough data in 1 night."
    assert total([good], [], now_ns=BEGIN).periods == 0


def test_a_night_that_is_running_is_not_called_poor() -> None:
    now_ns = BEGIN + HOUR_NS
    running = summary({"leg": epochs("leg", BEGIN, now_ns)}, now_ns=now_ns)
    got = total([running], [], now_ns=now_ns)
    assert (running.status, got.not_enough_data) == ("not_enough_data", 0)
    assert got.cramps.per_8_usable_h is None
    assert of_total(got, "night") == "1 night, no cramps, 100 % covered."


def test_the_timeline_names_what_held_for_most_of_each_five_minutes() -> None:
    middle = BEGIN + HOUR_NS
    measured = [
        *epochs("leg", BEGIN, middle),
        *epochs("leg", middle, middle + HOUR_NS, worn_s=0, usable_s=0),
        *epochs("leg", middle + HOUR_NS, middle + 2 * HOUR_NS, usable_s=0),
    ]
    got = timeline(cells_of(columns_of(measured)), [(BEGIN, END - HOUR_NS)], start_ns=BEGIN, end_ns=END)
    assert [(stretch.seen, (stretch.end_ns - stretch.start_ns) // HOUR_NS) for stretch in got] == [
        ("usable", 1), ("not_worn", 1), ("not_usable", 1), ("not_received", 8), ("not_expected", 1),
    ]  # fmt: skip
    assert (got[0].start_ns, got[-1].end_ns) == (BEGIN, END)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59.6, "1 min"), (220, "3 min 40 s"), (3600, "1 h"), (11_400, "3 h 10 min"), (90_000, "1 d 1 h")],
)
def test_durations_in_words(seconds: float, text: str) -> None:
    assert duration(seconds) == text


SPANS = st.tuples(st.integers(0, 4320), st.integers(1, 600), st.integers(0, 10), st.integers(0, 10), st.integers(0, 10))


@st.composite
def measurements(draw: st.DrawFn) -> list[Epoch]:
    by_start: dict[int, Epoch] = {}
    for first, length, *levels in draw(st.lists(SPANS, max_size=4)):
        usable, worn, received = sorted(levels)
        span = epochs(
            "leg", BEGIN + first * EPOCH_NS, BEGIN + (first + length) * EPOCH_NS,
            received_s=received, worn_s=worn, usable_s=usable,
        )  # fmt: skip
        by_start |= {epoch.start_ns: epoch for epoch in span}
    return [by_start[start_ns] for start_ns in sorted(by_start)]


@given(measurements(), st.integers(BEGIN, END), st.integers(0, 13 * HOUR_NS))
def test_coverage_equals_its_slow_twin(measured: list[Epoch], start_ns: int, length_ns: int) -> None:
    end_ns = start_ns + length_ns
    got = covered(cells_of(columns_of(measured)), start_ns=start_ns, end_ns=end_ns)
    for name in ("received_s", "worn_s", "usable_s"):
        slow = math.fsum(
            getattr(epoch, name)
            * max(0, min(epoch.start_ns + EPOCH_NS, end_ns) - max(epoch.start_ns, start_ns))
            / EPOCH_NS
            for epoch in measured
        )
        assert getattr(got, name) == pytest.approx(slow, abs=1e-6)
    assert got.expected_s >= got.received_s >= got.worn_s >= got.usable_s >= 0


@given(measurements(), st.lists(st.integers(BEGIN, END), min_size=1, max_size=6))
def test_coverage_adds_up_however_time_is_cut(measured: list[Epoch], cuts: list[int]) -> None:
    cells = cells_of(columns_of(measured))
    edges = [BEGIN, *sorted(cuts), END]
    pieces = [covered(cells, start_ns=low, end_ns=high) for low, high in pairwise(edges)]
    whole = covered_together({"leg": cells}, {"leg": [(BEGIN, END)]})
    added = sum(pieces, Coverage())
    assert added.usable_s == pytest.approx(whole.usable_s, abs=1e-5)
    assert added.expected_s == pytest.approx(whole.expected_s)


@given(measurements(), st.integers(BEGIN, END), st.integers(BEGIN, END))
def test_a_timeline_tiles_its_period(measured: list[Epoch], since: int, now_ns: int) -> None:
    got = timeline(cells_of(columns_of(measured)), [(min(since, now_ns), now_ns)], start_ns=BEGIN, end_ns=END)
    assert (got[0].start_ns, got[-1].end_ns) == (BEGIN, END)
    for before, after in pairwise(got):
        assert before.end_ns == after.start_ns
        assert before.seen != after.seen
