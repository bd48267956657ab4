"""The other views of the page in a real browser: the trend as the API tells it, and the diary typed into."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from api_world import EPOCH_NS, HOUR_NS, TOKEN, World, add_wearer, assign, episode, epochs, get
from browser import Browser, browsing
from test_api_access import running

from api.app import make_server
from api.diary.values import ContextKind, InterventionCode
from api.routes.pages import WEB

NOW_NS = time.time_ns() // EPOCH_NS * EPOCH_NS  # the browser has its own clock, so the world has the real one
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, now=datetime.fromtimestamp(NOW_NS / 1e9, UTC).isoformat(timespec="seconds"))
    yield made
    made.close()


@contextmanager
def opened(chromium: str, world: World, folder: Path) -> Iterator[tuple[Browser, int]]:
    server = make_server(world.app, host="127.0.0.1", port=0)
    with running(server) as port, browsing(chromium, folder / "profile") as browser:
        yield browser, port


def shown(browser: Browser, port: int, wearer: str, view: str) -> None:
    browser.open(f"http://127.0.0.1:{port}/signin?token={TOKEN}#{wearer}/{view}")
    browser.until("document.querySelector('.views a[aria-current]')")
    browser.accept_dialogs()


def fill(browser: Browser, form: str, **values: str) -> None:
    """Type into a form that is named by its heading, and send it."""
    for name, value in values.items():
        browser.run(f"document.querySelector('form[aria-label=\"{form}\"] [name={name}]').value = {value!r}; 0")
    browser.run(f"document.querySelector('form[aria-label=\"{form}\"] button').click(); 0")


def said(browser: Browser, form: str) -> str:
    place = f"document.querySelector('form[aria-label=\"{form}\"] output').textContent"
    browser.until(place)
    return str(browser.run(place))


def test_the_trend_is_told_as_the_api_tells_it(chromium: str, world: World, tmp_path: Path) -> None:
    with world.client() as http:
        ada = add_wearer(http, "Ada")
        assign(http, ada, "leg")
        world.write(epochs("leg", NOW_NS - 80 * HOUR_NS, NOW_NS))
        world.write(episode("leg", NOW_NS - hours * HOUR_NS) for hours in (9, 31, 55))
        bea = add_wearer(http, "Bea")
        trends = get(http, f"/wearers/{ada}/trends", kind="night")
        days = get(http, f"/wearers/{ada}/trends", kind="day")
    with opened(chromium, world, tmp_path) as (browser, port):
        shown(browser, port, ada, "trend")
        browser.until("document.querySelector('svg.trend')")
        text = browser.run("document.getElementById('wearer').textContent")
        for sentence in (
            trends["trend"]["sentence"], trends["cover_sentence"], trends["rate_sentence"],
            trends["change"]["sentence"],
            trends["night_day"]["sentence"], trends["night_day"]["warning"], trends["clusters"]["sentence"],
            *(profile["sentence"] for profile in trends["profiles"]), *trends["caveats"],
        ):  # fmt: skip
            assert sentence in text
        assert "[object" not in text
        hours = sum(any(hour["rate"]["value"] is not None for hour in each["items"]) for each in trends["profiles"])
        assert browser.run("document.querySelectorAll('svg.trend[role=img][aria-label]').length") == 1 + hours
        points = "document.querySelectorAll('svg.trend .rate').length"
        assert browser.run(points) == sum(week["rate"]["value"] is not None for week in trends["weeks"])
        browser.run("document.querySelector('[data-key=kind-day]').click(); 0")
        browser.until(f"document.getElementById('wearer').textContent.includes({days['cover_sentence']!r})")
        browser.run(f"location.hash = '#{bea}/trend'; 0")
        browser.until("document.getElementById('wearer').textContent.toLowerCase().includes('not enough data')")
        assert browser.run(points) == 0


def test_the_diary_is_typed_and_kept_on_the_wearers_clock(chromium: str, world: World, tmp_path: Path) -> None:
    zone = ZoneInfo("Asia/Kolkata")
    yesterday = (datetime.fromtimestamp(NOW_NS / 1e9, zone) - timedelta(days=1)).date().isoformat()
    with world.client() as http:
        ada = add_wearer(http, "Ada", zone="Asia/Kolkata")
        assign(http, ada, "leg")
        world.write(epochs("leg", NOW_NS - 30 * HOUR_NS, NOW_NS))
        world.write(episode("leg", NOW_NS - 9 * HOUR_NS))
    diary = f"/wearers/{ada}/diary"
    with opened(chromium, world, tmp_path) as (browser, port):
        shown(browser, port, ada, "diary")
        browser.until("document.querySelector('form.entry')")
        felt, began = "A cramp you felt", "Something you begin to take or do"
        fill(browser, felt, date=yesterday, time="03:20", side="left", minutes="2", pain="6", note=HOSTILE)
        assert said(browser, felt) == "Kept."
        fill(browser, felt, date=yesterday, time="", pain="11")
        assert browser.run("document.querySelector('[name=pain]').validity.rangeOverflow")
        fill(browser, felt, pain="4", note="")
        browser.until("document.querySelectorAll('[data-key^=forget-c]').length === 2")
        fill(browser, began, code="magnesium", dose="300", date=yesterday, schedule="at_bedtime")
        browser.until("document.querySelector('[name=intervention]').value")
        fill(browser, "A dose", date=yesterday, time="21:30")
        assert said(browser, "A dose") == "Kept."
        fill(browser, "What went on", context="training", date=yesterday, time="23:30", until="00:45", drink="water")
        assert said(browser, "What went on") == "Kept."
        browser.until("document.querySelectorAll('#listed .entries li').length === 6")
        assert browser.run("document.images.length") == 1, "what is typed stays text"
        browser.run("document.querySelector('[data-key^=none-]').click(); 0")
        browser.until("document.querySelector('[data-key^=none-][aria-pressed=true]')")
        with world.client() as http:
            cramps = get(http, f"{diary}/cramps")["items"]
            assert [each["at"] for each in cramps if each["at"]] == [f"{yesterday}T03:20:00+05:30"]
            assert {each["about"] for each in cramps} == {None, f"night {yesterday}"}
            exact = next(each for each in cramps if each["at"])
            assert (exact["duration_s"], exact["pain"], exact["note"], exact["side"]) == (120.0, 6, HOSTILE, "left")
            (remedy,) = get(http, f"{diary}/interventions")["items"]
            assert (remedy["dose"], remedy["adherence"]["taken"]) == ({"value": 300.0, "unit": "mg"}, 1)
            (context,) = get(http, f"{diary}/contexts")["items"]
            assert context["detail"] == {"drink": "water"}
            length = datetime.fromisoformat(context["end"]) - datetime.fromisoformat(context["start"])
            assert length == timedelta(minutes=75)
            (review,) = get(http, f"{diary}/reviews")["items"]
            assert review["verdict"] == "none"
        browser.run("document.querySelector('#listed [data-key^=forget-c]').click(); 0")
        browser.until("document.querySelectorAll('[data-key^=forget-c]').length === 1")


def test_what_is_refused_is_said_beside_the_form(chromium: str, world: World, tmp_path: Path) -> None:
    with world.client() as http:
        ada = add_wearer(http, "Ada")
    with opened(chromium, world, tmp_path) as (browser, port):
        shown(browser, port, ada, "diary")
        browser.until("document.querySelector('form.entry')")
        form = "Something you begin to take or do"
        fill(browser, form, code="other", name="")
        assert "Say what `other` is" in said(browser, form)
        assert browser.run("document.querySelector('output.bad') !== null")
        assert browser.run("document.querySelector('[name=code]').value") == "other", "what was typed stays"


def test_trials_are_listed_with_their_reports(chromium: str, world: World, tmp_path: Path) -> None:
    plan = {
        "title": f"Stretching {HOSTILE}", "question": "Fewer with stretching?", "design": "n_of_1", "block_days": 3,
        "baseline_days": 0, "treatments": [{"name": "stretching"}, {"name": "nothing", "control": True}],
    }  # fmt: skip
    with world.client() as http:
        ada, bea = add_wearer(http, "Ada"), add_wearer(http, "Bea")
        assign(http, ada, "leg")
        trial = http.post("/api/v1/trials", json=plan).json()["id"]
        today = get(http, f"/wearers/{ada}")["today"]
        assert http.post(f"/api/v1/trials/{trial}/members", json={"wearer": ada, "first": today}).status_code == 201
    with opened(chromium, world, tmp_path) as (browser, port):
        shown(browser, port, bea, "trials")
        browser.until("document.getElementById('wearer').textContent.includes('No trial yet')")
        browser.run(f"location.hash = '#{ada}/trials'; 0")
        browser.until("document.querySelector('a.button')")
        text = browser.run("document.querySelector('.entries').textContent")
        assert plan["title"] in text
        assert "running" in text
        assert browser.run("document.images.length") == 1
        browser.run("document.querySelector('a.button').click(); 0")
        browser.until("document.querySelector('.verdict')")
        assert plan["title"] in browser.run("document.querySelector('h1').textContent")
        border = browser.run("getComputedStyle(document.querySelector('.verdict')).borderLeftWidth")
        assert float(border.removesuffix("px")) > 2, "the policy lets the report's style in"


def test_every_remedy_and_context_has_its_words() -> None:
    text = (WEB / "static" / "diary.js").read_text(encoding="utf-8")
    for name, kinds in (("REMEDIES", InterventionCode), ("CONTEXTS", ContextKind)):
        table = text.split(f"export const {name} = {{")[1].split("};")[0]
        assert sorted(part.split(":")[0].strip() for part in table.split(",") if ":" in part) == sorted(kinds.__args__)
