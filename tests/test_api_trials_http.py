"""Trials over HTTP: registration, members, the sealed key, and the analysis that is made beside the requests."""

import hashlib
import json
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import httpx
import pytest
from api_world import HOUR_NS, V1, World, add_wearer, check_problem, episode, epochs, get, ns, post, tell
from trial_cases import wait_for_analyses

PLAN: dict[str, Any] = {
    "title": "Magnesium at night",
    "question": "Do I have fewer cramps with magnesium?",
    "design": "n_of_1",
    "treatments": [{"name": "magnesium citrate", "dose": "300 mg"}, {"name": "sugar pill", "control": True}],
    "baseline_days": 0,
    "block_days": 3,
    "cycles": 2,
    "seed": 5,
}
BLINDED = PLAN | {"blinded": True}
FIRST = date(2026, 3, 2)
SECRETS = ("magnesium citrate", "sugar pill", "300 mg")


@pytest.fixture
def world(world: World) -> Iterator[World]:
    yield world
    wait_for_analyses()


def register(http: httpx.Client, plan: dict[str, Any] = PLAN) -> dict[str, Any]:
    response = http.post(f"{V1}/trials", json=plan)
    assert response.status_code == 201, response.text
    assert response.headers["location"] == f"{V1}/trials/{response.json()['id']}"
    made: dict[str, Any] = response.json()
    return made


def join(http: httpx.Client, trial: str, wearer: str, first: date = FIRST) -> dict[str, Any]:
    joined: dict[str, Any] = post(http, f"/trials/{trial}/members", {"wearer": wearer, "first": str(first)})
    return joined


def nights(world: World, device: str, *, number: int = 12, cramps: int = 3) -> None:
    """Nights of six hours with some cramps each."""
    for shift in range(number):
        start_ns = ns(f"{FIRST + timedelta(days=shift)}T22:00:00+01:00")
        world.write(epochs(device, start_ns, start_ns + 6 * HOUR_NS))
        world.write([episode(device, start_ns + (1 + hour) * HOUR_NS) for hour in range(cramps)])


def analysis(http: httpx.Client, trial: str) -> dict[str, Any]:
    """Asks until it is there."""
    response = _after_waiting(http, trial)
    assert response.status_code == 200, response.text
    assert (response.json()["state"], response.json()["progress"]) == ("ready", 1.0)
    made: dict[str, Any] = response.json()["analysis"]
    return made


def _after_waiting(http: httpx.Client, trial: str) -> httpx.Response:
    """The first answer that is not 202."""
    while (response := http.get(f"{V1}/trials/{trial}/analysis")).status_code == 202:
        assert int(response.headers["retry-after"]) > 0
        body = response.json()
        assert (body["state"], body["analysis"]) == ("computing", None)
        assert 0 <= body["progress"] <= 1
    return response


def test_a_plan_is_hashed_dated_and_can_be_checked_by_anybody(http: httpx.Client) -> None:
    trial = register(http)
    version = trial["versions"][0]
    assert trial["hash"] == version["hash"] == hashlib.sha256(version["text"].encode()).hexdigest()
    assert trial["registered"] == "2026-03-20T12:00:00Z"
    assert json.loads(version["text"]) == trial["plan"]
    assert trial["state"] == "registered"
    assert get(http, f"/trials/{trial['id']}") == trial


def test_a_seed_is_drawn_where_none_is_given(http: httpx.Client) -> None:
    unseeded = {name: value for name, value in PLAN.items() if name != "seed"}
    seeds = {register(http, unseeded)["plan"]["seed"] for _ in range(4)}
    assert len(seeds) == 4


def test_a_plan_that_cannot_work_is_refused_with_what_to_do(http: httpx.Client) -> None:
    body = check_problem(http.post(f"{V1}/trials", json=PLAN | {"block_days": 2}), 422, "invalid-request")
    assert body["errors"][0]["where"] == "block_days"
    check_problem(http.post(f"{V1}/trials", json=PLAN | {"colour": "red"}), 422, "invalid-request")
    assert get(http, "/trials")["items"] == []


