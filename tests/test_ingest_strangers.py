"""Devices of which every message was refused: told as such, and so many of them that made-up names do no harm."""

from contextlib import closing
from pathlib import Path

from ingest_feed import cut, drain, feed, recording, service

from ingest.intake import STRANGERS
from ingest.journal import Journal
from ingest.service import Options
from ingest.source import MemorySource
from ingest.store.memory import MemoryStore
from ingest.wire import topic

OPTIONS = Options(wait_s=0, status_s=0)


def test_they_are_remembered_and_a_thousand_at_most(tmp_path: Path) -> None:
    source, store = MemorySource(), MemoryStore()
    names = [f"leg-{i}" for i in range(STRANGERS + 50)]
    with closing(Journal(tmp_path / "journal.sqlite")) as journal:
        of = service(source, journal, store, options=OPTIONS)
        for name in names:
            source.feed(topic(name, "blocks"), b"rubbish")
            source.feed(topic(name, "blocks"), b"rubbish again")
        source.feed("charley/v1/no device of ours/blocks", b"rubbish")
        drain(of)
        of.close()
        assert source.outstanding == 0
        first, last = store.statuses([names[0], names[-1]])[0], store.statuses([names[-1]])
        assert (first.refused_blocks, first.refused_reason, first.last_received_ns) == (2, "schema", 0)
        assert first.refused_ns > 0
        assert last == [], "who was there first is remembered"
    with closing(Journal(tmp_path / "journal.sqlite")) as journal:
        of = service(source, journal, store, options=OPTIONS)
        assert len(of.ingester.devices) == STRANGERS
        feed(source, names[0], cut(recording(20), [10, 10]))
        drain(of)
        source.feed(topic(names[-1], "blocks"), b"rubbish")
        drain(of)
        of.close()
    (first,) = store.statuses([names[0]])
    assert (first.refused_blocks, first.missing_blocks) == (2, 0)
    assert first.last_received_ns > first.refused_ns
    (last_,) = store.statuses([names[-1]])
    assert last_.refused_blocks == 1, "one of which something was taken is no stranger, and leaves room"
