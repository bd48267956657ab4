"""What only the InfluxDB store does: errors of servers, pieces of ranges, line protocol, and its token kept quiet."""

import http.server
import itertools
import json
import math
import socket
import threading
import traceback
import urllib.parse
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
import servers
from store_records import an_episode, an_epoch
from store_server import Asked, says
from store_server import scripted as raw_server

from ingest.store import DeviceStatus, StoreRefused, StoreUnavailable, same_record
from ingest.store.columns import EPISODES, EPOCHS, STATUSES, join_names, split_names
from ingest.store.influx import HOUR_NS, InfluxStore
from ingest.store.line_protocol import STATUS_NS, bodies, to_line

TOKEN = "s3cret-token"
ALL = {"start_ns": 0, "end_ns": 2**62}
DAY_NS = 24 * HOUR_NS


class Scripted(http.server.ThreadingHTTPServer):
    """A server on loopback that gives one answer to everything and remembers what it was asked."""

    daemon_threads = True

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(("127.0.0.1", 0), ScriptedHandler)
        self.status, self.body = status, body
        self.asked: list[dict[str, str]] = []


class ScriptedHandler(http.server.BaseHTTPRequestHandler):
    server: Scripted

    def do_POST(self) -> None:
        form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.server.asked.append({name: values[0] for name, values in form.items()})
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Say nothing."""


@contextmanager
def scripted(status: int, body: object) -> Iterator[tuple[Scripted, InfluxStore]]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    with Scripted(status, raw) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            with closing(opened(f"http://127.0.0.1:{server.server_port}")) as store:
                yield server, store
        finally:
            server.shutdown()
            thread.join()


def opened(url: str, *, token: str = TOKEN, bucket: str = "charley") -> InfluxStore:
    return InfluxStore(url, token=token, org="charley", bucket=bucket, timeout_s=2.0)


PASSING = [
    (500, {"error": "engine: shutting"}),
    (502, b"<html>Bad Gateway</html>"),
    (503, {"code": "unavailable", "message": "later"}),
    (429, {"message": "slow down"}),
    (408, {"message": "timeout"}),
    # What whoever runs the server can put right: records wait for that.
    (401, {"code": "unauthorized", "message": f"who is {TOKEN}?"}),
    (403, {"message": "forbidden"}),
    (404, {"error": 'database not found: "charley"'}),
    (405, b"<html>405 Not Allowed</html>"),
    (413, b"<html>413 Request Entity Too Large</html>"),
    # Whatever says this is not InfluxDB: all records would be given up on its word.
    (400, b""),
    (400, b"Client sent an HTTP request to an HTTPS server.\n"),
    (400, b"<html>400 The plain HTTP request was sent to HTTPS port</html>"),
    (422, {"detail": "Unprocessable Entity"}),
]
LASTING = [
    (400, {"error": "unable to parse 'x': missing fields"}, "missing fields"),
    (400, {"code": "invalid", "message": f"who is {TOKEN}?"}, r"who is \*\*\*\?"),
    (422, {"message": "partial write: points beyond retention policy dropped=1"}, "beyond retention"),
]


@pytest.mark.parametrize(("status", "body"), PASSING)
def test_a_server_in_trouble_is_unavailable(status: int, body: object) -> None:
    with scripted(status, body) as (_, store):
        with pytest.raises(StoreUnavailable, match=f"answered {status} to a write"):
            store.write([an_epoch()])
        with pytest.raises(StoreUnavailable, match=f"answered {status} to a read"):
            store.statuses(["dev1"])


@pytest.mark.parametrize(("status", "body", "sentence"), LASTING)
def test_a_servers_no_is_refused_with_its_sentence(status: int, body: object, sentence: str) -> None:
    with scripted(status, body) as (_, store):
        with pytest.raises(StoreRefused, match=f"answered {status} to a write.*{sentence}") as write:
            store.write([an_epoch()])
        with pytest.raises(StoreRefused, match=f"answered {status} to a read.*{sentence}") as read:
            store.episodes(["dev1"], start_ns=0, end_ns=DAY_NS)
    for refused in (write, read):
        assert TOKEN not in "".join(traceback.format_exception(refused.value))


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"error": "error parsing query"}, StoreRefused),
        ({"results": [{"statement_id": 0, "error": "invalid operation"}]}, StoreRefused),
        ({"results": [{"statement_id": 0, "error": "database not found: x"}]}, StoreUnavailable),
        ({"error": "Query would exceed file limit of 432 parquet files"}, StoreRefused),
        ({"results": [{"statement_id": 0, "error": "query timeout reached"}]}, StoreUnavailable),
        (b"<html>Welcome</html>", StoreUnavailable),
        (b'{"results": [{"series": 3}]}', StoreUnavailable),
        (b'{"results":[{"series":[{"columns":["time"],"values":[[1]]}]}]}', StoreRefused),
    ],
)
def test_a_200_with_an_error_in_it_is_an_error(body: object, error: type[Exception]) -> None:
    with scripted(200, body) as (_, store), pytest.raises(error):
        store.epochs("dev1", start_ns=0, end_ns=DAY_NS)


def test_the_limit_on_files_of_influxdb_3_is_not_retried_for_ever() -> None:
    answer = {"error": "Query would exceed file limit of 432 parquet files"}
    with scripted(500, answer) as (_, store), pytest.raises(StoreRefused, match="file limit"):
        store.epochs("dev1", start_ns=0, end_ns=DAY_NS)


def test_documents_end_to_end_are_read_like_lines() -> None:
    def document(start_ns: int) -> bytes:
        row = [start_ns, "dev1", "soleus", 10, 10, 9.5, 4.5, 3.25, 81.5, 0.01, 12, "", 7, ""]
        names = [name for name in EPOCHS.names if name != "start_ns"]
        series = {"name": "charley_epoch", "columns": ["time", *names, "absent"], "values": [row]}
        return json.dumps({"results": [{"statement_id": 0, "series": [series]}]}).encode()

    expected = [an_epoch(start_ns=1), an_epoch(start_ns=2)]
    for between in (b"", b"\n"):
        with scripted(200, document(1) + between + document(2) + between) as (_, store):
            assert store.epochs("dev1", start_ns=0, end_ns=DAY_NS) == expected


def test_a_range_is_read_in_pieces_and_values_only_reach_it_as_parameters() -> None:
    start_ns = 1_790_000_000_000_000_000
    with scripted(200, {"results": [{"statement_id": 0}]}) as (server, store):
        store.episodes(["x' OR 1=1"], start_ns=start_ns, end_ns=start_ns + 7 * DAY_NS, updated_after_ns=5)
    pieces = [json.loads(form["params"]) for form in server.asked]
    assert [(piece["start"] - start_ns, piece["end"] - start_ns) for piece in pieces] == [
        (0, 3 * DAY_NS), (3 * DAY_NS, 6 * DAY_NS), (6 * DAY_NS, 7 * DAY_NS),
    ]  # fmt: skip
    assert all(piece["device0"] == "x' OR 1=1" and piece["updated"] == 5 for piece in pieces)
    assert not any("1=1" in form["q"] for form in server.asked)
    assert {form["epoch"] for form in server.asked} == {"ns"}


def test_empty_years_are_skipped_by_one_question() -> None:
    with scripted(200, {"results": [{"statement_id": 0}]}) as (server, store):
        assert store.epochs("dev1", **ALL) == []
    assert len(server.asked) == 1
    assert "first(" in server.asked[0]["q"]


def test_a_server_that_is_down_is_unavailable() -> None:
    with closing(opened(f"http://127.0.0.1:{servers.free_port()}")) as store:
        with pytest.raises(StoreUnavailable, match="cannot be written"):
            store.write([an_epoch()])
        with pytest.raises(StoreUnavailable, match="cannot be read"):
            store.epochs("dev1", start_ns=0, end_ns=DAY_NS)


def test_a_server_that_says_nothing_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with closing(InfluxStore(url, token=TOKEN, org="o", bucket="b", timeout_s=0.2)) as store:
            with pytest.raises(StoreUnavailable, match="cannot be written"):
                store.write([an_epoch()])
            with pytest.raises(StoreUnavailable, match="cannot be read"):
                store.statuses(["dev1"])


def test_records_wait_for_a_database_that_is_not_there(influxdb: servers.InfluxDB) -> None:
    with closing(opened(influxdb.url, token=influxdb.token, bucket="nonesuch")) as store:
        with pytest.raises(StoreUnavailable, match="nonesuch"):
            store.write([an_epoch()])
        with pytest.raises(StoreUnavailable, match="nonesuch"):
            store.statuses(["dev1"])


def test_records_wait_for_the_right_token_and_the_wrong_one_is_not_shown(influxdb: servers.InfluxDB) -> None:
    with closing(opened(influxdb.url, token="wrong-token")) as store:
        for call in (lambda: store.write([an_epoch()]), lambda: store.statuses(["dev1"])):
            with pytest.raises(StoreUnavailable, match="CHARLEY_INFLUXDB_TOKEN") as unavailable:
                call()
            assert "wrong-token" not in "".join(traceback.format_exception(unavailable.value))


def test_a_field_of_another_type_is_refused_with_the_servers_sentence(influxdb: servers.InfluxDB) -> None:
    with closing(opened(influxdb.url, token=influxdb.token, bucket=influxdb.bucket)) as store:
        store.write([an_epoch(device="typed")])
        line = b'charley_epoch,device=typed,site=soleus rms_uv="loud" 1790000000000000000'
        with pytest.raises(StoreRefused, match="field type conflict"):
            store._post([line])


def test_a_write_of_several_bodies_arrives_whole(influxdb: servers.InfluxDB) -> None:
    start_ns = 1_790_000_000_000_000_000
    week = [an_epoch(device="long", start_ns=start_ns + step * 10 * 10**9) for step in range(12_000)]
    with closing(opened(influxdb.url, token=influxdb.token, bucket=influxdb.bucket)) as store:
        store.write(week)
        assert store.epochs("long", start_ns=start_ns, end_ns=start_ns + 2 * DAY_NS) == week


def test_points_of_the_version_before_read_back_with_defaults(influxdb: servers.InfluxDB) -> None:
    device = f"before-{uuid.uuid4().hex[:8]}"
    episode = an_episode(device=device, flags=("hum",), load=math.nan)
    status = DeviceStatus(device=device, boot=3, online=True, firmware="1.2", sites=("soleus",), missing_blocks=2)
    newer = an_episode(device=device, onset_ns=episode.onset_ns + 1, status="withdrawn", superseded_by=episode.id)
    lines = [
        f'charley_episode,device={device},site=soleus end_ns={episode.end_ns}i,status="final",revision=1i,'
        "severity=6.25,severity_amplitude=7.0,severity_duration=5.0,severity_load=6.0,severity_recruitment=2.5,grade=2i,"
        'peak_uv=312.5,peak_ratio=61.0,confidence=0.9,flags="hum",sites="soleus,gastrocnemius_medialis",detector="0.1.0",'
        f'params="0f3a",updated_ns=7i,absent="load" {episode.onset_ns}',
        f'charley_status,device={device} boot=3i,online=true,firmware="1.2",sites="soleus",last_received_ns=0i,'
        f'last_sample_ns=0i,missing_blocks=2i,updated_ns=0i,absent="battery" {STATUS_NS}',
    ]
    with closing(opened(influxdb.url, token=influxdb.token, bucket=influxdb.bucket)) as store:
        store._post([line.encode() for line in lines])
        store.write([newer])
        (found, tombstone) = store.episodes([device], start_ns=0, end_ns=DAY_NS * 30_000, withdrawn=True)
        assert same_record(found, episode)
        assert found.superseded_by == ""
        assert tombstone == newer
        assert store.statuses([device]) == [status]
        assert device in store.devices()


def test_devices_that_only_their_status_names_are_found_too() -> None:
    def answer(asked: Asked) -> bytes:
        shown = asked.body.startswith(b"db=") and b"SHOW+TAG+VALUES" in asked.body
        columns, rows = (["key", "value"], [["device", "b"]]) if shown else (["time", "device", "boot"], [[1, "a", 3]])
        series = [{"columns": columns, "values": rows}]
        return says(200, json.dumps({"results": [{"series": series}]}))

    # As 3 Core may answer: metadata of the latest time only.
    with raw_server(answer) as server, closing(opened(server.url)) as store:
        assert store.devices() == ["a", "b"]


def test_lines_are_typed_and_escaped() -> None:
    episode = an_episode(severity=3, flags=("a,b", 'c"d'), load=math.nan)
    line = to_line(EPISODES, EPISODES.values(episode)).decode()
    assert line.startswith('charley_episode,device=dev1,site=soleus end_ns=1790000042000000001i,status="final"')
    assert line.endswith(" 1790000000123456789")
    assert ",severity=3.0," in line
    assert r',flags="a\\,b,c\"d",' in line
    assert ",load=" not in line
    assert ',absent="load" ' in line
    status = DeviceStatus(device="dev1", boot=1, online=True)
    assert to_line(STATUSES, STATUSES.values(status)).decode() == (
        'charley_status,device=dev1 boot=1i,online=true,firmware="",sites="",last_received_ns=0i,last_sample_ns=0i,'
        "missing_blocks=0i,clock_offset_s=0.0,clock_drift_ppm=0.0,late_blocks=0i,undated_blocks=0i,undated_ns=0i,"
        'refused_blocks=0i,refused_reason="",refused_ns=0i,archive_unreadable=false,'
        'updated_ns=0i,absent="battery" 4102444800000000000'
    )


def test_bodies_keep_every_line_and_both_limits() -> None:
    lines = [bytes([65 + place % 26]) * (place % 7 + 1) for place in range(100)]
    found = list(bodies(lines, max_lines=9, max_bytes=30))
    assert list(itertools.chain(*found)) == lines
    assert all(len(b"\n".join(body)) <= 30 and len(body) <= 9 for body in found)
    assert list(bodies([])) == []


@pytest.mark.parametrize("names", [(), ("",), ("", ""), ("a",), ("a", ""), ("\\0",), ("a\\", ",b"), (",", "\\,")])
def test_joined_names_come_apart_again(names: tuple[str, ...]) -> None:
    assert split_names(join_names(names)) == names


@pytest.mark.parametrize(
    "url",
    [
        "",
        "influx:8086",
        "ftp://host",
        "http://",
        "http://user:pass@host:8086",
        "http://user@host",
        "http://host:port",
        "http://host:99999",
        "http://[::1",
        "http://host:0",
        "http://host:8086\n",
    ],
)
def test_addresses_that_cannot_be_right_are_refused(url: str) -> None:
    with pytest.raises(StoreRefused) as refused:
        opened(url)
    assert "pass@" not in str(refused.value)


def test_a_token_with_a_line_break_is_refused_without_being_shown() -> None:
    with pytest.raises(StoreRefused, match="line break") as refused:
        opened("http://127.0.0.1:8086", token="s3cret\n")
    assert "s3cret" not in str(refused.value)


def test_the_same_record_is_the_same_whenever_written() -> None:
    nan: dict[str, Any] = {"rms_uv": math.nan}
    assert same_record(an_epoch(**nan, angle_deg=0.0, updated_ns=1), an_epoch(**nan, angle_deg=-0.0, updated_ns=2))
    assert not same_record(an_epoch(**nan), an_epoch())
    assert not same_record(an_epoch(), an_episode())
