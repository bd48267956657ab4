"""What an InfluxDB may do to results, judged from what it answered."""

import re
from dataclasses import dataclass
from typing import Final, Literal

from ingest.doctor.check import Check, fail, in_words, ok, skipped, warn
from ingest.store.influx_errors import below_1_8

MEASUREMENT: Final = "charley_doctor"
LONG_ABSENCE_S: Final = 60 * 86_400.0  # a device may come back after this long, and brings old data
_INSTALL: Final = "install InfluxDB 1.8 or newer, 2 or 3: older ones have no /api/v2/write, unless a proxy adds it"
Kind = Literal["1", "2", "3", ""]


@dataclass(frozen=True, slots=True, kw_only=True)
class InfluxFacts:
    """What was seen of an InfluxDB. Sentences are empty where all went well, None where it was not tried."""

    url: str
    bucket: str
    unusable: str = ""  # why address or token cannot be right
    unreachable: str = ""
    version: str = ""
    now_ns: int = 0
    write: str | None = None  # a point of now
    write_old: str | None = None  # a point as old as the oldest data that we hold
    write_status: str | None = None  # a point at 2100, where states of devices are kept
    read: str | None = None  # the point of now, read back
    oldest_ns: int | None = None  # of the raw data and results that we hold
    retention_s: float | None = None  # 0 is for ever; None if it does not say
    file_limit: str = ""  # its refusal of a query over all that we hold

    @property
    def kind(self) -> Kind:
        """The branch: 1, 2 or 3, as far as it is known."""
        match = re.match(r"v?([123])\.", self.version)
        return match[1] if match else ""  # type: ignore[return-value]


def check_influxdb(facts: InfluxFacts) -> list[Check]:
    """Every check of an InfluxDB; after one that cannot be reached there is only that."""
    name = "influxdb.reachable"
    if facts.unusable:
        return [fail(name, facts.unusable, "correct CHARLEY_INFLUXDB_URL or CHARLEY_INFLUXDB_TOKEN")]
    if facts.unreachable:
        mend = "start InfluxDB, or correct CHARLEY_INFLUXDB_URL; until then results wait in the journal"
        return [fail(name, f"{facts.url}: {facts.unreachable}", mend)]
    found = [ok(name, f"{facts.url} answers"), _version(facts), _write(facts)]
    if facts.write == "":
        found += [_read(facts), _retention(facts), _status_point(facts)]
    return found + (_three(facts) if facts.kind == "3" else [])


def _version(facts: InfluxFacts) -> Check:
    name = "influxdb.version"
    match = re.match(r"v?(\d+)\.(\d+)", facts.version)
    if match is None:
        return skipped(name, f"it does not say which it is ({facts.version or 'no version'})")
    version = int(match[1]), int(match[2])
    told = f"InfluxDB {facts.version}"
    if below_1_8(facts.version):
        return warn(name, told, _INSTALL) if facts.write == "" else fail(name, told, _INSTALL)
    if (2, 0) <= version < (2, 4):
        told += ": /query finds a bucket only through a mapping of your own"
        return warn(name, told, f"install 2.4 or newer, or {_mapping(facts)}")
    return ok(name, told)


def _mapping(facts: InfluxFacts) -> str:
    database, _, policy = facts.bucket.partition("/")
    return f"influx v1 dbrp create --db {database} --rp {policy or 'autogen'} --default --bucket-id ID"


def _write(facts: InfluxFacts) -> Check:
    name = "influxdb.write"
    if facts.write == "":
        return ok(name, f"wrote a point of {MEASUREMENT} into {facts.bucket}")
    told = facts.write or "not tried"
    if re.search(r"401|403|authori[sz]|forbidden", told, re.IGNORECASE):
        return fail(
            name, told, "give CHARLEY_INFLUXDB_TOKEN a token that may write and read the bucket (1.8: user:password)"
        )
    if "404" in told and below_1_8(facts.version) and not re.search("database|retention policy", told):
        return fail(name, f"{told}: it has no /api/v2/write", _INSTALL)
    if "404" in told or "not found" in told:
        return fail(name, told, _create(facts))
    if not facts.kind:
        mend = "what answers does not say that it is InfluxDB: correct CHARLEY_INFLUXDB_URL, or see the proxy before it"
        return fail(name, told, mend)
    return fail(name, told, "see InfluxDB's own log; results wait in the journal until it takes them")


