"""Blocks of made-up legs for the tests of `ingest`: noise with bursts, cut as one likes."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.reliability.legs import counts
from ingest.archive import Archive
from ingest.journal import Journal
from ingest.log import Log
from ingest.metrics import Metrics
from ingest.order import ERA
from ingest.service import Options, Service
from ingest.source import Delivery, MemorySource
from ingest.store import Episode, Epoch, Record, Store
from ingest.store.memory import MemoryStore
from ingest.wire import Block, Signal, Status, encode, topic

T0_NS = 1_790_000_000_000_000_000
SECOND_NS = 1_000_000_000
EMG_HZ, ACC_HZ = 200.0, 10.0  # the lowest rates: quick


def recording(seconds: int, *, seed: int = 0, bursts: Sequence[tuple[int, int]] = ((65, 60),)) -> NDArray[np.int16]:
    """EMG counts (n,): rest, and much more, as ragged as a cramp, from each (start, length) in seconds."""
    rng = np.random.default_rng(seed)
    n = int(seconds * EMG_HZ)
    level = np.full(n, 30.0)
    for start, length in bursts:
        level[int(start * EMG_HZ) : int((start + length) * EMG_HZ)] = 300.0
    return counts(level, rng)


def cut(emg: NDArray[np.int16], lengths_s: Iterable[float], *, boot: int = 1, **change: Any) -> Iterator[Block]:
    """Blocks of these lengths, the last one as long as is left; acceleration lies still."""
    at = 0
    total = len(emg)
    for seq, length_s in enumerate(lengths_s):
        end = min(total, at + round(length_s * EMG_HZ / 20) * 20)
        if end - at < 20:
            return
        yield block(emg[at:end], boot=boot, seq=seq, t0=T0_NS + round(at * SECOND_NS / EMG_HZ), **change)
        at = end


def block(
    emg: NDArray[np.int16], *, boot: int = 1, seq: int = 0, t0: int = T0_NS, site: str = "soleus", scale: float = 0.1
) -> Block:
    """One block: one EMG site and the accelerometer."""
    acc = np.repeat(np.array([[0], [0], [4096]], "<i2"), max(1, round(len(emg) * ACC_HZ / EMG_HZ)), axis=1)
    return Block(
        boot=boot,
        seq=seq,
        t0=t0,
        signals=(
            Signal(kind="emg", site=site, fs_hz=EMG_HZ, scale=scale, channels=1, samples=emg.astype("<i2").tobytes()),
            Signal(kind="acc", site="shank", fs_hz=ACC_HZ, scale=1 / 4096, channels=3, samples=acc.tobytes()),
        ),
    )


def feed(source: MemorySource, device: str, messages: Iterable[Block | Status]) -> list[Delivery]:
    """Publish blocks and statuses of a device."""
    return [
        source.feed(topic(device, "blocks" if isinstance(message, Block) else "status"), encode(message))
        for message in messages
    ]


def service(
    source: MemorySource,
    journal: Journal,
    store: Store,
    *,
    options: Options,
    metrics: Metrics | None = None,
    log: Log | None = None,
    wall_ns: Callable[[], int] = time.time_ns,
    monotonic: Callable[[], float] = time.monotonic,
) -> Service:
    """A whole service, with its archive beside the journal."""
    archive = Archive(journal.path.with_suffix(".archive"))
    return Service(
        source, journal, store, archive, options=options, metrics=metrics, log=log, wall_ns=wall_ns, monotonic=monotonic
    )


def drain(of: Service) -> None:
    """Take turns until nothing comes in, detect again what late blocks touched, then deliver."""
    while of.step():
        pass
    of.settle()


def ingest(
    folder: Path, messages: Iterable[tuple[str, Block | Status]], *, store: Store | None = None, batch: int = 50
) -> Store:
    """A fresh source and journal, all messages through them, and the store they ended in."""
    store = store or MemoryStore()
    source = MemorySource()
    journal = Journal(folder / "journal.sqlite")
    try:
        for device, message in messages:
            feed(source, device, [message])
        whole = service(source, journal, store, options=Options(wait_s=0, batch=batch))
        drain(whole)
        whole.close()
        assert source.outstanding == 0
    finally:
        journal.close()
    return store


def check_late_blocks_wait(folder: Path, without: Callable[[Path], AbstractContextManager[None]]) -> None:
    """Late and repeated blocks change nothing `without` the archive, and come into the results once it is back."""
    tape, source, store, now_s = list(cut(recording(600), [10] * 60)), MemorySource(), MemoryStore(), [0.0]
    start_ns = time.time_ns() + 60 * SECOND_NS  # when all has come in
    late = tape[20:22]
    with closing(Journal(folder / "journal.sqlite")) as journal:
        of = service(
            source, journal, store, options=Options(wait_s=0, settle_s=0, archive_after_s=0),
            monotonic=lambda: now_s[0], wall_ns=lambda: start_ns + int(now_s[0] * SECOND_NS),
        )  # fmt: skip

        def turns() -> None:
            for _ in range(40):
                of.step()
                now_s[0] += 1

        feed(source, "leg", (block for block in tape if block not in late))
        turns()
        whole = contents(store, ["leg"])
        assert any("preliminary" in str(record) or "final" in str(record) for record in whole)
        with without(folder / "journal.archive"):
            feed(source, "leg", [tape[3], *late])
            turns()
        assert contents(store, ["leg"]) == whole
        assert of.ingester.devices["leg"].order.current < ERA, "it did not begin another life"
        turns()
        of.settle()
        of.close()
    (folder / "in order").mkdir()
    expected = ingest(folder / "in order", (("leg", block) for block in tape))
    assert contents(store, ["leg"]) == contents(expected, ["leg"])


def contents(store: Store, devices: Sequence[str]) -> list[Any]:
    """All that was measured, without when it was written and how often; as text, for NaN does not equal NaN."""
    found: list[Record] = [*store.episodes(devices, start_ns=0, end_ns=2**62)]
    for device in devices:
        found += store.epochs(device, start_ns=0, end_ns=2**62)
    return [_plain(record) for record in found]


def _plain(record: Record) -> Any:
    values = [
        (name, getattr(record, name)) for name in record.__struct_fields__ if name not in ("updated_ns", "revision")
    ]
    return type(record).__name__, [(name, repr(value)) for name, value in values]


def episodes(store: Store, device: str) -> list[Episode]:
    """Episodes of a device."""
    return store.episodes([device], start_ns=0, end_ns=2**62)


def epochs(store: Store, device: str) -> list[Epoch]:
    """Epochs of a device."""
    return store.epochs(device, start_ns=0, end_ns=2**62)
