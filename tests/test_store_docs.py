"""docs/store.md lists what the stores keep: every member, its types, units, and the limits in force."""

import datetime as dt
import re
from pathlib import Path

import pytest

from ingest.store import influx, influxql, line_protocol, sqlite_schema
from ingest.store.columns import TABLES, Column, Table

PAGE = (Path(__file__).parent.parent / "docs" / "store.md").read_text()
UNITS = {"_ns": "ns", "_s": "s", "_uv": "µV", "_hz": "Hz", "_g": "g", "_deg": "°", "_ratio": "ratio"}


def described(table: Table) -> list[list[str]]:
    """The cells of the rows under the heading that names the table."""
    section = PAGE.split(f"### {table.name}\n")[1].split("\n#")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in row] for row in rows]


def expected(table: Table, column: Column) -> list[str]:
    key = ", key" if column.name in table.key else ""
    in_influxdb = line_protocol.FIELD_TYPES[column.kind]
    if column.name in line_protocol.TAGS:
        in_influxdb = "tag"
    elif column.name == table.time:
        in_influxdb = "time"
    return [f"`{column.name}`", sqlite_schema.TYPES[column.kind] + key, in_influxdb]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_members_and_types_are_those_of_the_code(table: Table) -> None:
    rows = described(table)
    assert [row[:3] for row in rows] == [expected(table, column) for column in table.columns]
    assert all(len(row) == 5 and row[4] for row in rows)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_units_are_those_of_the_names(table: Table) -> None:
    for name, _, _, unit, _ in described(table):
        suffix = next((suffix for suffix in UNITS if name.strip("`").endswith(suffix)), None)
        assert suffix is None or unit == UNITS[suffix], name


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_the_key_is_the_one_that_sqlite_enforces(table: Table) -> None:
    keys = {row[0].strip("`") for row in described(table) if row[1].endswith(", key")}
    found = re.search(r"PRIMARY KEY \(([^)]*)\)", sqlite_schema.create_statement(table))
    assert found is not None
    assert keys == set(found[1].split(", "))


def test_limits_are_those_in_force() -> None:
    status = dt.datetime.fromtimestamp(line_protocol.STATUS_NS / 1e9, dt.UTC)
    assert status.strftime("%Y-%m-%dT%H:%M:%SZ") in PAGE
    words = " ".join(PAGE.split())
    assert f"at most {line_protocol.MAX_LINES:,} lines and {line_protocol.MAX_BYTES >> 20} MiB" in words
    assert f"chunks of {influxql.CHUNK_ROWS:,} rows" in words
    assert f"pieces of {influx.HOURS_PER_QUERY:g} hours" in words
