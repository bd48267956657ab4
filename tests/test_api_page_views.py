"""The other views of the page in a real browser: the trend as the API tells it, and the diary typed into."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import get_args
from zoneinfo import ZoneInfo

import pytest
from api_world import EPOCH_NS, HOUR_NS, TOKEN, World, add_wearer, assign, enrol, episode, epochs, get, tell
from browser import Browser, browsing
from test_api_access import running

from api.app import make_server
from api.diary.analytes import ANALYTES, KNOWN, units_of
from api.diary.units import DOSES
from api.diary.values import ContextKind, FeltMuscle, InterventionCode
from api.routes.pages import WEB

NOW_NS = time.time_ns() // EPOCH_NS * EPOCH_NS  # the browser has its own clock, so the world has the real one
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def world(world: World) -> World:
    world.now = datetime.fromtimestamp(NOW_NS / 1e9, UTC).isoformat(timespec="seconds")
    return world


@contextmanager
def opened(chromium: str, world: World, folder: Path, *, width: int = 1280) -> Iterator[tuple[Browser, int]]:
    server = make_server(world.app, host="127.0.0.1", port=0)
    with running(server) as port, browsing(chromium, folder / "profile", width=width) as browser:
        yield browser, port


def shown(browser: Browser, port: int, wearer: str, view: str) -> None:
    browser.open(f"http://127.0.0.1:{port}/signin?token={TOKEN}#{wearer}/{view}")
    browser.until("document.querySelector('.views a[aria-current]')")
    browser.accept_dialogs()


def fill(browser: Browser, form: str, **values: str) -> None:
    """Type into a form that is named by its heading, and send it."""
    for name, value in values.items():
        place = f"document.querySelector('form[aria-label=\"{form}\"] [name={name}]')"
        browser.run(f"{place}.value = {value!r}; {place}.dispatchEvent(new Event('input', {{bubbles: true}})); 0")
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
        assert said(browser, form) == "Say what it is under “Product or name”."
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
        begun = date.fromisoformat(get(http, f"/wearers/{ada}")["today"]) - timedelta(days=1)
        enrol(http, ada, plan, first=str(begun))  # not today: a trial's state goes by the date in UTC
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


def test_no_to_an_episode_reaches_nights_cards_and_trend_at_once(chromium: str, world: World, tmp_path: Path) -> None:
    with world.client() as http:
        ada = add_wearer(http, "Ada")
        assign(http, ada, "leg")
        world.write(epochs("leg", NOW_NS - 80 * HOUR_NS, NOW_NS))
        world.write(episode("leg", NOW_NS - hours * HOUR_NS) for hours in (5, 17, 29, 41))
        rates = {kind: get(http, f"/wearers/{ada}/trends", kind=kind)["rate_sentence"] for kind in ("night", "day")}
    text = "document.getElementById('wearer').textContent"
    with opened(chromium, world, tmp_path) as (browser, port):
        shown(browser, port, ada, "trend")
        browser.until(f"{text}.includes({rates['night']!r})")
        browser.run("document.querySelector('[data-key=kind-day]').click(); 0")
        browser.until(f"{text}.includes({rates['day']!r})")
        browser.run(f"location.hash = '#{ada}/diary'; 0")
        browser.until("document.querySelectorAll('[data-key^=none-]').length === 4")
        for number in range(4):
            browser.run(f"document.querySelectorAll('[data-key^=none-]')[{number}].click(); 0")
            browser.until(f"document.querySelectorAll('[data-key^=none-][aria-pressed=true]').length === {number + 1}")
        with world.client() as http:
            after = {kind: get(http, f"/wearers/{ada}/trends", kind=kind)["rate_sentence"] for kind in rates}
        assert all(after[kind] != rates[kind] for kind in rates)
        browser.run(f"location.hash = '#{ada}/trend'; 0")
        browser.until(f"{text}.includes({after['day']!r})")
        browser.run("document.querySelector('[data-key=kind-night]').click(); 0")
        browser.until(f"{text}.includes({after['night']!r})")
        browser.run(f"location.hash = '#{ada}'; 0")
        browser.until("document.querySelectorAll('.strip .refuted .strike').length === 4")
        labels = browser.run("[...document.querySelectorAll('.strip .cramp')].map((each) => each.ariaLabel)")
        assert all(label.endswith("Not a cramp, you said") for label in labels)
        assert "The count here is as detected." in browser.run(
            "document.querySelector('td.drawn .refuted-note').textContent"
        )
        assert "you said" in browser.run("document.querySelector('.card .refuted-note').textContent")
        assert browser.run("document.querySelectorAll('.card .week s').length") > 0
        legend = browser.run("document.querySelector('.legend').textContent")
        assert "grade, by length and load (a convention)" in legend
        assert "severity, 0 to 10" in legend


@pytest.mark.parametrize(
    "zone", ["Pacific/Kiritimati", "Asia/Kolkata", "Europe/Berlin", "America/Los_Angeles", "Pacific/Pago_Pago"]
)
def test_what_is_preset_can_be_sent_at_any_hour(chromium: str, world: World, tmp_path: Path, zone: str) -> None:
    with world.client() as http:
        ada = add_wearer(http, "Ada", zone=zone)
        for schedule in ("at_bedtime", "daily"):
            tell(http, ada, "interventions", code="magnesium", schedule=schedule, **{"from": "2026-01-01"})
    with opened(chromium, world, tmp_path) as (browser, port):
        shown(browser, port, ada, "diary")
        browser.until("document.querySelector('[name=intervention]')?.options.length === 2")
        choice = "document.querySelector('form[aria-label=\"A dose\"] [name=intervention]')"
        assert said_after(browser, "A cramp you felt") == "Kept."
        times = set()
        for index in (0, 1):
            browser.run(
                f"{choice}.selectedIndex = {index}; {choice}.dispatchEvent(new Event('input', {{bubbles: true}}))"
            )
            times.add(browser.run("document.querySelector('form[aria-label=\"A dose\"] [name=time]').value"))
            assert said_after(browser, "A dose") == "Kept."
        assert "22:00" in times
        assert said_after(browser, "What went on") == "Kept."
    with world.client() as http:
        local = datetime.now(ZoneInfo(zone))
        night = local.date() if local.hour >= 21 else local.date() - timedelta(days=1)
        near = {"from": str(night - timedelta(days=1)), "to": str(night + timedelta(days=2))}
        (cramp,) = get(http, f"/wearers/{ada}/diary/cramps", **near)["items"]
        assert cramp["about"] == f"night {night}"
        (context,) = get(http, f"/wearers/{ada}/diary/contexts", **near)["items"]
        assert datetime.fromisoformat(context["start"]) <= local


def said_after(browser: Browser, form: str) -> str:
    """Send a form as it stands."""
    browser.run(f"document.querySelector('form[aria-label=\"{form}\"] output').textContent = ''; 0")
    fill(browser, form)
    return said(browser, form)


def test_a_time_moves_the_date_and_what_is_meant_is_said(chromium: str, world: World, tmp_path: Path) -> None:
    with world.client() as http:
        ada = add_wearer(http, "Ada", zone="Africa/Abidjan")
    form = "document.querySelector('form[aria-label=\"A cramp you felt\"]')"
    meant = f"{form}.querySelector('.meant').textContent"
    with opened(chromium, world, tmp_path) as (browser, port):
        shown(browser, port, ada, "diary")
        browser.until("document.querySelector('form.entry')")
        assert browser.run(meant).startswith("Means: the night of ")
        browser.run(f"{form}.elements.time.value = '00:00'; {form}.dispatchEvent(new Event('input')); 0")
        assert browser.run(meant).endswith(" at 00:00.")
        assert browser.run(f"{form}.elements.date.value") == datetime.now(UTC).date().isoformat()
        minute = datetime.now(UTC).strftime("%H:%M")
        fill(browser, "A cramp you felt", time=minute)
        assert said(browser, "A cramp you felt") == "Kept."
        fill(browser, "A cramp you felt", date=f"{datetime.now(UTC) + timedelta(days=3):%Y-%m-%d}", time="03:00")
        browser.until(f"{form}.querySelector('output.bad')")
        refusal = said(browser, "A cramp you felt")
        assert refusal == "This is still to come: check the date and the time."
    with world.client() as http:
        (cramp,) = get(http, f"/wearers/{ada}/diary/cramps")["items"]
        since = datetime.now(UTC) - datetime.fromisoformat(cramp["at"])
        assert timedelta(0) <= since < timedelta(minutes=10)


def test_all_that_the_diary_takes_can_be_typed(chromium: str, world: World, tmp_path: Path) -> None:
    with world.client() as http:
        ada = add_wearer(http, "Ada", zone="Asia/Kolkata")
        today = get(http, f"/wearers/{ada}")["today"]
    yesterday = (datetime.fromisoformat(today) - timedelta(days=1)).date().isoformat()
    diary = f"/wearers/{ada}/diary"
    began, ends = "Something you begin to take or do", "Something you stop taking or doing"
    went, laboratory, felt = "What went on", "A laboratory value", "A cramp you felt"
    with opened(chromium, world, tmp_path) as (browser, port):
        shown(browser, port, ada, "diary")
        browser.until("document.querySelector('form.entry')")
        fill(browser, began, code="stretching", dose="5", date=yesterday, schedule="daily", times="2")
        assert said(browser, began) == "Kept."
        browser.until(f"!document.querySelector('form[aria-label=\"{ends}\"]').hidden")
        browser.until("document.querySelector('#listed').textContent.includes('stretching, 5 minutes')")
        fill(browser, ends, date=today)
        assert said(browser, ends) == "Kept."
        browser.until(f"document.querySelector('form[aria-label=\"{ends}\"]').hidden")
        fill(browser, laboratory, analyte="ferritin", value="30", unit="ng/mL", date=yesterday)
        assert said(browser, laboratory) == "Kept."
        browser.until(
            "document.querySelector('#listed').textContent.includes('ferritin 30 ng/mL (30 µg/L), within the usual')"
        )
        fill(browser, laboratory, analyte="magnesium", value="700")
        browser.until("document.querySelector('form[aria-label=\"A laboratory value\"] output.bad')")
        fill(browser, felt, date=yesterday, about="day", muscle="thigh")
        assert said(browser, felt) == "Kept."
        fill(browser, went, context="heat", temperature_cel="31", date=yesterday, time="12:00")
        assert said(browser, went) == "Kept."
        browser.until("document.querySelector('#listed').textContent.includes('31 °C')")
    with world.client() as http:
        (remedy,) = get(http, f"{diary}/interventions")["items"]
        assert (remedy["dose"], remedy["times"], remedy["to"]) == ({"value": 5.0, "unit": "min"}, 2, today)
        (value,) = get(http, f"{diary}/laboratory")["items"]
        assert (value["analyte"], value["value"], value["unit"]) == ("ferritin", 30.0, "ng/mL")
        (cramp,) = get(http, f"{diary}/cramps")["items"]
        assert (cramp["muscle"], cramp["about"]) == ("thigh", f"day {yesterday}")
        (context,) = get(http, f"{diary}/contexts")["items"]
        assert context["detail"] == {"temperature_cel": 31.0}


def test_every_muscle_unit_and_laboratory_value_of_the_page_is_one_of_the_api() -> None:
    read = {name: (WEB / "static" / f"{name}.js").read_text(encoding="utf-8") for name in ("words", "plain", "diary")}
    muscles = read["words"].split("FELT_MUSCLES = {")[1].split("};")[0]
    # The shin has one muscle that devices are worn on: the page says shin.
    assert {*re.findall(r"(\w+):", muscles), "tibialis_anterior"} == set(get_args(FeltMuscle))
    units = re.findall(r'"([^"]+)"', read["plain"].split("DOSE_UNITS = [")[1].split("];")[0])
    assert set(units) <= set(DOSES)
    assert len(units) > 10
    table = read["diary"].split("const IONS = ")[1].split("};")[0]
    ions = re.findall(r'"([^"]+)"', table.split("];")[0])
    rows = dict(re.findall(r"^  (\w+): \{ name: .*, units: (.+) \},$", table, flags=re.MULTILINE))
    assert set(rows) == set(ANALYTES)
    for analyte in ANALYTES:
        given = ions if rows[analyte] == "IONS" else re.findall(r'"([^"]+)"', rows[analyte])
        assert set(KNOWN[analyte].reported) <= set(given) <= set(units_of(analyte))


def test_every_remedy_and_context_has_its_words() -> None:
    text = (WEB / "static" / "diary.js").read_text(encoding="utf-8")
    for name, kinds in (("REMEDIES", InterventionCode), ("CONTEXTS", ContextKind)):
        table = text.split(f"export const {name} = {{")[1].split("};")[0]
        assert sorted(part.split(":")[0].strip() for part in table.split(",") if ":" in part) == sorted(get_args(kinds))
