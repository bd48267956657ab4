"""The journal: whole batches or nothing, one process at a time, and a sentence when the disk is not as it should be."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from full_disk import files_of_at_most
from ingest_feed import T0_NS, block, recording

from ingest.devices import Device, View
from ingest.errors import JournalError, JournalFull
from ingest.intake import Stored
from ingest.journal import Entry, Journal
from ingest.journal_schema import open_reader
from ingest.marks import end_of
from ingest.order import HORIZON, Arrival, Gap, Order, arrive
from ingest.pipeline import Track
from ingest.quarantined import QUARANTINE_BYTES, QUARANTINE_TOPIC_ROWS, Quarantined
from ingest.raw import Raw
from ingest.source import Delivery
from ingest.store import DeviceStatus, Epoch
from ingest.wire import CONTENT_MSGPACK, encode

EMG = recording(2, bursts=())
EPOCH = Epoch(
    device="a", site="soleus", start_ns=T0_NS, received_s=10.0, worn_s=10.0, usable_s=10.0, rms_uv=float("nan"),
    rest_uv=1.0, median_hz=2.0, movement_g=0.0, angle_deg=3.0, flags=("hum", "rail"),
)  # fmt: skip


def stored(seq: int, disposition: str = "ready", *, device: str = "a", received_ns: int = 1) -> Stored:
    found = block(EMG, seq=seq)
    delivery = Delivery(f"charley/v1/{device}/blocks", encode(found), CONTENT_MSGPACK, 1, 1, False, received_ns)
    return Stored(device, found, disposition, delivery, (1, seq), end_of(found))


def device_state() -> Device:
    order, _ = arrive(Order(), Arrival(1, 0, T0_NS, T0_NS + 1), horizon=HORIZON)
    order, _ = arrive(order, Arrival(1, 5, T0_NS, T0_NS + 1), horizon=HORIZON)
    view = View(boot=1, online=True, firmware="1.2", sites=("soleus",), battery=0.5, spoke=True)
    return Device(order, view, Track((("emg", "soleus", 200.0, 1),), "1/x", T0_NS, (400,), b"\x00\xff"))


def test_everything_is_there_after_opening_again(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    state = device_state()
    gap = Gap(boot=1, first=1, last=4, cause="horizon", start_ns=1, end_ns=2)
    bad = Quarantined("x/y", b"\x00", None, "topic", "no topic of ours", 7)
    status = DeviceStatus(device="a", boot=1, online=True)
    journal = Journal(path)
    journal.commit(
        Entry(
            stored=[stored(0), stored(5, "held")],
            quarantined=[bad],
            devices={"a": state},
            gaps=[("a", gap)],
            records=[EPOCH, status],
            events=[("charley/v1/a/events", b"{}")],
        )
    )
    journal.close()
    journal = Journal(path)
    assert journal.devices() == {"a": state}
    assert journal.blocks("a") == [((1, 0), "ready"), ((1, 5), "held")]
    assert journal.raw.block("a", (1, 5)) == (block(EMG, seq=5), 1)
    assert journal.gaps("a") == [gap]
    assert journal.quarantined() == [bad]
    assert repr([record for _, record in journal.outbox.records(10)]) == repr([EPOCH, status])
    assert [(topic, body) for _, topic, body in journal.outbox.events(10)] == [("charley/v1/a/events", b"{}")]
    assert msgspec.structs.astuple(journal.depth()) == (2, 1, 2, 1)
    journal.close()


def test_a_block_is_kept_once_and_its_fate_is_updated(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.sqlite")
    journal.commit(Entry(stored=[stored(1, "held"), stored(2, "held")], devices={"a": Device()}))
    journal.commit(
        Entry(stored=[stored(1, "late")], released=[("a", (1, 1))], failed=[("a", (1, 2))], devices={"a": Device()})
    )
    assert journal.blocks("a") == [((1, 1), "ready"), ((1, 2), "failed")]
    journal.close()


def test_records_leave_in_order_and_what_was_refused_is_kept_aside(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.sqlite")
    journal.commit(Entry(records=[msgspec.structs.replace(EPOCH, start_ns=i) for i in range(5)]))
    first = journal.outbox.records(3)
    journal.outbox.records_delivered(first[-1][0], [Quarantined("store/epoch", b"{}", None, "store", "too old", 1)])
    assert [record.start_ns for _, record in journal.outbox.records(9) if isinstance(record, Epoch)] == [3, 4]
    assert [item.reason for item in journal.quarantined()] == ["store"]
    journal.close()


def test_events_leave_one_by_one_and_places_are_not_used_again(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.sqlite")
    journal.commit(Entry(events=[("t", b"0"), ("t", b"1")]))
    places = [place for place, _, _ in journal.outbox.events(9)]
    journal.outbox.events_delivered(places)
    journal.commit(Entry(events=[("t", b"2")]))
    assert journal.outbox.events(9)[0][0] not in places
    journal.close()


def test_a_batch_that_fails_leaves_nothing(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.sqlite")
    too_big = Quarantined("t", b"", None, "r", "s", 2**70)
    with pytest.raises(OverflowError):
        journal.commit(Entry(stored=[stored(0)], devices={"a": Device()}, quarantined=[too_big]))
    assert journal.devices() == {}
    journal.commit(Entry(stored=[stored(0)], devices={"a": Device()}))
    assert journal.blocks("a") == [((1, 0), "ready")]
    journal.close()


def test_blocks_leave_for_the_archive_oldest_first_but_not_those_that_wait(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.sqlite")
    waits = {1: "held", 2: "late", 3: "undated"}
    journal.commit(
        Entry(stored=[stored(i, waits.get(i, "ready"), received_ns=i) for i in range(6)], devices={"a": Device()})
    )
    raw = Raw.beside(journal.path)
    assert raw.stock(0, 9) == ("", [])
    name, stock = raw.stock(4, 2)
    assert (name, [item.block.seq for item in stock if item.block]) == ("a", [0, 4])
    raw.archived([item.place for item in stock])
    assert [seq for (_, seq), _ in journal.blocks("a")] == [1, 2, 3, 5]
    raw.close()
    journal.close()


def filled(path: Path, *, blocks: int = 4000, kept: int = 10) -> None:
    """A journal from which all but its last blocks have gone to the archive."""
    with closing(Journal(path)) as journal:
        journal.commit(Entry(stored=[stored(seq) for seq in range(blocks)], devices={"a": Device()}))
        _, stock = journal.raw.stock(2, blocks - kept)
        journal.raw.archived([item.place for item in stock])


def make_older(path: Path) -> None:
    """A journal that never gives room back to the disk, as older versions made it."""
    with closing(sqlite3.connect(path)) as db:
        for statement in ("PRAGMA journal_mode = DELETE", "PRAGMA auto_vacuum = NONE", "VACUUM"):
            db.execute(statement)


def test_what_went_to_the_archive_goes_back_to_the_disk(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    filled(path)
    before = path.stat().st_size
    spare = before // 4
    with closing(Journal(path, spare_bytes=spare)) as journal:
        for _ in range(5):
            journal.tidy()
    after = path.stat().st_size
    assert after < before / 2, "in a few turns"
    assert after >= spare, "some room is kept for what comes next"
    with closing(Journal(path)) as journal:
        assert [key[1] for key, _ in journal.blocks("a")] == list(range(3990, 4000))
        assert journal.raw.block("a", (1, 3999))[0] == block(EMG, seq=3999)


def test_a_journal_that_never_gave_room_back_does_so_from_now_on(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    filled(path)
    make_older(path)
    with closing(sqlite3.connect(path)) as db:
        rows = [("t", bytes(5000), "r", "s", 1)] * 1000
        db.executemany(
            "INSERT INTO quarantine (topic, payload, reason, sentence, received_ns) VALUES (?, ?, ?, ?, ?)", rows
        )
        db.execute("DELETE FROM quarantine")
        db.commit()
    before = path.stat().st_size
    with closing(Journal(path, spare_bytes=0)) as journal:
        assert journal._db.execute("PRAGMA auto_vacuum").fetchone() == (2,)
        assert [key[1] for key, _ in journal.blocks("a")] == list(range(3990, 4000))
    assert path.stat().st_size < before / 2


def test_an_older_journal_is_opened_though_there_is_no_room_to_write_it_anew(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    filled(path, blocks=1000)
    make_older(path)
    with files_of_at_most(path.stat().st_size // 2), closing(Journal(path)) as journal:
        assert len(journal.blocks("a")) == 10
        assert journal._db.execute("PRAGMA auto_vacuum").fetchone() == (0,)
        assert path.with_name("journal.sqlite-wal").stat().st_size == 0, "nothing is left of the attempt"
    with closing(Journal(path)) as journal:
        assert journal._db.execute("PRAGMA auto_vacuum").fetchone() == (2,)
        assert len(journal.blocks("a")) == 10


def test_on_a_full_disk_less_room_is_given_back_and_nothing_ends(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    filled(path, kept=2000)
    with closing(Journal(path, spare_bytes=0)) as journal:
        journal._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

        def empty() -> int:
            return int(journal._db.execute("PRAGMA freelist_count").fetchone()[0])

        before = empty()
        with files_of_at_most(1 << 14):
            journal.tidy()
            assert empty() == before, "not even for the log of a few pages"
        with files_of_at_most(1 << 20):
            journal.tidy()
            some = empty()
        assert 0 < some < before
        journal.tidy()
        assert empty() == 0


def test_one_topic_does_not_push_out_what_others_are_to_be_shown_for(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.sqlite")
    journal.commit(Entry(quarantined=[Quarantined("quiet", b"", None, "size", "too large", 1)]))
    noise = [Quarantined("noisy", b"", None, "size", "too large", i) for i in range(QUARANTINE_TOPIC_ROWS + 10)]
    journal.commit(Entry(quarantined=noise))
    kept = journal.quarantined(10**6)
    assert [q.topic for q in kept].count("quiet") == 1
    assert [q.received_ns for q in kept if q.topic == "noisy"] == list(range(QUARANTINE_TOPIC_ROWS + 9, 9, -1))
    journal.close()


def test_a_huge_message_is_not_kept_whole(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.sqlite")
    journal.commit(Entry(quarantined=[Quarantined("t", bytes(QUARANTINE_BYTES + 1), None, "size", "too large", 1)]))
    assert len(journal.quarantined()[0].payload) == QUARANTINE_BYTES
    journal.close()


def test_a_second_process_is_refused_with_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    code = "import sys; from pathlib import Path; from ingest.journal import Journal; Journal(Path(sys.argv[1]))"
    root = Path(__file__).parent.parent
    with pytest.raises(JournalError, match="held by another process"):
        open_twice(path)
    journal = Journal(path)
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "held by another process" in done.stderr
    journal.close()
    subprocess.run([sys.executable, "-W", "ignore", "-c", code, str(path)], cwd=root, check=True)


def open_twice(path: Path) -> None:
    first = Journal(path)
    try:
        Journal(path).close()
    finally:
        first.close()


def test_a_device_whose_state_is_damaged_is_one_without_a_state(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    journal = Journal(path)
    journal.commit(Entry(devices={"a": device_state(), "b": device_state()}))
    journal.close()
    db = sqlite3.connect(path)
    db.execute("UPDATE device SET state = x'00' WHERE name = 'a'")
    db.commit()
    db.close()
    journal = Journal(path)
    assert (journal.devices(), journal.lost()) == ({"b": device_state()}, ["a"])
    journal.close()


def test_a_place_where_nothing_can_be_written_is_refused_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="cannot be opened: No such file or directory"):
        Journal(tmp_path / "missing" / "journal.sqlite")
    with pytest.raises(JournalError, match=r"cannot be opened: (Is a directory|Not a directory|Permission denied)"):
        Journal(tmp_path)


def test_a_reader_of_what_cannot_be_opened_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="cannot be read"):
        open_reader(tmp_path)  # as of another user's, which root could read


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    Journal(path).close()
    db = sqlite3.connect(path)
    db.execute("UPDATE schema_version SET version = 99")
    db.commit()
    db.close()
    with pytest.raises(JournalError, match="schema version 99, this program knows up to 2"):
        Journal(path)


def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    Journal(path).close()
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_full_disk_is_an_error_and_nothing_is_half_written(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.sqlite")
    journal.commit(Entry(stored=[stored(0)], devices={"a": Device()}))
    journal._db.execute("PRAGMA max_page_count = 1")  # sqlite's own way to fill a disk
    with pytest.raises(JournalFull, match="cannot be written: database or disk is full"):
        journal.commit(Entry(stored=[stored(i) for i in range(1, 50)], devices={"a": Device()}))
    assert [seq for (_, seq), _ in journal.blocks("a")] == [0]
    journal.close()
