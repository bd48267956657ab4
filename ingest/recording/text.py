"""CSV and its relatives: comma, semicolon or tab, decimal point or comma, a header of names with units.

What stands above the header is passed over; a row of units below it is taken. Arrow reads the rows in batches.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mode
from typing import Any, Final

import pyarrow as pa

from ingest.errors import RecordingError
from ingest.recording.arrow import ArrowRows, clock_of
from ingest.recording.clock import is_time
from ingest.recording.csv_rows import MISSING, read_csv
from ingest.recording.options import Options
from ingest.recording.source import Source
from ingest.recording.table import table_source
from ingest.recording.trigno import is_trigno, open_trigno_source
from ingest.recording.units import SECONDS, UV, G, plain

HEAD: Final = 1 << 18  # bytes in which header and first rows are looked for
_NUMBER: Final = re.compile(r"[+-]?(\d+[.,]?\d*|[.,]\d+)([eE][+-]?\d+)?")
_ISO: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?")
_DAY: Final = re.compile(r"\d\d:\d\d:\d\d(\.\d+)?")


@dataclass(frozen=True, slots=True)
class Form:
    """How a text is laid out."""

    delimiter: str
    decimal: str
    encoding: str
    skip: int  # lines above the first row
    names: tuple[str, ...]
    units: tuple[str, ...]
    first: tuple[str, ...]  # cells of the first row
    numeric: tuple[bool, ...]  # which columns begin with numbers or nothing


def open_text_source(path: Path, options: Options) -> Source:
    """Open a text with rows and columns, or raise `RecordingError`."""
    with path.open("rb") as file:
        head = file.read(HEAD)
    encoding = encoding_of(path, head)
    lines = head.decode(encoding, "replace").splitlines()
    if is_trigno(lines):
        return open_trigno_source(path, lines, encoding)
    form = _form(path, lines[:-1] if len(head) == HEAD else lines, encoding)
    time = next((k for k, cell in enumerate(form.first) if _is_moment(cell)), None)
    if time is None:
        time = next((k for k, name in enumerate(form.names) if is_time(name) and form.numeric[k]), None)
    names = [form.names[k] for k, numeric in enumerate(form.numeric) if numeric and k != time]
    if len(set(names)) < len(names):
        raise RecordingError(f"{path}: two columns have one name; the columns are {', '.join(form.names)}")
    odd = {"rows": 0}
    table = CsvTable(path, form, time, odd)
    clock = None
    if time is not None and not options.rate:
        batch = next(table.read([form.names[time]]), None)
        clock = clock_of(form.names[time], batch.column(0).slice(0, 1000)) if batch is not None else None
    units = tuple(form.units[form.names.index(name)] for name in names)
    rows = ArrowRows(path=path, names=tuple(names), units=units, clock=clock, read=table.read)
    odd["rows"] = 0
    source = table_source(path, rows, options, form="CSV", clock=clock)
    if odd["rows"]:
        note = f"{odd['rows']} row(s) with another number of cells than the header were left out."
        return replace(source, notes=(*source.notes, note))
    return source


@dataclass(frozen=True, slots=True)
class CsvTable:
    """Reads columns of a text by name."""

    path: Path
    form: Form
    time: int | None
    odd: dict[str, int]  # counts rows that have another number of cells

    def read(self, names: list[str]) -> Iterator[Any]:
        """Record batches of about a megabyte of text."""
        picked = [self.time if self._is_time(name, at) else self._column(name) for at, name in enumerate(names)]
        first = self.form.first
        kinds = {str(k): time_type(first[k]) if k == self.time else pa.float64() for k in picked if k is not None}
        try:
            yield from read_csv(
                self.path, skip=self.form.skip, columns=len(self.form.names), kinds=kinds,
                delimiter=self.form.delimiter, decimal=self.form.decimal, encoding=self.form.encoding, odd=self._skip,
            )  # fmt: skip
        except pa.ArrowInvalid as error:
            raise RecordingError(f"{self.path}: {_sentence(str(error), self.form)}") from error

    def _is_time(self, name: str, at: int) -> bool:
        return at == 0 and self.time is not None and self.form.names[self.time] == name

    def _column(self, name: str) -> int:
        return next(k for k, other in enumerate(self.form.names) if other == name and k != self.time)

    def _skip(self, row: Any) -> str:
        del row
        self.odd["rows"] += 1
        return "skip"


def encoding_of(path: Path, head: bytes) -> str:
    """UTF-8, UTF-16 by its mark, or Latin-1; bytes that are no text are no recording."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if b"\x00" in head:
        raise RecordingError(f"{path}: is not a recording that we read")
    try:
        head[: head.rfind(b"\n") + 1].decode("utf-8")
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8"


