"""A wearer's story from end to end: did stretching before bed help? Eight weeks of nights, on real servers.

A trial of one person is registered, its schedule says in which fortnights to stretch, and the simulated leg cramps as
often as the wearer stretched or not. Then the device syncs its eight weeks over MQTT, the diary is filled in over HTTP,
and trends, analysis and report are read, the report in a browser.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import servers
from api_world import TOKEN, World, add_wearer, assign, enrol, get
from browser import browsing
from charley_run import ingester
from test_api_access import running

from api.app import make_server
from ingest.store.sqlite import SqliteStore
from simulators.course import Night, course
from simulators.device import Device, Origin
from simulators.publish import publish
from simulators.truth import Truth

ZONE: Final = "Europe/Berlin"
DEVICE: Final = "leg-of-the-story"
WEEKS: Final = 8
OFF, ON = 1.5, 0.5  # cramps expected a night
SEED: Final = 20
PLAN: Final = {
    "title": "Stretching before bed",
    "question": "Do I cramp less at night in fortnights in which I stretch my calves before bed?",
    "design": "n_of_1",
    "treatments": [{"name": "no stretching", "control": True}, {"name": "stretching", "dose": "3 x 10 s"}],
    "baseline_days": 0,
    "block_days": 14,
    "cycles": 2,
    "secondary": ["cramp_periods", "severity", "felt_better"],
    "expected_per_week": 10.0,
    "seed": 5,
}


@dataclass(frozen=True, slots=True)
class Story:
    """What there is once the eight weeks are over and everything has come in."""

    world: World
    wearer: str
    trial: dict[str, Any]
    truth: Truth
    nights: list[Night]

    @property
    def phases(self) -> list[dict[str, Any]]:
        """The fortnights, in order of time."""
        found: list[dict[str, Any]] = self.trial["schedule"]
        return found

    def true_counts(self) -> dict[str, int]:
        """Cramps that the leg had, by the label of the fortnight."""
        begins = [datetime.fromtimestamp(event.onset_ns / 1e9, UTC).date() for event in self.cramps]
        dates = {night.date: self.label(night.date) for night in self.nights}
        # An onset after midnight UTC belongs to the night that began on the date before.
        counts = Counter(dates.get(day, dates.get(day - timedelta(days=1), "")) for day in begins)
        return dict(counts)

    def label(self, day: date) -> str:
        """What was done on the evening of a date."""
        (label,) = (one["label"] for one in self.phases if one["first"] <= str(day) <= one["last"])
        return str(label)

    @property
    def cramps(self) -> list[Any]:
        """True cramps in order of onset."""
        return sorted((event for event in self.truth.events if event.kind == "cramp"), key=lambda event: event.onset_ns)


@pytest.fixture(scope="module")
def story(mosquitto: servers.Mosquitto, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """Register, live through it, sync."""
    folder = tmp_path_factory.mktemp("story")
    first = datetime.now(UTC).date() - timedelta(days=7 * WEEKS + 2)
    world = World(folder, now=f"{first}T12:00:00", store=SqliteStore(folder / "store.sqlite"))
    with world.client() as http:
        wearer = add_wearer(http, zone=ZONE)
        assign(http, wearer, DEVICE, since=f"{first}T12:00:00Z")
        trial = enrol(http, wearer, PLAN, first=str(first))
    treated = next(one["label"] for one in trial["plan"]["treatments"] if not one["control"])
    nights = [
        Night(date.fromisoformat(phase["first"]) + timedelta(days=day), ON if phase["label"] == treated else OFF)
        for phase in trial["schedule"]
        for day in range(PLAN["block_days"])  # type: ignore[call-overload]
    ]
    begin_ns = int(datetime.combine(first, datetime.min.time(), UTC).timestamp() + 12 * 3600) * 10**9
    device = course(Origin("story", SEED, begin_ns), nights, device=DEVICE, zone=ZONE)
    sync(mosquitto, device, folder)
    world.now = datetime.now(UTC).isoformat(timespec="seconds")
    yield Story(world, wearer, trial, device.truth(), nights)
    world.close()


def sync(broker: servers.Mosquitto, device: Device, folder: Path) -> None:
    """The device comes home: all it has recorded, as fast as broker and service take it."""
    with ingester(broker, {}, folder=folder):
        sent = publish([device], host=broker.host, port=broker.port, durable_within_s=120.0)
    assert sent.durable == {DEVICE: {device.first_boot: device.count() - 1}}


def analysed(http: httpx.Client, trial: str) -> dict[str, Any]:
    """The analysis, once it is worked out."""
    answers: list[httpx.Response] = []

    def ready() -> bool:
        answers.append(http.get(f"/api/v1/trials/{trial}/analysis"))
        return answers[-1].status_code != 202

    servers.wait_for(ready, timeout_s=120.0, what="the analysis")
    assert answers[-1].status_code == 200, answers[-1].text
    found: dict[str, Any] = answers[-1].json()["analysis"]
    return found


def keep_diary(http: httpx.Client, story: Story) -> int:
    """Stretching in its fortnights, most cramps felt, each fortnight's impression; returns how many were felt."""
    diary = f"/api/v1/wearers/{story.wearer}/diary"
    treated = next(one["label"] for one in story.trial["plan"]["treatments"] if not one["control"])
    for phase in story.phases:
        helped = phase["label"] == treated
        if helped:
            body = {"code": "stretching", "schedule": "at_bedtime", "from": phase["first"], "to": phase["last"]}
            made(http.post(f"{diary}/interventions", json=body))
        said = {"position": phase["position"], "felt_better": helped}
        made(http.post(f"/api/v1/trials/{story.trial['id']}/members/{story.wearer}/impressions", json=said))
    felt = [event for i, event in enumerate(story.cramps) if i % 6]  # slept through every sixth
    for event in felt:
        at = datetime.fromtimestamp(event.onset_ns / 1e9 + 30, UTC).isoformat()
        made(http.post(f"{diary}/cramps", json={"at": at, "pain": 5, "side": "left", "uncertain_s": 120}))
    return len(felt)


