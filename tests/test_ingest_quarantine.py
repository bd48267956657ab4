"""`charley quarantine`: what it lists, shows, sends on its way again and drops, beside a writer; and its bounds."""

import io
import json
import math
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
import servers
from ingest_feed import block, recording
from rich.console import Console
from store_records import an_episode, an_epoch
from wire_examples import a_block, a_signal

from ingest.errors import JournalError, StoreRefused
from ingest.intake import Quarantined
from ingest.journal import Entry, Journal
from ingest.mqtt import MqttSettings, MqttSource
from ingest.mqtt_replay import ReplayError
from ingest.quarantine.command import Action, QuarantineError, run_quarantine, since_ns
from ingest.quarantine.replaying import OF_DEVICE
from ingest.quarantine.shelf import Choice, Shelf
from ingest.quarantined import QUARANTINE_BYTES, QUARANTINE_TOPIC_ROWS, QUARANTINE_TOTAL_BYTES
from ingest.settings import Settings
from ingest.store import Episode, Record
from ingest.store.memory import MemoryStore
from ingest.store.sqlite import SqliteStore
from ingest.wire import CONTENT_JSON, CONTENT_MSGPACK, encode, topic

HOUR_NS = 3_600_000_000_000
NOW_NS = 1_790_000_000_000_000_000
SLOW = msgspec.msgpack.encode(a_block(a_signal(fs_hz=100.0)))
WHOLE = encode(block(recording(1)))


def _aside(
    name: str = "leg-7/blocks",
    payload: bytes = SLOW,
    *,
    reason: str = "rate",
    hours_ago: int = 0,
    root: str = "charley/v1/",
) -> Quarantined:
    sentence = f"why not: {reason} [bold]"
    return Quarantined(root + name, payload, CONTENT_MSGPACK, reason, sentence, NOW_NS - hours_ago * HOUR_NS)


