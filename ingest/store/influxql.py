"""Queries to InfluxDB's `/query`: InfluxQL with bind parameters over HTTP."""

import json
import ssl
from typing import Final
from urllib.parse import urlsplit

import httpx
import msgspec

from ingest.errors import StoreRefused, StoreUnavailable
from ingest.store.influx_errors import Answer, answer_error, sentence_error

_DOCUMENT: Final = json.JSONDecoder()

Cell = str | int | float | bool | None

CHUNK_ROWS: Final = 10_000


class _Series(msgspec.Struct):
    columns: list[str]
    values: list[list[Cell]] = msgspec.field(default_factory=list)


class _Result(msgspec.Struct):
    series: list[_Series] = msgspec.field(default_factory=list)
    error: str | None = None


class _Answer(msgspec.Struct):
    results: list[_Result] = msgspec.field(default_factory=list)
    error: str | None = None


def check_access(url: str, *, token: str) -> None:
    """Raise `StoreRefused` for an address or a token that cannot be right; neither is shown, they may hold secrets."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0 and url.isprintable()
    except ValueError:  # a port or an IPv6 address that is none
        usable = False
    if not usable:
        raise StoreRefused("InfluxDB's address must be like http://host:8086")
    if parts.username is not None or parts.password is not None:
        raise StoreRefused("put credentials into the token (for InfluxDB 1.8: user:password), not the address")
    if not token.isascii() or not token.isprintable():
        raise StoreRefused("InfluxDB's token holds a character that no token has (a line break, perhaps)")


class InfluxQL:
    """Runs single statements against one database. Threads may share it."""

    def __init__(self, url: str, *, token: str, database: str, timeout_s: float, tls: ssl.SSLContext) -> None:
        name, _, policy = database.partition("/")
        # In chunks: whole answers are cut at the server's max-row-limit, and 1.x marks those as it marks others.
        self._fixed = {"db": name, "epoch": "ns", "chunked": "true", "chunk_size": str(CHUNK_ROWS)}
        self._fixed |= {"rp": policy} if policy else {}
        self._token = token
        self._client = httpx.Client(
            base_url=url,
            timeout=timeout_s,
            verify=tls,
            trust_env=False,  # the client that writes knows no proxies either
            headers={"Authorization": f"Token {token}", "Accept": "application/json"},
        )
        self._decoder = msgspec.json.Decoder(_Answer)

    def rows(self, statement: str, parameters: dict[str, str | int], *, columns: list[str]) -> list[list[Cell]]:
        """The rows of a SELECT, with the named columns in that order."""
        form = {**self._fixed, "q": statement, "params": msgspec.json.encode(parameters).decode()}
        try:
            # As a form, not in the URL: proxies limit and log URLs.
            answer = self._client.post("/query", data=form)
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise StoreUnavailable(f"InfluxDB cannot be read: {type(error).__name__}: {error}") from error
        if answer.status_code != httpx.codes.OK:
            told = Answer(answer.status_code, answer.content, answer.headers, "read")
            raise answer_error(told, token=self._token)
        return [row for series in self._series(answer.content) for row in _picked(series, columns)]

    def version(self) -> str:
        """What the server says that it is, as 1.x and 2.x do; empty where it does not."""
        try:
            return str(self._client.get("/ping").headers.get("x-influxdb-version", ""))
        except (httpx.TransportError, httpx.DecodingError):
            return ""

    def close(self) -> None:
        """Release the connections."""
        self._client.close()

    def _series(self, body: bytes) -> list[_Series]:
        found: list[_Series] = []
        for answer in self._answers(body):
            for trouble in (answer.error, *(result.error for result in answer.results)):
                if trouble:
                    raise sentence_error(trouble, token=self._token)
            found.extend(series for result in answer.results for series in result.series)
        return found

    def _answers(self, body: bytes) -> list[_Answer]:
        """The documents of a chunked answer: a line each in 1.x and 2.x, end to end in 3 Core."""
        try:
            return self._decoder.decode_lines(body)
        except msgspec.DecodeError:
            text, place = body.decode(errors="replace").rstrip(), 0
        answers: list[_Answer] = []
        try:
            while place < len(text):
                document, place = _DOCUMENT.raw_decode(text, place)
                answers.append(msgspec.convert(document, _Answer))
        except (ValueError, msgspec.ValidationError) as error:
            raise StoreUnavailable(
                f"what answered is not InfluxDB's /query: {error}. Check CHARLEY_INFLUXDB_URL"
            ) from error
        return answers


def _picked(series: _Series, columns: list[str]) -> list[list[Cell]]:
    if series.columns == columns:
        return series.values
    try:
        places = [series.columns.index(name) for name in columns]
    except ValueError as error:
        raise StoreRefused(f"InfluxDB's answer lacks a column: {error}") from error
    return [[row[place] for place in places] for row in series.values]
