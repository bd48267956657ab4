"""What lies in the archive's folder: names, permissions, schema, damage, and what readers without us make of it."""

import json
import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from archive_world import DAY_NS, FOR_EVER, NOON, SECOND_NS, a_block, mark_of, parts
from hypothesis import given
from hypothesis import strategies as st

from ingest.archive import Archive, Archived
from ingest.archive.archive import UNDATED_PARTS
from ingest.archive.compaction import AT_ONCE
from ingest.archive.part import GROUP_SAMPLES
from ingest.archive.schema import COLUMNS, SCHEMA
from ingest.errors import ArchiveError

DEVICE: Final = "leg-7"
ALL: Final = {"start_ns": 0, "end_ns": 2**63}
BLOCKS: Final = [a_block(k) for k in range(20)]


def only_part(folder: Path) -> Path:
    (path,) = folder.rglob("part-*.parquet")
    return path


def held(archive: Archive) -> list[Archived]:
    return list(archive.blocks(DEVICE, archive.marks(DEVICE, **ALL)))


def test_only_the_owner_may_read(tmp_path: Path) -> None:
    umask = os.umask(0)
    try:
        archive = Archive(tmp_path / "raw")
        archive.add(DEVICE, BLOCKS)
        archive.add(DEVICE, BLOCKS)
        archive.compact(before_ns=FOR_EVER)
    finally:
        os.umask(umask)
    modes = {stat.S_IMODE(path.stat().st_mode): path for path in (tmp_path / "raw").rglob("*")}
    assert set(modes) == {0o700, 0o600}
    assert modes[0o600].is_file()
    assert stat.S_IMODE(archive.folder.stat().st_mode) == 0o700


