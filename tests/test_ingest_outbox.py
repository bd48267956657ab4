"""How much waits for the store is known without counting it: after a week without one it is millions."""

from contextlib import closing
from pathlib import Path

from ingest.journal import Entry, Journal
from ingest.outbox import Outbox
from ingest.store import DeviceStatus

STATUS = DeviceStatus(device="leg", boot=1, online=True)


def test_what_waits_is_not_counted(tmp_path: Path) -> None:
    with closing(Journal(tmp_path / "journal.sqlite")) as journal, closing(Outbox.beside(journal.path)) as outbox:
        assert outbox.waiting() == (0, 0)
        for _ in range(20):
            journal.commit(Entry(records=[STATUS] * 1000, events=[("charley/v1/leg/events", b"{}")]))
        asked: list[str] = []
        db = outbox._connection.db
        db.set_trace_callback(asked.append)
        assert outbox.waiting() == (20_000, 20)
        db.set_trace_callback(None)
        plans = [str(row[3]) for question in asked for row in db.execute(f"EXPLAIN QUERY PLAN {question}")]
        assert not [plan for plan in plans if plan.startswith("SCAN outbox")]
        outbox.records_delivered(outbox.records(500)[-1][0])
        assert outbox.waiting()[0] == 19_500
        outbox.records_delivered(outbox.records(-1)[-1][0])
        assert outbox.waiting()[0] == 0
        journal.commit(Entry(records=[STATUS]))
        assert outbox.waiting()[0] == 1
