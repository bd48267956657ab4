"""Queries to InfluxDB's `/query`: InfluxQL with bind parameters over HTTP, and what its errors mean."""

import json
import re
from typing import Final

import httpx
import msgspec

from ingest.errors import StoreError, StoreRefused, StoreUnavailable

_DOCUMENT: Final = json.JSONDecoder()

Cell = str | int | float | bool | None

# The record's or the question's own fault. Whatever else a server says can be put right by whoever runs it (a token,
# a bucket, a proxy), and records are worth waiting for.
_OWN_FAULT: Final = (400, 413, 422)
# A 200 may carry an error in its body, so its words have to tell the two apart.
_PASSING: Final = re.compile(
    r"time(d )?\s?out|temporar|unavailable|try again|engine is closed|shutting down|not found|authori[sz]",
    re.IGNORECASE,
)
# 3 Core's limit on files per query comes as a server error, but no repetition lifts it.
_LASTING: Final = re.compile(r"file limit", re.IGNORECASE)
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
    message: str | None = None


class InfluxQL:
    """Runs single statements against one database. Threads may share it."""

    def __init__(self, url: str, *, token: str, database: str, timeout_s: float) -> None:
        name, _, policy = database.partition("/")
        # In chunks: whole answers are cut at the server's max-row-limit, and 1.x marks those as it marks others.
        self._fixed = {"db": name, "epoch": "ns", "chunked": "true", "chunk_size": str(CHUNK_ROWS)}
        self._fixed |= {"rp": policy} if policy else {}
        self._token = token
        self._client = httpx.Client(
            base_url=url,
            timeout=timeout_s,
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
            raise http_error(answer.status_code, answer.content, token=self._token, doing="read")
        return [row for series in self._series(answer.content) for row in _picked(series, columns)]

    def close(self) -> None:
        """Release the connections."""
        self._client.close()

    def _series(self, body: bytes) -> list[_Series]:
        found: list[_Series] = []
        for answer in self._answers(body):
            for trouble in (answer.error, *(result.error for result in answer.results)):
                if trouble:
                    raise _sentence_error(trouble, token=self._token)
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
            raise StoreUnavailable(f"what answered is not InfluxDB's /query: {error}") from error
        return answers


def http_error(status: int, body: bytes | str | None, *, token: str, doing: str) -> StoreError:
    """What an HTTP status other than success means, with the sentence that came with it."""
    sentence = _redacted(_sentence(body), token)
    told = f"InfluxDB answered {status} to a {doing}: {sentence}"
    lasting = status in _OWN_FAULT or _LASTING.search(sentence)
    return StoreRefused(told) if lasting else StoreUnavailable(told)


def _sentence_error(sentence: str, *, token: str) -> StoreError:
    told = f"InfluxDB refused a query: {_redacted(sentence, token)}"
    passing = _PASSING.search(sentence) and not _LASTING.search(sentence)
    return StoreUnavailable(told) if passing else StoreRefused(told)


def _sentence(body: bytes | str | None) -> str:
    """The part of an error's body that is meant for people."""
    text = body.decode(errors="replace") if isinstance(body, bytes) else body or ""
    try:
        answer = msgspec.json.decode(text, type=_Answer)
    except msgspec.DecodeError:
        return text.strip()[:300] or "(no explanation)"  # a proxy's page, say
    return (answer.error or answer.message or text)[:300]


def _redacted(sentence: str, token: str) -> str:
    return sentence.replace(token, "***") if token else sentence


def _picked(series: _Series, columns: list[str]) -> list[list[Cell]]:
    if series.columns == columns:
        return series.values
    try:
        places = [series.columns.index(name) for name in columns]
    except ValueError as error:
        raise StoreRefused(f"InfluxDB's answer lacks a column: {error}") from error
    return [[row[place] for place in places] for row in series.values]