class Shop:
    """A data folder with things set aside, and the command on it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "journal.sqlite"
        self.settings = Settings(data_dir=folder)
        self.text = ""

    def store(self) -> SqliteStore:
        return SqliteStore(self.path.with_name("store.sqlite"))

    def episodes(self, device: str) -> list[Episode]:
        with closing(self.store()) as store:
            return store.episodes([device], start_ns=0, end_ns=2**62)

    def put(self, *items: Quarantined) -> None:
        with closing(Journal(self.path)) as journal:
            journal.commit(Entry(quarantined=items))

    def run(self, action: Action, *ids: int, **options: Any) -> int:
        pages = io.StringIO(), io.StringIO()
        out, err = (Console(file=page, width=160, force_terminal=False) for page in pages)
        code = run_quarantine(
            self.settings, action, ids, **{"open_store": lambda _: self.store(), **options}, out=out, err=err
        )
        self.text = pages[0].getvalue() + pages[1].getvalue()
        return code

    def ids(self) -> list[int]:
        return [item.id for item in Shelf(self.path).items(Choice())]


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


Json = Callable[[], Any]


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Json:
    """What was printed as JSON since the last question."""
    return lambda: json.loads(capsys.readouterr().out)


def test_list_names_all_with_counts_by_reason_first(shop: Shop) -> None:
    shop.put(
        _aside(), _aside("leg-8/status", b"x", reason="encoding"), _aside("leg 9/blocks", reason="topic"), _aside()
    )
    assert shop.run("list") == 0
    lines = shop.text.splitlines()
    assert lines[0] == "rate 2, encoding 1, topic 1"
    assert [word for word in ("leg-7", "leg-8", "leg 9", "[bold]") if word not in shop.text] == []
    assert "2026-09-21 14:13:20" in shop.text


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        ({}, [1, 2, 3, 4]),
        ({"device": "leg-7"}, [1, 4]),
        ({"device": "leg_7"}, []),
        ({"reason": "encoding"}, [2, 4]),
        ({"since": "2026-09-21T12:00"}, [1, 4]),
        ({"since": "2026-09-21T14:00+02:00", "device": "leg-7", "reason": "rate"}, [1]),
    ],
)
def test_list_keeps_to_what_was_asked_for(shop: Shop, printed: Json, options: dict[str, str], ids: list[int]) -> None:
    shop.put(
        _aside(),
        _aside("leg-8/status", reason="encoding", hours_ago=5),
        _aside("leg 7/blocks", reason="topic", hours_ago=50),
        _aside("leg-7/status", reason="encoding"),
    )
    assert shop.run("list", as_json=True, **options) == 0
    told = printed()
    assert [item["id"] for item in told["items"]] == ids
    assert sum(told["reasons"].values()) == len(ids)


def test_list_says_why_it_is_empty_and_which_reasons_there_are(shop: Shop) -> None:
    shop.put(_aside(), _aside(), _aside(reason="encoding"))
    assert shop.run("list", reason="[bold]nonsense") == 0
    assert (
        "Nothing is set aside for the reason '[bold]nonsense'. There are 3 set aside: rate 2, encoding 1." in shop.text
    )
    assert shop.run("list", reason="rate", device="leg-8") == 0
    assert "Nothing of what is set aside is what was asked for. There are 3 set aside: rate 2, encoding 1." in shop.text


def test_show_does_not_propose_to_replay_what_was_cut(shop: Shop) -> None:
    shop.put(_aside(payload=WHOLE + bytes(QUARANTINE_BYTES), reason="size"))
    assert shop.run("show", 1) == 0
    assert "Only its first 262,144 bytes were kept: it can never be replayed" in shop.text
    for absent in ("replay 1", "refused again"):
        assert absent not in shop.text


def test_a_block_that_this_machine_lost_is_not_put_down_to_its_sender(shop: Shop) -> None:
    shop.put(_aside(payload=SLOW[:50], reason="unreadable"))
    assert shop.run("show", 1) == 0
    assert "Not the sender but this machine is at fault" in shop.text
    assert "charley doctor" in shop.text
    for absent in ("Mend the sender", "replay 1"):
        assert absent not in shop.text


def test_a_device_that_began_again_too_often_is_not_to_be_replayed(shop: Shop) -> None:
    shop.put(_aside(payload=SLOW[:50], reason="counter"))
    assert shop.run("show", 1) == 0
    assert "send the block under its new id" in shop.text
    for absent in ("Mend the sender", "replay 1"):
        assert absent not in shop.text


def test_since_is_so_long_ago_or_a_date() -> None:
    assert since_ns("90m", now_ns=NOW_NS) == NOW_NS - 90 * 60 * 10**9
    assert since_ns("2d", now_ns=NOW_NS) == NOW_NS - 48 * HOUR_NS
    assert since_ns("1970-01-02", now_ns=0) == 24 * HOUR_NS
    assert since_ns("", now_ns=NOW_NS) == 0
    with pytest.raises(QuarantineError, match="'yesterday' is no time"):
        since_ns("yesterday", now_ns=0)


def test_show_decodes_what_can_be_decoded(shop: Shop) -> None:
    shop.put(_aside())
    assert shop.run("show", 1) == 0
    for part in ('"fs_hz": 100.0', '"samples": "2000 bytes: 0100', "today  refused again: rate", "replay 1", "[bold]"):
        assert part in shop.text


@pytest.mark.parametrize("payload", [b"\xc1\x00charley\xff" * 90, b"", b"x", b"{not json", b"\x91" * 3000])
def test_show_dumps_what_cannot(shop: Shop, printed: Json, payload: bytes) -> None:
    shop.put(_aside(payload=payload, reason="encoding"))
    assert shop.run("show", 1) == 0
    if len(payload) > 512:
        assert f"... {len(payload) - 512} bytes more" in shop.text
    for at in range(0, min(len(payload), 512), 16):
        assert payload[at : at + 16].hex(" ") in shop.text
    assert shop.run("show", 1, as_json=True) == 0
    assert printed()[0]["decoded"] is None


def test_what_cannot_be_meant_is_refused(shop: Shop, tmp_path: Path) -> None:
    shop.put(_aside())
    assert shop.run("show", 1, 7) == 1
    assert "not there (or not among those chosen): 7" in shop.text
    for action in ("show", "replay", "drop"):
        with pytest.raises(QuarantineError, match="name what to"):
            shop.run(action)
    assert shop.ids() == [1]
    with pytest.raises(JournalError, match="has an ingester run"):
        Shop(tmp_path / "elsewhere").run("list")


def test_drop_removes_what_was_asked_for(shop: Shop) -> None:
    shop.put(*[_aside()] * 3, _aside("leg-8/blocks"), _aside(reason="empty"))
    assert shop.run("drop", 2, 9) == 1
    assert "1 dropped" in shop.text
    assert shop.run("drop", device="leg-8") == 0
    assert shop.ids() == [1, 3, 5]
    assert shop.run("drop", reason="rate") == 0
    assert shop.ids() == [5]
    assert shop.run("drop", everything=True) == 0
    assert shop.ids() == []
    assert shop.run("list") == 0
    assert "Nothing is set aside" in shop.text


def test_it_works_beside_a_process_that_writes(shop: Shop) -> None:
    shop.put(*[_aside()] * 3)
    with closing(Journal(shop.path)) as journal, closing(sqlite3.connect(shop.path, isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        db.execute("DELETE FROM quarantine WHERE id = 1")
        assert shop.ids() == [1, 2, 3], "what is not committed is not seen"
        db.execute("COMMIT")
        assert shop.run("drop", 2) == 0
        journal.commit(Entry(quarantined=[_aside()]))
        assert shop.ids() == [3, 4]


def test_a_record_that_the_store_refused_goes_back_unless_a_later_one_has_its_place(shop: Shop) -> None:
    episode, epoch = an_episode(revision=2), an_epoch(rms_uv=math.nan)
    records: list[Record] = [episode, epoch]
    shop.put(*(_record(record) for record in records))
    assert shop.run("replay", everything=True) == 0
    assert shop.ids() == []
    assert shop.episodes(episode.device) == [episode]
    with closing(shop.store()) as store:
        (found,) = store.epochs(epoch.device, start_ns=0, end_ns=2**62)
        assert math.isnan(found.rms_uv)
        store.write([msgspec.structs.replace(episode, revision=3, status="withdrawn")])
    shop.put(*(_record(record) for record in records), _aside("devicestatus", b"{}", reason="store", root="store/"))
    assert shop.run("replay", reason="store") == 1
    assert len(shop.ids()) == 3, "they stay to be looked at"
    assert shop.text.count("later one") == 3
    assert shop.episodes(episode.device) == []


class Refusing(MemoryStore):
    """A store that has not been mended."""

    def write(self, records: Sequence[Record]) -> None:
        raise StoreRefused(f"field type conflict in {len(records)} record")


def test_a_record_that_is_still_refused_stays(shop: Shop) -> None:
    shop.put(_record(an_epoch()), _aside("epoch", b"[]", reason="store", root="store/"))
    assert shop.run("replay", everything=True, open_store=lambda _: Refusing()) == 1
    assert "1: field type conflict in 1 record" in shop.text
    assert shop.ids() == [1, 2]


def _record(record: Record) -> Quarantined:
    name = type(record).__name__.lower()
    return Quarantined(f"store/{name}", msgspec.json.encode(record), CONTENT_JSON, "store", "no", NOW_NS)


@pytest.fixture
def ingester(mosquitto: servers.Mosquitto, shop: Shop, request: pytest.FixtureRequest) -> Iterator[MqttSource]:
    """The session of an ingester at a real broker, and settings that name it."""
    name = request.node.name[-20:]
    shop.settings = Settings(data_dir=shop.path.parent, broker_port=mosquitto.port, client_id=name)
    with closing(MqttSource(MqttSettings(port=mosquitto.port, client_id=name))) as source:
        servers.wait_for(lambda: source.subscribed)
        yield source


def test_replay_sends_what_is_valid_now_and_drops_it(shop: Shop, ingester: MqttSource) -> None:
    shop.put(
        _aside(payload=WHOLE),
        _aside(),
        _aside(payload=b"\x00" * (QUARANTINE_BYTES + 1), reason="encoding"),
        _aside("leg 7/blocks", WHOLE, reason="topic"),
        _aside(payload=b"", reason="detector"),
    )
    assert shop.run("replay", everything=True) == 1
    assert shop.ids() == [2, 3, 4, 5]
    for part in (
        "2: it would be refused again: rate",
        "3: only its first 262,144",
        "4: it would",
        "5: a note",
        "1 replayed",
    ):
        assert part in shop.text
    (delivery,) = ingester.take(10, 10)
    assert (delivery.topic, delivery.payload) == (topic("leg-7", "blocks"), WHOLE)
    assert (delivery.content_type, delivery.retained) == (CONTENT_MSGPACK, False)
    ingester.acknowledge([delivery])
    assert ingester.connected, "the replay has a session of its own"


def test_replay_sends_no_more_of_a_device_than_may_be_refused(shop: Shop, ingester: MqttSource) -> None:
    shop.put(*[_aside(payload=WHOLE)] * (OF_DEVICE + 5), _aside("leg-8/blocks", WHOLE))
    assert shop.run("replay", reason="rate") == 1
    assert len(shop.ids()) == 5
    assert "the others in a minute" in shop.text
    servers.wait_for(lambda: ingester.outstanding == OF_DEVICE + 1)
    assert shop.run("replay", everything=True) == 0


def test_what_nobody_would_get_stays(shop: Shop, ingester: MqttSource, mosquitto: servers.Mosquitto) -> None:
    shop.put(_aside(payload=WHOLE))
    assert ingester.subscribed
    mosquitto.stop()
    with pytest.raises(ReplayError, match="cannot be reached"):
        shop.run("replay", 1)
    assert shop.ids() == [1]
    mosquitto.start()
    folder = shop.path.parent / "fresh"
    folder.mkdir()
    with servers.Mosquitto(folder) as fresh:
        shop.settings = Settings(data_dir=shop.path.parent, broker_port=fresh.port)
        assert shop.run("replay", 1) == 1
    assert "nobody has subscribed" in shop.text
    assert shop.ids() == [1]


def test_what_is_kept_is_bounded_for_each_topic_and_in_bytes(shop: Shop) -> None:
    shop.put(*[_aside(f"quiet-{number}/blocks", b"") for number in range(20)], *[_aside("noisy/blocks", b"")] * 1000)
    with closing(sqlite3.connect(shop.path, isolation_level=None)) as db:
        noisy = "SELECT count(*), max(id) FROM quarantine WHERE topic LIKE '%noisy%'"
        assert db.execute(noisy).fetchone() == (QUARANTINE_TOPIC_ROWS, 1020)
        assert db.execute("SELECT count(*) FROM quarantine").fetchone() == (QUARANTINE_TOPIC_ROWS + 20,)
    with closing(Journal(shop.path)) as journal:
        room = QUARANTINE_TOTAL_BYTES // QUARANTINE_BYTES
        large = bytes(QUARANTINE_BYTES)
        for part in range(room // 64 + 1):
            journal.commit(Entry(quarantined=[_aside(f"large-{part}-{number}/blocks", large) for number in range(64)]))
        journal.tidy()
        assert journal.depth().quarantined == room
