"""Everything that is wrong with one row, so that it can be mended at once. Pure.

A row is read until something is wrong; that is noted and put right, and the row read again. What depends on a cell that
was put right (the unit of an unknown substance) is not judged.
"""

from datetime import timedelta
from typing import Final

from api.diary.csv_rows import read_row
from api.diary.csv_text import COLUMNS, Fault, Row
from api.errors import Invalid
from api.registry import Wearer

_WHAT: Final = {
    "cramp": "calf", "intervention": "stretching", "intake": "magnesium", "context": "heat", "review": "none",
}  # fmt: skip
_DATED: Final = ("intervention", "laboratory")
_MEASURED: Final = ("intervention", "laboratory", "context")  # of which one cell says how to read another
_HANGS_ON: Final = {
    "at": ("end",),
    "what": ("value", "unit", "name", "detail"),
    "value": ("unit", "what", "name"),
    "unit": ("value", "what", "name"),
}


def faults_of(row: Row, *, separator: str, wearer: Wearer, now_ns: int) -> list[Fault]:
    """All faults of a row that `read_row` refuses, one of a column at most; none of a good row."""
    cells, found = dict(row.cells), list[Fault]()
    met, hidden = set[str](), set[str]()
    for _ in COLUMNS:
        try:
            read_row(Row(row.line, cells), separator=separator, wearer=wearer, now_ns=now_ns)
        except Invalid as error:
            column = error.name
            if column in met:  # it cannot be put right
                break
            met.add(column)
            if column not in hidden:
                found.append(Fault(row.line, column, str(error)))
            if cells.get("entry", "").lower() in _MEASURED or column == "at":
                hidden.update(_HANGS_ON.get(column, ()))
            _put_right(cells, column, day=f"{wearer.zones.local(now_ns).date() - timedelta(days=2)}")
        else:
            break
    return found


def _put_right(cells: dict[str, str], column: str, *, day: str) -> None:
    """Something that can be read instead; an empty cell where nothing is needed."""
    kind = cells.get("entry", "").lower()
    cells.pop(column, None)
    if column == "at":
        cells["at"] = day if kind in _DATED else f"{day} 12:00"
    elif kind == "laboratory" and column in ("what", "value", "unit"):
        cells.update(what="magnesium", value="0.8", unit="mmol/L")
    elif column == "what" and kind in _WHAT:
        cells["what"] = _WHAT[kind]
    elif column == "episode":
        cells["episode"] = "leg.calf.1"
