"""From the bytes of a CSV file to its rows, whichever program wrote it. Pure.

UTF-8 with or without a mark, UTF-16 with one, else Windows-1252. Columns are separated by comma, semicolon or tab,
whichever the heading uses. Empty lines, and lines that begin with #, are passed over.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from api.errors import Invalid

MAX_BYTES: Final = 5_000_000
MAX_ROWS: Final = 20_000
COLUMNS: Final = (
    "entry", "at", "end", "what", "side", "value", "unit", "duration_s", "pain", "sleep_disturbance", "uncertain_s",
    "schedule", "times", "name", "outcome", "detail", "episode", "note", "of", "id", "key",
)  # fmt: skip
_SEPARATORS: Final = (",", ";", "\t")
_MARKS: Final = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a line, and how to mend it; `line` counts from 1, the heading's."""

    line: int
    column: str
    detail: str


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the file: what stands in its columns, trimmed; empty cells are left out."""

    line: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sheet:
    """Rows of a file and what could not be read of it; `separator` tells how its numbers are to be read."""

    rows: tuple[Row, ...]
    faults: tuple[Fault, ...]
    separator: str


def read_sheet(content: bytes) -> Sheet:
    """The rows of a file. A file that is none, or whose heading is not ours, raises `Invalid`."""
    if len(content) > MAX_BYTES:
        raise Invalid("file", f"The file has more than {MAX_BYTES // 10**6} MB: split it.")
    text = _text(content)
    separator = _separator(text)
    lines = _lines(text, separator)
    heading = next(lines, None)
    if heading is None:
        raise Invalid("file", "The file is empty: `charley diary template` prints one to begin with.")
    if isinstance(heading, Fault):
        raise Invalid("file", f"The heading cannot be read. {heading.detail}")
    columns = _columns(heading[1])
    rows: list[Row] = []
    faults: list[Fault] = []
    for item in lines:
        if isinstance(item, Fault):
            faults.append(item)
            continue
        line, values = item
        if len(values) > len(columns) and any(values[len(columns) :]):
            faults.append(Fault(line, "", "More cells than the heading has: put text with separators in quotes."))
            continue
        cells = {name: value for name, value in zip(columns, values, strict=False) if value}
        if cells:
            rows.append(Row(line, cells))
        if len(rows) > MAX_ROWS:
            raise Invalid("file", f"The file has more than {MAX_ROWS} rows: split it.")
    return Sheet(tuple(rows), tuple(faults), separator)


def _text(content: bytes) -> str:
    encodings = next(([name] for mark, name in _MARKS.items() if content.startswith(mark)), ["utf-8", "cp1252"])
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise Invalid("file", "This is no text. Save the table as CSV, in UTF-8, and send that.")


def _separator(text: str) -> str:
    """The separator that makes most of the heading; Excel's own first line `sep=;` says it too."""
    first = next((line for line in text.splitlines() if _counts(line)), "")
    return max(_SEPARATORS, key=first.count)


def _lines(text: str, separator: str) -> Iterator[tuple[int, list[str]] | Fault]:
    """Line number and cells of each line that counts."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Fault(line, "", f"This line cannot be read ({error}): look for a quote that is not closed.")
            continue
        trimmed = [value.strip() for value in values]
        if any(trimmed) and not trimmed[0].startswith("#") and not _is_hint(trimmed):
            yield line, trimmed


def _counts(line: str) -> bool:
    return (
        bool(line.strip())
        and not line.lstrip().startswith("#")
        and not re.match(r"sep=.?$", line.strip(), re.IGNORECASE)
    )


def _is_hint(values: Sequence[str]) -> bool:
    return values[0].lower().startswith("sep=") and not any(values[1:])


def _columns(heading: Sequence[str]) -> list[str]:
    names = [name.lower() for name in heading]
    while names and not names[-1]:
        names.pop()
    unknown = [name for name in names if name not in COLUMNS]
    if unknown or "entry" not in names:
        shown = ", ".join(repr(name[:40]) for name in unknown[:5])
        wrong = f"Unknown columns: {shown}." if unknown else "There is no column `entry`."
        raise Invalid("file", f"{wrong} The first line names the columns, of these: {', '.join(COLUMNS)}.")
    if len(set(names)) < len(names):
        raise Invalid("file", "A column comes twice in the heading: remove one.")
    return names
