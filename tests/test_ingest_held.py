"""A journal that another program holds for longer than anybody waits: nothing is taken, for the right reason."""

import io
import json
from contextlib import closing
from pathlib import Path

from ingest_feed import cut, feed, recording, service

from ingest.journal import Journal
from ingest.journal_schema import connect
from ingest.log import json_log
from ingest.service import Options
from ingest.source import MemorySource
from ingest.store.memory import MemoryStore


def test_nobody_is_asked_to_make_room_for_it(tmp_path: Path) -> None:
    source, log, now_s = MemorySource(), io.StringIO(), [0.0]
    with closing(Journal(tmp_path / "journal.sqlite")) as journal:
        of = service(
            source, journal, MemoryStore(), options=Options(wait_s=0), log=json_log(log), monotonic=lambda: now_s[0]
        )
        journal._connection.db.execute("PRAGMA busy_timeout = 0")  # not 20 s for each attempt
        with closing(connect(journal.path)) as other:
            other.execute("BEGIN IMMEDIATE")
            feed(source, "leg", cut(recording(10), [10]))
            of.ingester.step()
            assert source.outstanding == 1
            reason = of.standing().reason
            assert "another program holds it" in reason
            assert "make room" not in reason
            assert "broker and devices keep the blocks" in reason
            other.execute("ROLLBACK")
        now_s[0] += 2
        of.ingester.step()
        assert source.outstanding == 0
        assert of.standing().reason == ""
        of.close()
    assert [json.loads(line)["event"] for line in log.getvalue().splitlines()] == ["no_room", "room_again"]