def test_every_file_has_the_schema_with_its_units(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    archive.add(DEVICE, [*BLOCKS, a_block(0, t0=0)])
    archive.add(DEVICE, BLOCKS)
    archive.compact(before_ns=FOR_EVER)
    paths = list(tmp_path.rglob("part-*.parquet"))
    assert len(paths) == 2
    for path in paths:
        with pq.ParquetFile(path) as file:
            assert file.schema_arrow.equals(SCHEMA, check_metadata=True)
            stated = json.loads(file.metadata.metadata[b"charley.columns"])
            codecs = {file.metadata.row_group(0).column(k).compression for k in range(len(COLUMNS))}
        assert {name: column["unit"] for name, column in stated.items()} == {c.name: c.unit for c in COLUMNS}
        assert all(column["meaning"] for column in stated.values())
        assert codecs == {"ZSTD"}


def test_arrow_reads_it_without_us(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    archive.add(DEVICE, BLOCKS)
    archive.add("leg-8", [a_block(0, t0=7, received_ns=9)])
    table = ds.dataset(tmp_path, partitioning="hive").to_table(filter=ds.field("device") == DEVICE)
    rows = table.to_pylist()
    assert len(rows) == 20 * 4
    for row in rows:
        signal = BLOCKS[row["seq"]].block.signals[row["signal"]]
        assert row["samples"] == signal.counts()[row["channel"]].tolist()
        assert (row["n"], row["fs_hz"], row["scale"]) == (signal.n, signal.fs_hz, signal.scale)
        assert (row["kind"], row["site"]) == (signal.kind, signal.site)
        assert row["unit"] == {"emg": "uV", "acc": "g"}[signal.kind]
        assert (row["boot"], row["date"]) == (1, "2026-11-23")
        assert row["t0"].value == row["t0_ns"] == NOON + row["seq"] * SECOND_NS  # type: ignore[attr-defined]
        assert row["received"].value == row["t0_ns"] + 5
    assert rows == sorted(rows, key=lambda row: (row["t0_ns"], row["signal"], row["channel"]))
    (undated,) = {
        (row["t0"], row["t0_ns"], row["received"].value, row["date"])
        for row in ds.dataset(tmp_path, partitioning="hive").to_table(filter=ds.field("device") == "leg-8").to_pylist()
    }
    assert undated == (None, 7, 9, "undated")


def test_groups_of_rows_are_small_and_hold_whole_blocks(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    blocks = [a_block(k, t0=NOON + 60 * k * SECOND_NS, duration_s=60) for k in range(90)]
    size = sum(signal.n * signal.channels for signal in blocks[0].block.signals)
    archive.add(DEVICE, blocks[::2])
    archive.add(DEVICE, blocks[1::2])
    for expected in (2, 1):
        paths = list(tmp_path.rglob("part-*.parquet"))
        assert len(paths) == expected
        for path in paths:
            with pq.ParquetFile(path) as file:
                groups = [file.read_row_group(k) for k in range(file.num_row_groups)]
            assert len(groups) == -(-len(blocks) // expected * size // GROUP_SAMPLES)
            assert all(sum(group["n"].to_pylist()) < GROUP_SAMPLES + size for group in groups)
            assert all(group["signal"].to_pylist() == [0, 1, 1, 1] * (len(group) // 4) for group in groups)
        archive.compact(before_ns=FOR_EVER)


def test_compaction_takes_dates_that_ended(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    midnight = NOON + DAY_NS // 2
    for _ in range(2):
        archive.add(DEVICE, BLOCKS)
        archive.add("leg-8", [BLOCKS[0], a_block(1, t0=midnight)])
    assert archive.compact(before_ns=midnight - 1) == 0
    assert archive.compact("leg-8", before_ns=midnight) == 1
    assert archive.compact(before_ns=midnight) == 1
    assert archive.compact(before_ns=midnight) == 0
    assert parts(tmp_path / "device=leg-8" / "..") == {"2026-11-23": 1, "2026-11-24": 2}
    assert archive.compact(before_ns=FOR_EVER) == 1
    assert set(parts(tmp_path).values()) == {1}


def test_what_has_no_date_is_compacted_when_there_is_much_of_it(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    blocks = [a_block(k, t0=k) for k in range(UNDATED_PARTS + 1)]
    for block in blocks[:-1]:
        archive.add(DEVICE, [block])
    assert archive.compact(before_ns=FOR_EVER) == 0
    archive.add(DEVICE, blocks[-1:])
    assert archive.compact(before_ns=0) == 1
    assert parts(tmp_path) == {"undated": 1}
    assert archive.undated(DEVICE) == [mark_of(block) for block in blocks]


def test_more_parts_than_are_merged_at_once(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    blocks = [a_block(k) for k in range(2 * AT_ONCE + 1)]
    for block in blocks[::-1]:
        archive.add(DEVICE, [block])
    assert archive.compact(before_ns=FOR_EVER) == 1
    assert parts(tmp_path) == {"2026-11-23": 1}
    assert held(archive) == blocks


def spoilt(path: Path, how: str) -> None:
    whole = path.read_bytes()
    path.write_bytes(
        {
            "empty": b"",
            "cut in half": whole[: len(whole) // 2],
            "a byte short": whole[:-1],
            "footer": whole[:-500] + bytes(492) + whole[-8:],
            "zeros": bytes(len(whole)),
            "noise": np.random.default_rng(0).bytes(len(whole)),
        }[how]
    )


@pytest.mark.parametrize("how", ["empty", "cut in half", "a byte short", "footer", "zeros", "noise"])
def test_a_damaged_part_is_set_aside_with_a_word(tmp_path: Path, how: str) -> None:
    archive = Archive(tmp_path)
    archive.add(DEVICE, BLOCKS[:10])
    bad = only_part(tmp_path)
    archive.add(DEVICE, BLOCKS[10:])
    whole = bad.read_bytes()
    spoilt(bad, how)
    with pytest.raises(ArchiveError, match=f"{bad.name} cannot be read: .*Restore it from a backup"):
        archive.marks(DEVICE, **ALL)
    with pytest.raises(ArchiveError, match=f"not compacted: .*{bad.name}"):
        archive.compact(before_ns=FOR_EVER)
    (finding,) = archive.check()
    assert finding.lost
    assert finding.path == bad.with_name(f"_{bad.name}.damaged")
    assert finding.path.exists()
    assert not bad.exists()
    assert finding.sentence.startswith(f"{bad} is damaged (")
    assert "restored from a backup" in finding.sentence
    assert archive.check() == []
    assert held(archive) == BLOCKS[10:]
    assert ds.dataset(tmp_path, partitioning="hive").count_rows() == 4 * 10
    bad.write_bytes(whole)
    assert held(archive) == BLOCKS


def test_damage_in_one_date_does_not_keep_others_from_compaction(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    archive.add(DEVICE, BLOCKS)
    spoilt(only_part(tmp_path), "zeros")
    for day in (-1, 0, 1):
        archive.add(DEVICE, [a_block(0, t0=NOON + day * DAY_NS)])
        archive.add(DEVICE, [a_block(1, t0=NOON + day * DAY_NS)])
    with pytest.raises(ArchiveError, match="not compacted"):
        archive.compact(before_ns=FOR_EVER)
    assert parts(tmp_path) == {"2026-11-22": 1, "2026-11-23": 3, "2026-11-24": 1}


@given(st.data())
def test_spoilt_samples_are_never_given_out(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        archive = Archive(Path(folder))
        archive.add(DEVICE, BLOCKS)
        path = only_part(Path(folder))
        with pq.ParquetFile(path) as file:
            end = max(
                column.data_page_offset + column.total_compressed_size
                for column in (file.metadata.row_group(0).column(k) for k in range(len(COLUMNS)))
            )
        whole = bytearray(path.read_bytes())
        whole[data.draw(st.integers(4, min(end, len(whole)) - 1))] ^= data.draw(st.integers(1, 255))
        path.write_bytes(whole)
        found = []
        with suppress(ArchiveError):
            found = list(archive.blocks(DEVICE, [mark_of(block) for block in BLOCKS]))
        assert found in ([], BLOCKS)


def test_parquet_of_others_and_of_the_future_is_told(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    archive.add(DEVICE, BLOCKS[:1])
    own = only_part(tmp_path)
    strange, newer = own.with_name("part-strange.parquet"), own.with_name("part-newer.parquet")
    pq.write_table(pa.table({"a": [1]}), strange)
    metadata = SCHEMA.metadata | {b"charley.archive": b"2"}
    pq.write_table(pa.Table.from_pylist([], SCHEMA.with_metadata(metadata)), newer)
    with pytest.raises(ArchiveError, match="has version 2 of the archive's schema"):
        held(archive)
    first, second = archive.check()
    assert (first.path, first.lost) == (newer, False)
    assert "newer Charley" in first.sentence
    assert (second.path.name, second.lost) == ("_part-strange.parquet.damaged", True)
    assert "not of this archive" in second.sentence
    newer.unlink()
    assert held(archive) == BLOCKS[:1]


def test_only_parts_since_an_instant_are_opened(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    archive.add(DEVICE, BLOCKS)
    path = only_part(tmp_path)
    spoilt(path, "zeros")
    os.utime(path, ns=(NOON, NOON))
    assert archive.check(since_ns=NOON + 1) == []
    assert len(archive.check(since_ns=NOON)) == 1


def test_a_part_that_cannot_be_opened_is_told_and_left(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    archive.add(DEVICE, BLOCKS)
    nowhere = only_part(tmp_path).with_name("part-nowhere.parquet")
    nowhere.symlink_to(tmp_path / "gone")
    (finding,) = archive.check()
    assert (finding.path, finding.lost) == (nowhere, False)
    assert "cannot be opened" in finding.sentence
    assert nowhere.is_symlink()


def test_stray_files_do_not_matter(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    archive.add(DEVICE, BLOCKS)
    for name in ("README", "device=leg-7/notes.txt", "device=leg-7/date=2026-11-23/notes.parquet"):
        (tmp_path / name).write_text("x")
    (tmp_path / "device=leg-7" / "date=soon").mkdir()
    assert archive.devices() == [DEVICE]
    assert held(archive) == BLOCKS
    assert archive.compact(before_ns=FOR_EVER) == 0
    assert archive.check() == []
