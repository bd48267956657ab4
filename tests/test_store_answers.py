"""Every answer that an InfluxDB, or whatever stands before it, can give: nothing is lost, and it is said what to do."""

import json
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, nullcontext

import pytest
import servers
from store_records import an_epoch
from store_server import Asked, Cut, Reset, Scripted, Silence, says, scripted

from ingest.store import Epoch, Record, StoreRefused, StoreUnavailable
from ingest.store.influx import HOUR_NS, InfluxStore
from ingest.store.influx_errors import LINE_BYTES, RETRY_AFTER_MAX_S

TOKEN = "s3cret-token"
NOON_NS = 1_790_000_000_000_000_000
DAY_NS = 24 * HOUR_NS
PAGE = "<html><head><title>502 Bad &amp; Gateway</title></head><body>caf\xe9</body></html>".encode("latin-1")


def opened(url: str, *, timeout_s: float = 2.0, bucket: str = "charley", token: str = TOKEN) -> InfluxStore:
    return InfluxStore(url, token=token, org="charley", bucket=bucket, timeout_s=timeout_s)


@contextmanager
def playing(script: Callable[[Asked], bytes] | bytes) -> Iterator[tuple[Scripted, InfluxStore]]:
    with scripted(script) as server, closing(opened(server.url, timeout_s=0.5)) as store:
        yield server, store


def write(store: InfluxStore) -> None:
    store.write([an_epoch()])


def read(store: InfluxStore) -> None:
    store.epochs("dev1", start_ns=NOON_NS, end_ns=NOON_NS + HOUR_NS)


BOTH = pytest.mark.parametrize("call", [write, read])


def epochs(count: int, **changes: object) -> list[Epoch]:
    return [an_epoch(start_ns=NOON_NS + step * 10**10, **changes) for step in range(count)]


def deliver(store: InfluxStore, records: Sequence[Record]) -> list[tuple[Record, str]]:
    """Write as the delivery does, by halves when it is refused; the records at fault and why."""
    try:
        store.write(records)
    except StoreRefused as error:
        if len(records) == 1:
            return [(records[0], str(error))]
        middle = len(records) // 2
        return [*deliver(store, records[:middle]), *deliver(store, records[middle:])]
    return []


class Keeping:
    """An InfluxDB that keeps every good line of a body and answers to the bad ones in the words of one version."""

    def __init__(self, words: Callable[[list[tuple[int, str]]], bytes]) -> None:
        self.words = words
        self.kept: set[str] = set()

    def __call__(self, asked: Asked) -> bytes:
        lines = list(enumerate(asked.body.decode().split("\n"), start=1))
        bad = [(number, line) for number, line in lines if "site=bad" in line]
        self.kept |= {line for _, line in lines if "site=bad" not in line}
        return self.words(bad) if bad else says(204)


def conflict_1(bad: list[tuple[int, str]]) -> bytes:
    sentence = f"partial write: field type conflict: input field is type float dropped={len(bad)}"
    return says(400, json.dumps({"error": sentence}), Content_Type="application/json", X_Influxdb_Error=sentence)


def unparsed_1(bad: list[tuple[int, str]]) -> bytes:
    return says(400, json.dumps({"error": f"partial write: unable to parse '{bad[0][1]}': bad timestamp dropped=0"}))


def conflict_2(bad: list[tuple[int, str]]) -> bytes:
    sentence = f"failure writing points to database: partial write: field type conflict dropped={len(bad)}"
    return says(422, json.dumps({"code": "unprocessable entity", "message": sentence}))


def partial_3(bad: list[tuple[int, str]]) -> bytes:
    data = [
        {"original_line": line, "line_number": number, "error_message": "invalid column type"} for number, line in bad
    ]
    return says(400, json.dumps({"error": "partial write of line protocol occurred", "data": data}))


def partial_cloud(bad: list[tuple[int, str]]) -> bytes:
    return says(201, json.dumps({"code": "invalid", "message": f"partial write has occurred, {len(bad)} rejected"}))


@pytest.mark.parametrize("words", [conflict_1, unparsed_1, conflict_2, partial_3, partial_cloud])
def test_of_a_partial_write_only_the_lines_at_fault_are_refused(
    words: Callable[[list[tuple[int, str]]], bytes],
) -> None:
    good, bad = epochs(60), epochs(3, site="bad")
    server = Keeping(words)
    with playing(server) as (_, store):
        refused = deliver(store, [*good[:7], bad[0], *good[7:50], *bad[1:], *good[50:]])
    assert [record for record, _ in refused] == bad
    assert all("answered" in sentence and ("partial write" in sentence) for _, sentence in refused)
    assert len(server.kept) == len(good)