def made(response: httpx.Response) -> None:
    """It was kept."""
    assert response.is_success, response.text


def test_eight_weeks_and_what_came_of_them(story: Story, chromium: str, tmp_path: Path) -> None:
    with story.world.client() as http:
        felt = keep_diary(http, story)
        analysis = analysed(http, story.trial["id"])
        treated = next(one["label"] for one in story.trial["plan"]["treatments"] if not one["control"])
        check_counts(story, analysis)
        primary = analysis["results"][0]
        truth = story.true_counts()
        nights = Counter(story.label(night.date) for night in story.nights)
        off = next(label for label in truth if label != treated)
        true_ratio = truth[treated] / nights[treated] * nights[off] / truth[off]
        assert (primary["outcome"], primary["role"]) == ("rate", "primary")
        assert primary["estimate"]["value"] == pytest.approx(true_ratio, rel=0.25)
        assert primary["estimate"]["low"] < ON / OFF < primary["estimate"]["high"]
        assert primary["estimate"]["high"] < 1
        assert analysis["conclusion"] == "fewer"
        assert "stretching" in analysis["verdict"]
        check_trend(http, story)
        check_agreement(http, story, felt)
    check_report(story, chromium, tmp_path, analysis["verdict"])


def check_counts(story: Story, analysis: dict[str, Any]) -> None:
    """Every night was judged, and cramps are counted as they were, give or take the detector's."""
    truth = story.true_counts()
    arms = {arm["label"]: arm for arm in analysis["arms"]}
    for label, count in truth.items():
        assert arms[label]["planned"] == arms[label]["judged"] == 28, arms[label]
        assert abs(arms[label]["cramps"] - count) <= max(2, 0.15 * count), (arms[label], truth)


def check_trend(http: httpx.Client, story: Story) -> None:
    """All nights are in the trend of the eight weeks."""
    reach = {"from": str(story.nights[0].date), "to": str(story.nights[-1].date)}
    trend = get(http, f"/wearers/{story.wearer}/trends", kind="night", **reach)
    assert trend["cover"]["judged"] == 56, trend["cover"]
    assert 0 < trend["rate"]["low"] < trend["rate"]["value"] < trend["rate"]["high"]
    assert [one["name"] for one in trend["change"]["beside"]]
    assert trend["trend"]["sentence"]


def check_agreement(http: httpx.Client, story: Story, felt: int) -> None:
    """Cramps felt and cramps detected find each other."""
    reach = {"from": str(story.nights[0].date), "to": str(story.nights[-1].date + timedelta(days=1))}
    found = get(http, f"/wearers/{story.wearer}/agreement", **reach)
    assert found["both"] >= 0.85 * felt, found
    assert found["both"] <= felt


def check_report(story: Story, chromium: str, folder: Path, verdict: str) -> None:
    """The report in a browser: the verdict, the figures, how many nights, and that it is no medical device."""
    server = make_server(story.world.app, host="127.0.0.1", port=0)
    with running(server) as port, browsing(chromium, folder / "profile") as page:
        page.open(f"http://127.0.0.1:{port}/signin?token={TOKEN}")
        page.until("document.querySelector('h1')")
        page.open(f"http://127.0.0.1:{port}/api/v1/trials/{story.trial['id']}/report")
        page.until("document.body && document.body.innerText.includes('medical device')")
        text = " ".join(page.run("document.body.innerText").split())
        assert verdict in text
        assert PLAN["title"] in text
        assert story.trial["hash"][:12] in text
        assert page.run("document.querySelectorAll('svg').length") >= 2
        assert page.run("document.querySelectorAll('script, link[href^=http], img[src^=http]').length") == 0