def test_who_joins_gets_a_schedule(http: httpx.Client) -> None:
    trial, ada = register(http)["id"], add_wearer(http)
    found = join(http, trial, ada)
    blocks = [(phase["label"], phase["first"], phase["last"]) for phase in found["schedule"]]
    assert "".join(label for label, _, _ in blocks) == found["members"][0]["sequence"]
    assert [first for _, first, _ in blocks] == ["2026-03-02", "2026-03-05", "2026-03-08", "2026-03-11"]
    assert found["state"] == "ended"
    check_problem(
        http.post(f"{V1}/trials/{trial}/members", json={"wearer": ada, "first": "2026-03-02"}), 409, "conflict"
    )
    check_problem(
        http.post(f"{V1}/trials/{trial}/members", json={"wearer": "w0", "first": "2026-03-02"}), 404, "not-found"
    )


def test_lists_are_of_wearers_or_ids_that_are_named(http: httpx.Client) -> None:
    ada, bea = add_wearer(http), add_wearer(http, "Bea")
    trials = sorted(register(http)["id"] for _ in range(3))  # as the clock stands still
    join(http, trials[0], ada)
    join(http, trials[1], bea)

    def listed(**params: Any) -> list[str]:
        return [trial["id"] for trial in http.get(f"{V1}/trials", params=params).json()["items"]]

    assert listed() == trials
    assert listed(wearer=ada) == trials[:1]
    assert listed(wearer=[ada, bea]) == trials[:2]
    assert listed(wearer="w0") == []
    assert listed(id=trials[2]) == trials[2:]
    assert listed(id=trials[2], wearer=ada) == []
    first = http.get(f"{V1}/trials", params={"limit": 2}).json()
    assert [trial["id"] for trial in http.get(first["next"]).json()["items"]] == trials[2:]


def test_leaving_excluding_and_saying(http: httpx.Client) -> None:
    trial, ada = register(http)["id"], add_wearer(http)
    join(http, trial, ada)
    address = f"{V1}/trials/{trial}/members/{ada}"
    said = http.post(f"{address}/impressions", json={"position": 2, "felt_better": True}).json()
    assert said["members"][0]["impressions"] == [{"position": 2, "felt_better": True}]
    again = http.post(f"{address}/impressions", json={"position": 2, "felt_better": False}).json()
    assert again["members"][0]["impressions"] == [{"position": 2, "felt_better": False}]
    check_problem(
        http.post(f"{address}/impressions", json={"position": 5, "felt_better": True}), 422, "invalid-request"
    )
    check_problem(http.post(f"{address}/leave", json={"last": "2026-03-01", "reason": "ill"}), 422, "invalid-request")
    left = http.post(f"{address}/leave", json={"last": "2026-03-06", "reason": " moved   away "}).json()["members"][0]
    assert (left["left"], left["reason"]) == ("2026-03-06", "moved away")
    check_problem(http.post(f"{address}/leave", json={"last": "2026-03-07", "reason": "again"}), 409, "conflict")
    out = http.post(f"{address}/exclude", json={"reason": "took zinc"}).json()["members"][0]
    assert out["excluded"] == "took zinc"
    check_problem(http.post(f"{V1}/trials/{trial}/members/w0/exclude", json={"reason": "x"}), 404, "not-found")


def test_an_amendment_is_another_version(http: httpx.Client) -> None:
    trial, ada = register(http), add_wearer(http)
    address = f"{V1}/trials/{trial['id']}/amendments"
    unseeded = {name: value for name, value in PLAN.items() if name != "seed"}
    check_problem(http.post(address, json={"plan": unseeded, "reason": "none"}), 409, "conflict")  # the same plan
    early = http.post(address, json={"plan": unseeded | {"block_days": 4}, "reason": "too short"})
    assert early.status_code == 201, early.text
    join(http, trial["id"], ada)
    check_problem(http.post(address, json={"plan": PLAN | {"block_days": 5}, "reason": "longer"}), 409, "conflict")
    late = http.post(address, json={"plan": PLAN | {"block_days": 4, "primary": "load"}, "reason": "load is better"})
    versions = late.json()["versions"]
    assert late.json()["hash"] == trial["hash"]  # of the registered one, for ever
    assert [version["circumstances"] for version in versions] == [["seed"], [], ["members", "data"]]
    assert late.json()["plan"]["primary"] == "load"
    assert late.json()["plan"]["seed"] == 5
    told = analysis(http, trial["id"])["differences"]
    assert {"block days", "primary"} <= {one["what"] for one in told}
    changed = next(one for one in told if one["what"] == "primary")
    assert changed["registered"] == "rate"
    assert "when wearers had joined and data existed: load is better" in changed["done"]


