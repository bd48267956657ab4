"""Systems that the articles tell of, through the whole service: wearer, device, diary and trends over HTTP.

The effects are drawn in, so the service must find them; and it must say of each what it does not show.
"""

from datetime import UTC, date, datetime, timedelta

import httpx
import numpy as np
import pytest
from api_world import HOUR_NS, World, add_wearer, assign, check_problem, episode, epochs, get, ns, tell

LAST = date(2026, 3, 15)  # a Sunday
MINUTE_NS = HOUR_NS // 60


def rfc(at_ns: int) -> str:
    return datetime.fromtimestamp(at_ns / 1e9, UTC).isoformat()


def wear(world: World, device: str, start_ns: int, *, hours: float, cramps: int = 0) -> None:
    """Hours worn, with so many cramps spread evenly over them."""
    end_ns = start_ns + round(hours * HOUR_NS)
    world.write(epochs(device, start_ns, end_ns))
    for i in range(cramps):
        world.write(episode(device, start_ns + (2 * i + 1) * (end_ns - start_ns) // (2 * cramps)))


def test_day_night_pattern(world: World, http: httpx.Client) -> None:
    """Calcium by day, magnesium by night: a weak pointer, told as one."""
    rng = np.random.default_rng(1)
    patterns = {"magnesium": (1.6, 0.2), "calcium": (0.2, 1.6)}
    for name, (by_night, by_day) in patterns.items():
        wearer = add_wearer(http, name)
        assign(http, wearer, name)
        for back in range(21):
            at = LAST - timedelta(days=back)
            wear(world, name, ns(f"{at}T22:00:00"), hours=4.5, cramps=int(rng.poisson(by_night)))
            wear(world, name, ns(f"{at}T10:00:00"), hours=4.5, cramps=int(rng.poisson(by_day)))
        got = get(http, f"/wearers/{wearer}/trends", **{"from": str(LAST - timedelta(days=20)), "to": str(LAST)})
        both = got["night_day"]
        if name == "magnesium":
            assert both["pattern"] == "mostly_night"
            assert both["dispersed"]["low"] > 1
        else:
            assert both["pattern"] == "mostly_day"
            assert both["dispersed"]["high"] < 1
        assert name in both["hypothesis"]
        assert both["exact"]["low"] <= both["exact"]["value"] <= both["exact"]["high"]
        assert "weak pointer" in both["warning"]
        assert "Only a laboratory can tell" in both["warning"]
        assert (both["night"]["judged"], both["day"]["judged"]) == (21, 21)
    reach = {"from": str(LAST - timedelta(days=20)), "to": str(LAST)}
    same = get(http, f"/wearers/{wearer}/trends", kind="day", **reach)
    assert (same["kind"], same["night_day"]) == ("day", both)


def test_exercise_cramps_with_and_without_a_drink(world: World, http: httpx.Client) -> None:
    """Matches with an electrolyte drink, with water and with none: per hour of exercise, not per match."""
    wearer = add_wearer(http)
    assign(http, wearer, "leg")
    rates = {
        "electrolyte": [0, 0, 1, 0, 0, 0, 0, 0],
        "water": [1, 1, 2, 0, 1, 2, 1, 1],
        "none": [1, 2, 1, 2, 1, 1, 2, 1],
    }
    for i in range(24):
        drink = ("electrolyte", "water", "none")[i % 3]
        start_ns = ns(f"{LAST - timedelta(days=3 * i)}T14:00:00")
        wear(world, "leg", start_ns, hours=1.5, cramps=rates[drink][i // 3])
        detail = {"drink": drink, "activity": "football"}
        end_ns = start_ns + 90 * MINUTE_NS
        tell(http, wearer, "contexts", context="match", start=rfc(start_ns), end=rfc(end_ns), detail=detail)
    (drinks,) = get(http, f"/wearers/{wearer}/trends/contexts")["items"]
    assert drinks["key"] == "drink"
    groups = {group["key"]: group for group in drinks["groups"]}
    assert [groups[key]["cover"]["cramps"] for key in rates] == [1, 9, 11]
    assert groups["none"]["cover"]["judged_h"] == 12.0
    assert groups["none"]["rate"]["value"] == pytest.approx(11 / 12 * 8, rel=1e-3)
    assert groups["none"]["with_cramp"]["value"] == 1.0
    ratios = {(ratio["key"], ratio["against"]): ratio for ratio in drinks["ratios"]}
    assert ratios["electrolyte", "none"]["verdict"] == "fewer"
    assert ratios["electrolyte", "none"]["exact"]["high"] < 1
    assert ratios["water", "none"]["verdict"] != "fewer"
    assert any("drew lots" in caveat for caveat in drinks["caveats"])
    training = get(http, f"/wearers/{wearer}/trends", kind="training")
    assert training["cover"]["planned"] == 24
    assert training["night_day"] is None


def test_laboratory_values_beside_episodes(world: World, http: httpx.Client) -> None:
    """Magnesium rises as cramps get fewer: side by side, with no causal word; three potassium values are too few."""
    wearer = add_wearer(http)
    assign(http, wearer, "leg", since="2025-06-01T00:00:00Z")
    first = LAST - timedelta(days=14 * 8 - 1)
    for i in range(8):
        taken = first + timedelta(days=14 * i + 7)
        at = f"{taken}T08:00:00+01:00"
        tell(http, wearer, "laboratory", analyte="magnesium", at=at, value=0.62 + 0.04 * i, unit="mmol/L")
        if i % 3 == 0:
            tell(http, wearer, "laboratory", analyte="potassium", at=at, value=4.1, unit="mmol/L")
        for night in range(0, 14, 3):
            at_night = taken + timedelta(days=night - 7)
            wear(world, "leg", ns(f"{at_night}T22:00:00"), hours=4.0, cramps=max(0, 7 - i) // 2 + (night < 3 and i % 2))
    got = get(http, f"/wearers/{wearer}/trends/laboratory", **{"from": str(first), "to": str(LAST)})
    magnesium = next(item for item in got["items"] if item["analyte"] == "magnesium")
    potassium = next(item for item in got["items"] if item["analyte"] == "potassium")
    assert [beside["value"] for beside in magnesium["items"]] == pytest.approx([0.62 + 0.04 * i for i in range(8)])
    assert magnesium["items"][0]["cover"]["judged"] == 5
    assert magnesium["items"][0]["rate"]["value"] > magnesium["items"][-1]["rate"]["value"]
    assert magnesium["verdict"] == "shown"
    assert magnesium["correlation"]["high"] < 0
    assert "That is no cause." in magnesium["sentence"]
    assert potassium["verdict"] == "not_enough_data"
    assert potassium["correlation"]["value"] is None
    assert len(potassium["items"]) == 3
    assert "that is no cause" in got["warning"]
    told = " ".join([item["sentence"] for item in got["items"]])
    assert not any(word in told for word in ("because", "due to", "helps", "leads"))


def test_vitamin_e_at_dialysis_during_and_between(world: World, http: httpx.Client) -> None:
    """Own baseline, then vitamin E 400 IU: 68 % fewer during sessions, as many between. No proof."""
    rng = np.random.default_rng(6)
    wearer = add_wearer(http)
    assign(http, wearer, "leg", since="2025-06-01T00:00:00Z")
    start = LAST - timedelta(days=7 * 16 - 1)
    begins = start + timedelta(days=7 * 8)
    tell(
        http, wearer, "interventions",
        code="vitamin_e", dose={"value": 400, "unit": "[IU]"}, schedule="daily", **{"from": str(begins)},
    )  # fmt: skip
    for day in range(7 * 16):
        at = start + timedelta(days=day)
        if at.weekday() not in (0, 2, 4):
            continue
        begin_ns = ns(f"{at}T12:00:00")
        wear(world, "leg", begin_ns, hours=4.0, cramps=int(rng.poisson(2.0 if at < begins else 2.0 * 0.32)))
        wear(world, "leg", ns(f"{at}T22:00:00"), hours=4.2, cramps=int(rng.poisson(0.5)))
        tell(http, wearer, "contexts", context="dialysis", start=rfc(begin_ns), end=rfc(begin_ns + 4 * HOUR_NS))
    reach = {"from": str(start), "to": str(LAST)}
    during = get(http, f"/wearers/{wearer}/trends", kind="dialysis", **reach)
    between = get(http, f"/wearers/{wearer}/trends", kind="between", **reach)
    assert during["cover"]["judged"] == 48
    assert between["cover"]["judged"] == 47
    assert during["trend"]["verdict"] == "fewer"
    assert during["change"]["verdict"] == "shown"
    assert during["change"]["first"] <= str(begins) <= during["change"]["last"]
    assert during["change"]["ratio"]["high"] < 1
    assert [(one["name"], one["date"]) for one in during["change"]["beside"]] == [("vitamin e 400 [IU]", str(begins))]
    assert "that it was the cause is not shown" in during["change"]["sentence"]
    assert between["change"]["verdict"] == "not_shown"
    (compared,) = get(http, f"/wearers/{wearer}/trends/contexts", **reach)["items"]
    assert compared["key"] == "dialysis"
    assert compared["ratios"][0]["verdict"] == "more"
    assert any("why" in caveat for caveat in during["caveats"])


def test_what_the_wearer_calls_none_does_not_count(world: World, http: httpx.Client) -> None:
    wearer = add_wearer(http)
    assign(http, wearer, "leg")
    for back in range(14):
        wear(world, "leg", ns(f"{LAST - timedelta(days=back)}T22:00:00"), hours=4.5, cramps=1)
    reach = {"from": str(LAST - timedelta(days=13)), "to": str(LAST)}
    before = get(http, f"/wearers/{wearer}/trends", **reach)
    found = get(http, f"/wearers/{wearer}/episodes", **(reach | {"to": str(LAST + timedelta(days=1))}))["items"]
    assert before["cover"]["cramps"] == len(found) == 14
    assert before["false_alarms"]["source"] == "accuracy_report"
    for i, one in enumerate(found[:12]):
        verdict = "none" if i < 3 else "cramp"
        tell(http, wearer, "reviews", episode=one["id"], verdict=verdict)
    after = get(http, f"/wearers/{wearer}/trends", **reach)
    assert after["cover"]["cramps"] == 11
    alarms = after["false_alarms"]
    assert (alarms["source"], alarms["reviewed"], alarms["rejected"]) == ("reviews", 12, 3)


def test_ranges_kinds_and_strangers(http: httpx.Client) -> None:
    wearer = add_wearer(http)
    got = get(http, f"/wearers/{wearer}/trends")
    assert (got["from"], got["to"]) == ("2025-12-26", "2026-03-19")  # twelve weeks up to last night
    assert len(got["weeks"]) == 12
    assert got["rate"]["value"] is None
    assert got["cover"]["judged"] == 0
    assert got["trend"]["verdict"] == "not_enough_data"
    assert get(http, f"/wearers/{wearer}/trends/contexts")["items"] == []
    assert get(http, f"/wearers/{wearer}/trends/laboratory")["items"] == []
    check_problem(http.get(f"/api/v1/wearers/{wearer}/trends", params={"kind": "nap"}), 422, "invalid-request")
    check_problem(http.get(f"/api/v1/wearers/{wearer}/trends", params={"from": "2024-01-01"}), 422, "invalid-request")
    for path in ("", "/laboratory", "/contexts"):
        check_problem(http.get(f"/api/v1/wearers/nobody/trends{path}"), 404, "not-found")
