"""docs/archive.md says what the files hold, and its lines read them."""

from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np
import pytest
from archive_world import DAY_NS, FOR_EVER, NOON, SECOND_NS, a_block
from wire_examples import ROOT, fences, table

from ingest.archive import Archive, Archived
from ingest.archive.archive import UNDATED_PARTS
from ingest.archive.schema import COLUMNS, FOLDERS, VERSION

PAGE: Final = ROOT / "docs" / "archive.md"
NIGHTS: Final = {"2026-11-23": 30.0, "2026-11-24": 10.0}


def test_the_table_is_the_schema() -> None:
    expected = [[f"`{c.name}`", "folder", c.unit, c.meaning] for c in FOLDERS]
    expected += [[f"`{c.name}`", str(c.type), c.unit, c.meaning] for c in COLUMNS]
    assert table("## Schema", PAGE) == expected
    assert [c.name for c in COLUMNS if c.nullable] == ["t0"]


def test_figures_are_those_in_force() -> None:
    words = " ".join(PAGE.read_text().split())
    assert f"the version of the schema, {VERSION}." in words
    assert f"when more than {UNDATED_PARTS} parts have come together" in words


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An archive of two nights, with repetitions, another device and what has no date, seen from the folder above."""
    root = tmp_path_factory.mktemp("site")
    archive = Archive(root / "data" / "archive")
    one, four = NOON + 13 * 3600 * SECOND_NS, NOON + 16 * 3600 * SECOND_NS
    evening = [a_block(k) for k in range(10)]
    asked = [a_block(k, t0=one + k * SECOND_NS) for k in range(10)]
    later = [a_block(k, t0=four + k * SECOND_NS) for k in range(10)]
    next_night = [a_block(k, t0=NOON + DAY_NS + k * SECOND_NS) for k in range(10)]
    archive.add("leg-7", [*evening, *asked, *later, *next_night])
    archive.compact(before_ns=FOR_EVER)
    archive.add("leg-7", [*asked[3:7], a_block(0, t0=7)])
    archive.add("leg-8", evening)
    with chdir(root):
        yield root


def microvolts() -> np.ndarray[Any, Any]:
    hour: list[Archived] = [a_block(k) for k in range(10)]
    return np.concatenate([b.block.signals[0].counts()[0] * b.block.signals[0].scale for b in hour])


def test_pandas_reads_it(folder: Path) -> None:
    names: dict[str, Any] = {}
    exec(fences("python", PAGE)[0].text, names)  # noqa: S102 - our own page
    assert {str(night): seconds for night, seconds in names["seconds"].items()} == NIGHTS
    assert np.array_equal(names["microvolts"], microvolts())
    assert folder.exists()


def test_duckdb_reads_it(folder: Path) -> None:
    nights, samples = (duckdb.sql(fence.text) for fence in fences("sql", PAGE))
    assert {str(night): seconds for night, seconds in nights.fetchall()} == NIGHTS
    assert [value for (value,) in samples.fetchall()] == microvolts().tolist()
    found = duckdb.sql("SELECT DISTINCT device, date FROM 'data/archive/*/*/part-*.parquet' ORDER BY ALL").fetchall()
    assert found == [
        ("leg-7", "2026-11-23"), ("leg-7", "2026-11-24"), ("leg-7", "undated"), ("leg-8", "2026-11-23"),
    ]  # fmt: skip
    assert folder.exists()
