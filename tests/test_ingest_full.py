"""A full disk while records are delivered: they wait, and go again once there is room."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from ingest.deliver import RecordDelivery
from ingest.errors import StoreRefused
from ingest.journal import Entry, Journal
from ingest.log import quiet
from ingest.metrics import Metrics
from ingest.outbox import Outbox
from ingest.store import DeviceStatus, Record
from ingest.store.memory import MemoryStore


class Refusing(MemoryStore):
    """Refuses everything, so that something has to be written to the journal."""

    def write(self, records: Sequence[Record]) -> None:  # noqa: ARG002 - the interface's name
        raise StoreRefused("never")


def test_delivery_waits_while_the_journal_has_no_room(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    now_s = 0.0
    with closing(Journal(path)) as journal, closing(Outbox.beside(path)) as outbox:
        # As evidence, in JSON, it takes more room than it took while it waited.
        journal.commit(Entry(records=[DeviceStatus(device="leg", boot=1, online=True, firmware="\1" * 20_000)]))
        delivery = RecordDelivery(outbox, Refusing(), Metrics(), quiet(), monotonic=lambda: now_s)
        outbox._connection.db.execute("PRAGMA max_page_count = 1")  # sqlite's own way to fill a disk
        assert delivery.step() == 0
        assert outbox.waiting()[0] == 1
        outbox._connection.db.execute("PRAGMA max_page_count = 1000000")
        assert delivery.step() == 0  # not at once
        now_s = 1.0
        assert delivery.step() == 1
        assert outbox.waiting()[0] == 0
        assert journal.quarantined()[0].reason == "store"
