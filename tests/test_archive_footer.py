"""Footers of parts with bits that are not what was written: an error that names the part, never another answer."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from archive_world import FOR_EVER, NOON, SECOND_NS, a_block
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.archive import Archive
from ingest.archive.schema import SCHEMA
from ingest.errors import ArchiveError

TAIL = 8  # length of the footer, and the magic word


def asked(archive: Archive) -> Iterator[Callable[[], object]]:
    """All that the archive is asked."""
    yield lambda: archive.marks("leg", start_ns=0, end_ns=FOR_EVER)
    yield lambda: [column.tolist() for column in archive.numbers("leg", start_ns=NOON, end_ns=NOON + 5 * SECOND_NS)]
    yield lambda: list(archive.blocks("leg", archive.marks("leg", start_ns=0, end_ns=FOR_EVER)))


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    archive = Archive(tmp_path_factory.mktemp("archive"))
    archive.add("leg", [a_block(seq) for seq in range(30)])
    return archive


def check_changed(archive: Archive, at: int, bit: int) -> int:
    """Change one bit of the footer, `at` from its beginning: an answer is right or an error; how many are errors."""
    (part,) = archive.folder.rglob("part-*.parquet")
    right = [ask() for ask in asked(archive)]
    whole = part.read_bytes()
    part.write_bytes(flipped(whole, len(whole) - TAIL - footer_bytes(part) + at, bit))
    errors = 0
    try:
        for ask, answer in zip(asked(archive), right, strict=True):
            try:
                assert ask() == answer
            except ArchiveError as error:
                errors += str(part) in str(error)
    finally:
        part.write_bytes(whole)
    return errors


def flipped(data: bytes, at: int, bit: int) -> bytes:
    return data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :]


def footer_bytes(part: Path) -> int:
    return int.from_bytes(part.read_bytes()[-TAIL:-4], "little")


@pytest.mark.parametrize("name", [name for name in SCHEMA.names if len(name) > 1])
def test_a_column_by_another_name(archive: Archive, name: str) -> None:
    (part,) = archive.folder.rglob("part-*.parquet")
    footer = part.read_bytes()[-TAIL - footer_bytes(part) :]
    at, errors = footer.find(name.encode()), 0
    while at >= 0:
        errors += check_changed(archive, at, 1)
        at = footer.find(name.encode(), at + 1)
    assert errors


@given(st.floats(0, 1, exclude_max=True), st.sampled_from([1, 2, 4, 8, 16, 32, 64, 128]))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bit(archive: Archive, place: float, bit: int) -> None:
    (part,) = archive.folder.rglob("part-*.parquet")
    check_changed(archive, int(place * footer_bytes(part)), bit)
