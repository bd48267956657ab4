"""What InfluxDB's answers other than success mean: whose fault it is, for how long, and what mends it.

| answer                                              | means                                                   |
|-----------------------------------------------------|---------------------------------------------------------|
| 400 or 422 with InfluxDB's JSON                     | refused: a record (partial writes too) or the question  |
| the same, about a bucket or a limit of the server   | unavailable until that is put right                     |
| 400 or 422 without it, 3xx, 404, 405, pages         | unavailable: something else answers at this address     |
| 404 to a write, by one that says it is below 1.8    | unavailable: it has no /api/v2/write                    |
| 401, 403                                            | unavailable: the token                                  |
| 413                                                 | the body is halved; refused once one line is too large  |
| 429, 503                                            | unavailable, not before `Retry-After`                   |
| 5xx, and whatever else                              | unavailable                                             |
| 200 with an error in it, to a query                 | as its words say                                        |
| 200 without InfluxDB's JSON; any but 204 to a write | unavailable: something else answers at this address     |

A record is refused only on InfluxDB's own word. A proxy's 400 says nothing about a record: all would be given up.
"""

import html
import math
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final

import msgspec

from ingest.errors import StoreError, StoreRefused, StoreUnavailable

RETRY_AFTER_MAX_S: Final = 3600.0  # nobody means longer, and somebody may have put things right meanwhile
LINE_BYTES: Final = 64 * 1024  # a line this long is odd, and a limit below it is odder

_OWN_FAULT: Final = (400, 422)
_REDIRECTS: Final = (301, 302, 303, 307, 308)
# A 200 may carry an error in its body, so its words have to tell the two apart.
_PASSING: Final = re.compile(
    r"time(d )?\s?out|temporar|unavailable|try again|engine is closed|shutting down|not found|not set for|authori[sz]",
    re.IGNORECASE,
)
# 3 Core's limit on files per query comes as a server error, but no repetition lifts it.
_LASTING: Final = re.compile(r"file limit", re.IGNORECASE)
# What is missing is not the record's fault. Only at the beginning: the rest may quote a record.
_MISSING: Final = re.compile(
    r"(retention policy|database|bucket|organi[sz]ation)\b.*not found|default retention policy not set", re.IGNORECASE
)
_FULL: Final = re.compile(r"(max-series-per-database|max-values-per-tag) limit exceeded")
_TOO_OLD: Final = re.compile(r"beyond retention policy|outside retention|data in .* retention period", re.IGNORECASE)
_TOO_OLD_MEND: Final = (
    "The record is older than what the bucket's retention period keeps, and can never be stored in it. "
    "Keep for longer, and replay it, if you want it"
)
_SINCE: Final = (1, 8)  # has /api/v2/write
_NOT_INFLUXDB: Final = "That is not what InfluxDB says: check CHARLEY_INFLUXDB_URL, also http or https"
_MENDS: Final = {
    401: "Check CHARLEY_INFLUXDB_TOKEN (InfluxDB 1.8: user:password)",
    403: "Check that CHARLEY_INFLUXDB_TOKEN may read and write the bucket CHARLEY_INFLUXDB_BUCKET",
    413: "Raise the limit on bodies of what stands before InfluxDB (nginx: client_max_body_size 10m)",
}


class _Fault(msgspec.Struct):
    """One line at fault, as 3 Core names it."""

    line_number: int = 0
    error_message: str = ""


