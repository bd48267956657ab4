"""The loop in one process: order, repetition, kills, outages and hostile input change no record."""

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ingest_feed import SECOND_NS, block, contents, cut, drain, episodes, epochs, feed, ingest, recording, service

from ingest.archive import Archive
from ingest.errors import StoreUnavailable
from ingest.journal import Entry, Journal
from ingest.order import Horizon
from ingest.service import Options
from ingest.source import MemorySource
from ingest.store import Record
from ingest.store.memory import MemoryStore
from ingest.wire import Status, decode_event, encode

EMG = recording(150)
BLOCKS = list(cut(EMG, [5.0] * 30))
NOW = Options(wait_s=0, ack_s=0, status_s=0, batch=7, horizon=Horizon(span_ns=200 * SECOND_NS))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> list[object]:
    store = ingest(tmp_path_factory.mktemp("undisturbed"), [("a", b) for b in BLOCKS])
    assert [episode.status for episode in episodes(store, "a")] == ["final"]
    assert len(epochs(store, "a")) == 15
    return contents(store, ["a"])


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path / "journal.sqlite")
    yield journal
    journal.close()


@settings(max_examples=15)
@given(rng=st.randoms(use_true_random=False))
def test_duplicates_and_reordering_within_the_horizon_change_no_record(
    tmp_path_factory: pytest.TempPathFactory, undisturbed: list[object], rng: random.Random
) -> None:
    sent = sorted(BLOCKS, key=lambda b: b.seq + rng.uniform(0, 12))
    for duplicate in rng.sample(BLOCKS, 5):
        sent.insert(rng.randint(0, len(sent)), duplicate)
    store, source = MemoryStore(), MemorySource()
    journal = Journal(tmp_path_factory.mktemp("reordered") / "journal.sqlite")
    feed(source, "a", sent)
    drain(service(source, journal, store, options=NOW))
    assert journal.gaps("a") == []
    assert {fate for _, fate in journal.blocks("a")} == {"ready"}
    journal.close()
    assert contents(store, ["a"]) == undisturbed


def test_replaying_everything_leaves_the_store_identical(journal: Journal, undisturbed: list[object]) -> None:
    store, source = MemoryStore(), MemorySource()
    for _ in range(2):
        feed(source, "a", BLOCKS)
        drain(service(source, journal, store, options=NOW))
        assert contents(store, ["a"]) == undisturbed
    assert len(journal.blocks("a")) == len(BLOCKS)


def test_replaying_into_an_empty_journal_leaves_the_store_identical(tmp_path: Path, undisturbed: list[object]) -> None:
    store = MemoryStore()
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        ingest(tmp_path / name, [("a", b) for b in BLOCKS], store=store, batch=11)
        assert contents(store, ["a"]) == undisturbed


@settings(max_examples=6)
@given(lengths_s=st.lists(st.sampled_from([0.1, 0.5, 1, 7.3, 60]), min_size=1, max_size=5), batch=st.integers(1, 60))
def test_cutting_the_stream_into_other_blocks_changes_no_record(
    tmp_path_factory: pytest.TempPathFactory, undisturbed: list[object], lengths_s: list[float], batch: int
) -> None:
    messages = [("a", b) for b in cut(EMG, lengths_s * 1500)]
    store = ingest(tmp_path_factory.mktemp("cut"), messages, batch=batch)
    assert contents(store, ["a"]) == undisturbed


class Killed(Exception):
    """Stands for a kill: everything in memory is gone, what was committed is not."""


@dataclass
class Fate:
    """Kills at the n-th of the points that are passed."""

    at: int
    passed: int = 0

    def __call__(self) -> None:
        self.passed += 1
        if self.passed == self.at:
            raise Killed


class FragileJournal(Journal):
    """Passes a point before and after each commit."""

    def __init__(self, path: Path, fate: Fate) -> None:
        super().__init__(path)
        self.fate = fate

    def commit(self, entry: Entry) -> None:
        self.fate()
        super().commit(entry)
        self.fate()


class FragileStore(MemoryStore):
    """Passes a point before and after each write."""

    fate = Fate(0)

    def write(self, records: Sequence[Record]) -> None:
        self.fate()
        super().write(records)
        self.fate()


