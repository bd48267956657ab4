"""A million hostile messages through the ingester: none may end it, all must be accounted for, none may touch others.

python -m benchmarks.fuzz [--cases 1000000] [--seed 1]

The same seed gives the same cases. In between, a device that does nothing wrong sends its blocks; its records must be
those of a device that was alone. Prints cases a second and how many were refused for which reason; leaves with 1 after
a crash, a message unaccounted for, an unknown reason or a changed record, and prints the cases that did it.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

import numpy as np

from benchmarks.mutate import T0_NS, Case, make
from ingest.archive import Archive
from ingest.errors import WireError
from ingest.journal import Journal
from ingest.metrics import Metrics
from ingest.service import Options, Service
from ingest.source import MemorySource
from ingest.store import Record
from ingest.store.memory import MemoryStore
from ingest.wire import Block, Signal, decode_ack, decode_event, encode, topic

WITNESS: Final = "witness"
BATCH: Final = 500
WITNESS_BLOCKS: Final = 2  # a batch
ROUND: Final = 50_000  # cases of one ingester; then another begins
BATCH_S: Final = 20.0  # as the ingester's clocks have it, so that few are passed over for being refused too often
# docs/wire.md, section 9.
REASONS: Final = frozenset({
    "topic", "device", "empty", "size", "content_type", "encoding", "schema", "signals", "rate", "scale",
    "channels", "samples", "duration", "stretch", "declared", "counter", "flood", "detector",
})  # fmt: skip


class Wrong(Exception):
    """What must not happen has happened."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of cases: accepted by what became of them, refused by reason."""

    accepted: Counter[str]
    refused: Counter[str]

    @property
    def total(self) -> int:
        """How many messages that accounts for; a block on which the detector failed was accepted before."""
        return self.accepted.total() + self.refused.total() - self.refused["detector"]


class World:
    """An ingester in a folder of its own, fed by a source within this process."""

    def __init__(self, folder: Path) -> None:
        self.source = MemorySource()
        self.journal = Journal(folder / "journal.sqlite")
        self.store = MemoryStore()
        self.metrics = Metrics()
        self._now_s = 0.0
        begun_ns = time.time_ns()
        options = Options(wait_s=0, batch=2 * BATCH)
        self.service = Service(
            self.source, self.journal, self.store, Archive(folder / "archive"), options=options, metrics=self.metrics,
            monotonic=lambda: self._now_s, wall_ns=lambda: begun_ns + round(self._now_s * 1e9),
        )  # fmt: skip

    def feed(self, cases: Sequence[Case], witness: Sequence[bytes] = ()) -> None:
        """One batch through the ingester."""
        self._now_s += BATCH_S
        for case in cases:
            self.source.feed(case.topic, case.payload, content_type=case.content_type)
        for payload in witness:
            self.source.feed(topic(WITNESS, "blocks"), payload)
        while self.service.step():
            pass

    def tally(self) -> Tally:
        """What its metrics say."""
        accepted, refused = (
            Counter({sample.labels[label]: int(sample.value) for sample in _samples(counter) if sample.value})
            for counter, label in ((self.metrics.blocks, "result"), (self.metrics.quarantined, "reason"))
        )
        del accepted["quarantined"]  # by reason in the other
        accepted["status"] = sum(int(sample.value) for sample in _samples(self.metrics.statuses))
        return Tally(accepted, refused)

    def records(self, device: str) -> list[Record]:
        """What was found of a device."""
        self.service.settle()
        found: list[Record] = [*self.store.episodes([device], start_ns=0, end_ns=2**62)]
        found += self.store.epochs(device, start_ns=0, end_ns=2**62)
        return found

    def close(self) -> None:
        """Let go of the folder."""
        self.service.close()
        self.journal.close()


def _samples(counter: Any) -> list[Any]:
    return [sample for family in counter.collect() for sample in family.samples if sample.name.endswith("_total")]


