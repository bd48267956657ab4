"""Blocks come out of the archive as they went in, once each, whatever they are and however they came."""

import math
import tempfile
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Final

import numpy as np
import pytest
from archive_world import (
    DAY_NS,
    FOR_EVER,
    NOON,
    SECOND_NS,
    NaiveArchive,
    a_block,
    archived,
    mark_of,
    parts,
)
from hypothesis import given
from hypothesis import strategies as st

from ingest.archive import Archive, Archived, Mark
from ingest.errors import ArchiveError
from ingest.wire import T0_NS, Block, Signal

DEVICE: Final = "leg-7"
ALL: Final = {"start_ns": 0, "end_ns": 2**63}


def held(archive: Archive, device: str = DEVICE) -> list[Archived]:
    """Everything, in order."""
    return list(archive.blocks(device, [*archive.marks(device, **ALL), *archive.undated(device)]))


# Some have one identity, some are added again as they are; no two others came in at one instant.
SOME: Final = st.lists(archived(DEVICE), max_size=8, unique_by=lambda one: one.received_ns).flatmap(
    lambda pool: st.lists(st.sampled_from(pool), max_size=8) if pool else st.just([])
)


@given(
    SOME,
    st.lists(st.integers(0, 8), max_size=3).map(sorted),
    st.tuples(st.integers(0, 2**63), st.integers(0, 2**63)),
    st.randoms(use_true_random=False),
)
def test_any_blocks_in_any_pieces(
    blocks: list[Archived], cuts: list[int], around: tuple[int, int], random: Random
) -> None:
    naive = NaiveArchive(blocks)
    with tempfile.TemporaryDirectory() as folder:
        archive = Archive(Path(folder))
        for start, stop in pairwise([0, *cuts, 8]):
            archive.add(DEVICE, blocks[start:stop])
        for _ in range(2):
            marks = archive.marks(DEVICE, **ALL)
            assert marks == naive.marks(**ALL)
            assert archive.undated(DEVICE) == naive.undated()
            start_ns, end_ns = sorted(around)
            assert archive.marks(DEVICE, start_ns=start_ns, end_ns=end_ns) == naive.marks(
                start_ns=start_ns, end_ns=end_ns
            )
            asked = [*marks, *archive.undated(DEVICE)]
            random.shuffle(asked)
            assert list(archive.blocks(DEVICE, asked)) == naive.blocks(asked)
            archive.compact(before_ns=2**63)
        assert set(parts(archive.folder).values()) <= {1} or parts(archive.folder).get("undated", 0) > 1


@given(st.lists(st.tuples(st.integers(0, 50), st.sampled_from([0.1, 1.0, 60.0])), max_size=12), st.data())
def test_marks_overlap_the_range_and_no_others(shape: list[tuple[int, float]], data: st.DataObject) -> None:
    blocks = [a_block(k, t0=NOON + at * SECOND_NS, duration_s=lasts) for k, (at, lasts) in enumerate(shape)]
    edges = [NOON, *(edge for b in map(mark_of, blocks) for edge in (b.t0_ns, b.end_ns))]
    edge = st.sampled_from(edges).flatmap(lambda at: st.integers(at - 1, at + 1))
    start_ns, end_ns = sorted([data.draw(edge), data.draw(edge)])
    with tempfile.TemporaryDirectory() as folder:
        archive = Archive(Path(folder))
        archive.add(DEVICE, blocks)
        assert archive.marks(DEVICE, start_ns=start_ns, end_ns=end_ns) == NaiveArchive(blocks).marks(
            start_ns=start_ns, end_ns=end_ns
        )


