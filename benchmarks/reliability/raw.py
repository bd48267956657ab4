"""The raw blocks that a data folder holds, in journal and archive, read with nothing but SQLite and Parquet."""

import hashlib
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow.parquet as pq

from benchmarks.reliability.legs import Sent
from ingest.wire import Block, decode_block

Name = tuple[str, int, int]  # device, boot, seq
_COLUMNS: Final = ["boot", "seq", "signal", "channel", "kind", "site", "fs_hz", "scale", "t0_ns", "samples"]


@dataclass(frozen=True, slots=True)
class Blocks:
    """What was found: what each block holds, as a digest, and where it lies how often."""

    digests: dict[Name, str] = field(default_factory=dict)
    places: Counter[str] = field(default_factory=Counter)
    contradictions: list[Name] = field(default_factory=list)  # copies of one block that are not the same

    def add(self, name: Name, digest: str, *, place: str) -> None:
        """One copy."""
        self.places[place] += 1
        if self.digests.setdefault(name, digest) != digest:
            self.contradictions.append(name)


def held(folder: Path) -> Blocks:
    """All raw blocks of a data folder, of which no ingester is running."""
    found = Blocks()
    for name, digest in _journal(folder / "journal.sqlite"):
        found.add(name, digest, place="journal")
    for part in sorted((folder / "archive").glob("device=*/date=*/part-*.parquet")):
        for name, digest in _part(part):
            found.add(name, digest, place="archive")
    return found


def sent(tapes: Mapping[str, Sequence[Sent]]) -> dict[Name, str]:
    """What devices produced, to be held against what was kept."""
    unique = {(device, *one.key): one.payload for device, tape in tapes.items() for one in tape}
    return {name: digest(decode_block(payload)) for name, payload in unique.items()}


def digest(block: Block) -> str:
    """What a block says, whichever way it is kept."""
    channels = (
        (signal.kind, site, signal.fs_hz, signal.scale, samples.tobytes())
        for signal in block.signals
        for site, samples in zip([signal.site] * signal.channels, signal.counts(), strict=True)
    )
    return _digest(block.t0, channels)


def outbox(folder: Path) -> tuple[int, int]:
    """Records and events that a journal still has to deliver."""
    with closing(_open(folder / "journal.sqlite")) as db:
        records, events = (db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in _OUTBOXES)  # noqa: S608
    return records, events


def counts(folder: Path) -> dict[str, int]:
    """How many different blocks of each device a data folder holds, of which no ingester is running."""
    found: dict[str, set[tuple[int, int]]] = {}
    with closing(_open(folder / "journal.sqlite")) as db:
        for device, boot, seq in db.execute(
            "SELECT name, boot, seq FROM block JOIN device ON device.id = block.device"
        ):
            found.setdefault(device, set()).add((boot, seq))
    for part in (folder / "archive").glob("device=*/date=*/part-*.parquet"):
        table: Any = pq.ParquetFile(part).read(columns=["boot", "seq"])
        device = part.parent.parent.name.removeprefix("device=")
        pairs = zip(table["boot"].to_pylist(), table["seq"].to_pylist(), strict=True)
        found.setdefault(device, set()).update(pairs)
    return {device: len(blocks) for device, blocks in found.items()}


_OUTBOXES: Final = ("outbox", "event_outbox")


def dispositions(folder: Path) -> dict[int, int]:
    """How many blocks of the journal are in which state."""
    with closing(_open(folder / "journal.sqlite")) as db:
        return dict(db.execute("SELECT disposition, count(*) FROM block GROUP BY disposition"))


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)


def _journal(path: Path) -> Iterator[tuple[Name, str]]:
    with closing(_open(path)) as db:
        rows = db.execute(
            "SELECT name, boot, seq, payload, content_type FROM block JOIN device ON device.id = block.device"
        )
        for device, boot, seq, payload, content_type in rows:
            yield (device, boot, seq), digest(decode_block(payload, content_type=content_type))


def _part(path: Path) -> Iterator[tuple[Name, str]]:
    device = path.parent.parent.name.removeprefix("device=")
    table: Any = pq.ParquetFile(path).read(columns=_COLUMNS)
    rows: dict[tuple[int, int, int], list[tuple[Any, ...]]] = {}
    samples: Any = table["samples"]
    plain = [table[name].to_pylist() for name in _COLUMNS[:-1]]
    for i, (boot, seq, signal, channel, kind, site, fs_hz, scale, t0_ns) in enumerate(zip(*plain, strict=True)):
        counts = samples[i].values.to_numpy(zero_copy_only=False).astype("<i2").tobytes()
        rows.setdefault((boot, seq, t0_ns), []).append(((signal, channel), (kind, site, fs_hz, scale, counts)))
    for (boot, seq, t0_ns), channels in rows.items():
        yield (device, boot, seq), _digest(t0_ns, (channel for _, channel in sorted(channels)))


def _digest(t0_ns: int, channels: Iterable[tuple[str, str, float, float, bytes]]) -> str:
    found = hashlib.blake2b(str(t0_ns).encode(), digest_size=16)
    for kind, site, fs_hz, scale, samples in channels:
        found.update(f"|{kind}|{site}|{np.float64(fs_hz)}|{np.float64(scale)}|{len(samples)}|".encode())
        found.update(samples)
    return found.hexdigest()