def test_the_lines_that_a_server_names_are_named() -> None:
    with playing(Keeping(partial_3)) as (_, store), pytest.raises(StoreRefused, match="line 1: invalid column type"):
        store.write(epochs(1, site="bad"))


def test_a_body_too_large_is_split_until_it_passes() -> None:
    kept: list[bytes] = []

    def limited(asked: Asked) -> bytes:
        if len(asked.body) > 5_000:
            return says(413, b"<html><head><title>413 Request Entity Too Large</title></head></html>")
        kept.append(asked.body)
        return says(204)

    with playing(limited) as (server, store):
        # A line break within a string is no end of a line.
        store.write(epochs(200, flags=("a\nb",)))
    assert b"\n".join(kept).count(b'flags="a\nb"') == 200
    assert b"\n".join(kept) == max((asked.body for asked in server.asked), key=len)


def test_one_line_too_large_is_the_records_fault_only_if_it_is_large() -> None:
    with playing(says(413)) as (_, store):
        with pytest.raises(StoreRefused, match="is too large"):
            store.write([an_epoch(flags=("x" * LINE_BYTES,))])
        with pytest.raises(StoreUnavailable, match="client_max_body_size"):
            write(store)
        with pytest.raises(StoreUnavailable, match="client_max_body_size"):
            read(store)


@BOTH
@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ({"Retry_After": "7"}, 7.0),
        ({"Retry_After": "0.5"}, 0.5),
        ({"Retry_After": "0"}, 0.0),
        ({"Retry_After": "-3"}, 0.0),
        ({"Retry_After": "1e300"}, RETRY_AFTER_MAX_S),
        ({"Retry_After": "nan"}, None),
        ({"Retry_After": "soon"}, None),
        ({"Retry_After": "Wed, 99 Oct 99999 07:28:00 GMT"}, None),
        ({}, None),
        ({"Date": "Wed, 21 Oct 2026 07:28:00 GMT", "Retry_After": "Wed, 21 Oct 2026 07:28:09 GMT"}, 9.0),
        ({"Date": "Wed, 21 Oct 2026 07:28:00 GMT", "Retry_After": "Wed, 21 Oct 2026 07:27:00 GMT"}, 0.0),
        ({"Retry_After": "Fri, 31 Dec 2100 23:59:59 GMT"}, RETRY_AFTER_MAX_S),
        ({"Retry_After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
    ],
)
def test_a_server_that_asks_to_be_left_alone_is(
    call: Callable[[InfluxStore], None], status: int, said: dict[str, str], seconds: float | None
) -> None:
    with playing(says(status, '{"message":"slow down"}', **said)) as (server, store):
        with pytest.raises(StoreUnavailable, match=f"answered {status} to a .*: slow down$") as unavailable:
            call(store)
        assert unavailable.value.retry_after_s == seconds
        assert len(server.asked) == 1  # it is the caller who waits


@BOTH
@pytest.mark.parametrize("status", [500, 502, 504, 507, 408])
def test_trouble_passes_and_a_page_is_told_by_its_title(call: Callable[[InfluxStore], None], status: int) -> None:
    with playing(says(status, PAGE, Retry_After="9")) as (_, store):
        with pytest.raises(StoreUnavailable, match=f"answered {status} to a .*: 502 Bad & Gateway$") as unavailable:
            call(store)
        assert unavailable.value.retry_after_s is None


@BOTH
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed_and_say_where_to(call: Callable[[InfluxStore], None], status: int) -> None:
    with scripted(says(204)) as elsewhere:

        def moved(asked: Asked) -> bytes:
            return says(status, Location=f"{elsewhere.url}/prefix{asked.path}")

        with playing(moved) as (server, store):
            with pytest.raises(StoreUnavailable, match=f"CHARLEY_INFLUXDB_URL={elsewhere.url}/prefix if"):
                call(store)
            assert len(server.asked) == 1
        assert elsewhere.connections == 0  # neither the token nor a record has gone there


@BOTH
@pytest.mark.parametrize("location", ["", "/elsewhere", "//other/write", "http://[::1]:8086/query", "http://[bad"])
def test_a_redirect_to_anywhere_is_told(call: Callable[[InfluxStore], None], location: str) -> None:
    told = pytest.raises(StoreUnavailable, match="Redirects are not followed: set CHARLEY_INFLUXDB_URL")
    with playing(says(307, Location=location)) as (_, store), told:
        call(store)