def test_the_key_is_sealed_and_every_look_is_written_down(http: httpx.Client) -> None:
    trial = register(http, BLINDED)["id"]
    check_problem(http.get(f"{V1}/trials/{trial}/key"), 409, "conflict")
    check_problem(http.get(f"{V1}/trials/{trial}/key?for=packing"), 422, "invalid-request")  # who, and what for?
    check_problem(http.get(f"{V1}/trials/{trial}/key?for=fun&reason=x"), 422, "invalid-request")
    assert get(http, f"/trials/{trial}")["openings"] == []
    packed = get(http, f"/trials/{trial}/key", **{"for": "packing", "reason": "the pharmacy packs"})
    names = {entry["label"]: entry["treatments"][0]["name"] for entry in packed["entries"]}
    assert set(names) == {"A", "B"}
    assert set(names.values()) == {"magnesium citrate", "sugar pill"}
    shown = get(http, f"/trials/{trial}")
    assert [(one["purpose"], one["reason"]) for one in shown["openings"]] == [("packing", "the pharmacy packs")]
    assert shown["unblinded"] is None
    check_problem(http.get(f"{V1}/trials/{trial}/key"), 409, "conflict")  # still sealed for everybody else
    opened = http.post(f"{V1}/trials/{trial}/unblind", json={"reason": "all phases are over"}).json()
    assert opened == packed == get(http, f"/trials/{trial}/key")
    assert get(http, f"/trials/{trial}")["unblinded"] == "2026-03-20T12:00:00Z"
    check_problem(http.post(f"{V1}/trials/{trial}/unblind", json={"reason": "again"}), 409, "conflict")


def test_an_open_trial_has_no_key(http: httpx.Client) -> None:
    trial = register(http)["id"]
    check_problem(http.get(f"{V1}/trials/{trial}/key?for=packing&reason=x"), 409, "conflict")
    check_problem(http.post(f"{V1}/trials/{trial}/unblind", json={"reason": "x"}), 409, "conflict")


def test_keys_are_drawn_and_not_worked_out_from_the_seed(http: httpx.Client) -> None:
    """The seed is in the plan for all to read: if it gave the key away there would be no blinding."""
    first = [
        get(http, f"/trials/{register(http, BLINDED)['id']}/key", **{"for": "packing", "reason": "x"})["entries"][0]
        for _ in range(24)
    ]
    assert {entry["treatments"][0]["name"] for entry in first} == {"magnesium citrate", "sugar pill"}


def test_a_factorial_key_names_both_treatments_of_each_pack(http: httpx.Client) -> None:
    treatments = [{"name": "vitamin E"}, {"name": "vitamin C"}]
    plan = BLINDED | {"design": "factorial", "treatments": treatments, "wearers": 8, "block_days": 14}
    trial = register(http, plan)["id"]
    entries = get(http, f"/trials/{trial}/key", **{"for": "packing", "reason": "x"})["entries"]
    assert [entry["label"] for entry in entries] == ["1", "2", "3", "4"]
    packs = sorted(tuple(one["name"] for one in entry["treatments"]) for entry in entries)
    assert packs == [(), ("vitamin C",), ("vitamin E",), ("vitamin E", "vitamin C")]


def read_everything(http: httpx.Client, openapi: dict[str, Any], trial: str, wearer: str) -> str:
    """What every address that can be read says, with the names of the plan's own treatments taken out."""
    texts = []
    for path, methods in openapi["paths"].items():
        if "get" not in methods or path.endswith("/key") or "{entry}" in path or "{device}" in path:
            continue
        address = path.replace("{trial}", trial).replace("{wearer}", wearer).replace("{assignment}", "a0")
        texts.append(f"{path}: {http.get(address).text}")
    return "\n".join(texts)