def _create(facts: InfluxFacts) -> str:
    if facts.kind == "1":
        return f"influx -execute 'CREATE DATABASE \"{facts.bucket.partition('/')[0]}\"'"
    if facts.kind == "3":
        return f"influxdb3 create database {facts.bucket}"
    return f"influx bucket create --name {facts.bucket} --retention 0, or correct CHARLEY_INFLUXDB_BUCKET and _ORG"


def _read(facts: InfluxFacts) -> Check:
    name = "influxdb.read"
    if facts.read == "":
        return ok(name, "read the point back by InfluxQL")
    told = f"what was written cannot be read: {facts.read}"
    if facts.kind == "2":
        return fail(name, told, f"let the token read the bucket; if it may: {_mapping(facts)}")
    return fail(name, told, "let the token read the bucket, and let /query through any proxy in between")


def _retention(facts: InfluxFacts) -> Check:
    name = "influxdb.retention"
    held_s = 0.0 if facts.oldest_ns is None else (facts.now_ns - facts.oldest_ns) / 1e9
    if facts.write_old:
        told = f"it refuses data as old as ours ({in_words(held_s)}): {facts.write_old}"
        return fail(name, told, _keep(facts))
    if facts.retention_s is None:
        told = f"data as old as ours ({in_words(held_s)}) is taken; how long it is kept it does not say"
        if facts.write_old is None:
            told = "how long data is kept it does not say"
        return skipped(name, told, _keep(facts))
    if facts.retention_s == 0:
        return ok(name, "keeps data for ever")
    told = f"keeps data for {in_words(facts.retention_s)}"
    if facts.retention_s < held_s:
        return fail(name, f"{told}; we hold data of {in_words(held_s)}, whose results it deletes", _keep(facts))
    if facts.retention_s < LONG_ABSENCE_S:
        return fail(name, f"{told}; a device that was away for longer brings data that it refuses", _keep(facts))
    return warn(name, f"{told}, then deletes results without a word", _keep(facts))


def _keep(facts: InfluxFacts) -> str:
    database, _, policy = facts.bucket.partition("/")
    if facts.kind == "1":
        return f'ALTER RETENTION POLICY "{policy or "autogen"}" ON "{database}" DURATION INF'
    if facts.kind == "3":
        return f"influxdb3 update database --database {database} --retention-period none"
    return "influx bucket update --id ID --retention 0"


def _status_point(facts: InfluxFacts) -> Check:
    name = "influxdb.states"
    if facts.write_status:
        mend = "let it take points at 2100-01-01, where the states of devices are kept: no limit on future points"
        return fail(name, f"it refuses a point at 2100: {facts.write_status}", mend)
    return ok(name, "takes the states of devices, which are kept at 2100-01-01")


def _three(facts: InfluxFacts) -> list[Check]:
    """3 Core's two limits. Neither can be asked for; the first shows when it is met."""
    name, mend = "influxdb.file_limit", "influxdb3 serve --query-file-limit 10000"
    if facts.file_limit:
        files = fail(name, f"a query over all that we hold is refused: {facts.file_limit}", mend)
    else:
        why = "met by none of our queries yet; its value cannot be asked for, see the server's command line"
        files = skipped(name, why, mend)
    why = "cannot be asked for; by default it forgets data older than a month when it restarts"
    looking = skipped("influxdb.lookback", why, "influxdb3 serve --gen1-lookback-duration 10y")
    return [files, looking]
