"""Looks at an InfluxDB over HTTP: who it is, whether it takes and gives points, and for how long it keeps them.

Points are written to the measurement `charley_doctor` only: one of this hour, one as old as our oldest data, and one
at 2100-01-01, where states of devices are kept. Written again they overwrite themselves.
"""

import html
import json
import re
import ssl
import time
from dataclasses import replace
from email.utils import parsedate_to_datetime
from typing import Any, Final

import httpx

from ingest.doctor.influxdb import MEASUREMENT, InfluxFacts
from ingest.errors import StoreRefused
from ingest.store.influxql import check_access
from ingest.store.line_protocol import STATUS_NS

HOUR_NS: Final = 3_600_000_000_000
TIMEOUT_S: Final = 10.0
LINE: Final = 120  # characters of an answer that is no JSON
_PAGE: Final = re.IGNORECASE | re.DOTALL


class Server:
    """One InfluxDB, asked as the store asks it."""

    def __init__(self, url: str, *, token: str, org: str, bucket: str) -> None:
        self.date_offset_s: float | None = None  # this machine's clock minus the server's
        self._token = token
        self._org = org
        self._bucket = bucket
        self._client = httpx.Client(
            base_url=url, timeout=TIMEOUT_S, verify=ssl.create_default_context(), trust_env=False,
            headers={"Authorization": f"Token {token}"}, follow_redirects=False,
        )  # fmt: skip

    def close(self) -> None:
        """Release the connection."""
        self._client.close()

    def version(self) -> str:
        """What it says it is; raises httpx.TransportError when nothing answers."""
        before_s = time.time()
        answer = self._client.get("/ping")
        self._note_date(answer, (before_s + time.time()) / 2)
        told = answer.headers.get("x-influxdb-version") or _member(answer, "version")
        return str(told or _member(self._client.get("/health"), "version") or "")

    def write(self, at_ns: int) -> str:
        """Write a point there; why it was refused, or nothing."""
        parameters = {"org": self._org, "bucket": self._bucket, "precision": "ns"}
        try:
            body = f"{MEASUREMENT} probe=1i {at_ns}"
            answer = self._client.post("/api/v2/write", params=parameters, content=body)
        except httpx.TransportError as error:
            return f"{type(error).__name__}: {error}"
        return "" if answer.is_success else self._told(answer)

    def query(self, statement: str) -> tuple[list[list[Any]], str]:
        """Rows of one InfluxQL statement, and why there are none, or nothing."""
        database, _, policy = self._bucket.partition("/")
        form = {"db": database, "epoch": "ns", "q": statement} | ({"rp": policy} if policy else {})
        try:
            answer = self._client.post("/query", data=form)
        except httpx.TransportError as error:
            return [], f"{type(error).__name__}: {error}"
        if not answer.is_success:
            return [], self._told(answer)
        try:
            body = answer.json()
            results = body.get("results") or [{}]
            trouble = body.get("error") or results[0].get("error")
            rows = [row for series in results[0].get("series", []) for row in series.get("values", [])]
        except (ValueError, AttributeError, LookupError) as error:
            return [], f"what answered is not InfluxDB's /query: {error}"
        return rows, self._redacted(str(trouble)) if trouble else ""

    def bucket_retention_s(self) -> float | None:
        """What 2.x says of the bucket: seconds, 0 for ever, or None where it does not say."""
        try:
            answer = self._client.get("/api/v2/buckets", params={"org": self._org, "name": self._bucket})
        except httpx.TransportError:
            return None  # the checks of writing and reading say what is wrong
        for bucket in _member(answer, "buckets") or []:
            rules = bucket.get("retentionRules") or []
            return float(rules[0].get("everySeconds", 0)) if rules else 0.0
        return None

    def _note_date(self, answer: httpx.Response, at_s: float) -> None:
        stated = answer.headers.get("date")
        if stated:
            try:
                # It is in whole seconds, cut off: on average half a second is missing.
                self.date_offset_s = at_s - (parsedate_to_datetime(stated).timestamp() + 0.5)
            except ValueError:
                return  # not a date: nothing is known of that clock

    def _told(self, answer: httpx.Response) -> str:
        told = str(_member(answer, "error") or _member(answer, "message") or in_a_line(answer.text))
        return self._redacted(f"{answer.status_code}: {' '.join(told.split())[:300]}")

    def _redacted(self, sentence: str) -> str:
        return sentence.replace(self._token, "***") if self._token else sentence


