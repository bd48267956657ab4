"""The diary in and out as CSV: what goes out comes in, and what is wrong is said line by line."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from api_world import V1, World, add_wearer, assign, check_problem, get
from diary_world import ADA, HEADING, NOW_NS, dump, entries, opened, take
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.diary.csv_rows import Entry
from api.diary.csv_text import COLUMNS, MAX_BYTES
from api.diary.exchange import export_csv, written_csv
from api.diary.template import EXAMPLES, template
from api.diary.values import (
    Review,
)
from api.errors import Invalid
from api.registry import open_registry, wearers

Db = tuple[sa.Connection, str]


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Db]:
    with opened(tmp_path_factory.mktemp("exchange")) as made:
        yield made


@pytest.fixture
def db(once: Db) -> Iterator[Db]:
    """The registry as it was made; what a test writes is taken back."""
    point = once[0].begin_nested()
    yield once
    point.rollback()


@given(found=st.lists(entries(), max_size=5))
@settings(
    max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)
def test_a_file_read_twice_adds_nothing_twice(db: Db, found: list[Entry]) -> None:
    open_db = db[0]
    wearer = wearers.add(open_db, name="Bea", zones=ADA.zones, night=ADA.night, created_ns=1).id
    found = [entry for entry in found if not isinstance(entry, Review)]  # their device is somebody else's
    text = written_csv([(entry, "") for entry in found], ADA.zones)
    first = take(db, text, wearer=wearer)
    assert (sum(first.added.values()), first.known, first.faults) == (len(found), 0, ())
    exported = export_csv(open_db, wearer)
    for again in (text, exported):
        assert sum(take(db, again, wearer=wearer).added.values()) == 0
    other = wearers.add(open_db, name="Cleo", zones=ADA.zones, night=ADA.night, created_ns=1).id
    for again, added in ((exported, len(found)), (exported, 0), (export_csv(open_db, other), 0)):
        assert sum(take(db, again, wearer=other).added.values()) == added
    assert dump(db, other) == dump(db, wearer)
    assert len(dump(db, other)) == len(found)


def test_a_diary_with_intakes_and_reviews_moves_to_another_registry(db: Db, tmp_path: Path) -> None:
    text = (
        "entry,at,what,outcome,of,id,episode\n"
        "intake,2026-01-02 22:00,,taken,m,,\n"
        "intake,2026-01-03 22:00,magnesium,missed,,,\n"
        "intervention,2026-01-01,magnesium,,,m,\n"
        f"review,,none,,,,leg.soleus.{NOW_NS}\n"
    )
    assert take(db, text).added == {
        "cramp": 0, "intervention": 1, "intake": 2, "context": 0, "laboratory": 0, "review": 1,
    }  # fmt: skip
    assert sum(take(db, text).added.values()) == 0
    exported = export_csv(db[0], db[1])
    elsewhere = open_registry(f"sqlite:///{tmp_path / 'other.sqlite'}")
    with elsewhere.write() as other:
        ada = wearers.add(other, name="Ada", zones=ADA.zones, night=ADA.night, created_ns=1).id
        refused = take((other, ada), exported)
        assert [fault.column for fault in refused.faults] == ["episode"]  # nobody wore the device here
        assert sum(refused.added.values()) == 0
        moved = take((other, ada), exported, skip_bad=True)
        assert (moved.added["intervention"], moved.added["intake"], moved.skipped) == (1, 2, 1)
        assert sum(take((other, ada), exported, skip_bad=True).added.values()) == 0
    elsewhere.close()


@pytest.mark.parametrize(
    ("row", "column", "says"),
    [
        ("cramp,,,,,,", "at", "Write a local time"),
        ("cramp,2026-03-29 02:30,,,,,", "at", "skipped"),
        ("cramp,2026-10-25 02:30,,,,,", "at", "2 times"),
        ("cramp,2027-01-05 10:00,,,,,", "at", "future"),
        ("cramp,night 2027-01-05,,,,,", "at", "not begun"),
        ("cramp,night yesterday,,,,,", "at", "night 2026-11-20"),
        ("cramp,2026-01-05 10:00,nose,,,,", "what", "Unknown word"),
        ("cramp,2026-01-05 10:00,,11,,,", "pain", "0 (none) to 10"),
        ("cramp,2026-01-05 10:00,,7.5,,,", "pain", "whole number"),
        ("cramp,2026-01-05 10:00,,seven,,,", "pain", "no number"),
        ("cramp,2026-01-05 10:00,,,1,,", "value", "has no `value`"),
        ("laboratory,2026-01-05,magnesium,,8.2,mmol/L,", "value", "10 times too large"),
        ("laboratory,2026-01-05,magnesium,,0.8,,", "unit", "cannot be given in this unit"),
        ("laboratory,2026-01-05,magnesium,,,mmol/L,", "value", "must not be empty"),
        ('laboratory,2026-01-05,sodium,,"1,400",mmol/L,', "value", "may be 1400 or a fraction"),
        ("intake,2026-01-05 10:00,magnesium,,,,", "what", "No intervention of this code"),
        ("intake,2026-01-05 10:00,,,,,", "what", "Say what was taken"),
        ("intervention,2026-01-05,magnesium,,300,,", "value", "value and its unit"),
        ("intervention,2026-01-05,,,,,", "what", "must not be empty"),
        ("context,2026-01-05 10:00,pregnancy_week,,,,", "detail", "which week"),
        ("review,,none,,,,", "at", ""),
        ("gossip,,,,,,", "entry", "Unknown word"),
        (",2026-01-05 10:00,,,,,", "entry", "must not be empty"),
        ("cramp,2026-01-05 10:00,,,,,x,y,z", "", "More cells"),
        ('cramp,2026-01-05 10:00,,,,,"never closed', "", "quote"),
        ('cramp,2026-01-05 10:00,,,,,"a"b', "", "quote"),
    ],
    ids=str,
)  # fmt: skip
def test_a_bad_row_is_told_with_line_column_and_mend(db: Db, row: str, column: str, says: str) -> None:
    text = HEADING + "cramp,2026-01-04 10:00,,,,,good\n" + row + "\n"
    if row.startswith("review"):  # which has no time, only an episode
        column, says = "episode", "Write the `id`"
    done = take(db, text)
    (fault,) = done.faults
    assert (fault.line, fault.column) == (3, column)
    assert says in fault.detail
    assert fault.detail.endswith(".")
    assert dump(db) == []
    kept = take(db, text, skip_bad=True)
    assert (kept.added["cramp"], kept.skipped) == (1, 1)
    assert [row["note"] for row in dump(db)] == ["good"]


@pytest.mark.parametrize(
    ("row", "columns"),
    [
        ("cramp,2026-01-05 10:00,claf,12,,,", ["what", "pain"]),
        ("cramp,11/22/2026 23:40,claf,7.5,3,g,", ["value", "unit", "at", "what", "pain"]),
        ("laboratory,01/05/2026,magnesium,,8.2,mmol/L," + "x" * 300, ["at", "value", "note"]),
        ("laboratory,2026-01-05,magnesum,,8.2,mmol/L,", ["what"]),
        ("intervention,01/05/2026,magnesium,,300,mg," + "x" * 300, ["at", "note"]),
        ("context,soon,heat,11,,,", ["pain", "at"]),
        ("gossip,soon,,12,,,", ["entry"]),
    ],
    ids=str,
)
def test_all_that_is_wrong_with_a_row_is_told_at_once(db: Db, row: str, columns: list[str]) -> None:
    good = "cramp,2026-01-04 10:00,,,,,good\n"
    done = take(db, HEADING + good + row + "\n")
    assert [(fault.line, fault.column) for fault in done.faults] == [(3, column) for column in columns]
    kept = take(db, HEADING + good + row + "\n", skip_bad=True)
    assert (kept.added["cramp"], kept.skipped) == (1, 1), "one row, however much is wrong with it"


@pytest.mark.parametrize("day", ["11/22/2026", "22/11/2026", "3/4/2026", "2026/11/22"])
def test_dates_with_slashes_are_refused_with_how_to_write_them(db: Db, day: str) -> None:
    for row in (f"cramp,{day} 23:40,,,,,", f"cramp,{day},,,,,", f"intervention,{day},magnesium,,300,mg,"):
        (fault,) = take(db, HEADING + row + "\n").faults
        assert fault.column == "at"
        assert "Dates with slashes are refused, month first as well as day first" in fault.detail
        assert "2026-11-20" in fault.detail


def test_lines_are_counted_as_an_editor_does(db: Db) -> None:
    text = HEADING + '\n# remark\ncramp,2026-01-04 10:00,,,,,"two\nlines"\ncramp,bad,,,,,\n'
    assert [fault.line for fault in take(db, text).faults] == [4, 6]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (b"# nothing\n", "empty"),
        (b"at,what\n", "no column `entry`"),
        (b"entry,colour\n", "Unknown columns: 'colour'"),
        (b"entry,at,at\n", "twice"),
        (b"\x00\x01\x02", "no text"),
        (b"\xff\xfe\x00", "no text"),
        (b"\x81\x8d", "no text"),
        (b"PK\x03\x04\x00\x00", "no text"),
        (b'"entry\n', "heading cannot be read"),
        (b"a" * (MAX_BYTES + 1), "more than 5 MB"),
        (HEADING.encode() + b"cramp,2026-01-05 10:00\n" * 20_001, "more than 20000 rows"),
    ],
    ids=lambda value: str(value)[:20],
)  # fmt: skip
def test_what_is_no_diary_is_refused_as_a_whole(db: Db, content: bytes, says: str) -> None:
    with pytest.raises(Invalid, match=re.escape(says)) as caught:
        take(db, content)
    assert caught.value.name == "file"
    assert str(caught.value).endswith(".")


def test_equal_rows_are_two_cramps_and_stay_two(db: Db) -> None:
    text = HEADING + "cramp,night 2026-01-04,,,,,\n" * 2
    assert take(db, text).added["cramp"] == 2
    assert take(db, text).added["cramp"] == 0
    assert take(db, text + "cramp,night 2026-01-04,,,,,\n").added["cramp"] == 1


def test_what_is_there_is_never_changed(db: Db) -> None:
    text = "entry,at,what,key,pain,episode\ncramp,2026-01-04 10:00,,k,3,\nreview,,none,,,leg.soleus.5\n"
    take(db, text)
    assert take(db, text.replace(",3,", ",9,")).known == 2
    refused = take(db, text.replace("none", "cramp"))
    assert "reviewed otherwise" in refused.faults[0].detail
    assert {row["pain"] for row in dump(db)} == {"3", ""}


def test_a_large_file_of_years_is_taken(db: Db) -> None:
    rows = "".join(
        f"cramp,2026-{1 + day % 12:02}-{1 + day % 28:02} {day % 24:02}:{day % 60:02}Z,,,,,\n" for day in range(5000)
    )
    text = HEADING + rows
    assert take(db, text).added["cramp"] == 5000
    assert take(db, text).known == 5000


def test_the_template_holds_every_kind_and_nothing_until_it_is_filled_in(db: Db) -> None:
    assert take(db, template()).rows == 0
    filled = take(db, template().replace("\n#", "\n"))
    assert filled.faults == ()
    assert sum(filled.added.values()) == len(EXAMPLES)
    assert {kind for kind, count in filled.added.items() if count} == {
        "cramp", "intervention", "intake", "context", "laboratory",
    }  # fmt: skip
    assert template().splitlines()[0] == ",".join(COLUMNS)


def test_a_file_comes_in_and_goes_out_over_http(tmp_path: Path) -> None:
    world = World(tmp_path)
    with world.client() as http:
        ada = add_wearer(http)
        assign(http, ada, "leg")
        address = f"{V1}/wearers/{ada}/diary"
        text = HEADING + "cramp,2026-03-19 03:10,calf,7,,,=cmd\ncramp,2026-03-18 03:10,nose,,,,\n"
        headers = {"Content-Type": "text/csv"}
        told = check_problem(http.post(f"{address}/import", content=text, headers=headers), 422, "invalid-request")
        assert told["errors"] == [{"where": "line 3, what", "detail": told["errors"][0]["detail"]}]
        assert get(http, f"/wearers/{ada}/diary")["items"] == []
        kept = http.post(f"{address}/import?skip_bad=true", content=text, headers=headers)
        assert kept.status_code == 200
        assert (kept.json()["added"]["cramp"], kept.json()["skipped"]) == (1, 1)
        assert kept.json()["faults"][0]["line"] == 3
        answer = http.get(f"{address}/export.csv")
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert answer.headers["content-disposition"] == 'attachment; filename="diary.csv"'
        assert ",'=cmd," in answer.text
        assert http.post(f"{address}/import", content=answer.content, headers=headers).json()["known"] == 1
        assert http.get(f"{address}/export.csv?from=2026-03-01&to=2026-03-02").text.count("\n") == 1
        check_problem(http.post(f"{address}/import", content=b"a" * (MAX_BYTES + 1)), 422, "invalid-request")
        check_problem(http.get(f"{V1}/wearers/w0/diary/export.csv"), 404, "not-found")
    world.close()


def test_nothing_is_kept_of_an_import_that_fails_halfway(tmp_path: Path) -> None:
    registry = open_registry(f"sqlite:///{tmp_path / 'registry.sqlite'}")
    with registry.write() as open_db:
        ada = wearers.add(open_db, name="Ada", zones=ADA.zones, night=ADA.night, created_ns=1).id

    def halfway() -> None:
        with registry.write() as open_db:
            take((open_db, ada), HEADING + "cramp,2026-01-04 10:00,,,,,\n")
            wearers.find(open_db, "nobody")

    with pytest.raises(Exception, match="wearer"):
        halfway()
    with registry.read() as open_db:
        assert dump((open_db, ada)) == []
    registry.close()
