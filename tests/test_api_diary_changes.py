"""What PATCH changes of an entry, and what it refuses; and the corners of cells."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import httpx
import pytest
from api_world import V1, World, add_wearer, assign, check_problem, episode, ns
from diary_world import ADA, NOW_NS

from api.diary.about import felt_about, settled
from api.diary.csv_cells import Cells, shown_detail
from api.diary.csv_rows import read_row
from api.diary.csv_text import Row
from api.diary.values import FeltCramp
from api.errors import Invalid
from api.periods import NightPreference
from api.registry import Wearer
from api.zones import ZoneChange, ZoneHistory

ONSET = "2026-03-19T02:12:00+01:00"
MADE: dict[str, dict[str, Any]] = {
    "cramps": {"at": "2026-03-19T02:10:00+01:00"},
    "interventions": {"code": "magnesium", "dose": {"value": 300, "unit": "mg"}, "from": "2026-03-16"},
    "contexts": {"context": "training", "start": "2026-03-18T08:00:00+01:00", "end": "2026-03-18T09:00:00+01:00"},
    "laboratory": {"analyte": "sodium", "at": "2026-03-18", "value": 140, "unit": "mmol/L"},
    "reviews": {"episode": episode("leg", ns(ONSET)).id, "verdict": "none"},
}
CHANGES: list[tuple[str, dict[str, Any]]] = [
    ("cramps", {"at": "2026-03-19T03:10:00+01:00"}),
    ("cramps", {"muscle": "foot", "side": "right", "duration_s": 5.0, "sleep_disturbance": 0}),
    ("interventions", {"code": "calcium", "name": "carbonate", "schedule": "weekly", "times": 3}),
    ("interventions", {"dose": {"value": 2.0, "unit": "{tablet}"}}),
    ("interventions", {"from": "2026-03-01", "to": "2026-03-02"}),
    ("contexts", {"start": "2026-03-18T07:00:00+01:00", "end": None}),
    ("contexts", {"end": "2026-03-18T10:00:00+01:00", "detail": {"drink": "water", "activity": "run"}}),
    ("laboratory", {"at": "2026-03-18T07:00:00+01:00", "value": 138.5, "unit": "meq/L"}),
    ("reviews", {"verdict": "unsure"}),
]


@pytest.fixture(scope="module")
def http(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    made = World(tmp_path_factory.mktemp("changes"))
    made.write(episode("leg", ns(ONSET)))
    with made.client() as client:
        yield client
    made.close()


@pytest.fixture(scope="module")
def ada(http: httpx.Client) -> str:
    wearer = add_wearer(http)
    assign(http, wearer, "leg")
    return wearer


def make(http: httpx.Client, ada: str, part: str) -> str:
    made = http.post(f"{V1}/wearers/{ada}/diary/{part}", json=MADE[part])
    assert made.is_success, made.text
    return str(made.headers["Location"])


@pytest.mark.parametrize(("part", "change"), CHANGES, ids=str)
def test_what_is_sent_is_changed_and_the_rest_stands(
    http: httpx.Client, ada: str, part: str, change: dict[str, Any]
) -> None:
    address = make(http, ada, part)
    before = http.get(address).json()
    after = http.patch(address, json=change)
    assert after.status_code == 200, after.text
    told = {"earliest", "latest", "adherence", "usual", "remark"}  # which follow
    expected = {name: value for name, value in (before | change).items() if name not in told}
    assert {name: value for name, value in after.json().items() if name not in told} == expected
    assert http.get(address).json() == after.json()


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("cramps", {"at": "2026-03-19T03:10:00Z", "about": "night 2026-03-18"}),
        ("cramps", {"at": "2027-03-19T03:10:00Z"}),
        ("cramps", {"about": "night 2026-03-25"}),
        ("cramps", {"pain": -1}),
        ("interventions", {"code": "other"}),
        ("interventions", {"dose": {"value": 300, "unit": "kg"}}),
        ("interventions", {"from": "1999-01-01"}),
        ("contexts", {"start": "2026-03-18T12:00:00Z"}),
        ("contexts", {"detail": {"week": 3}}),
        ("contexts", {"context": "heat"}),
        ("laboratory", {"value": 14}),
        ("laboratory", {"analyte": "calcium"}),
        ("reviews", {"verdict": "perhaps"}),
        ("reviews", {"episode": "other"}),
    ],
    ids=str,
)  # fmt: skip
def test_a_change_that_cannot_be_leaves_everything_as_it_was(
    http: httpx.Client, ada: str, part: str, change: dict[str, Any]
) -> None:
    address = make(http, ada, part)
    before = http.get(address).json()
    check_problem(http.patch(address, json=change), 422, "invalid-request")
    assert http.get(address).json() == before


def test_a_night_that_the_clock_jumped_over_is_none() -> None:
    # Over the date line westward: the 12th was not lived.
    zones = ZoneHistory(
        (ZoneChange(0, "America/Los_Angeles"), ZoneChange(ns("2026-01-12T07:00:00"), "Pacific/Kiritimati"))
    )
    jumped = Wearer("w1", "Ada", NightPreference(), zones, 1)
    with pytest.raises(Invalid, match="had no"):
        felt_about(("day", date(2026, 1, 12)), jumped)
    kept = FeltCramp(5, 7.0, ("day", date(2026, 1, 12)))
    assert settled(kept, jumped) == kept  # told before the zones were corrected


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("", ()),
        (" drink = water ; intensity=hard;", (("drink", "water"), ("intensity", "hard"))),
        ('{"drink": "water"}', (("drink", "water"),)),
    ],
)
def test_details_are_read(text: str, detail: tuple[tuple[str, str], ...]) -> None:
    assert Cells(Row(2, {"detail": text}), ";").detail("training") == detail


@pytest.mark.parametrize("text", ["water", "drink=water; drink=none", "{drink}", "[]", '{"drink": [1]}', "{" * 9])
def test_details_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(Invalid, match="Write members as"):
        Cells(Row(2, {"detail": text}), ";").detail("training")


def test_a_detail_with_a_semicolon_is_written_as_json() -> None:
    assert shown_detail((("what", "flu; fever"),)) == '{"what": "flu; fever"}'
    assert Cells(Row(2, {"detail": '{"what": "flu; fever"}'}), ",").detail("illness") == (("what", "flu; fever"),)
    assert shown_detail((("week", 30.0),)) == "week=30"


@pytest.mark.parametrize(
    ("separator", "text", "number"),
    [
        (",", "1.400", 1.4), (";", "1,5", 1.5), ("\t", "0,125", 0.125), (",", "1400", 1400.0), (";", "1e3", 1000.0),
        (",", "1,400", None), (";", "1.400", None), (";", "1,400", None), (",", "1 400", None), (",", "5 mg", None),
        (",", "inf", None), (",", "1_0", None), (",", "0x1", None), (",", ".", None),
    ],
)  # fmt: skip
def test_numbers_are_read_or_refused_never_guessed(separator: str, text: str, number: float | None) -> None:
    cells = Cells(Row(2, {"value": text}), separator)
    if number is not None:
        assert cells.number("value") == number
        return
    with pytest.raises(Invalid, match=r"may be|no number"):
        cells.number("value")


@pytest.mark.parametrize(
    ("cells", "column"),
    [
        ({"entry": "cramp", "at": "night 2026-01-05", "uncertain_s": "60"}, "uncertain_s"),
        ({"entry": "laboratory", "at": "2027-01-05", "what": "sodium", "value": "140", "unit": "mmol/L"}, "at"),
        ({"entry": "cramp", "at": "2026-01-05 10:00", "uncertain_s": "1e9"}, "uncertain_s"),
        ({"entry": "context", "at": "2026-01-05 10:00", "end": "2026-01-05 09:00", "what": "heat"}, "end"),
    ],
)
def test_a_fault_stands_at_its_column(cells: dict[str, str], column: str) -> None:
    with pytest.raises(Invalid) as caught:
        read_row(Row(2, cells), separator=",", wearer=ADA, now_ns=NOW_NS)
    assert caught.value.name == column
