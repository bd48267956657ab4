"""SQLite's write-ahead log as a file: how much of it SQLite will take, and how to make it take more.

Rules
-----
- SQLite takes frames up to the first whose checksum is wrong. Checksums run on from frame to frame, so one flipped
  bit silently drops every commit after it (sqlite.org/fileformat2.html, "The Write-Ahead Log").
- A power cut may tear the commit that was under way, which nobody was told of. That is at most one: the log was
  synced before the next one began. More commits behind a wrong checksum are damage.
"""

import struct
from pathlib import Path
from typing import Final

import msgspec

HEADER: Final = struct.Struct(">8I")  # magic, version, page size, checkpoint, salts, checksums
FRAME: Final = struct.Struct(">6I")  # page, pages after a commit or 0, salts, checksums
LITTLE: Final = 0x377F0682
MASK: Final = 0xFFFFFFFF
PAGES: Final = range(512, 65537)

Sums = tuple[int, int]


class Wal(msgspec.Struct, frozen=True):
    """What a log holds: commits that SQLite will not take, and how many pages the database has by it."""

    dropped: int = 0
    pages: int = 0


def look_at_wal(path: Path) -> Wal:
    """Walk through a log and check it as SQLite would."""
    frames = list(_frames(path))
    if not frames:
        return Wal()
    data = path.read_bytes()
    header = HEADER.unpack_from(data)
    little, sums = header[0] == LITTLE, header[6:8]
    good = _sum(data[:24], (0, 0), little=little) == sums
    dropped = pages = 0
    for at, (_, after, *salts, first, second), size in frames:
        if good:
            body = data[at : at + 8] + data[at + FRAME.size : at + FRAME.size + size]
            sums = _sum(body, sums, little=little)
            good = sums == (first, second) and tuple(salts) == header[4:6]
        if after:
            dropped += not good
            pages = after
    return Wal(dropped, pages)


def mend_wal(path: Path) -> None:
    """Write the checksums of a log anew, so that SQLite takes every frame of it; for a copy."""
    frames = list(_frames(path))
    if not frames:
        return
    data = path.read_bytes()
    header = HEADER.unpack_from(data)
    salts = frames[0][1][2:4]
    start = HEADER.pack(LITTLE, 3007000, frames[0][2], header[3], *salts, 0, 0)[:24]
    sums = _sum(start, (0, 0), little=True)
    out = [start, struct.pack(">2I", *sums)]
    for at, (page, after, *_), size in frames:
        body = data[at + FRAME.size : at + FRAME.size + size]
        if not any(body):
            continue  # never written
        sums = _sum(data[at : at + 8] + body, sums, little=True)
        out += [FRAME.pack(page, after, *salts, *sums), body]
    path.write_bytes(b"".join(out))


def _frames(path: Path) -> list[tuple[int, tuple[int, ...], int]]:
    """Place, header and page size of every frame written since the log was begun anew."""
    if not path.exists() or path.stat().st_size < HEADER.size + FRAME.size:
        return []
    data = path.read_bytes()
    size = HEADER.unpack_from(data)[2]
    if size not in PAGES or size & (size - 1):
        size = 8192
    first = FRAME.unpack_from(data, HEADER.size)
    found = []
    for at in range(HEADER.size, len(data) - FRAME.size - size + 1, FRAME.size + size):
        frame = FRAME.unpack_from(data, at)
        if frame[2:4] == first[2:4] and 0 < frame[0] < 2**31:
            found.append((at, frame, size))
    header = HEADER.unpack_from(data)
    sound = _sum(data[:24], (0, 0), little=header[0] == LITTLE) == header[6:8]
    return [] if sound and first[2:4] != header[4:6] else found  # else: begun anew, and nothing written yet


def _sum(data: bytes, sums: Sums, *, little: bool) -> Sums:
    first, second = sums
    words = iter(struct.unpack(f"{'<' if little else '>'}{len(data) // 4}I", data))
    for one, two in zip(words, words, strict=True):
        first = (first + one + second) & MASK
        second = (second + two + first) & MASK
    return first, second