class _Words(msgspec.Struct):
    """What InfluxDB says of an error: `error` in 1.x and 3 Core, `message` in 2.x."""

    error: str | None = None
    message: str | None = None
    data: msgspec.Raw = msgspec.Raw(b"null")


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer over HTTP. `doing` is what it answers: a write or a read."""

    status: int
    body: bytes
    headers: Mapping[str, str]
    doing: str


def answer_error(answer: Answer, *, token: str) -> StoreError:
    """The error that an answer other than success stands for, without the token whatever the server says."""
    said = _sentence(answer.body)
    sentence = _said(answer.body) if said is None else said
    told = f"InfluxDB answered {answer.status} to a {answer.doing}: {sentence}"
    partial = answer.doing == "write" and answer.status in {200, 201}  # some services of InfluxData's say it so
    if said is not None and (partial or answer.status in _OWN_FAULT) and not _settings_fault(said):
        refused = f"{told}. {_TOO_OLD_MEND}" if _TOO_OLD.search(said) else told
        return StoreRefused(redacted(refused, token))
    if _LASTING.search(sentence):
        return StoreRefused(redacted(told, token))
    mend = _mend(answer, said)
    return StoreUnavailable(redacted(f"{told}. {mend}" if mend else told, token), retry_after_s=_retry_after_s(answer))


def sentence_error(sentence: str, *, token: str) -> StoreError:
    """The error that an `error` in the body of a 200 stands for."""
    told = redacted(f"InfluxDB refused a query: {sentence}", token)
    passing = _PASSING.search(sentence) and not _LASTING.search(sentence)
    if not passing:
        return StoreRefused(told)
    return StoreUnavailable(f"{told}. {_missing_mend(sentence)}" if _MISSING.match(sentence) else told)


def too_large(line: bytes) -> StoreError:
    """The error of a single line that a server, or what stands before it, finds too large."""
    if len(line) > LINE_BYTES:
        return StoreRefused(f"InfluxDB answered 413 to a write: a line of {len(line)} bytes is too large")
    return StoreUnavailable(f"InfluxDB answered 413 to a write of {len(line)} bytes. {_MENDS[413]}")


def below_1_8(version: str) -> bool:
    """Whether a server that says it is of this version is too old for us."""
    match = re.match(r"v?(\d+)\.(\d+)", version)
    return match is not None and (int(match[1]), int(match[2])) < _SINCE


def lacks_write(answer: Answer) -> bool:
    """Whether nothing at all takes writes at that address, as far as this answer tells."""
    return answer.status == 404 and _sentence(answer.body) is None


def too_old(version: str) -> StoreError:
    """The error of a server that has no /api/v2/write yet."""
    return StoreUnavailable(
        f"InfluxDB {version[:40]} cannot be written: it has no /api/v2/write. Charley needs InfluxDB 1.8 or newer, 2 "
        "or 3: install one, or correct CHARLEY_INFLUXDB_URL"
    )


def redacted(sentence: str, token: str) -> str:
    """The sentence without the token."""
    return sentence.replace(token, "***") if token else sentence


def _settings_fault(sentence: str) -> bool:
    return bool(_MISSING.match(sentence) or _FULL.search(sentence))


def _mend(answer: Answer, said: str | None) -> str:
    """What somebody has to do, if anything: the rest passes."""
    if answer.status in _REDIRECTS:
        return _moved(answer.headers.get("location", ""))
    if said is not None and _FULL.search(said):
        return "Raise that limit in InfluxDB's configuration, and restart it"
    if said is not None and _MISSING.match(said):
        return _missing_mend(said)
    elsewhere = 200 <= answer.status < 300 or answer.status in {404, 405, *_OWN_FAULT}
    return _NOT_INFLUXDB if elsewhere else _MENDS.get(answer.status, "")


def _missing_mend(sentence: str) -> str:
    if sentence.lower().startswith("organi"):
        return "Correct CHARLEY_INFLUXDB_ORG"
    # 2.x says the same of one that a token may not read.
    return "Create it, or correct CHARLEY_INFLUXDB_BUCKET, or let the token read it"


def _moved(location: str) -> str:
    """Where a redirect leads. It is not followed: token and records go where the settings say and nowhere else."""
    base = re.sub(r"(/api/v2/write|/query)?/?([?#].*)?$", "", location)
    if not re.match(r"https?://\S+$", base):
        return "Redirects are not followed: set CHARLEY_INFLUXDB_URL to where InfluxDB is"
    return f"Redirects are not followed: set CHARLEY_INFLUXDB_URL={base} if that is InfluxDB"


def _retry_after_s(answer: Answer) -> float | None:
    """How long the server asks to be left alone: seconds, or until a date by its own clock."""
    text = answer.headers.get("retry-after", "").strip()
    if not text or answer.status not in {429, 503}:
        return None
    try:
        seconds = float(text)
    except ValueError:
        until, now = (_seconds(text), _seconds(answer.headers.get("date", "")))
        if until is None:
            return None
        seconds = until - (time.time() if now is None else now)
    return None if math.isnan(seconds) else min(max(seconds, 0.0), RETRY_AFTER_MAX_S)


def _seconds(date: str) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError):
        return None


def _sentence(body: bytes) -> str | None:
    """InfluxDB's own words for people, or None where the body is not InfluxDB's."""
    try:
        words = msgspec.json.decode(body, type=_Words)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    sentence = words.error or words.message
    return None if sentence is None else (sentence + _faults(words.data))[:500]


def _faults(data: msgspec.Raw) -> str:
    """The first lines at fault, where the server names them."""
    try:
        faults = msgspec.json.decode(data, type=list[_Fault])
    except msgspec.DecodeError:
        return ""
    named = [f"line {fault.line_number}: {fault.error_message}" for fault in faults[:3]]
    return f" ({'; '.join(named)})" if named else ""


def _said(body: bytes) -> str:
    """What something other than InfluxDB says: the title of a page, or its words without the markup."""
    text = body.decode(errors="replace")
    title = re.search(r"<title>(.*?)</title>", text, re.IGNORECASE | re.DOTALL)
    words = title[1] if title else re.sub(r"<[^>]*>", " ", text)
    return " ".join(html.unescape(words).split())[:300] or "(no explanation)"
