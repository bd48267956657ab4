"""The diary as CSV, without a registry: rows and cells, whichever program or hand wrote them."""

import re
from dataclasses import replace
from datetime import date

import pytest
from api_world import ns
from diary_world import ADA, HEADING, NOW_NS, entries, notes
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from api.diary.csv_cells import shown_text
from api.diary.csv_faults import faults_of
from api.diary.csv_rows import Entry, read_row, row_of
from api.diary.csv_text import COLUMNS, Row, read_sheet
from api.diary.exchange import written_csv
from api.diary.values import (
    Context,
    FeltCramp,
    Intervention,
    LabValue,
)
from api.errors import Invalid


@given(found=st.lists(entries(), max_size=8))
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_what_is_written_is_read_back(found: list[Entry]) -> None:
    text = written_csv([(entry, "") for entry in found], ADA.zones)
    sheet = read_sheet(text.encode())
    assert sheet.faults == ()
    read = [read_row(row, separator=sheet.separator, wearer=ADA, now_ns=NOW_NS).entry for row in sheet.rows]
    assert read == found


@given(text=notes)
@example(text="=1+1")
@example(text="'=1+1")
@example(text="-x")
@example(text="'plain")
def test_no_cell_is_calculated_by_a_spreadsheet_and_none_is_changed(text: str) -> None:
    assert not re.match(r"[=+\-@]", shown_text(text))
    read = read_row(
        Row(2, {"entry": "cramp", "at": "2026-01-05 10:00"} | ({"note": shown_text(text)} if text else {})),
        separator=",", wearer=ADA, now_ns=NOW_NS,
    )  # fmt: skip
    assert isinstance(read.entry, FeltCramp)
    assert read.entry.note == text


@given(content=st.binary(max_size=300) | st.text(max_size=300).map(lambda text: (HEADING + text).encode()))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_rows_or_a_sentence(content: bytes) -> None:
    try:
        sheet = read_sheet(content)
    except Invalid as error:
        refused = str(error)
    else:
        refused = "."
        for row in sheet.rows:
            assert row.line >= 2
            assert all(cell == cell.strip() != "" for cell in row.cells.values())
    assert refused.endswith(".")


cells = st.sampled_from(
    ["", "cramp", "intake", "context", "laboratory", "review", "intervention", "night 2026-01-02", "2026-01-02 03:04",
     "2026-01-02", "1e400", "nan", "-1", "7,5", "1.000", "{", '{"week": 1e999}', '{"week": []}', "[" * 50, "week=3",
     "drink=water", "=1", "'", "magnesium", "mmol/L", "calf", "none", "leg.soleus.99999999999999999999",
     "٣", "½", "x" * 300],
) | st.text(max_size=12)  # fmt: skip


@given(row=st.dictionaries(st.sampled_from(COLUMNS), cells))
@example(row={"entry": "context", "at": "2026-01-02 03:04", "what": "pregnancy_week", "detail": '{"week": 1e999}'})
@example(row={"entry": "laboratory", "at": "2026-01-02", "what": "sodium", "value": "٣", "unit": "mmol/L"})
@settings(max_examples=600, deadline=None)
def test_any_row_is_an_entry_or_a_fault_of_one_of_its_columns(row: dict[str, str]) -> None:
    trimmed = {name: cell.strip() for name, cell in row.items() if cell.strip()}
    faults = faults_of(Row(2, trimmed), separator=";", wearer=ADA, now_ns=NOW_NS)
    assert len({fault.column for fault in faults}) == len(faults)
    assert all(fault.column in COLUMNS and fault.detail.endswith(".") for fault in faults)
    try:
        read = read_row(Row(2, trimmed), separator=";", wearer=ADA, now_ns=NOW_NS)
    except Invalid as error:
        assert error.name in COLUMNS  # noqa: PT017 - either outcome is right, of arbitrary rows
        assert str(error) == faults[0].detail  # noqa: PT017
    else:
        assert not faults
        assert row_of(read.entry, ADA.zones)["entry"] == read.kind


def test_the_order_of_members_is_free() -> None:
    first = Context("training", 0, detail=(("intensity", "hard"), ("drink", "water")))
    assert first == replace(first, detail=(("drink", "water"), ("intensity", "hard")))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_files_of_other_programs_are_read(encoding: str, separator: str, end: str) -> None:
    number = "0,82" if separator != "," else "0.82"
    lines = [
        ["Entry", "at", "WHAT", "value", "unit", "note"],
        ["laboratory", "20.01.2026", "Magnesium", number, "mmol/l", "nüchtern"],
        ["", "", "", "", "", ""],
        ["# a remark", "", "", "", "", ""],
        ["intervention", "2026-01-05", "Vitamin E", "400", "IE", "ölig"],
    ]
    text = "".join(separator.join(line) + end for line in lines)
    if separator == ";":
        text = f"sep=;{end}{text}"
    sheet = read_sheet(text.encode(encoding))
    assert sheet.faults == ()
    assert [row.line for row in sheet.rows] == ([3, 6] if separator == ";" else [2, 5])
    value, oil = (read_row(row, separator=sheet.separator, wearer=ADA, now_ns=NOW_NS).entry for row in sheet.rows)
    assert value == LabValue("magnesium", ns("2026-01-20T12:00:00+01:00"), 0.82, "mmol/L", note="nüchtern")
    assert oil == Intervention("vitamin_e", date(2026, 1, 5), dose_value=400.0, dose_unit="[IU]", note="ölig")