@BOTH
@pytest.mark.parametrize(
    ("answer", "mend"),
    [
        (says(401, '{"code":"unauthorized","message":"unauthorized access"}'), "CHARLEY_INFLUXDB_TOKEN"),
        (says(401, '{"error":"authorization failed"}'), "user:password"),
        (says(403, '{"code":"forbidden","message":"insufficient permissions"}'), "CHARLEY_INFLUXDB_BUCKET"),
        (says(404, '{"error":"database not found: \\"charley\\""}'), "Create it, or correct CHARLEY_INFLUXDB_BUCKET"),
        (says(404, '{"code":"not found","message":"bucket \\"charley\\" not found"}'), "CHARLEY_INFLUXDB_BUCKET"),
        (says(404, '{"message":"organization name \\"charley\\" not found"}'), "Correct CHARLEY_INFLUXDB_ORG"),
        (says(400, '{"error":"retention policy not found: week"}'), "CHARLEY_INFLUXDB_BUCKET"),
        (says(404, b"<html><title>404 Not Found</title></html>"), "check CHARLEY_INFLUXDB_URL"),
        (says(400, b"Client sent an HTTP request to an HTTPS server.\n"), "check CHARLEY_INFLUXDB_URL, also http"),
        (says(400, b"<html>400 The plain HTTP request was sent to HTTPS port</html>"), "check CHARLEY_INFLUXDB_URL"),
        (says(400), "check CHARLEY_INFLUXDB_URL"),
        (says(200, PAGE), "CHARLEY_INFLUXDB_URL"),
        (says(400, '{"error":"partial write: max-series-per-database limit exceeded: (1) dropped=1"}'), "Raise that"),
    ],
)
def test_what_somebody_can_put_right_is_waited_for_and_named(
    call: Callable[[InfluxStore], None], answer: bytes, mend: str
) -> None:
    with playing(answer) as (_, store), pytest.raises(StoreUnavailable, match=mend):
        call(store)


@pytest.mark.parametrize("answer", [says(200), says(200, "{}"), says(202, "queued"), says(204)])
def test_only_the_answer_that_influxdb_gives_to_a_kept_write_counts(answer: bytes) -> None:
    with playing(answer) as (_, store):
        if b" 204 " in answer:
            write(store)
        else:
            with pytest.raises(StoreUnavailable, match="not what InfluxDB says"):
                write(store)


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ("1.6.7", r"InfluxDB 1\.6\.7 cannot be written.*1\.8 or newer, 2 or 3"),
        ("1.7.10-c1.7.10", r"1\.8 or newer"),
        ("1.8.10", "check CHARLEY_INFLUXDB_URL"),
        ("v2.7.1", "check CHARLEY_INFLUXDB_URL"),
        ("", "check CHARLEY_INFLUXDB_URL"),
    ],
)
def test_a_server_that_is_too_old_is_told_of_by_its_version(version: str, said: str) -> None:
    def answer(asked: Asked) -> bytes:
        named = {"X_Influxdb_Version": version} if version else {}
        return says(204, **named) if asked.path == "/ping" else says(404, "404 page not found\n")

    with playing(answer) as (_, store), pytest.raises(StoreUnavailable, match=said):
        write(store)


def test_a_real_server_that_is_too_old_says_so(own_influxdb: servers.InfluxDB) -> None:
    """Debian's 1.6, without what we put before it; any other that is installed is new enough."""
    old = isinstance(own_influxdb, servers.InfluxDB1)
    refused = pytest.raises(StoreUnavailable, match=r"InfluxDB 1\.6\.\S+ cannot be written.*1\.8 or newer, 2 or 3")
    with closing(opened(own_influxdb.bare_url, token=own_influxdb.token)) as store:
        read(store)
        with refused if old else nullcontext():
            write(store)


@pytest.mark.parametrize("sentence", ["database not found: charley", "default retention policy not set for: charley"])
def test_a_missing_database_in_a_200_names_its_mend(sentence: str) -> None:
    body = json.dumps({"results": [{"statement_id": 0, "error": sentence}]})
    with playing(says(200, body)) as (_, store), pytest.raises(StoreUnavailable, match="correct CHARLEY_INFLUXDB_BUC"):
        read(store)


@BOTH
@pytest.mark.parametrize(
    "answer",
    [
        Cut(b""),
        Reset(b""),
        Silence(b""),
        Cut(b"HTTP/1.1 20"),
        Cut(b"not HTTP at all\r\n\r\n"),
        Reset(says(200, b'{"results": []}')[:-5]),
        Cut(says(500, b"a longer explanation")[:-5]),
        Silence(says(500, b"a longer explanation")[:-5]),
        Cut(b"HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n20\r\nbroken"),
        Cut(b"HTTP/1.1 500 No\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope"),
    ],
)
def test_an_answer_that_breaks_off_is_tried_again(call: Callable[[InfluxStore], None], answer: bytes) -> None:
    with playing(answer) as (_, store), pytest.raises(StoreUnavailable, match=r"InfluxDB cannot be (read|written): "):
        call(store)


