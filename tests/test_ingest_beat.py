"""How the service stands: what it knows of itself, and a store that takes records but refuses to hear this."""

import io
import json
import os
import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from ingest_feed import SECOND_NS, T0_NS, contents, cut, feed, recording, service
from servers import InfluxDB, wait_for
from store_records import an_epoch

from ingest.deliver import BEAT_S, RecordDelivery
from ingest.errors import JournalFull, StoreRefused, StoreUnavailable
from ingest.journal import Entry, Journal
from ingest.log import json_log
from ingest.metrics import Metrics
from ingest.outbox import Outbox
from ingest.service import Options
from ingest.source import MemorySource
from ingest.store import Record, ServiceStatus
from ingest.store.influx import InfluxStore
from ingest.store.memory import MemoryStore
from ingest.store.sqlite import SqliteStore

TAPE = list(cut(recording(60), [10] * 6))


def test_a_status_that_does_not_fit_what_an_influxdb_holds(tmp_path: Path, own_influxdb: InfluxDB) -> None:
    own_influxdb.new_bucket("beat")
    opened = InfluxStore(own_influxdb.url, token=own_influxdb.token, org=own_influxdb.org, bucket="beat")
    log, stop = io.StringIO(), threading.Event()
    with (
        closing(opened) as store,
        closing(Journal(tmp_path / "journal.sqlite")) as journal,
    ):
        store._post([b'charley_service,name=other accepting="yes" 4102444800000000000'])  # of another program
        source = MemorySource()
        of = service(source, journal, store, options=Options(wait_s=0.01), log=json_log(log))
        running = threading.Thread(target=of.run, args=(stop,))
        running.start()
        try:
            feed(source, "beating", TAPE)
            wait_for(lambda: len(contents(store, ["beating"])) >= 5, what="records in the store")
            assert running.is_alive()
        finally:
            stop.set()
            running.join()
            of.close()
    (said,) = [line for line in map(json.loads, log.getvalue().splitlines()) if line["event"] == "status_refused"]
    assert "field type conflict" in said["reason"]


def test_what_is_not_taken_for_want_of_room_counts_as_unacknowledged(tmp_path: Path) -> None:
    source = MemorySource()
    with closing(Journal(tmp_path / "journal.sqlite")) as journal:
        of = service(source, journal, MemoryStore(), options=Options(wait_s=0, min_free_bytes=2**60))
        feed(source, "leg", TAPE)
        of.step()
        assert of.standing().unacked == len(TAPE) == 6
        of.close()
    with closing(Journal(tmp_path / "other.sqlite")) as journal:
        of = service(source, journal, MemoryStore(), options=Options(wait_s=0))
        while of.step():
            pass
        assert of.standing().unacked == 0
        of.close()


def test_a_reason_that_is_no_text(tmp_path: Path) -> None:
    """The name of a folder may be any bytes, and is in the sentence that says why nothing is taken."""
    folder = tmp_path / os.fsdecode(b"\xff")
    folder.mkdir()
    log, now_s = io.StringIO(), [0.0]
    with (
        closing(Journal(folder / "journal.sqlite")) as journal,
        closing(SqliteStore(tmp_path / "store.sqlite")) as store,
    ):
        source, options = MemorySource(), Options(wait_s=0, min_free_bytes=2**60)
        of = service(source, journal, store, options=options, log=json_log(log), monotonic=lambda: now_s[0])
        for _ in range(5):
            now_s[0] += 2 * BEAT_S
            of.step()
        reason = of.standing().reason
        assert "CHARLEY_MIN_FREE_MB" in reason
        with pytest.raises(StoreRefused):
            store.write([ServiceStatus(name="ingest", started_ns=0, beat_ns=0, version="", reason=reason)])
        of.close()
    assert log.getvalue().count("status_refused") == 1


class Unreadable(Outbox):
    """Of a journal on a disk that fails for a moment."""

    def records(self, limit: int) -> list[tuple[int, Record]]:
        raise JournalFull(f"no {limit} records can be read now")


def test_a_journal_that_cannot_be_read_for_a_moment_ends_nothing(tmp_path: Path) -> None:
    log = io.StringIO()
    with closing(Journal(tmp_path / "journal.sqlite")) as journal, closing(Unreadable.beside(journal.path)) as outbox:
        delivery = RecordDelivery(outbox, MemoryStore(), Metrics(), json_log(log))
        assert delivery.step() == 0
    assert "delivery_not_noted" in log.getvalue()


class Away(MemoryStore):
    """Answers from a moment on."""

    back = False

    def write(self, records: Sequence[Record]) -> None:
        if not self.back:
            raise StoreUnavailable("being repaired")
        super().write(records)


def test_for_how_long_the_oldest_record_waits_is_known_however_the_store_went_away(tmp_path: Path) -> None:
    now_s, store, metrics = [1000.0], Away(), Metrics()
    times: dict[str, Callable[[], Any]] = {
        "monotonic": lambda: now_s[0], "wall_ns": lambda: T0_NS + int(now_s[0] * SECOND_NS),
    }  # fmt: skip
    made_ns = []
    for _ in range(2):  # the second time the ingester was started anew
        with closing(Journal(tmp_path / "journal.sqlite")) as journal:
            of = service(MemorySource(), journal, store, options=Options(wait_s=0), metrics=metrics, **times)
            of.delivery.step()  # nothing waits; that the service is there cannot be said
            assert made_ns or not of.standing().oldest_outbox_ns
            made_ns.append(times["wall_ns"]())
            journal.commit(Entry(records=[an_epoch(start_ns=made_ns[-1])], now_ns=made_ns[-1]))
            now_s[0] += 0.1  # too soon to try again
            of.delivery.step()
            assert of.standing().oldest_outbox_ns == made_ns[0]
            now_s[0] += 99.9
            of.close()
    assert metrics.registry.get_sample_value("charley_delivery_age_seconds") == pytest.approx(200, abs=1e-6)
    store.back = True
    with closing(Journal(tmp_path / "journal.sqlite")) as journal:
        of = service(MemorySource(), journal, store, options=Options(wait_s=0), **times)
        of.settle()
        assert not of.standing().oldest_outbox_ns
        of.close()
