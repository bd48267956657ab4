"""Cards and tables of the page in a real browser: what a tile tells, who comes first, and one clock for all rows."""

import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from api_world import EPOCH_NS, HOUR_NS, World, add_wearer, assign, episode, epochs, get
from browser import Browser
from test_api_nights import living
from test_api_page_views import opened, shown

from api.routes.pages import WEB
from detector.quality import FLAGS
from ingest.store import DeviceStatus

ZONE = "Asia/Kolkata"  # its clock is never changed
KOLKATA = ZoneInfo(ZONE)
NOW_NS = time.time_ns() // EPOCH_NS * EPOCH_NS  # the browser has its own clock, so the world has the real one


@pytest.fixture
def world(world: World) -> World:
    world.now = datetime.fromtimestamp(NOW_NS / 1e9, UTC).isoformat(timespec="seconds")
    return world


def back(nights: int, clock: str) -> str:
    """A time of the night that began so many nights before today, on the wearer's clock."""
    evening = (datetime.fromtimestamp(NOW_NS / 1e9, KOLKATA) - timedelta(days=nights)).date()
    day = evening if clock > "12:00" else evening + timedelta(days=1)
    return datetime.fromisoformat(f"{day} {clock}").replace(tzinfo=KOLKATA).isoformat()


def at(nights: int, clock: str) -> int:
    return round(datetime.fromisoformat(back(nights, clock)).timestamp()) * 10**9


def heard(device: str, *, newest_ns: int = NOW_NS, received_ns: int = NOW_NS) -> DeviceStatus:
    online = received_ns == NOW_NS
    return DeviceStatus(device=device, boot=1, online=online, last_received_ns=received_ns, last_sample_ns=newest_ns)


def tiles(browser: Browser, wearer: str) -> dict[str, tuple[str, str]]:
    """Class and text of a wearer's tiles, by the day in their title."""
    cells = f"[...document.querySelectorAll('[data-key=card-{wearer}] .cell')]"
    found = browser.run(f"{cells}.map((each) => [each.title.split(':')[0], each.className, each.innerText])")
    return {day: (kind, text.split()[0]) for day, kind, text in found}


def named(nights: int) -> str:
    day = datetime.fromisoformat(back(nights, "21:00"))
    return f"{day:%a} {day.day} {day:%b}"


def test_a_tile_has_the_colour_of_the_worst_grade_and_says_at_least(
    chromium: str, world: World, tmp_path: Path
) -> None:
    with world.client() as http:
        ada = add_wearer(http, "Ada", zone=ZONE)
        assign(http, ada, "leg")
    newest_ns = at(2, "06:00")
    world.write(epochs("leg", at(5, "21:00"), newest_ns))
    world.write(
        episode("leg", at(5, "23:20"), seconds=20), episode("leg", at(5, "02:00"), seconds=20),
        episode("leg", at(4, "23:20"), seconds=20), episode("leg", at(4, "02:00"), seconds=60),
        episode("leg", at(3, "23:20"), seconds=300), heard("leg", newest_ns=newest_ns, received_ns=newest_ns),
    )  # fmt: skip
    with world.client() as http:
        nights = get(http, f"/wearers/{ada}/nights")
    by_date = {item["date"]: item for item in nights["items"]}
    incomplete = by_date[back(2, "21:00")[:10]]
    assert (incomplete["status"], incomplete["complete"], incomplete["cramps"]["at_least"]) == ("ok", False, True)
    assert not by_date[back(3, "21:00")[:10]]["cramps"]["at_least"]
    assert "at least 5 cramps" in nights["total"]["sentence"]
    with opened(chromium, world, tmp_path) as (browser, port):
        shown(browser, port, ada, "nights")
        browser.until("document.querySelector('.card .week') && document.querySelector('.strip .cramp')")
        found = tiles(browser, ada)
        assert found[named(5)] == ("cell grade-1", "2")
        assert found[named(4)] == ("cell grade-2", "2")
        assert found[named(3)] == ("cell grade-3", "1")
        assert found[named(2)] == ("cell bound grade-0", "≥0")
        paint = "getComputedStyle(document.querySelector('{}')).{}"
        for grade in (1, 2, 3):
            dot = browser.run(paint.format(f".legend .grade-{grade} .dot", "fill"))
            tile = browser.run(paint.format(f".card .grade-{grade} b", "backgroundColor"))
            sheet = browser.run(paint.format(".card", "backgroundColor"))
            assert dot == (sheet if tile == "rgba(0, 0, 0, 0)" else tile)
        counts = browser.run("[...document.querySelectorAll('td[data-name=Cramps]')].map((each) => each.innerText)")
        assert "≥ 0" in counts


