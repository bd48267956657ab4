"""What goes out: records to the store, events to the world, acknowledgements to devices, and how devices are."""

import io
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from ingest_feed import SECOND_NS, T0_NS, block, cut, drain, episodes, feed, recording, service
from servers import free_port, wait_for

from ingest.errors import StoreRefused
from ingest.events import LIVE_NS, to_event
from ingest.journal import Entry, Journal
from ingest.log import json_log
from ingest.metrics import Metrics, serve
from ingest.order import Horizon
from ingest.service import Options, run
from ingest.source import MemorySource
from ingest.store import DeviceStatus, Episode, Epoch, Record
from ingest.store.memory import MemoryStore
from ingest.wire import Ack, Block, EpisodeEvent, Status, decode_ack, decode_event

EMG = recording(150)
BLOCKS = list(cut(EMG, [5.0] * 30))
NOW = Options(wait_s=0, ack_s=0, status_s=0, batch=7)


class Clock:
    """Time that passes when it is told to."""

    def __init__(self, wall_ns: int = T0_NS) -> None:
        self.wall_ns = wall_ns
        self.s = 0.0

    def wall(self) -> int:
        return self.wall_ns

    def monotonic(self) -> float:
        return self.s


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path / "journal.sqlite")
    yield journal
    journal.close()


def sent(source: MemorySource, leaf: str) -> list[bytes]:
    return [message.payload for message in source.published if message.topic.endswith("/" + leaf)]


def events(source: MemorySource) -> list[EpisodeEvent]:
    return [decode_event(payload) for payload in sent(source, "events")]


class Picky(MemoryStore):
    """Refuses some records for good."""

    writes = 0

    def write(self, records: Sequence[Record]) -> None:
        self.writes += 1
        if any(isinstance(record, Epoch) and record.start_ns % 7 == 0 for record in records):
            raise StoreRefused("no sevens")
        super().write(records)


def epoch(start_ns: int) -> Epoch:
    return Epoch(
        device="a", site="soleus", start_ns=start_ns, received_s=10.0, worn_s=10.0, usable_s=10.0, rms_uv=1.0,
        rest_uv=1.0, median_hz=2.0, movement_g=0.0, angle_deg=3.0, flags=(),
    )  # fmt: skip


def test_a_record_that_is_refused_is_set_aside_and_the_others_are_delivered(journal: Journal) -> None:
    store = Picky()
    journal.commit(Entry(records=[epoch(i) for i in range(1, 40)]))
    ingester = service(MemorySource(), journal, store, options=NOW)
    ingester.settle()
    kept = {record.start_ns for record in store.epochs("a", start_ns=0, end_ns=100)}
    assert kept == {i for i in range(1, 40) if i % 7}
    aside = journal.quarantined()
    assert sorted(json.loads(q.payload)["start_ns"] for q in aside) == [7, 14, 21, 28, 35]
    assert {(q.topic, q.reason, q.sentence) for q in aside} == {("store/epoch", "store", "no sevens")}
    assert journal.depth().records == 0
    assert store.writes < 42, "found by halving; one more write says how the service stands"


def test_records_say_when_they_were_delivered_and_the_last_revision_wins(journal: Journal) -> None:
    store, clock = MemoryStore(), Clock(wall_ns=123)
    statuses = [DeviceStatus(device="a", boot=boot, online=True) for boot in (1, 2, 3)]
    journal.commit(Entry(records=[statuses[0], epoch(1), statuses[1], statuses[2]]))
    service(MemorySource(), journal, store, options=NOW, wall_ns=clock.wall).settle()
    assert store.statuses(["a"]) == [msgspec.structs.replace(statuses[2], updated_ns=123)]
    assert store.epochs("a", start_ns=0, end_ns=9)[0].updated_ns == 123


def test_an_episode_is_announced_when_it_opens_and_when_it_closes(journal: Journal) -> None:
    store, source = MemoryStore(), MemorySource()
    feed(source, "a", BLOCKS)
    drain(service(source, journal, store, options=NOW))
    opened, closed = events(source)
    (episode,) = episodes(store, "a")
    assert (opened.type, closed.type) == ("io.charley.episode.opened.v1", "io.charley.episode.closed.v1")
    assert (opened.id, closed.id) == (f"{episode.id}.0", f"{episode.id}.1")
    assert (opened.data.status, opened.data.end_ns, opened.data.severity) == ("preliminary", None, None)
    assert (closed.data.status, closed.data.end_ns, closed.data.severity, closed.data.grade) == (
        "final", episode.end_ns, episode.severity, episode.grade,
    )  # fmt: skip
    assert journal.depth().events == 0


