"""Diary against devices over HTTP: what was felt where a device could see it, own severity, false alarms."""

import httpx
import pytest
from api_world import V1, World, check_problem, episode, epochs, get, ns, tell

RANGE = {"from": "2026-03-10", "to": "2026-03-19"}


@pytest.fixture
def world(world: World) -> World:
    """The device that `ada` wears, in the nights of the 10th to the 14th."""
    for day in range(10, 15):
        world.write(epochs("leg", ns(f"2026-03-{day}T20:00:00"), ns(f"2026-03-{day + 1}T08:00:00")))
    return world


def test_each_cramp_is_told_once_and_unseen_ones_are_kept_apart(world: World, http: httpx.Client, ada: str) -> None:
    world.write(episode("leg", ns("2026-03-11T02:00:00")), episode("leg", ns("2026-03-12T02:00:00")))
    world.write(episode("leg", ns("2026-03-13T02:00:00"), status="rejected"))
    paired = tell(http, ada, "cramps", at="2026-03-11T02:04:00Z", pain=6, side="left", muscle="calf", duration_s=200)
    missed = tell(http, ada, "cramps", at="2026-03-13T02:04:00Z", side="left")
    other_leg = tell(http, ada, "cramps", at="2026-03-13T03:00:00Z", side="right")
    foot = tell(http, ada, "cramps", at="2026-03-13T04:00:00Z", muscle="foot")
    unworn = tell(http, ada, "cramps", about="night 2026-03-16")
    found = get(http, f"/wearers/{ada}/agreement", **RANGE)
    seen = {item["cramp"] or item["episode"]: item["seen"] for item in found["items"]}
    assert seen == {
        paired["id"]: "both",
        f"leg.gastrocnemius_medialis.{ns('2026-03-12T02:00:00')}": "device_only",
        missed["id"]: "diary_only",
        other_leg["id"]: "not_seeable",
        foot["id"]: "not_seeable",
        unworn["id"]: "not_seeable",
    }
    assert [found[name] for name in ("both", "device_only", "diary_only", "not_seeable")] == [1, 1, 1, 3]
    assert (found["sensitivity"]["value"], found["felt"]["value"]) == (0.5, 0.5)
    assert found["duration"]["value"] == 110.0
    assert "3 cramps felt while no device could have seen them" in found["sentence"]
    assert found["own"]["weights"] is None
    assert found["own"]["sentence"].startswith("Not enough: 1 of at least 5")


def test_a_night_with_half_of_its_data_could_have_shown_a_cramp(world: World, http: httpx.Client, ada: str) -> None:
    start = ns("2026-03-15T20:00:00")
    tell(http, ada, "cramps", about="night 2026-03-15")
    for hours, seen in ((5, "not_seeable"), (7, "diary_only")):
        world.write(epochs("leg", start, start + hours * 3600 * 10**9))
        assert get(http, f"/wearers/{ada}/agreement", **RANGE)["items"][0]["seen"] == seen


def test_reviews_tell_how_often_the_device_is_wrong(world: World, http: httpx.Client, ada: str) -> None:
    onsets = [ns(f"2026-03-{day}T02:00:00") for day in (11, 12, 13, 14)]
    world.write([episode("leg", onset_ns) for onset_ns in onsets])
    for onset_ns, verdict in zip(onsets, ("none", "cramp", "unsure"), strict=False):
        tell(http, ada, "reviews", episode=f"leg.gastrocnemius_medialis.{onset_ns}", verdict=verdict)
    tell(http, ada, "cramps", at="2026-03-11T02:00:00Z")  # beside an episode that was called none
    found = get(http, f"/wearers/{ada}/agreement", **RANGE)
    reviewed = found["reviewed"]
    assert [reviewed[name] for name in ("cramps", "none", "unsure", "unreviewed")] == [1, 1, 1, 1]
    assert reviewed["wrong"]["value"] == 0.5
    assert reviewed["per_night"]["value"] == pytest.approx(0.2)  # of five nights
    assert "lower bound" in reviewed["sentence"]
    assert (found["both"], found["rejected"], found["felt"]["value"]) == (0, 1, 0.25)
    assert {item["seen"] for item in found["items"]} == {"device_only", "diary_only"}


def test_own_severity_stands_beside_the_convention(world: World, http: httpx.Client, ada: str) -> None:
    for number in range(8):
        at_ns = ns("2026-03-11T00:00:00") + number * 3600 * 10**9 * 3
        parts = {f"severity_{name}": 1.0 + number for name in ("amplitude", "duration", "load", "recruitment")}
        world.write(episode("leg", at_ns, severity=1.0 + number, **parts))
        hour, day = (3 * number) % 24, 11 + (3 * number) // 24
        tell(http, ada, "cramps", at=f"2026-03-{day}T{hour:02}:01:00Z", pain=min(2 + number, 10))
    found = get(http, f"/wearers/{ada}/agreement", **RANGE)
    assert found["both"] == 8
    assert found["own"]["ratings"] == 8
    assert sum(found["own"]["weights"].values()) == pytest.approx(1.0, abs=0.01)
    assert found["own"]["weights_convention"] == {"amplitude": 0.3, "duration": 0.2, "load": 0.4, "recruitment": 0.1}
    assert [item["severity"] for item in found["items"]] == [1.0 + number for number in range(8)]
    own = [item["own_severity"] for item in found["items"]]
    assert own == sorted(own)
    assert own[0] > 1.0  # the wearer puts each a point higher
    assert get(http, f"/wearers/{ada}/episodes", **RANGE)["items"][0]["severity"] == 1.0


def test_nothing_is_no_agreement(http: httpx.Client, ada: str) -> None:
    found = get(http, f"/wearers/{ada}/agreement", **RANGE)
    assert found["sensitivity"]["value"] is None
    assert found["sensitivity"]["note"]
    assert found["sentence"] == "Nothing was felt and nothing was detected."
    check_problem(http.get(f"{V1}/wearers/w0/agreement"), 404, "not-found")


def test_a_pair_over_the_edge_of_the_range_is_a_pair(world: World, http: httpx.Client, ada: str) -> None:
    world.write(episode("leg", ns("2026-03-10T10:55:00")))  # five minutes before the noon that the range begins with
    tell(http, ada, "cramps", at="2026-03-10T11:01:00Z")
    found = get(http, f"/wearers/{ada}/agreement", **RANGE)
    assert (found["both"], found["diary_only"], found["device_only"]) == (1, 0, 0)