def test_every_row_stands_under_the_hours_of_the_head(chromium: str, world: World, tmp_path: Path) -> None:
    with world.client() as http:
        ada = add_wearer(http, "Ada", zone=ZONE)
        assign(http, ada, "leg")
    world.write(epochs("leg", at(4, "21:00"), at(4, "09:00")))  # by the clock
    asleep = [(back(nights, "22:20"), back(nights, "06:40")) for nights in (3, 2)]
    world.write(living("leg", back(4, "09:00"), back(2, "20:00"), *asleep))
    world.write(
        episode("leg", at(4, "21:30")), episode("leg", at(3, "23:20")), episode("leg", at(3, "06:10")),
        episode("leg", at(2, "03:00")), episode("leg", at(2, "14:00")), heard("leg"),
    )  # fmt: skip
    with world.client() as http:
        sources = {item["window"]["source"] for item in get(http, f"/wearers/{ada}/nights")["items"]}
    assert sources == {"clock", "accelerometer"}
    read = """[...document.querySelectorAll('section.periods')].flatMap((section) => {
        const hours = [...section.querySelectorAll('.axis text')].map((e) => [e.textContent, e.getAttribute('x')]);
        const foot = (mark) => mark.querySelector('.stem').getAttribute('points').split(' ').at(-1).split(',')[0];
        const marks = [...section.querySelectorAll('.strip .cramp')];
        return marks.map((mark) => ({ hours, label: mark.ariaLabel, x: foot(mark) }));
    })"""
    with opened(chromium, world, tmp_path) as (browser, port):
        shown(browser, port, ada, "nights")
        browser.until("document.querySelectorAll('.strip .cramp').length === 5")
        marks = browser.run(read)
        assert browser.run("document.querySelectorAll('.strip .tick-label').length") == 0
    for mark in marks:
        (first, left), (_, right) = mark["hours"][0], mark["hours"][1]
        begun = int(first[:2]) * 60
        minutes = begun + (float(mark["x"]) - float(left)) / (float(right) - float(left)) * 180
        clock = mark["label"].removeprefix("Cramp at ")[:5]
        assert abs((minutes - int(clock[:2]) * 60 - int(clock[3:]) + 720) % 1440 - 720) < 1, mark