def time_type(cell: str) -> Any:
    """How Arrow is to read a time that looks like this cell."""
    if match := _ISO.fullmatch(cell):
        return pa.timestamp("ns", "UTC" if match[3] else None)
    return pa.time64("ns") if _DAY.fullmatch(cell) else pa.float64()


def _form(path: Path, lines: Sequence[str], encoding: str) -> Form:
    """The layout under which the first row with numbers and the header above it agree."""
    for delimiter in ("\t", ";", ",", "|"):
        rows = [[cell.strip() for cell in row] for row in csv.reader(lines, delimiter=delimiter)]
        if len(rows) != len(lines):
            rows = [[cell.strip().strip('"') for cell in line.split(delimiter)] for line in lines]
        width = mode(map(len, rows)) if rows else 0
        if width < 2 and delimiter != "|":
            continue
        decimal = "," if delimiter != "," and _comma(rows) else "."
        data = (k for k, row in enumerate(rows) if _is_data(row, decimal, width) and not _is_header(rows, k, decimal))
        at = next(data, None)
        if at is None:
            continue
        above = [row for row in rows[:at] if len(row) == len(rows[at])]
        if not above:
            raise RecordingError(
                f"{path}: has no header: its first line must name the columns, such as "
                f"time (s){delimiter}EMG soleus (uV)"
            )
        units = above[-1] if len(above) > 1 and _are_units(above[-1]) else [""] * len(rows[at])
        names = above[-2] if units is above[-1] else above[-1]
        names = [name.lstrip("#\ufeff ") for name in names]
        below = [row for row in rows[at : at + 200] if len(row) == len(names)]
        numeric = tuple(all(_is_number(row[k], decimal) for row in below) for k in range(len(names)))
        units = [plain(unit) for unit in units]
        return Form(delimiter, decimal, encoding, at, tuple(names), tuple(units), tuple(rows[at]), numeric)
    raise RecordingError(f"{path}: is not a recording that we read: no row of numbers below a line of names was found")


def _is_data(row: list[str], decimal: str, width: int) -> bool:
    """Whether more than half of a row of the usual width are numbers, times and gaps."""
    if len(row) != width or not any(row):
        return False
    kinds = [_is_number(cell, decimal) or _is_moment(cell) for cell in row]
    return any(cell not in MISSING for cell in row) and sum(kinds) > len(row) / 2 and kinds.count(True) >= 1


def _is_header(rows: list[list[str]], k: int, decimal: str) -> bool:
    """Whether a row names a column, as `time,1,2,3` does, of which the next row gives a number."""
    below = rows[k + 1] if k + 1 < len(rows) else []
    if len(below) != len(rows[k]):
        return False
    return any(not _is_number(cell, decimal) and _is_number(value, decimal) and not _is_moment(cell)
               for cell, value in zip(rows[k], below, strict=True))  # fmt: skip


def _is_moment(cell: str) -> bool:
    return bool(_ISO.fullmatch(cell) or _DAY.fullmatch(cell))


def _is_number(cell: str, decimal: str) -> bool:
    other = "," if decimal == "." else "."
    return cell in MISSING or (bool(_NUMBER.fullmatch(cell)) and other not in cell)


def _comma(rows: list[list[str]]) -> bool:
    cells = [cell for row in rows[:200] for cell in row]
    return sum(bool(re.fullmatch(r"[+-]?\d+,\d+([eE][+-]?\d+)?", cell)) for cell in cells) > len(cells) / 10


def _are_units(row: list[str]) -> bool:
    bare = [cell.strip("[]()").lower() for cell in row if cell]
    others = {"deg", "°", "deg/s", "°/s"}
    return bool(bare) and all(cell in SECONDS or plain(cell) in UV | G or cell in others for cell in bare)


def _sentence(message: str, form: Form) -> str:
    """What Arrow says of a cell, with the column's name and the row of the file."""
    if match := re.search(r"column #(\d+): (?:Row #(\d+): )?.*invalid value '(.*)'", message):
        row = f", line {match[2]}" if match[2] else ""
        return f"column {form.names[int(match[1])]!r}{row}: {match[3]!r} is not a number. Leave a missing value empty."
    return f"is damaged: {' '.join(message.split())}"