def witness_blocks(count: int) -> list[bytes]:
    """Blocks of a second: rest, and a cramp in the middle."""
    rng = np.random.default_rng(1)
    level = np.where((np.arange(count) > count // 3) & (np.arange(count) < count // 2), 300.0, 30.0)
    acc = np.repeat(np.array([[0], [0], [4096]], "<i2"), 10, axis=1).tobytes()
    blocks = []
    for seq in range(count):
        emg = (rng.normal(size=200) * level[seq]).astype("<i2").tobytes()
        signals = (
            Signal(kind="emg", site="soleus", fs_hz=200.0, scale=0.1, channels=1, samples=emg),
            Signal(kind="acc", site="shank", fs_hz=10.0, scale=1 / 4096, channels=3, samples=acc),
        )
        blocks.append(encode(Block(boot=1, seq=seq, t0=T0_NS + seq * 1_000_000_000, signals=signals)))
    return blocks


def fuzz(cases: Sequence[Case], folder: Path) -> Tally:
    """Feed cases to a new ingester, with the witness in between; what became of them, or `Wrong`."""
    parts = [cases[at : at + BATCH] for at in range(0, len(cases), BATCH)]
    witness = witness_blocks(WITNESS_BLOCKS * len(parts))
    (folder / "alone").mkdir(parents=True)
    with closing(World(folder / "alone")) as alone, closing(World(folder)) as world:
        for number, part in enumerate(parts):
            blocks = witness[WITNESS_BLOCKS * number :][:WITNESS_BLOCKS]
            alone.feed([], blocks)
            try:
                for case in part:
                    _answers(case.payload, case.content_type)
                world.feed(part, blocks)
            except Exception as error:
                raise Wrong("\n".join([f"a crash: {error!r}", *_culprits(part, folder)])) from error
        tally = world.tally()
        tally.accepted["ready"] -= len(witness)
        if tally.total != len(cases):
            raise Wrong(f"{len(cases)} messages went in, {tally.total} are accounted for: {tally}")
        if unknown := tally.refused.keys() - REASONS:
            raise Wrong(f"reasons that are not documented: {sorted(unknown)}")
        if plain(world.records(WITNESS)) != plain(alone.records(WITNESS)):
            raise Wrong("the records of a device that did nothing wrong are not what they would have been")
        if world.source.outstanding:
            raise Wrong(f"{world.source.outstanding} messages were never acknowledged")
    return tally


def plain(records: Sequence[Record]) -> list[str]:
    """Records as text, without when they were written; NaN does not equal NaN."""
    return [
        str([(name, getattr(r, name)) for name in r.__struct_fields__ if name not in {"updated_ns", "revision"}])
        for r in records
    ]


def _answers(payload: bytes, content_type: str | None) -> None:
    """What a device does with bytes on its own topics."""
    for decode in (decode_ack, decode_event):
        try:
            decode(payload, content_type=content_type)
        except WireError as error:
            if error.reason not in REASONS:
                raise Wrong(f"{error.reason} is not documented") from error


def _culprits(cases: Sequence[Case], folder: Path) -> Iterator[str]:
    """Which of these cases end an ingester by themselves."""
    for number, case in enumerate(cases):
        alone = folder / f"case-{number}"
        alone.mkdir()
        with closing(World(alone)) as world:
            try:
                world.feed([case])
            except Exception as error:  # noqa: BLE001 - that is what is looked for
                yield f"{case.topic!r:.200}, {case.content_type!r:.80}, {case.payload[:400]!r}: {error!r}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, with progress on standard error."""
    parser = argparse.ArgumentParser(prog="benchmarks.fuzz")
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    accepted: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    done, begun = 0, time.perf_counter()
    while done < options.cases:
        rng = Random(f"{options.seed}/{done}")  # noqa: S311 - the same again is the point
        cases = [make(rng, number) for number in range(min(ROUND, options.cases - done))]
        with tempfile.TemporaryDirectory() as folder:
            try:
                tally = fuzz(cases, Path(folder) / "fuzz")
            except Wrong as wrong:
                print(f"seed {options.seed}, cases from {done}: {wrong}")
                return 1
        accepted += tally.accepted
        refused += tally.refused
        done += len(cases)
        rate = done / (time.perf_counter() - begun)
        print(f"{done:,} of {options.cases:,}, {rate:,.0f} a second", file=sys.stderr, flush=True)
    print(f"{done:,} cases, 0 crashes, {done / (time.perf_counter() - begun):,.0f} a second")
    for what, counter in (("accepted", accepted), ("refused", refused)):
        print(f"{what}: " + ", ".join(f"{name} {count:,}" for name, count in counter.most_common()))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