def test_no_address_but_the_key_tells_which_label_is_which(world: World, http: httpx.Client, ada: str) -> None:
    """With all its keys turned round, the same trial reads the same everywhere."""
    nights(world, "leg")
    trial = register(http, BLINDED)["id"]
    join(http, trial, ada)
    openapi = http.get(f"{V1}/openapi.json").json()
    analysis(http, trial)
    before = read_everything(http, openapi, trial, ada)
    with world.registry.write() as db:
        key = json.loads(str(db.exec_driver_sql("SELECT key FROM trials").scalar_one()))
        turned = json.dumps({label: "B" if own == "A" else "A" for label, own in key.items()})
        db.exec_driver_sql("UPDATE trials SET key = ?", (turned,))
    analysis(http, trial)
    after = read_everything(http, openapi, trial, ada)
    assert _steady(after) == _steady(before)
    results = json.dumps(analysis(http, trial))
    for secret in SECRETS:
        assert secret not in results
    assert json.dumps(key) not in before


def _steady(text: str) -> list[str]:
    """Without the figures of the process, which change from one second to the next."""
    return [line for line in text.splitlines() if not line.startswith(("charley_", "python_", "process_", "# "))]


def test_an_analysis_is_made_once_and_again_when_records_change(world: World, http: httpx.Client, ada: str) -> None:
    nights(world, "leg", number=11)
    trial = register(http)["id"]
    join(http, trial, ada)
    first = analysis(http, trial)
    assert first["conclusion"] != ""
    assert sum(arm["cramps"] for arm in first["arms"]) == 33
    assert first["results"][0]["role"] == "primary"
    assert get(http, f"/trials/{trial}/analysis")["state"] == "ready"
    start_ns = ns(f"{FIRST + timedelta(days=11)}T22:00:00+01:00")
    world.write(epochs("leg", start_ns, start_ns + 6 * HOUR_NS), episode("leg", start_ns + HOUR_NS))
    assert sum(arm["cramps"] for arm in analysis(http, trial)["arms"]) == 33  # looked up once a minute
    world.now = "2026-03-20T12:02:00"
    assert sum(arm["cramps"] for arm in analysis(http, trial)["arms"]) == 34


def test_what_wearers_say_and_unblinding_show_at_once(world: World, http: httpx.Client, ada: str) -> None:
    nights(world, "leg")
    trial = register(http, BLINDED)["id"]
    join(http, trial, ada)
    masked = analysis(http, trial)
    assert masked["results"][0]["contrast"] == "A against B"
    http.post(f"{V1}/trials/{trial}/members/{ada}/impressions", json={"position": 1, "felt_better": True})
    assert [one["felt_better"] for one in analysis(http, trial)["seen"]] == [True, None, None, None]
    key = http.post(f"{V1}/trials/{trial}/unblind", json={"reason": "over"}).json()["entries"]
    opened = analysis(http, trial)
    assert opened["results"][0]["contrast"] == "magnesium citrate against sugar pill"
    names = {entry["label"]: entry["treatments"][0]["name"] for entry in key}
    for arm in opened["arms"]:
        same = next(one for one in masked["arms"] if one["label"] == arm["label"])
        assert (arm["name"], same["name"]) == (names[arm["label"]], arm["label"])
        assert arm["cramps"] == same["cramps"]
    treated = next(arm for arm in opened["arms"] if arm["name"] == "magnesium citrate")
    turned = treated["label"] == "B"
    ratio = masked["results"][0]["estimate"]["value"]
    assert opened["results"][0]["estimate"]["value"] == pytest.approx(1 / ratio if turned else ratio, rel=1e-3)


def counts(http: httpx.Client, wearer: str) -> dict[str, int]:
    """Cramps of a wearer's trial by which of them it counts."""
    found = {}
    for counting in ("detected", "felt", "both"):
        trial = register(http, PLAN | {"counting": counting})["id"]
        join(http, trial, wearer)
        found[counting] = sum(arm["cramps"] for arm in analysis(http, trial)["arms"])
    return found