def test_events_wait_for_a_connection_and_survive_a_restart(journal: Journal) -> None:
    source = MemorySource()
    source.connected = False
    feed(source, "a", BLOCKS)
    drain(service(source, journal, MemoryStore(), options=NOW))
    assert events(source) == []
    assert journal.depth().events == 2
    source.connected = True
    ingester = service(source, journal, MemoryStore(), options=NOW)
    ingester.step()
    ingester.step()
    assert len(events(source)) == 2
    assert journal.depth().events == 0


class Deaf(MemorySource):
    """A broker that takes messages and never says so."""

    def publish(self, topic: str, payload: bytes, *, content_type: str | None = None):  # type: ignore[no-untyped-def]
        message = super().publish(topic, payload, content_type=content_type)
        return msgspec.structs.replace(message, done=False) if message else None


def test_an_event_that_the_broker_does_not_answer_is_sent_again_after_a_while(journal: Journal) -> None:
    source, clock = Deaf(), Clock()
    feed(source, "a", BLOCKS)
    ingester = service(source, journal, MemoryStore(), options=NOW, monotonic=clock.monotonic)
    drain(ingester)
    ingester.step()
    assert len(events(source)) == 2
    clock.s += 61
    ingester.step()
    assert len(events(source)) == 4
    assert journal.depth().events == 2


EPISODE = Episode(
    device="a", site="soleus", onset_ns=T0_NS, end_ns=T0_NS + 20 * SECOND_NS, status="final", revision=1, severity=5.0,
    severity_amplitude=5.0, severity_duration=5.0, severity_load=5.0, severity_recruitment=5.0, grade=2, peak_uv=100.0,
    peak_ratio=5.0, load=1.0, confidence=0.9, flags=(), sites=("soleus",), detector="1", params="x",
)  # fmt: skip


def test_last_weeks_cramp_is_backfill_and_this_minutes_is_live() -> None:
    assert to_event(EPISODE, received_ns=EPISODE.end_ns + LIVE_NS).scope == "live"
    assert to_event(EPISODE, received_ns=EPISODE.end_ns + LIVE_NS + 1).scope == "backfill"
    opened = msgspec.structs.replace(EPISODE, status="preliminary", revision=0)
    assert to_event(opened, received_ns=T0_NS + LIVE_NS + 1).scope == "backfill"
    assert to_event(EPISODE, received_ns=0).time == "2026-09-21T14:13:40.000000Z"


def test_a_rejected_episode_is_closed_as_rejected_and_a_later_revision_is_revised() -> None:
    rejected = to_event(msgspec.structs.replace(EPISODE, status="rejected"), received_ns=T0_NS)
    assert (rejected.type, rejected.data.status) == ("io.charley.episode.closed.v1", "rejected")
    revised = to_event(msgspec.structs.replace(EPISODE, revision=2), received_ns=T0_NS)
    assert (revised.type, revised.id) == ("io.charley.episode.revised.v1", f"{EPISODE.id}.2")


def test_devices_are_told_what_is_durable_and_never_beyond_a_block_to_come(journal: Journal) -> None:
    source = MemorySource()
    ingester = service(source, journal, MemoryStore(), options=replace(NOW, horizon=Horizon(blocks=2)))
    feed(source, "a", [BLOCKS[0], BLOCKS[1], BLOCKS[5], BLOCKS[6]])
    drain(ingester)
    assert decode_ack(sent(source, "ack")[-1]) == Ack(boot=1, seq=1)
    feed(source, "a", BLOCKS[7:10])  # the horizon passes: 2 to 4 are given up, and may come all the same
    drain(ingester)
    assert journal.gaps("a") != []
    assert decode_ack(sent(source, "ack")[-1]) == Ack(boot=1, seq=1)
    feed(source, "a", BLOCKS[2:5])
    drain(ingester)
    assert decode_ack(sent(source, "ack")[-1]) == Ack(boot=1, seq=9)
    feed(source, "a", [BLOCKS[29], BLOCKS[28], BLOCKS[27], Status(boot=1, online=True, oldest=20)])
    drain(ingester)
    assert decode_ack(sent(source, "ack")[-1]) == Ack(boot=1, seq=19), "20 to 26 may still come"


def test_acknowledgements_are_few_and_repeated_for_a_device_that_sends_again(journal: Journal) -> None:
    source, clock = MemorySource(), Clock()
    options = replace(NOW, ack_s=2.0)
    ingester = service(source, journal, MemoryStore(), options=options, monotonic=clock.monotonic)
    for b in BLOCKS[:10]:
        feed(source, "a", [b])
        ingester.step()
        clock.s += 0.25
    assert [decode_ack(payload).seq for payload in sent(source, "ack")] == [0, 8]
    clock.s += 2
    ingester.step()
    assert decode_ack(sent(source, "ack")[-1]).seq == 9
    ingester.step()
    assert len(sent(source, "ack")) == 3, "nothing new came in"
    clock.s += 2
    feed(source, "a", [BLOCKS[9]])
    ingester.step()
    assert [decode_ack(payload).seq for payload in sent(source, "ack")] == [0, 8, 9, 9]
    source.connected = False
    feed(source, "a", BLOCKS[10:12])
    clock.s += 2
    ingester.step()
    source.connected = True
    ingester.step()
    assert decode_ack(sent(source, "ack")[-1]).seq == 11


