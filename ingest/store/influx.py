"""Records in InfluxDB 1.8+, 2.x or 3 Core: written as line protocol, read as InfluxQL, which all three share.

Rules
-----
- Tags are `device`, `site` and a service's `name`, and nothing else; a point's time is the time of the record's
  key, so a record written twice overwrites itself. Every other member is a field of one type for ever.
- InfluxDB merges the fields of two points with one key, and line protocol has no NaN. So a member that is not a
  number is left out, and the field `absent`, always written, names it: a reader ignores what an earlier write
  left there, and a chart that knows nothing of this shows a gap and not a zero.
- A status is one point per device or service at 2100-01-01, later than any sample can be: at 1970 it would be
  older than a bucket's retention period and be dropped at once.
- Values reach a query as bind parameters only.
- 3 Core limits the files that one query may touch to about three days of data: ranges are read in pieces.
- 3 Core answers 200 to a statement that it cannot run: the body is always looked at for `error`.
- Redirects are not followed: token and records go where the settings say.
- The token is in no message, whatever a server or proxy answers.
"""

import ssl
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar, cast

import numpy as np
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.domain.write_precision import WritePrecision
from influxdb_client.rest import ApiException
from influxdb_client.service.write_service import WriteService
from numpy.typing import NDArray
from urllib3.exceptions import HTTPError

from ingest.errors import StoreError, StoreUnavailable
from ingest.store.columns import (
    EPISODES,
    EPOCHS,
    SERVICES,
    STATUSES,
    Table,
    as_arrays,
    clamp_integer,
    clamp_ns,
    split_names,
    table_of,
)  # fmt: skip
from ingest.store.influx_errors import Answer, answer_error, below_1_8, lacks_write, redacted, too_large, too_old
from ingest.store.influxql import InfluxQL, check_access
from ingest.store.line_protocol import ABSENT, STATUS_NS, bodies, fields, tags, to_line
from ingest.store.records import DeviceStatus, Episode, Epoch, Record, ServiceStatus

# The client's constants are plain strings in a class that its signature takes for an enumeration.
_NS: Final = cast("WritePrecision", WritePrecision.NS)
_WRITTEN: Final = 204
_TOO_LARGE: Final = 413
HOUR_NS: Final = 3_600_000_000_000
HOURS_PER_QUERY: Final = 72.0
_DEVICES_PER_QUERY: Final = 50
# When so many pieces remain, it pays to ask where the next data is instead of reading empty ones.
_WORTH_SKIPPING: Final = 8
# Where the server will not say even that: the years that the wire lets through.
_YEARS_NS: Final = (1_577_836_800_000_000_000, STATUS_NS)


T = TypeVar("T")


