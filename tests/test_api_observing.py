"""What analyses take of a wearer is what the nights and the diary say."""

from datetime import date

import pytest
from api_world import HOUR_NS, World, add_wearer, assign, episode, epochs, get, ns, tell

from api.observed import counted, exposure_h
from api.observing import Span, observe, observe_spans, reviews_of
from api.reading import worn_by

FIRST, LAST = date(2026, 1, 10), date(2026, 2, 2)  # 24 nights: more than are read at once
NOW = ns("2026-03-20T12:00:00")


@pytest.fixture
def world(world: World) -> World:
    """A wearer in Berlin whose device was worn for ten hours of every night but one, with a cramp in each of three."""
    for day in range(24):
        if day != 5:
            start_ns = ns("2026-01-10T20:00:00") + day * 24 * HOUR_NS
            world.write(epochs("leg", start_ns, start_ns + 10 * HOUR_NS))
    world.write(episode("leg", ns("2026-01-10T23:00:00")), episode("leg", ns("2026-01-12T02:00:00")))
    world.write(episode("leg", ns("2026-01-30T03:00:00")))
    world.write(episode("leg", ns("2026-01-30T04:00:00"), status="withdrawn"))
    return world


def test_nights_are_those_of_the_summaries(world: World) -> None:
    with world.client() as http:
        wearer = add_wearer(http)
        assign(http, wearer, "leg")
        shown = get(http, f"/wearers/{wearer}/nights", **{"from": str(FIRST), "to": str(LAST)})
    sources = world.app.state.sources
    found = observe(sources, worn_by(sources, wearer), kind="night", first=FIRST, last=LAST, now_ns=NOW)
    assert [str(item.date) for item in found] == [item["date"] for item in shown["items"]]
    assert [item.count for item in found] == [item["cramps"]["count"] for item in shown["items"]]
    assert [item.usable_s for item in found] == [item["coverage"]["usable_s"] for item in shown["items"]]
    assert [item.enough for item in found] == [item["status"] == "ok" for item in shown["items"]]
    assert [item.date for item in found if not item.enough] == [date(2026, 1, 15)]
    assert (counted(found), exposure_h(found)) == (3, 230.0)
    assert {item.wearer for item in found} == {wearer}
    assert [item.weekday for item in found[:3]] == [5, 6, 0]  # 10 January 2026 was a Saturday


def test_where_any_leg_saw_enough_is_told(world: World) -> None:
    """One leg until half past one, the other from three to five: nobody saw what lies between, or comes after."""
    at_20 = ns("2026-01-10T20:00:00")
    world.write(epochs("left", at_20, at_20 + 4 * HOUR_NS + HOUR_NS // 2))
    world.write(epochs("right", at_20 + 3 * HOUR_NS, at_20 + 4 * HOUR_NS))
    world.write(epochs("right", at_20 + 6 * HOUR_NS, at_20 + 8 * HOUR_NS))
    with world.client() as http:
        wearer = add_wearer(http)
        assign(http, wearer, "left")
        assign(http, wearer, "right", side="right")
    sources = world.app.state.sources
    (found,) = observe(sources, worn_by(sources, wearer), kind="night", first=FIRST, last=FIRST, now_ns=NOW)
    ends = [(at - at_20) / HOUR_NS for span in found.usable_spans for at in span]
    assert ends[1:] == [4.5, 6.0, 8.0]
    assert found.usable_spans[0][0] == max(found.start_ns, at_20)
    assert all(found.start_ns <= low < high <= found.end_ns for low, high in found.usable_spans)


def test_an_episode_that_the_wearer_calls_none_stays_and_is_not_counted(world: World) -> None:
    none = episode("leg", ns("2026-01-12T02:00:00")).id
    with world.client() as http:
        wearer = add_wearer(http)
        assign(http, wearer, "leg")
        tell(http, wearer, "reviews", episode=none, verdict="none")
    sources = world.app.state.sources
    worn = worn_by(sources, wearer)
    reviews = reviews_of(sources, worn, first=FIRST, last=LAST)
    assert dict(reviews) == {none: False}
    found = observe(sources, worn, kind="night", first=FIRST, last=LAST, now_ns=NOW, reviews=reviews)
    assert counted(found) == 2
    assert [cramp.confirmed for item in found for cramp in item.cramps] == [None, False, None]
    assert reviews_of(sources, worn, first=date(2026, 1, 20), last=LAST) == {}


def test_spans_are_seen_like_periods_and_only_once_they_are_over(world: World) -> None:
    with world.client() as http:
        wearer = add_wearer(http)
        assign(http, wearer, "leg", to="2026-01-30T12:00:00Z")
    sources = world.app.state.sources
    begin = ns("2026-01-30T02:00:00")
    spans = [
        Span(date(2026, 1, 31), ns("2026-01-31T02:00:00"), ns("2026-01-31T03:00:00")),  # the device was given back
        Span(date(2026, 1, 30), begin, begin + 4 * HOUR_NS),
        Span(date(2026, 3, 20), NOW - HOUR_NS, NOW + HOUR_NS),
    ]
    found = observe_spans(sources, worn_by(sources, wearer), spans, kind="dialysis", now_ns=NOW)
    assert [(item.kind, item.date, item.count, item.usable_h, item.enough) for item in found] == [
        ("dialysis", date(2026, 1, 30), 1, 4.0, True),
        ("dialysis", date(2026, 1, 31), 0, 0.0, False),
    ]
    assert found[0].per_8_usable_h == 2.0