def test_cramps_that_were_felt_can_be_counted(world: World, http: httpx.Client, ada: str) -> None:
    """A night with one detected at one, felt at one and at four: one detected, two felt, two in all."""
    nights(world, "leg", number=1, cramps=0)
    at_ns = ns("2026-03-03T01:00:00+01:00")
    world.write(episode("leg", at_ns))
    for hour in (1, 4):
        tell(http, ada, "cramps", at=f"2026-03-03T0{hour}:00:30+01:00", pain=5)
    assert counts(http, ada) == {"detected": 1, "felt": 2, "both": 2}


def test_a_felt_cramp_of_a_night_is_not_taken_by_one_detected_before_it(
    world: World, http: httpx.Client, ada: str
) -> None:
    """Detected ten minutes before a night, felt ten minutes into it: no detected one of nights, and one felt."""
    nights(world, "leg", number=2, cramps=0)
    world.write(episode("leg", ns("2026-03-03T20:50:00+01:00")))
    tell(http, ada, "cramps", at="2026-03-03T21:10:00+01:00", pain=5)
    assert counts(http, ada) == {"detected": 0, "felt": 1, "both": 1}


def test_dialysis_sessions_are_compared_too(world: World, http: httpx.Client, ada: str) -> None:
    """Sessions of four hours, as the diary has them; cramps between sessions are none of theirs."""
    for shift in range(12):
        start_ns = ns(f"{FIRST + timedelta(days=shift)}T08:00:00+01:00")
        world.write(epochs("leg", start_ns, start_ns + 6 * HOUR_NS))
        world.write([episode("leg", start_ns + HOUR_NS), episode("leg", start_ns + 5 * HOUR_NS)])
        day = FIRST + timedelta(days=shift)
        tell(http, ada, "contexts", context="dialysis", start=f"{day}T08:00:00+01:00", end=f"{day}T12:00:00+01:00")
    trial = register(http, PLAN | {"kinds": ["dialysis"]})["id"]
    join(http, trial, ada)
    found = analysis(http, trial)
    assert [(arm["judged"], arm["cramps"], arm["usable_h"]) for arm in found["arms"]] == [(6, 6, 24.0)] * 2
    assert "2.0 cramps in eight hours" in found["verdict"]


def test_a_blinded_trial_of_quinine_warns_of_it(http: httpx.Client) -> None:
    treatments = [{"name": "quinine sulfate", "dose": "200 mg"}, {"name": "sugar pill", "control": True}]
    trial = register(http, BLINDED | {"treatments": treatments})["id"]
    found = analysis(http, trial)
    assert found["caveats"][0].startswith("Quinine is not approved")
    assert "quinine sulfate" not in json.dumps(found)


def test_what_goes_wrong_is_told_once_and_then_tried_again(world: World, http: httpx.Client) -> None:
    ada = add_wearer(http)
    trial = register(http)["id"]
    join(http, trial, ada)
    with world.registry.write() as db:
        db.exec_driver_sql("UPDATE trial_members SET wearer_id = wearer_id, first = '2026-03-01'")
        db.exec_driver_sql("UPDATE zone_changes SET zone = 'Nowhere/Land'")
    assert _after_waiting(http, trial).status_code == 422
    with world.registry.write() as db:
        db.exec_driver_sql("UPDATE zone_changes SET zone = 'Europe/Berlin'")
    assert analysis(http, trial)["conclusion"] == "not_enough_data"


def test_a_trial_that_is_not_there(http: httpx.Client) -> None:
    for address in ("/trials/t0", "/trials/t0/key", "/trials/t0/analysis"):
        check_problem(http.get(V1 + address), 404, "not-found")
    check_problem(http.post(f"{V1}/trials/t0/unblind", json={"reason": "x"}), 404, "not-found")


def test_nothing_of_trials_is_open(world: World) -> None:
    with world.client(signed_in=False) as stranger:
        for address in ("/trials", "/trials/t0", "/trials/t0/key", "/trials/t0/analysis"):
            check_problem(stranger.get(V1 + address), 401, "sign-in-required")
