"""The diary over HTTP: entries of each kind, lists, retries, and reviews of the wearer's own episodes."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from api_world import V1, World, add_wearer, assign, check_problem, episode, get, ns

ONSET = "2026-03-19T02:12:00+01:00"
EXAMPLES: dict[str, dict[str, Any]] = {
    "cramps": {"at": "2026-03-19T02:10:00+01:00", "muscle": "calf", "side": "left", "duration_s": 120, "pain": 7},
    "interventions": {"code": "magnesium", "dose": {"value": 300, "unit": "mg"}, "from": "2026-03-16"},
    "contexts": {
        "context": "dialysis", "start": "2026-03-18T08:00:00Z", "end": "2026-03-18T12:00:00Z",
        "detail": {"dialysate_magnesium_mmol_per_l": 0.5},
    },
    "laboratory": {"analyte": "magnesium", "at": "2026-03-18", "value": 2.0, "unit": "mg/dl"},
    "reviews": {"episode": f"leg.gastrocnemius_medialis.{ns(ONSET)}", "verdict": "none"},
}  # fmt: skip


@pytest.fixture
def world(world: World) -> World:
    world.write(episode("leg", ns(ONSET)))
    return world


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[httpx.Client, str]]:
    """A wearer with an episode, for requests that change nothing."""
    made = World(tmp_path_factory.mktemp("untouched"))
    made.write(episode("leg", ns(ONSET)))
    with made.client() as client:
        wearer = add_wearer(client)
        assign(client, wearer, "leg")
        yield client, wearer
    made.close()


def post(http: httpx.Client, wearer: str, part: str, **body: Any) -> httpx.Response:
    return http.post(f"{V1}/wearers/{wearer}/diary/{part}", json=body)


@pytest.mark.parametrize("part", EXAMPLES)
def test_an_entry_is_made_read_changed_and_forgotten(http: httpx.Client, ada: str, part: str) -> None:
    made = post(http, ada, part, **EXAMPLES[part], note="  why not ")
    assert made.status_code == 201, made.text
    address = made.headers["Location"]
    assert http.get(address).json() == made.json()
    assert made.json()["note"] == "why not"
    changed = http.patch(address, json={"note": "changed"})
    assert changed.status_code == 200
    assert changed.json() == made.json() | {"note": "changed"}
    assert http.patch(address, json={}).json() == changed.json()
    listed = get(http, f"/wearers/{ada}/diary/{part}", **{"from": "2026-03-01", "to": "2026-03-20"})
    assert listed == {"items": [changed.json()], "next": None}
    assert get(http, f"/wearers/{ada}/diary")["items"] == [changed.json()]
    assert http.delete(address).status_code == 204
    check_problem(http.get(address), 404, "not-found")
    check_problem(http.patch(address, json={}), 404, "not-found")
    check_problem(http.delete(address), 404, "not-found")


@pytest.mark.parametrize("part", EXAMPLES)
def test_an_entry_is_nobody_elses(http: httpx.Client, ada: str, part: str) -> None:
    bea = add_wearer(http, "Bea")
    entry = post(http, ada, part, **EXAMPLES[part]).json()["id"]
    address = f"{V1}/wearers/{bea}/diary/{part}/{entry}"
    for response in (http.get(address), http.patch(address, json={}), http.delete(address)):
        check_problem(response, 404, "not-found")
    assert get(http, f"/wearers/{bea}/diary/{part}")["items"] == []
    check_problem(post(http, "w0", part, **EXAMPLES[part]), 404, "not-found")
    check_problem(http.get(f"{V1}/wearers/w0/diary/{part}"), 404, "not-found")


@pytest.mark.parametrize("part", [part for part in EXAMPLES if part != "reviews"])
def test_a_retry_adds_nothing(http: httpx.Client, ada: str, part: str) -> None:
    first = post(http, ada, part, **EXAMPLES[part], key="phone-1")
    again = post(http, ada, part, **EXAMPLES[part], key="phone-1")
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert again.headers["Location"] == first.headers["Location"]
    check_problem(post(http, ada, part, **EXAMPLES[part] | {"note": "other"}, key="phone-1"), 409, "conflict")


def test_without_a_token_nothing_is_told(world: World, ada: str) -> None:
    with world.client(signed_in=False) as stranger:
        for part in ("", "/cramps", "/export.csv"):
            check_problem(stranger.get(f"{V1}/wearers/{ada}/diary{part}"), 401, "sign-in-required")


def test_a_cramp_of_some_night_has_no_hour(http: httpx.Client, ada: str) -> None:
    made = post(http, ada, "cramps", about="night 2026-03-18").json()
    assert made["at"] is None
    assert (made["earliest"], made["latest"]) == ("2026-03-18T21:00:00+01:00", "2026-03-19T09:00:00+01:00")
    address = f"{V1}/wearers/{ada}/diary/cramps/{made['id']}"
    check_problem(http.patch(address, json={"uncertain_s": 60}), 422, "invalid-request")
    found = http.patch(address, json={"at": "2026-03-19T03:00:00+01:00", "uncertain_s": 1800}).json()
    assert (found["about"], found["at"]) == (None, "2026-03-19T03:00:00+01:00")
    assert (found["earliest"], found["latest"]) == ("2026-03-19T02:30:00+01:00", "2026-03-19T03:30:00+01:00")
    assert http.patch(address, json={"about": "night 2026-03-18"}).json()["at"] is None
    assert http.patch(address, json={"pain": 3}).json()["pain"] == 3
    assert http.patch(address, json={"pain": None}).json()["pain"] is None


@pytest.mark.parametrize(
    ("part", "change", "where"),
    [
        ("cramps", {"at": None}, "at"),
        ("cramps", {"about": "night 2026-03-18"}, "at"),
        ("cramps", {"at": None, "about": "last night"}, "about"),
        ("cramps", {"at": None, "about": "night 2026-03-21"}, "about"),
        ("cramps", {"at": "2026-03-19T02:10:00"}, "at"),
        ("cramps", {"at": "2027-03-19T02:10:00Z"}, "at"),
        ("cramps", {"at": "1970-03-19T02:10:00Z"}, "at"),
        ("cramps", {"at": "9999-12-31T23:59:59Z"}, "at"),
        ("cramps", {"pain": 11}, "pain"),
        ("cramps", {"pain": 4.5}, "pain"),
        ("cramps", {"duration_s": -1}, "duration_s"),
        ("cramps", {"uncertain_s": 1e9}, "uncertain_s"),
        ("cramps", {"note": "x" * 201}, "note"),
        ("cramps", {"note": "a\x00b"}, "note"),
        ("cramps", {"mood": "bad"}, "mood"),
        ("cramps", {"muscle": "biceps"}, "muscle"),
        ("cramps", {"key": ""}, "key"),
        ("interventions", {"dose": {"value": 300}}, "dose.unit"),
        ("interventions", {"dose": {"value": 300, "unit": "g"}}, "dose.value"),
        ("interventions", {"code": "other"}, "name"),
        ("interventions", {"to": "2026-03-01"}, "to"),
        ("interventions", {"from": "0001-01-01"}, "from"),
        ("interventions", {"times": 25}, "times"),
        ("contexts", {"end": "2026-03-18T07:00:00Z"}, "end"),
        ("contexts", {"detail": {"drink": "water"}}, "detail"),
        ("contexts", {"context": "holiday"}, "context"),
        ("laboratory", {"unit": "mmol/L", "value": 20}, "value"),
        ("laboratory", {"unit": "furlong"}, "unit"),
        ("laboratory", {"analyte": "gold"}, "analyte"),
        ("laboratory", {"at": "2026-03-22"}, "at"),
        ("reviews", {"verdict": "maybe"}, "verdict"),
        ("reviews", {"episode": "leg.gastrocnemius_medialis.1"}, "episode"),
        ("reviews", {"episode": "nonsense"}, "episode"),
        ("reviews", {"episode": f"leg.x.{10**30}"}, "episode"),
    ],
    ids=str,
)  # fmt: skip
def test_what_cannot_be_is_refused_where_it_stands(
    untouched: tuple[httpx.Client, str], part: str, change: dict[str, Any], where: str
) -> None:
    http, ada = untouched
    body = {name: value for name, value in (EXAMPLES[part] | change).items() if value is not None}
    told = check_problem(post(http, ada, part, **body), 422, "invalid-request")
    assert told["errors"][0]["where"] == where or told["errors"][0]["where"].startswith(f"{where}.")
    assert get(http, f"/wearers/{ada}/diary")["items"] == []


def test_an_intervention_tells_how_regularly_it_was_taken(http: httpx.Client, ada: str) -> None:
    made = post(http, ada, "interventions", **EXAMPLES["interventions"], schedule="at_bedtime").json()
    intakes = f"interventions/{made['id']}/intakes"
    for day, outcome in ((16, "taken"), (17, "missed"), (18, "taken")):
        sent = post(http, ada, intakes, at=f"2026-03-{day}T22:00:00+01:00", outcome=outcome, key=f"{day}")
        assert sent.status_code == 201, sent.text
    again = post(http, ada, intakes, at="2026-03-18T22:00:00+01:00", outcome="taken", key="18")
    assert again.status_code == 200
    found = get(http, f"/wearers/{ada}/diary/interventions/{made['id']}")
    assert found["adherence"] == {"due": 4, "taken": 2, "missed": 1, "unnoted": 1, "share": 0.667}
    first, second, _ = get(http, f"/wearers/{ada}/diary/{intakes}")["items"]
    address = f"{V1}/wearers/{ada}/diary/{intakes}/{second['id']}"
    assert http.patch(address, json={"outcome": "taken"}).json()["outcome"] == "taken"
    other = post(http, ada, "interventions", **EXAMPLES["interventions"]).json()["id"]
    elsewhere = f"{V1}/wearers/{ada}/diary/interventions/{other}/intakes/{first['id']}"
    check_problem(http.patch(elsewhere, json={}), 404, "not-found")
    check_problem(http.delete(elsewhere), 404, "not-found")
    assert http.delete(address).status_code == 204
    assert len(get(http, f"/wearers/{ada}/diary/{intakes}")["items"]) == 2


def test_an_intervention_is_ended_and_goes_on(http: httpx.Client, ada: str) -> None:
    made = post(http, ada, "interventions", **EXAMPLES["interventions"])
    address = made.headers["Location"]
    assert http.patch(address, json={"to": "2026-03-18"}).json()["to"] == "2026-03-18"
    assert http.patch(address, json={"dose": None, "times": 2}).json()["dose"] is None
    assert http.patch(address, json={"to": None}).json()["to"] is None
    check_problem(http.patch(address, json={"to": "2026-03-01"}), 422, "invalid-request")


def test_a_laboratory_value_stands_beside_a_range_that_is_no_diagnosis(http: httpx.Client, ada: str) -> None:
    made = post(http, ada, "laboratory", **EXAMPLES["laboratory"]).json()
    assert (made["unit"], made["at"]) == ("mg/dL", "2026-03-18T12:00:00+01:00")
    assert made["usual"] == {"low": 0.7, "high": 1.05, "unit": "mmol/L", "value": 0.8229, "standing": "within"}
    address = f"{V1}/wearers/{ada}/diary/laboratory/{made['id']}"
    assert http.patch(address, json={"unit": "mmol/L"}).json()["remark"] == "2 mg/dL would be usual: check the unit."
    check_problem(http.patch(address, json={"unit": "mmol/L", "value": 8.2}), 422, "invalid-request")
    assert http.patch(address, json={"at": "2026-03-17T07:00:00+01:00"}).json()["at"] == "2026-03-17T07:00:00+01:00"


def test_only_the_wearers_own_episodes_of_that_time_are_reviewed(world: World, http: httpx.Client, ada: str) -> None:
    bea = add_wearer(http, "Bea")
    check_problem(post(http, bea, "reviews", **EXAMPLES["reviews"]), 422, "invalid-request")
    world.write(episode("lent", ns(ONSET)))
    assign(http, ada, "lent", to="2026-03-19T00:00:00Z")
    assign(http, bea, "lent", since="2026-03-19T00:00:00Z")
    lent = {"episode": f"lent.gastrocnemius_medialis.{ns(ONSET)}", "verdict": "cramp"}
    check_problem(post(http, ada, "reviews", **lent), 422, "invalid-request")
    assert post(http, bea, "reviews", **lent).status_code == 201


def test_the_latest_review_holds_and_withdrawn_episodes_have_none(world: World, http: httpx.Client, ada: str) -> None:
    first = post(http, ada, "reviews", **EXAMPLES["reviews"])
    second = post(http, ada, "reviews", **EXAMPLES["reviews"] | {"verdict": "cramp"})
    assert (first.status_code, second.status_code) == (201, 200)
    assert second.json()["id"] == first.json()["id"]
    assert second.json()["onset"] == ONSET
    world.write(episode("leg", ns(ONSET), status="withdrawn", revision=2))
    told = check_problem(post(http, ada, "reviews", **EXAMPLES["reviews"]), 422, "invalid-request")
    assert "withdrawn" in told["detail"]


def test_a_diary_is_told_in_order_of_time_and_in_pages(http: httpx.Client, ada: str) -> None:
    for part, body in EXAMPLES.items():
        post(http, ada, part, **body)
    for minute in range(10, 15):
        post(http, ada, "cramps", at=f"2026-03-19T04:{minute}:00Z")
    whole = get(http, f"/wearers/{ada}/diary")
    kinds = [item["kind"] for item in whole["items"]]
    assert kinds == ["intervention", "context", "laboratory", "cramp", "review", *["cramp"] * 5]
    for address, limit in (("diary", 3), ("diary/cramps", 2), ("diary/interventions", 1)):
        items, page = [], get(http, f"/wearers/{ada}/{address}", limit=limit)
        while True:
            items += page["items"]
            if page["next"] is None:
                break
            page = http.get(page["next"]).json()
        assert items == get(http, f"/wearers/{ada}/{address}")["items"]


def test_lists_can_be_narrowed(http: httpx.Client, ada: str) -> None:
    for kind, hour in (("training", 10), ("heat", 12)):
        post(http, ada, "contexts", context=kind, start=f"2026-03-19T{hour}:00:00Z")
    for analyte, value in (("magnesium", 0.8), ("sodium", 140)):
        post(http, ada, "laboratory", analyte=analyte, value=value, unit="mmol/L", at="2026-01-05")
    post(http, ada, "interventions", **EXAMPLES["interventions"], to="2026-03-17")
    base = f"/wearers/{ada}/diary"
    assert [item["context"] for item in get(http, f"{base}/contexts", kind="heat")["items"]] == ["heat"]
    assert [item["analyte"] for item in get(http, f"{base}/laboratory", analyte="sodium")["items"]] == ["sodium"]
    assert get(http, f"{base}/laboratory", **{"from": "2026-02-01"})["items"] == []
    assert get(http, f"{base}/interventions", **{"from": "2026-03-18"})["items"] == []
    assert len(get(http, f"{base}/interventions", to="2026-03-16")["items"]) == 1


def test_forgetting_a_wearer_forgets_the_diary(http: httpx.Client, ada: str) -> None:
    for part, body in EXAMPLES.items():
        assert post(http, ada, part, **body).status_code == 201
    assert http.delete(f"{V1}/wearers/{ada}").status_code == 204
    check_problem(http.get(f"{V1}/wearers/{ada}/diary"), 404, "not-found")