def test_a_kill_at_any_point_changes_no_record(tmp_path: Path, undisturbed: list[object]) -> None:
    kills = 0
    for at in range(1, 100):
        fate = Fate(at)
        store, source = FragileStore(), MemorySource()
        store.fate = fate
        sent = [BLOCKS[1], BLOCKS[0], *BLOCKS[2:]]  # one is held across a batch
        feed(source, "a", sent)
        path = tmp_path / f"{at}.sqlite"
        for _ in range(2):
            journal = FragileJournal(path, fate)
            try:
                drain(service(source, journal, store, options=replace(NOW, batch=4)))
            except Killed:
                kills += 1
                source.reconnect()
            finally:
                journal.close()
        assert contents(store, ["a"]) == undisturbed
        assert source.outstanding == 0
        assert {e.id[-2:] for e in map(_event, source.published) if e} == {".0", ".1"}
        if fate.passed < at:
            break
    assert kills > 20


def _event(message: object):  # type: ignore[no-untyped-def]
    topic = message.topic  # type: ignore[attr-defined]
    return decode_event(message.payload) if topic.endswith("/events") else None  # type: ignore[attr-defined]


class Flaky(MemoryStore):
    """A store that can be down."""

    down = False
    attempts = 0

    def write(self, records: Sequence[Record]) -> None:
        self.attempts += 1
        if self.down:
            raise StoreUnavailable("the store is being repaired")
        super().write(records)


def test_an_outage_of_the_store_stops_nothing_and_loses_nothing(journal: Journal, undisturbed: list[object]) -> None:
    store, source, now = Flaky(), MemorySource(), [0.0]
    store.down = True
    ingester = service(source, journal, store, options=NOW, monotonic=lambda: now[0])
    feed(source, "a", BLOCKS)
    while ingester.step():
        now[0] += 0.1
    assert source.outstanding == 0, "acknowledged, for the journal has it"
    assert store.attempts == 2, "the second attempt waits for half a second, the third for another"
    assert journal.depth().records > 15
    store.down = False
    ingester.step()
    assert store.attempts == 2
    now[0] += 60
    ingester.step()
    assert contents(store, ["a"]) == undisturbed
    assert journal.depth().records == 0


def test_a_stop_during_an_outage_leaves_the_rest_to_the_next_start(journal: Journal, undisturbed: list[object]) -> None:
    store, source = Flaky(), MemorySource()
    store.down = True
    feed(source, "a", BLOCKS)
    drain(service(source, journal, store, options=NOW))
    store.down = False
    drain(service(source, journal, store, options=NOW))
    assert contents(store, ["a"]) == undisturbed


def test_a_gap_is_declared_and_filled_when_the_blocks_come_after_all(
    journal: Journal, undisturbed: list[object]
) -> None:
    store, source = MemoryStore(), MemorySource()
    feed(source, "a", [*BLOCKS[:10], *BLOCKS[12:], Status(boot=1, online=False)])
    ingester = service(source, journal, store, options=NOW)
    drain(ingester)
    (gap,) = journal.gaps("a")
    assert (gap.first, gap.last, gap.end_ns - gap.start_ns) == (10, 11, 10 * SECOND_NS)
    assert ingester.metrics.registry.get_sample_value("charley_gap_seconds_total") == 10
    (status,) = store.statuses(["a"])
    assert (status.missing_blocks, status.online) == (2, False)
    assert sum(epoch.received_s for epoch in epochs(store, "a")) == 140
    feed(source, "a", BLOCKS[10:12])
    drain(ingester)
    assert {fate for _, fate in journal.blocks("a")} == {"ready"}
    assert contents(store, ["a"]) == undisturbed
    assert store.statuses(["a"])[0].missing_blocks == 0


HOSTILE = [
    b"",
    b"{",
    b"\xc1",
    b"\x80",
    b'{"boot": 1}',
    encode(BLOCKS[0])[:-1],
    encode(BLOCKS[0]) + b"\x00",
    b"\x81" * 10_000,
    b"[" * 100_000,
    encode(BLOCKS[0]).replace(b"soleus", b"s\xffleus"),
    encode(Status(boot=1, online=True)),
]


@pytest.mark.parametrize("leaf", ["blocks", "status", "ack", "nonsense", "blocks/x"])
def test_hostile_payloads_are_counted_and_set_aside(journal: Journal, undisturbed: list[object], leaf: str) -> None:
    store, source = MemoryStore(), MemorySource()
    payloads = [p for p in HOSTILE if leaf != "status" or p != HOSTILE[-1]]
    for i, b in enumerate(BLOCKS):
        if i < len(payloads):
            source.feed(f"charley/v1/a/{leaf}", payloads[i])
        feed(source, "a", [b])
    ingester = service(source, journal, store, options=NOW)
    drain(ingester)
    assert len(journal.quarantined()) == len(payloads)
    assert source.outstanding == 0
    assert contents(store, ["a"]) == undisturbed
    samples = [s for m in ingester.metrics.registry.collect() for s in m.samples]
    assert sum(s.value for s in samples if s.name == "charley_ingest_quarantined_total") == len(payloads)
    assert all(q.reason and q.sentence for q in journal.quarantined())


