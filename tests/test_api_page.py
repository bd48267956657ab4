"""The page in a real browser, over a real server: it draws what the API says."""

import re
import subprocess
import time
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import get_args

import pytest
from api_world import EPOCH_NS, HOUR_NS, TOKEN, World, add_wearer, assign, episode, epochs, get
from test_api_access import running

from api.app import make_server
from api.liveness import GOOD, StateCode
from api.routes.pages import WEB
from ingest.store import DeviceStatus

LIVE = "Live · updated"
NOW_NS = time.time_ns() // EPOCH_NS * EPOCH_NS  # the browser has its own clock, so the world has the real one


@pytest.fixture
def world(world: World) -> World:
    world.now = datetime.fromtimestamp(NOW_NS / 1e9, UTC).isoformat(timespec="seconds")
    return world


def rendered(chromium: str, world: World, tmp_path: Path, *, until: str, width: int = 1280) -> str:
    """The document, signed in by link, once its scripts have come to write `until`."""
    server = make_server(world.app, host="127.0.0.1", port=0)
    with running(server) as port:
        for budget_ms in (4_000, 8_000, 16_000, 24_000):  # virtual time, which may run ahead of a busy machine
            command = [
                chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--disable-sync",
                f"--user-data-dir={tmp_path / str(budget_ms)}", f"--window-size={width},1600",
                f"--virtual-time-budget={budget_ms}", "--dump-dom",
                f"http://127.0.0.1:{port}/signin?token={TOKEN}",
            ]  # fmt: skip
            done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
            if until in done.stdout:
                return unescape(done.stdout)
    raise AssertionError(f"the page never said {until!r}: {done.stdout}")


def test_the_page_draws_nights_days_cramps_coverage_and_devices(chromium: str, world: World, tmp_path: Path) -> None:
    with world.client() as http:
        now, world.now = world.now, "2026-01-01T00:00:00"
        ada = add_wearer(http, "Ada & <Co>", zone="Asia/Kolkata")  # registered first, so shown first
        world.now = now
        assign(http, ada, "leg-l")
        assign(http, ada, "leg-r", side="right")
        add_wearer(http, "Bea")
        world.write(epochs("leg-l", NOW_NS - 60 * HOUR_NS, NOW_NS))
        world.write(episode("leg-l", NOW_NS - hours * HOUR_NS, severity=8.6, seconds=200) for hours in (5, 17, 29, 41))
        world.write(
            episode("leg-l", NOW_NS - 30 * EPOCH_NS, status="preliminary", revision=0),
            episode("leg-l", NOW_NS - 50 * HOUR_NS, status="rejected"),
            DeviceStatus(device="leg-l", boot=1, online=True, last_received_ns=NOW_NS, last_sample_ns=NOW_NS),
        )
        nights = http.get(f"/api/v1/wearers/{ada}/nights").json()
        days = http.get(f"/api/v1/wearers/{ada}/days").json()
    dom = rendered(chromium, world, tmp_path, until=LIVE)
    assert "Not a medical device" in dom
    for sentence in (nights["total"]["sentence"], days["total"]["sentence"]):
        assert sentence in dom
    marks = re.findall(r'<g class="cramp grade-\d[^"]*" role="img"[^>]*aria-label="([^"]+)"', dom)
    assert len(marks) == 5
    assert sum("left leg" in mark and "severity" in mark for mark in marks) == 5
    assert sum("still going on" in mark for mark in marks) == 1
    begun = [item for item in nights["items"] + days["items"] if item["window"]["start"] <= iso(world, item)]
    told_once = [int(number) - 1 for number in re.findall(r"<small>(\d+) (?:nights|days)</small>", dom)]
    assert len(re.findall(r'<svg class="strip"', dom)) + sum(told_once) == len(begun)
    assert len(told_once) == 2, "nights and days of which nothing arrived"
    assert 'class="seen usable"' in dom
    assert 'class="seen not_received"' in dom
    assert "Not enough data." in dom
    assert "Left leg, inner calf" in dom
    assert "Receiving." in dom
    assert "Never heard: nothing has arrived from this device." in dom
    assert "Bea" in dom
    assert "Ada & <Co>" in dom


def iso(world: World, item: dict[str, dict[str, str]]) -> str:
    """Now, in the words in which the window of this item begins, to compare text with text."""
    start = datetime.fromisoformat(item["window"]["start"])
    return datetime.fromisoformat(world.now).astimezone(start.tzinfo).isoformat()


def test_every_state_has_a_mark_of_its_own_shape() -> None:
    """Colour is never all there is."""
    table = (WEB / "static" / "words.js").read_text(encoding="utf-8").split("export const STATES = {")[1].split("};")[0]
    marks = dict(re.findall(r'^  (\w+): \{ mark: "(.)", tone: "(?:good|warn|bad)" \},$', table, flags=re.MULTILINE))
    assert set(marks) == set(get_args(StateCode))
    assert len(set(marks.values())) == len(marks)
    assert re.findall(r'^  (\w+): .*"good"', table, flags=re.MULTILINE) == [GOOD]


def test_what_late_data_changed_and_will_change_is_said(chromium: str, world: World, tmp_path: Path) -> None:
    with world.client() as http:
        wearer = add_wearer(http, "Ada")
        assign(http, wearer, "leg")
        world.write(epochs("leg", NOW_NS - 60 * HOUR_NS, NOW_NS))
        world.write(
            episode("leg", NOW_NS - 40 * HOUR_NS, revision=3),
            episode("leg", NOW_NS - 41 * HOUR_NS, status="withdrawn", revision=2),
            DeviceStatus(
                device="leg", boot=1, online=True, last_received_ns=NOW_NS, last_sample_ns=NOW_NS, late_blocks=7
            ),
        )
        periods = [get(http, f"/wearers/{wearer}/{kind}") for kind in ("nights", "days")]
    revised = [item["revised"] for each in periods for item in each["items"]]
    assert sum(revised) == 2
    dom = rendered(chromium, world, tmp_path, until=LIVE)
    assert dom.count("Revised: ") == sum(number > 0 for number in revised)
    assert "Results of 7 late blocks are still being worked out." in dom
    ended = [
        sum(item["pending"] == "7 blocks came late: the results are still being completed." for item in each["items"])
        for each in periods
    ]
    for kind, number in zip(("nights", "days"), ended, strict=True):
        assert f"{number} {kind} are not complete. 7 blocks came late: the results are still being completed." in dom
    assert dom.count(" Not complete.") == sum(ended)
    assert len(re.findall(r'class="cramp grade', dom)) == 1 + 3  # and three in the legend


def test_an_empty_registry_says_how_to_begin(chromium: str, world: World, tmp_path: Path) -> None:
    assert "No wearer is registered yet." in rendered(chromium, world, tmp_path, until=LIVE)


def test_a_store_that_is_down_is_said_and_not_drawn_as_nothing(chromium: str, world: World, tmp_path: Path) -> None:
    with world.client() as http:
        assign(http, add_wearer(http), "leg")
    world.store.close()
    dom = rendered(chromium, world, tmp_path, until="Not up to date.", width=390)
    assert "Measurements cannot be read now; nothing is lost." in dom
    assert "Devices: not known yet." in dom
    for untrue in ("0 cramps", "no cramps", "No device", "Never heard"):
        assert untrue not in dom