def test_a_block_of_the_evening_reaches_into_the_next_day(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    midnight = NOON + DAY_NS // 2
    late = a_block(0, t0=midnight - SECOND_NS, duration_s=60)
    archive.add(DEVICE, [late])
    assert parts(tmp_path) == {"2026-11-23": 1}
    assert archive.marks(DEVICE, start_ns=midnight, end_ns=FOR_EVER) == [mark_of(late)]
    assert archive.marks(DEVICE, start_ns=midnight + 59 * SECOND_NS, end_ns=FOR_EVER) == []


def test_the_largest_block(tmp_path: Path) -> None:
    samples = np.random.default_rng(0).bytes(2 * 8 * 240_001)
    big = Signal(kind="emg", site="soleus", fs_hz=4000.0, scale=0.1, channels=8, samples=samples)
    acc = Signal(kind="acc", site="shank", fs_hz=200.0, scale=1e-9, channels=3, samples=samples[: 6 * 12_000])
    largest = [Archived(Block(boot=1, seq=k, t0=NOON + k * 60 * SECOND_NS, signals=(acc, big)), 0) for k in range(3)]
    archive = Archive(tmp_path)
    archive.add(DEVICE, largest)
    assert held(archive) == largest


def test_times_that_no_set_clock_says_have_no_date(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    times = [0, T0_NS[0] - 1, T0_NS[0], T0_NS[1] - 1, T0_NS[1], 2**63 - 1]
    blocks = [a_block(k, t0=t0, received_ns=7) for k, t0 in enumerate(times)]
    archive.add(DEVICE, blocks)
    assert parts(tmp_path) == {"2020-01-01": 1, "2099-12-31": 1, "undated": 1}
    assert archive.marks(DEVICE, **ALL) == [mark_of(blocks[k]) for k in (2, 3)]
    assert archive.undated(DEVICE) == [mark_of(blocks[k]) for k in (0, 1, 4, 5)]
    assert archive.undated(DEVICE)[-1].end_ns == 2**63 - 1


def test_of_two_with_one_identity_the_first_to_come_in_counts(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    first, again = a_block(3, received_ns=10), a_block(3, received_ns=11)
    same_number = a_block(3, t0=NOON + DAY_NS)  # the counter of boots began again
    for blocks in ([again, same_number], [first, again], *10 * [[again]]):  # parts are read in the order of their names
        archive.add(DEVICE, blocks)
    assert held(archive) == [first, same_number]
    assert archive.compact(before_ns=FOR_EVER) == 1
    assert parts(tmp_path) == {"2026-11-23": 1, "2026-11-24": 1}
    assert held(archive) == [first, same_number]
    archive.add(DEVICE, [again])
    assert held(archive) == [first, same_number]


def test_blocks_come_in_the_order_of_the_marks_and_as_often(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    blocks = [a_block(k, duration_s=60, t0=NOON + 60 * k * SECOND_NS) for k in range(120)]  # more than are read at once
    for start in range(0, 120, 40):
        archive.add(DEVICE, blocks[start : start + 40])
    asked = [blocks[k] for k in (*range(119, -1, -1), 5, 5)]
    assert list(archive.blocks(DEVICE, [mark_of(block) for block in asked])) == asked
    assert list(archive.blocks(DEVICE, [])) == []


def test_many_groups_of_rows(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    blocks = [a_block(k, t0=NOON + 60 * k * SECOND_NS, duration_s=60) for k in range(100)]
    archive.add(DEVICE, [*blocks[50:], *blocks[:50:2]])
    archive.add(DEVICE, blocks[1:50:2])
    assert held(archive) == blocks
    archive.compact(before_ns=FOR_EVER)
    assert held(archive) == blocks
    some = [*blocks[3:60:7], blocks[99]]
    assert list(archive.blocks(DEVICE, [mark_of(block) for block in some])) == some


def test_a_mark_without_a_block_is_an_error(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    archive.add(DEVICE, [a_block(0)])
    for wrong in (mark_of(a_block(1)), mark_of(a_block(0, t0=NOON + DAY_NS)), mark_of(a_block(0, boot=2))):
        with pytest.raises(ArchiveError, match=f"lacks block {wrong.seq} of boot {wrong.boot}"):
            list(archive.blocks(DEVICE, [mark_of(a_block(0)), wrong]))


def test_devices_are_apart(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    assert archive.devices() == []
    assert archive.marks(DEVICE, **ALL) == archive.undated(DEVICE) == []
    archive.add("leg-8", [])
    assert archive.devices() == []
    archive.add("leg-8", [a_block(0)])
    archive.add("007", [a_block(1)])
    assert archive.devices() == ["007", "leg-8"]
    assert held(archive, "007") == [a_block(1)]
    assert held(archive) == []


@pytest.mark.parametrize("name", ["", "..", "leg/7", "leg 7", "ö", "x" * 65, "leg-7\n"])
def test_a_name_that_is_no_device_is_refused(tmp_path: Path, name: str) -> None:
    archive = Archive(tmp_path / "raw")
    with pytest.raises(ArchiveError, match="must match"):
        archive.add(name, [a_block(0)])
    assert not list(tmp_path.rglob("device=*"))


def test_a_block_of_another_device_is_refused(tmp_path: Path) -> None:
    stranger = Block(boot=1, seq=0, t0=NOON, signals=a_block(0).block.signals, device="leg-8")
    with pytest.raises(ArchiveError, match="another device"):
        Archive(tmp_path).add(DEVICE, [Archived(stranger, 0)])
    assert not list(tmp_path.rglob("device=*"))


def test_marks_end_where_the_longest_signal_does(tmp_path: Path) -> None:
    emg, acc = a_block(0).block.signals
    samples = acc.samples + acc.samples[:6]
    longer = Signal(kind="acc", site="shank", fs_hz=10.1, scale=acc.scale, channels=3, samples=samples)
    archive = Archive(tmp_path)
    archive.add(DEVICE, [Archived(Block(boot=1, seq=0, t0=NOON, signals=(emg, longer)), 0)])
    assert archive.marks(DEVICE, **ALL) == [Mark(1, 0, NOON, NOON + round(1e9 * math.fsum([11 / 10.1])), 0)]