@BOTH
def test_a_server_that_comes_back_is_used_again(call: Callable[[InfluxStore], None]) -> None:
    trouble = [Reset(b""), says(503), Cut(says(502, PAGE)), says(429, Retry_After="1")]

    def recovering(asked: Asked) -> bytes:
        if trouble:
            return trouble.pop(0)
        return says(204) if asked.path.startswith("/api") else says(200, '{"results":[{"statement_id":0}]}')

    with playing(recovering) as (server, store):
        while trouble:  # a connection that was reset may fail once more than the server sees
            with pytest.raises(StoreUnavailable):
                call(store)
        for _ in range(3):
            call(store)
        assert len(server.asked) == 7
        assert server.connections <= 4  # those that were not broken are used again


@BOTH
def test_the_token_is_in_no_message(call: Callable[[InfluxStore], None]) -> None:
    bodies = (f"who is {TOKEN}?", json.dumps({"error": f"who is {TOKEN}?"}), f"<title>{TOKEN}</title>")
    statuses = (200, 301, 400, 401, 403, 404, 422, 500, 503)
    answers = [says(status, body, Location=f"http://{TOKEN}/") for status in statuses for body in bodies]
    with playing(lambda _: answers.pop()) as (_, store):
        while answers:
            with pytest.raises((StoreRefused, StoreUnavailable)) as error:
                call(store)
            assert TOKEN not in "".join(traceback.format_exception(error.value))


def test_proxies_in_the_environment_are_for_neither_reading_nor_writing(monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted(says(502)) as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        answers = [says(204), says(200, '{"results":[{"statement_id":0}]}')]
        with playing(lambda _: answers.pop(0)) as (_, store):
            write(store)
            read(store)
        assert proxy.connections == 0


def test_a_real_field_type_conflict_costs_one_record(own_influxdb: servers.InfluxDB) -> None:
    bucket = own_influxdb.new_bucket("conflict", shard_s=86_400)
    # In 1.x a field has one type per shard: of these days, one is spoilt.
    days = [an_epoch(start_ns=NOON_NS + day * DAY_NS) for day in range(20)]
    with closing(opened(own_influxdb.url, bucket=bucket, token=own_influxdb.token)) as store:
        store._post([b"charley_epoch,device=other,site=soleus flags=5i %d" % days[11].start_ns])
        refused = deliver(store, days)
        assert [record for record, _ in refused] == [days[11]]
        assert "field type conflict" in refused[0][1]
        assert store.epochs("dev1", start_ns=NOON_NS, end_ns=NOON_NS + 30 * DAY_NS) == days[:11] + days[12:]


def test_a_record_older_than_a_real_retention_is_refused_and_said_so(own_influxdb: servers.InfluxDB) -> None:
    bucket = own_influxdb.new_bucket("short", keep_s=86_400, shard_s=86_400)
    old = an_epoch(device="old", start_ns=1_600_000_000 * 10**9)
    new = [an_epoch(device="new", start_ns=4_000_000_000 * 10**9 + step) for step in range(5)]  # in 2096
    with closing(opened(own_influxdb.url, bucket=bucket, token=own_influxdb.token)) as store:
        refused = deliver(store, [*new[:3], old, *new[3:]])
        assert [record for record, _ in refused] == [old]
        assert "retention period" in refused[0][1]
        assert store.epochs("new", start_ns=0, end_ns=2**62) == new


@BOTH
def test_a_real_server_names_its_mend(influxdb: servers.InfluxDB, call: Callable[[InfluxStore], None]) -> None:
    missing = pytest.raises(StoreUnavailable, match="Create it, or correct CHARLEY_INFLUXDB_BUCKET")
    with closing(opened(influxdb.url, bucket="nonesuch", token=influxdb.token)) as store, missing:
        call(store)
    with closing(opened(influxdb.url, bucket="nonesuch", token=influxdb.token)) as store, missing:
        store.devices()  # 2.x answers that one otherwise
    wrong = pytest.raises(StoreUnavailable, match="Check CHARLEY_INFLUXDB_TOKEN")
    with closing(opened(influxdb.url, token="wrong")) as store, wrong:
        call(store)


def test_threads_may_meet_trouble_at_once() -> None:
    turns = iter(range(1000))
    lock = threading.Lock()

    def moody(_: Asked) -> bytes:
        with lock:
            turn = next(turns)
        return (says(204), says(503), Reset(b""), says(204))[turn % 4]

    def work(number: int) -> int:
        for _ in range(5):
            while True:
                try:
                    store.write(epochs(1, device=f"d{number}"))
                except StoreUnavailable:
                    continue
                break
        return number

    with playing(moody) as (_, store), ThreadPoolExecutor(4) as pool:
        assert list(pool.map(work, range(4))) == [0, 1, 2, 3]
