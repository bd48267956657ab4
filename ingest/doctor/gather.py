"""Everything that the doctor looks at, in an order in which one area's facts serve the next."""

import datetime as dt
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Final

from ingest.doctor.broker import check_broker
from ingest.doctor.broker_look import look_at_broker
from ingest.doctor.check import Check, fail, in_words, ok, skipped
from ingest.doctor.contradictions import check_settings
from ingest.doctor.devices import check_devices, check_ingester, look_at_parts, oldest_waiting_s
from ingest.doctor.files import FolderFacts, check_folder, look_at_folder
from ingest.doctor.holding import is_held
from ingest.doctor.influxdb import check_influxdb
from ingest.doctor.influxdb_look import look_at_influxdb
from ingest.doctor.journal import JournalFacts, check_journal, look_at_journal
from ingest.doctor.machine import check_machine, look_at_machine
from ingest.doctor.mosquitto_conf import check_conf, read_conf
from ingest.doctor.registry import check_server
from ingest.doctor.sqlite_file import FileFacts, check_file, look_at_file
from ingest.errors import StoreError
from ingest.journal_schema import VERSION as JOURNAL_SCHEMA
from ingest.keeping import RegistryTools
from ingest.mqtt import mqtt_settings
from ingest.room import MIB
from ingest.settings import Settings
from ingest.store import DeviceStatus, ServiceStatus, Store
from ingest.store.sqlite_schema import APPLICATION_ID
from ingest.store.sqlite_schema import SCHEMA_VERSION as STORE_SCHEMA

USER_VERSION: Final = "PRAGMA user_version"
STILL_NS: Final = 120 * 10**9  # without a beat: it has ended
_MOUNTS: Final = Path("/proc/self/mountinfo")


@dataclass(slots=True)
class Seen:
    """What has been seen so far; `checks` grows with every area."""

    settings: Settings
    now_ns: int
    checks: list[Check] = field(default_factory=list)
    ever_ran: bool = False  # whether an ingester has run with this data folder
    journal: JournalFacts | None = None  # None also for one that is damaged
    folder: FolderFacts | None = None
    running: bool | None = None
    services: Sequence[ServiceStatus] = ()
    statuses: Sequence[DeviceStatus] = ()
    server_offset_s: float | None = None


Step = Callable[[Seen], None]


def steps(
    *, open_store: Callable[[Settings], Store], tools: RegistryTools, broker_load: bool, mosquitto_conf: Path | None
) -> Iterator[tuple[str, Step]]:
    """The areas, each with its name for a progress bar."""
    given = read_conf(mosquitto_conf) if mosquitto_conf else None
    for name, step in _areas(open_store, tools, broker_load=broker_load, conf=given):
        yield name, partial(_guarded, name=name, step=step)


def _areas(
    open_store: Callable[[Settings], Store], tools: RegistryTools, *, broker_load: bool, conf: dict[str, str] | None
) -> Iterator[tuple[str, Step]]:
    yield "settings", lambda seen: seen.checks.extend(check_settings(seen.settings))
    yield "journal", _journal
    yield "data folder", _folder
    yield "registry", lambda seen: _registry(seen, tools)
    yield "store", lambda seen: _store(seen, open_store)
    yield "ingester", _ingester
    yield "broker", lambda seen: _broker(seen, load=broker_load)
    yield "broker's configuration", lambda seen: seen.checks.extend(check_conf(conf))
    yield "machine", _machine


def _guarded(seen: Seen, *, name: str, step: Step) -> None:
    """Look at one area; what cannot be read there ends that area and no other."""
    try:
        step(seen)
    except (sqlite3.Error, OSError, ValueError, TypeError) as error:  # the last two: values that nobody wrote
        told = f"the {name} could not be looked at to the end: {type(error).__name__}: {error}"
        mend = (
            "run the doctor as the user of the service; if it is that user, see the system's log: disk or file is bad"
        )
        seen.checks.append(fail("doctor.looked", told, mend))


def _journal(seen: Seen) -> None:
    path = seen.settings.data_dir / "journal.sqlite"
    seen.running = is_held(path.with_suffix(".lock"))
    facts = look_at_file(path, version="SELECT version FROM schema_version", known=JOURNAL_SCHEMA)
    if not facts.exists:
        seen.checks.append(skipped("journal.whole", "no ingester has run with this data folder yet"))
        return
    seen.ever_ran = True
    if not facts.unreadable and facts.version == JOURNAL_SCHEMA:
        try:
            seen.journal = look_at_journal(path)
        except (sqlite3.Error, OSError) as error:
            facts = replace(facts, unreadable="" if facts.damage else str(error))
    seen.checks += check_file("journal", facts)
    if seen.journal is None:
        seen.checks.append(skipped("journal.outbox", "what it holds cannot be counted", "see the checks above"))