def test_who_needs_attention_comes_first_and_why(chromium: str, world: World, tmp_path: Path) -> None:
    names = ("Fine", "Off", "Never", "Little", "Bare", "Gone")
    with world.client() as http:
        ids = {}
        for number, name in enumerate(names):
            world.now = f"2026-01-01T00:00:0{number}"
            ids[name] = add_wearer(http, name, zone=ZONE)
            if name != "Bare":
                assign(http, ids[name], name.lower())
        world.now = datetime.fromtimestamp(NOW_NS / 1e9, UTC).isoformat(timespec="seconds")
    world.write(epochs("fine", at(2, "21:00"), NOW_NS), heard("fine"))
    world.write(epochs("little", NOW_NS - HOUR_NS // 4, NOW_NS), heard("little"))
    for device in ("off", "gone"):
        world.write(epochs(device, at(2, "21:00"), at(2, "09:00")), heard(device, received_ns=at(2, "09:00")))
    with opened(chromium, world, tmp_path) as (browser, port):
        shown(browser, port, ids["Fine"], "nights")
        browser.until("document.getElementById('pulse').textContent.startsWith('Live')")
        assert browser.run("[...document.querySelectorAll('.card .name')].map((each) => each.textContent)") == [
            "Off", "Never", "Gone", "Little", "Fine", "Bare",
        ]  # fmt: skip
        line = "document.querySelector('.attention').textContent"
        assert browser.run(line) == (
            "4 of 6 wearers need attention: offline 2, never heard 1, too little data last night 1."
        )
        calls = browser.run("[...document.querySelectorAll('.card .call')].map((each) => each.textContent)")
        reasons = ["offline", "never heard", "offline", "too little data last night"]
        assert calls == [f"Needs attention: {reason}." for reason in reasons]
        browser.run(f"location.hash = '#{ids['Never']}'; 0")
        browser.until("document.querySelector('#wearer h2').textContent.startsWith('Never')")
        nothing = "Nothing has arrived from the device: it was off, out of reach, or has yet to synchronise."
        browser.until(f"document.getElementById('wearer').textContent.includes({nothing!r})")
        nights = "document.querySelector('[aria-labelledby=nights]').textContent"
        assert browser.run(nights).count(nothing) <= 2, "once for those that have ended, once for one that runs"
        assert "7 nights" in browser.run(nights)


def test_a_card_says_what_arrived_where_no_night_did(chromium: str, world: World, tmp_path: Path) -> None:
    noon_ns = at(2, "12:00") - 24 * HOUR_NS
    with world.client() as http:
        ada = add_wearer(http, "Ada", zone=ZONE)
        assign(http, ada, "leg")
    world.write(epochs("leg", noon_ns, noon_ns + 2 * HOUR_NS), episode("leg", noon_ns + HOUR_NS), heard("leg"))
    with opened(chromium, world, tmp_path) as (browser, port):
        shown(browser, port, ada, "nights")
        browser.until("document.querySelector('.card .week')")
        told = browser.run("document.querySelector('.card .sentence').textContent")
    assert (
        told.removeprefix("7 ").removeprefix("8 ")
        == "nights: nothing has arrived yet. By day 2 h arrived: at least 1 cramp."
    )


def test_on_a_phone_nothing_is_cut_and_every_axis_has_its_unit(chromium: str, world: World, tmp_path: Path) -> None:
    with world.client() as http:
        ada = add_wearer(http, "Ada", zone=ZONE)
        assign(http, ada, "leg")
    world.write(epochs("leg", NOW_NS - 170 * HOUR_NS, NOW_NS), heard("leg"))
    world.write(
        episode("leg", NOW_NS - hours * HOUR_NS, flags=flags)
        for hours, flags in ((9, ("artefact", "rail")), (31, ("rail", "upright")), (55, ()))
    )
    wide = """[...document.querySelectorAll('.list :is(th, td), .views a')].filter((each) =>
        each.getBoundingClientRect().right > document.documentElement.clientWidth).length"""
    with opened(chromium, world, tmp_path, width=390) as (browser, port):
        shown(browser, port, ada, "trend")
        browser.until("document.querySelectorAll('svg.trend').length === 3")
        units = browser.run(
            "[...document.querySelectorAll('svg.trend')].map((e) => e.querySelector('.unit')?.innerHTML)"
        )
        assert units == ["per 8 usable hours"] * 3
        assert (
            browser.run("new Set([...document.querySelectorAll('.views a')].map((each) => each.offsetTop)).size") == 1
        )
        browser.run("document.querySelector('[data-key=weeks]').open = true")
        assert browser.run(wide) == 0
        table = browser.run("document.querySelector('[data-key=weeks]').innerText")
        assert table.count("– means no rate") == 1
        assert "exposure" not in table
        assert browser.run("document.querySelectorAll('[data-key=weeks] tbody tr').length") <= 3
        browser.run(f"location.hash = '#{ada}'; 0")
        browser.until("document.querySelector('[data-key=cramps]')")
        browser.run("document.querySelector('[data-key=cramps]').open = true")
        assert browser.run(wide) == 0
        meaning = browser.run("[...document.querySelectorAll('.meaning dt')].map((each) => each.textContent)")
        assert meaning == ["rail", "artefact", "upright"], "each that comes, once"


def test_every_flag_of_the_detector_has_its_words() -> None:
    text = (WEB / "static" / "words.js").read_text(encoding="utf-8").split("export const NOTES = {")[1].split("};")[0]
    assert set(re.findall(r"^  (\w+): \"", text, flags=re.MULTILINE)) == set(FLAGS)