def test_the_record_of_a_device_follows_what_it_says(journal: Journal) -> None:
    store, source, clock = MemoryStore(), MemorySource(), Clock(wall_ns=5)
    ingester = service(source, journal, store, options=NOW, wall_ns=clock.wall)

    def after(*messages: Block | Status) -> DeviceStatus:
        feed(source, "a", messages)
        drain(ingester)
        return store.statuses(["a"])[0]

    heard = after(block(EMG[:1000]))
    assert (heard.online, heard.sites, heard.boot) == (True, ("soleus",), 1), "it never sent a status: it is there"
    assert heard.last_sample_ns == T0_NS + 5 * SECOND_NS
    born = after(Status(boot=2, online=True, firmware="1.2", sites=("soleus", "tibialis_anterior"), battery=0.8))
    assert (born.boot, born.firmware, born.sites, born.battery) == (2, "1.2", ("soleus", "tibialis_anterior"), 0.8)
    dead = after(Status(boot=2, online=False))
    assert (dead.online, dead.firmware, dead.battery) == (False, "1.2", 0.8)
    assert after(Status(boot=1, online=False)).boot == 2, "an old boot's last will"
    assert after(block(EMG[:1000], boot=2, t0=T0_NS + 10**10)).online is False, "sent before it went"


def test_the_record_of_a_device_is_written_now_and_then_and_at_once_when_it_goes(journal: Journal) -> None:
    clock, source = Clock(), MemorySource()
    ingester = service(source, journal, MemoryStore(), options=replace(NOW, status_s=5.0), monotonic=clock.monotonic)
    written = ingester.metrics.registry.get_sample_value
    for b in list(cut(EMG, [1.0] * 2)):
        feed(source, "a", [b])
        ingester.step()
    assert written("charley_delivered_records_total") == 1
    clock.s = 5.0
    ingester.step()
    assert written("charley_delivered_records_total") == 2, "what was held back is written without a new block"
    feed(source, "a", [Status(boot=1, online=True)])
    ingester.step()
    feed(source, "a", [Status(boot=1, online=False)])
    ingester.step()
    assert written("charley_delivered_records_total") == 3, "coming and going are changes; saying the same is none"


def test_run_ends_when_told_and_logs_json_without_a_person(tmp_path: Path) -> None:
    stop, source, store, lines = threading.Event(), MemorySource(), MemoryStore(), io.StringIO()
    metrics = Metrics()

    def ingest() -> None:
        journal = Journal(tmp_path / "run.sqlite")
        run(source, journal, store, stop, options=Options(wait_s=0.05), metrics=metrics, log=json_log(lines))
        journal.close()

    thread = threading.Thread(target=ingest)
    thread.start()
    feed(source, "a", [BLOCKS[0], *BLOCKS[2:], Status(boot=1, online=False)])
    source.feed("charley/v1/a/blocks", b"not a block")
    wait_for(lambda: source.outstanding == 0 and store.services())
    assert store.services()[0].connected
    stop.set()
    thread.join(10)
    assert not thread.is_alive()
    assert not store.services()[0].connected, "whoever asks need not wait until it has been silent for long"
    assert store.statuses(["a"])[0].missing_blocks == 1
    logged = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert {line["event"] for line in logged} == {"gap", "quarantined"}
    gap = next(line for line in logged if line["event"] == "gap")
    assert (gap["device"], gap["boot"], gap["seq"], gap["level"]) == ("a", 1, 1, "warning")
    assert gap["timestamp"].endswith("Z")


def test_metrics_are_served_without_devices_as_labels(journal: Journal) -> None:
    source = MemorySource()
    feed(source, "secret-device", [*BLOCKS, BLOCKS[0]])
    ingester = service(source, journal, MemoryStore(), options=NOW)
    drain(ingester)
    port = free_port()
    stop = serve(ingester.metrics, port=port, ready=ingester.standing)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        text = answer.read().decode()
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz") as answer:
        standing = json.load(answer)
    stop()
    assert (answer.status, standing["accepting"], standing["reason"]) == (200, True, "")
    stop = serve(
        ingester.metrics, port=port, ready=lambda: msgspec.structs.replace(ingester.standing(), connected=False)
    )
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz")
    stop()
    assert refused.value.code == 503
    assert "from the broker" in json.load(refused.value)["reason"]
    assert 'charley_ingest_blocks_total{result="ready"} 30.0' in text
    assert 'charley_ingest_blocks_total{result="duplicate"} 1.0' in text
    assert "charley_ingest_lag_seconds" in text
    assert "secret-device" not in text