@settings(max_examples=50)
@given(payloads=st.lists(st.binary(max_size=300), max_size=20), topic=st.text(max_size=40))
def test_nothing_that_comes_in_ends_the_loop(
    tmp_path_factory: pytest.TempPathFactory, payloads: list[bytes], topic: str
) -> None:
    source = MemorySource()
    journal = Journal(tmp_path_factory.mktemp("hostile") / "journal.sqlite")
    for payload in payloads:
        source.feed("charley/v1/a/blocks", payload)
        source.feed(topic, payload, content_type=topic)
    drain(service(source, journal, MemoryStore(), options=NOW))
    assert len(journal.quarantined()) == 2 * len(payloads)
    assert source.outstanding == 0
    journal.close()


def test_a_device_that_the_detector_cannot_take_is_set_aside_and_the_others_go_on(
    journal: Journal, undisturbed: list[object]
) -> None:
    store, source = MemoryStore(), MemorySource()
    ingester = service(source, journal, store, options=NOW)
    feed(source, "bad", [block(EMG[:1000], seq=0)])
    drain(ingester)
    track = ingester.ingester.devices["bad"].track
    assert track is not None
    broken = track.__class__(track.signature, track.detector, track.anchor_ns, track.received, b"broken")
    ingester.ingester.devices["bad"] = msgspec.structs.replace(ingester.ingester.devices["bad"], track=broken)
    feed(source, "bad", [block(EMG[:1000], seq=1)])
    feed(source, "a", BLOCKS)
    drain(ingester)
    assert journal.blocks("bad") == [((1, 0), "ready"), ((1, 1), "failed")]
    assert [q.reason for q in journal.quarantined()] == ["detector"]
    assert contents(store, ["a"]) == undisturbed


def test_a_held_block_that_a_stricter_version_cannot_read_is_set_aside(journal: Journal) -> None:
    store, source = MemoryStore(), MemorySource()
    ingester = service(source, journal, store, options=NOW)
    feed(source, "a", [BLOCKS[0], BLOCKS[2]])
    drain(ingester)
    journal._db.execute("UPDATE block SET payload = x'c1' WHERE seq = 2")
    feed(source, "a", [BLOCKS[1], *BLOCKS[3:]])
    drain(service(source, journal, store, options=NOW))
    assert [key for key, fate in journal.blocks("a") if fate == "failed"] == [(1, 2)]
    assert [q.reason for q in journal.quarantined()] == ["detector"]
    assert sum(epoch.received_s for epoch in epochs(store, "a")) == 145


def test_detected_blocks_go_to_the_archive_once_they_are_old(journal: Journal) -> None:
    source, now_ns = MemorySource(), [time.time_ns()]
    options = replace(NOW, archive_after_s=60)
    whole = service(source, journal, MemoryStore(), options=options, wall_ns=lambda: now_ns[0])
    feed(source, "a", [*BLOCKS[:20], BLOCKS[21]])
    drain(whole)
    assert len(journal.blocks("a")) == 21
    now_ns[0] += 100 * SECOND_NS
    whole.keeper.step()
    assert journal.blocks("a") == [((1, 21), "held")], "what is held is still needed"
    archived = Archive(journal.path.with_suffix(".archive"))
    marks = archived.marks("a", start_ns=0, end_ns=2**62)
    assert [found.block for found in archived.blocks("a", marks)] == BLOCKS[:20]


def test_samples_from_the_future_wait_until_their_time_is_known(journal: Journal, undisturbed: list[object]) -> None:
    store, source = MemoryStore(), MemorySource()
    ahead = time.time_ns() + 25 * 3600 * SECOND_NS
    source.feed("charley/v1/a/blocks", encode(msgspec.structs.replace(BLOCKS[0], t0=ahead)))
    feed(source, "a", BLOCKS)
    drain(service(source, journal, store, options=NOW))
    assert journal.quarantined() == []
    assert [fate for _, fate in journal.blocks("a")].count("undated") == 1
    assert contents(store, ["a"]) == undisturbed