def look_at_influxdb(
    url: str, *, token: str, org: str, bucket: str, oldest_ns: int | None
) -> tuple[InfluxFacts, float | None]:
    """What is to be seen, and how far this machine's clock is ahead of the server's."""
    facts = InfluxFacts(url=url, bucket=bucket, now_ns=time.time_ns(), oldest_ns=oldest_ns)
    try:
        check_access(url, token=token)
    except StoreRefused as error:
        return replace(facts, unusable=str(error)), None
    server = Server(url, token=token, org=org, bucket=bucket)
    try:
        facts = replace(facts, version=server.version())
        hour_ns = facts.now_ns // HOUR_NS * HOUR_NS
        facts = replace(facts, write=server.write(hour_ns))
        if facts.write == "":
            facts = _looked(server, facts, hour_ns)
    except httpx.TransportError as error:
        return replace(facts, unreachable=f"{type(error).__name__}: {error}"), None
    else:
        return facts, server.date_offset_s
    finally:
        server.close()


def _looked(server: Server, facts: InfluxFacts, hour_ns: int) -> InfluxFacts:
    """What only one that takes points can be asked."""
    rows, trouble = server.query(f'SELECT "probe" FROM "{MEASUREMENT}" WHERE time = {hour_ns}')  # noqa: S608 - ours
    found = [row[-1] for row in rows]
    facts = replace(
        facts,
        read=trouble or ("" if found == [1] else f"the point is not there ({json.dumps(found)})"),
        write_old=None if facts.oldest_ns is None else server.write(facts.oldest_ns // HOUR_NS * HOUR_NS),
        write_status=server.write(STATUS_NS),
        retention_s=_retention_s(server, facts),
    )
    if facts.kind != "3":
        return facts
    _, trouble = server.query(
        f'SELECT first("updated_ns") FROM "charley_epoch" WHERE time >= {facts.oldest_ns or 0}'  # noqa: S608 - ours
    )
    return replace(facts, file_limit=trouble if "file limit" in trouble.lower() else "")


def _retention_s(server: Server, facts: InfluxFacts) -> float | None:
    if facts.kind == "2":
        return server.bucket_retention_s()
    if facts.kind == "3":
        return None
    database, _, policy = facts.bucket.partition("/")
    rows, _ = server.query(f'SHOW RETENTION POLICIES ON "{database}"')
    for name, duration, *_, is_default in rows:
        if name == policy or (not policy and is_default):
            return in_seconds(duration)
    return None


def in_a_line(body: str) -> str:
    """What an answer that is no JSON says, without the marks and line breaks of a page."""
    title = re.search(r"<title[^>]*>(.*?)</title>", body, _PAGE)
    words = title[1] if title else re.sub(r"<(script|style)\b.*?</\1>|<[^>]*>", " ", body, flags=_PAGE)
    line = " ".join(html.unescape(words).split())
    return line if len(line) <= LINE else f"{line[:LINE]}…"


def in_seconds(duration: str) -> float:
    """Seconds of a duration as InfluxDB 1.x prints it, such as 168h0m0s; 0 is for ever."""
    total, number = 0.0, ""
    for letter in duration:
        if letter in "hms":
            total += float(number) * {"h": 3600.0, "m": 60.0, "s": 1.0}[letter]
            number = ""
        else:
            number += letter
    return total


def _member(answer: httpx.Response, name: str) -> Any:
    try:
        body = answer.json()
    except ValueError:
        return None  # 3 Core says plain OK, and a 204 nothing
    return body.get(name) if isinstance(body, dict) else None