class InfluxStore:
    """A `Store` in the bucket (1.x: database, or `database/policy`) of an InfluxDB. Threads may share it."""

    def __init__(
        self,
        url: str,
        *,
        token: str,
        org: str,
        bucket: str,
        timeout_s: float = 10.0,
        hours_per_query: float = HOURS_PER_QUERY,
    ) -> None:
        check_access(url, token=token)
        self._org, self._bucket = org, bucket
        self._token = token
        self._piece_ns = int(hours_per_query * HOUR_NS)
        self._closed = False
        tls = ssl.create_default_context()
        self._reader = InfluxQL(url, token=token, database=bucket, timeout_s=timeout_s, tls=tls)
        self._client = InfluxDBClient(url=url, token=token, org=org, timeout=int(timeout_s * 1000), ssl_context=tls)
        self._writer = WriteService(self._client.api_client)  # type: ignore[no-untyped-call]

    def write(self, records: Sequence[Record]) -> None:
        """Keep every record; after an error some may be kept, which a repetition overwrites."""
        self._check_open()
        # Which of two points with one key wins within a body is not promised: the last one goes alone.
        lines: dict[tuple[bytes, bytes], bytes] = {}
        for record in records:
            line = to_line(table := table_of(record), table.values(record))
            lines[_key(line)] = line
        for some in bodies(lines.values()):
            self._post(some)

    def episodes(
        self,
        devices: Sequence[str],
        *,
        start_ns: int,
        end_ns: int,
        updated_after_ns: int | None = None,
        withdrawn: bool = False,
    ) -> list[Episode]:
        """Episodes whose onset lies in the range, by onset then device and site."""
        self._check_open()
        pieces = self._between(EPISODES, devices, (start_ns, end_ns), updated_after_ns)
        found = [episode for episode in cast("Iterator[Episode]", pieces) if withdrawn or not episode.withdrawn]
        return sorted(found, key=lambda episode: (episode.onset_ns, episode.device, episode.site))

    def epochs(self, device: str, *, start_ns: int, end_ns: int, void: bool = False) -> list[Epoch]:
        """Epochs of a device whose start lies in the range, by start then site."""
        self._check_open()
        pieces = cast("Iterator[Epoch]", self._between(EPOCHS, [device], (start_ns, end_ns)))
        found = [epoch for epoch in pieces if void or not epoch.void]
        return sorted(found, key=lambda epoch: (epoch.start_ns, epoch.site))

    def columns(
        self, device: str, *, start_ns: int, end_ns: int, members: Sequence[str]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Start and some members of what `epochs` gives."""
        found = self.epochs(device, start_ns=start_ns, end_ns=end_ns)
        rows = [(epoch.start_ns, *(getattr(epoch, name) for name in members)) for epoch in found]
        return as_arrays(rows, reals=len(members))

    def changes(self, device: str, *, start_ns: int, end_ns: int, every_ns: int) -> dict[int, int]:
        """When epochs of each stretch of the range were last written, by the stretch's start."""
        self._check_open()
        newest: dict[int, int] = {}
        grouped = f"GROUP BY time({every_ns // 10**9}s) fill(none)"

        def ask(where: _Where) -> list[tuple[int, int]]:
            statement = f'SELECT max("updated_ns") FROM "{EPOCHS.name}" WHERE {where.text} {grouped}'  # noqa: S608
            rows = self._reader.rows(statement, where.parameters, columns=["time", "max"])
            return cast("list[tuple[int, int]]", rows)

        for stretch_ns, written_ns in self._in_pieces(EPOCHS, [device], (start_ns, end_ns), ask=ask):
            newest[stretch_ns] = max(newest.get(stretch_ns, 0), written_ns)
        return newest

    def statuses(self, devices: Sequence[str]) -> list[DeviceStatus]:
        """The latest status of each named device that is known, by device."""
        self._check_open()
        found: list[Record] = []
        for some in _groups(devices):
            found.extend(self._select(STATUSES, _Where.of(some, (STATUS_NS, STATUS_NS + 1))))
        return sorted(cast("list[DeviceStatus]", found), key=lambda status: status.device)

    def services(self) -> list[ServiceStatus]:
        """The latest status of each service, by name."""
        self._check_open()
        found = self._select(SERVICES, _Where.of((), (STATUS_NS, STATUS_NS + 1)))
        return sorted(cast("list[ServiceStatus]", found), key=lambda status: status.name)

    def devices(self) -> list[str]:
        """Every device that has a record of any kind, sorted."""
        self._check_open()
        measurements = ", ".join(f'"{table.name}"' for table in (EPISODES, EPOCHS, STATUSES))
        statement = f'SHOW TAG VALUES FROM {measurements} WITH KEY = "device"'
        known = {str(row[0]) for row in self._reader.rows(statement, {}, columns=["value"])}
        # 3 Core may answer that for the latest time only. But no device has records and no status.
        where = _Where.of((), (STATUS_NS, STATUS_NS + 1))
        statement = f'SELECT "device", "boot" FROM "{STATUSES.name}" WHERE {where.text}'  # noqa: S608
        rows = self._reader.rows(statement, where.parameters, columns=["device"])
        return sorted(known | {str(row[0]) for row in rows})

    def close(self) -> None:
        """Release the connections; closing twice is harmless."""
        if not self._closed:
            self._closed = True
            self._reader.close()
            self._client.close()  # type: ignore[no-untyped-call]

    def _post(self, lines: Sequence[bytes]) -> None:
        """Write one body, in smaller ones where it is too large for the server or what stands before it."""
        answer = self._answer(b"\n".join(lines))
        if answer.status == _WRITTEN:
            return
        if answer.status != _TOO_LARGE:
            if lacks_write(answer) and below_1_8(version := self._reader.version()):
                raise too_old(redacted(version, self._token))
            raise answer_error(answer, token=self._token)
        if len(lines) == 1:
            raise too_large(lines[0])
        middle = len(lines) // 2
        self._post(lines[:middle])
        self._post(lines[middle:])

    def _answer(self, body: bytes) -> Answer:
        """What the server says to a body, as it says it: the client would take any 2xx for success."""
        try:
            found = self._writer.post_write_with_http_info(  # type: ignore[no-untyped-call]
                self._org,
                self._bucket,
                body,
                precision=_NS,
                content_type="text/plain; charset=utf-8",
                _preload_content=False,  # not every proxy speaks UTF-8, as the client believes
                _return_http_data_only=True,
                urlopen_kw={"redirect": False},
            )
            return Answer(found.status, found.data, found.headers, "write")
        except ApiException as error:
            if error.status:
                # Its own text is the server's, unredacted.
                return Answer(error.status, error.body or b"", error.headers or {}, "write")
            reason = redacted(" ".join(str(error.reason).split()), self._token)
        except (HTTPError, OSError) as error:
            reason = redacted(f"{type(error).__name__}: {error}", self._token)
        raise StoreUnavailable(f"InfluxDB cannot be written: {reason}")

    def _between(
        self,
        table: Table,
        devices: Sequence[str],
        range_ns: tuple[int, int],
        updated_after_ns: int | None = None,
    ) -> Iterator[Record]:
        def ask(where: _Where) -> list[Record]:
            return self._select(table, where)

        return self._in_pieces(table, devices, range_ns, ask=ask, updated_after_ns=updated_after_ns)

    def _in_pieces(
        self,
        table: Table,
        devices: Sequence[str],
        range_ns: tuple[int, int],
        *,
        ask: "Callable[[_Where], list[T]]",
        updated_after_ns: int | None = None,
    ) -> Iterator[T]:
        """What `ask` gives for one piece of the range after another, without those known to be empty."""
        for some in _groups(devices):
            start_ns, end_ns = (clamp_ns(instant_ns) for instant_ns in range_ns)
            found: list[T] = []
            can_skip = True
            while start_ns < end_ns:
                if not found and can_skip and end_ns - start_ns > _WORTH_SKIPPING * self._piece_ns:
                    first_ns = self._first(table, _Where.of(some, (start_ns, end_ns), updated_after_ns))
                    can_skip = first_ns is not None
                    start_ns = max(start_ns, _YEARS_NS[0]) if first_ns is None else first_ns
                    end_ns = min(end_ns, _YEARS_NS[1]) if first_ns is None else end_ns
                    if start_ns >= end_ns:
                        break
                piece_ns = (start_ns, min(start_ns + self._piece_ns, end_ns))
                found = ask(_Where.of(some, piece_ns, updated_after_ns))
                yield from found
                start_ns += self._piece_ns

    def _select(self, table: Table, where: "_Where") -> list[Record]:
        """One query. Its columns: the key's time, the tags, the fields, and which of them to ignore."""
        selected = [*tags(table), *fields(table), ABSENT]
        names = ", ".join(f'"{name}"' for name in selected)
        statement = f'SELECT {names} FROM "{table.name}" WHERE {where.text}'  # noqa: S608 - our own names
        columns = ["time", *selected]
        rows = self._reader.rows(statement, where.parameters, columns=columns)
        defaults = [
            (columns.index(column.name), column.default)
            for column in table.columns
            if column.default is not None and column.name != table.time
        ]
        for row in rows:
            for place, default in defaults:
                if row[place] is None:  # written before there was such a member
                    row[place] = default
            for name in split_names(cast("str", row[-1] or "")):
                row[columns.index(name)] = None
        order = [columns.index("time" if name == table.time else name) for name in table.names]
        return table.records([[row[place] for place in order] for row in rows])

    def _first(self, table: Table, where: "_Where") -> int | None:
        """When the first of these points is (the range's end if there is none), or None if that cannot be asked."""
        statement = f'SELECT first("updated_ns") FROM "{table.name}" WHERE {where.text}'  # noqa: S608
        try:
            rows = self._reader.rows(statement, where.parameters, columns=["time", "first"])
        except StoreError:
            # 3 Core's limit on files may forbid the question itself. If it was anything else, the next piece
            # will say so.
            return None
        return cast("int", rows[0][0] if rows else where.parameters["end"])

    def _check_open(self) -> None:
        if self._closed:
            raise StoreUnavailable("the InfluxDB store is closed")


@dataclass(frozen=True, slots=True)
class _Where:
    """A condition and the values that its placeholders stand for."""

    text: str
    parameters: dict[str, str | int]

    @classmethod
    def of(cls, devices: Sequence[str], range_ns: tuple[int, int], updated_after_ns: int | None = None) -> "_Where":
        """The points of these devices in a time range, written after an instant if one is given."""
        parameters: dict[str, str | int] = {"start": range_ns[0], "end": range_ns[1]}
        parameters |= {f"device{i}": device for i, device in enumerate(devices)}
        text = "time >= $start AND time < $end"
        if devices:
            text += " AND (" + " OR ".join(f'"device" = $device{i}' for i in range(len(devices))) + ")"
        if updated_after_ns is not None:
            parameters["updated"] = clamp_integer(updated_after_ns)
            text += ' AND "updated_ns" > $updated'
        return cls(text, parameters)


def _groups(devices: Sequence[str]) -> Iterator[list[str]]:
    names = sorted(set(devices))
    for first in range(0, len(names), _DEVICES_PER_QUERY):
        yield names[first : first + _DEVICES_PER_QUERY]


def _key(line: bytes) -> tuple[bytes, bytes]:
    """Measurement with tags, and time: neither holds a space, whatever the fields between them hold."""
    return line[: line.index(b" ")], line[line.rindex(b" ") :]