def _folder(seen: Seen) -> None:
    mounts = _MOUNTS.read_text() if _MOUNTS.exists() else None
    seen.folder = look_at_folder(
        seen.settings.data_dir, now_s=seen.now_ns / 1e9, mounts=mounts, least=seen.settings.min_free_mb * MIB
    )
    seen.checks += check_folder(seen.folder)


def _registry(seen: Seen, tools: RegistryTools) -> None:
    registry, url = seen.settings.data_dir / "registry.sqlite", seen.settings.registry_url
    if url is not None and url.get_secret_value().startswith("postgres"):
        seen.checks.append(check_server(url.get_secret_value(), tools))
    elif url is None and registry.exists():
        facts = look_at_file(registry, version="SELECT version_num FROM alembic_version", known=None)
        seen.checks += check_file("registry", facts)


def _store(seen: Seen, open_store: Callable[[Settings], Store]) -> None:
    settings = seen.settings
    if settings.store == "influxdb":
        token = settings.influxdb_token.get_secret_value() if settings.influxdb_token else ""
        influxdb, seen.server_offset_s = look_at_influxdb(
            settings.influxdb_url or "", token=token, org=settings.influxdb_org, bucket=settings.influxdb_bucket,
            oldest_ns=_oldest_ns(seen),
        )  # fmt: skip
        seen.checks += check_influxdb(influxdb)
        readable = influxdb.read == ""
    else:
        path = settings.data_dir / "store.sqlite"
        facts = look_at_file(path, version=USER_VERSION, known=STORE_SCHEMA, mark=APPLICATION_ID)
        readable = _checked_store(seen, facts)
    if readable:
        _records(seen, open_store)


def _checked_store(seen: Seen, facts: FileFacts) -> bool:
    """Whether the store can be opened without changing it."""
    if not facts.exists:
        seen.checks.append(skipped("store.whole", "there are no results yet"))
        return False
    seen.checks += check_file("store", facts)
    return not facts.unreadable and not facts.foreign and facts.version == STORE_SCHEMA


def _records(seen: Seen, open_store: Callable[[Settings], Store]) -> None:
    try:
        store = open_store(seen.settings)
        try:
            seen.services = store.services()
            seen.statuses = store.statuses(store.devices())
        finally:
            store.close()
    except StoreError as error:
        mend = "see the other checks of the store; results wait in the journal until it answers"
        seen.checks.append(fail("store.records", str(error), mend))
        return
    seen.checks.append(ok("store.records", f"{len(seen.statuses)} devices known"))


def _ingester(seen: Seen) -> None:
    seen.checks.append(check_ingester(seen.services, running=seen.running, now_ns=seen.now_ns))
    if seen.journal is not None:
        waiting_s = oldest_waiting_s(seen.services, now_ns=seen.now_ns)
        seen.checks += check_journal(seen.journal, oldest_waiting_s=waiting_s)
    damaged = look_at_parts(seen.settings.data_dir, seen.statuses)
    seen.checks += check_devices(seen.statuses, now_ns=seen.now_ns, damaged=damaged)


def _broker(seen: Seen, *, load: bool) -> None:
    why = _why_leave_alone(seen)
    mqtt = mqtt_settings(seen.settings)
    facts = look_at_broker(mqtt, load=load, own_session=why, ever_ran=seen.ever_ran)
    seen.checks += check_broker(facts)


def _why_leave_alone(seen: Seen) -> str:
    """Why the ingester's session must not be asked for: to ask is to take it over from one that runs anywhere."""
    if not seen.ever_ran:
        return "no ingester has run with this data folder yet"
    beats = [service.beat_ns for service in seen.services if service.name == "ingest"]
    if not beats:
        return "whether an ingester uses it cannot be seen: the store has not heard from one"
    if seen.running:
        return "an ingester is using it"
    # A lock may be held in another container, where it is not seen; so the beat has to be old as well.
    age_ns = max(seen.now_ns - beats[0], 0)
    return f"an ingester may be using it: one was heard {in_words(age_ns / 1e9)} ago" if age_ns < STILL_NS else ""


def _machine(seen: Seen) -> None:
    seen.checks += check_machine(look_at_machine(server_offset_s=seen.server_offset_s))


def _oldest_ns(seen: Seen) -> int | None:
    """The oldest raw data that we hold."""
    found = []
    if seen.journal is not None and seen.journal.oldest_ns is not None:
        found.append(seen.journal.oldest_ns)
    if seen.folder is not None and seen.folder.oldest_day is not None:
        day = dt.datetime.fromisoformat(seen.folder.oldest_day).replace(tzinfo=dt.UTC)
        found.append(int(day.timestamp()) * 10**9)
    return min(found, default=None)
