"""Laboratory values: how they are kept, and those of a stretch of time."""

from collections.abc import Collection
from typing import Any, Final

import sqlalchemy as sa

from api.diary.analytes import Analyte
from api.diary.keeping import Kept, listed
from api.diary.values import LabValue
from api.registry import diary_tables

_table: Final = diary_tables.laboratory


def of(
    db: sa.Connection,
    wearer: str,
    *,
    start_ns: int | None = None,
    end_ns: int | None = None,
    analytes: Collection[Analyte] | None = None,
) -> list[LabValue]:
    """Laboratory values in `[start_ns, end_ns)`, of some analytes if asked, in order of time."""
    where: list[sa.ColumnElement[bool]] = []
    if start_ns is not None:
        where.append(_table.c.at_ns >= start_ns)
    if end_ns is not None:
        where.append(_table.c.at_ns < end_ns)
    if analytes is not None:
        where.append(_table.c.analyte.in_(analytes))
    return listed(db, KEPT, *where, wearer=wearer)


def _columns(entry: LabValue) -> dict[str, Any]:
    return {
        "at_ns": entry.at_ns,
        "analyte": entry.analyte,
        "value": entry.value,
        "unit": entry.unit,
        "note": entry.note,
    }


def _value(row: sa.Row[Any]) -> LabValue:
    return LabValue(
        analyte=row.analyte,
        at_ns=row.at_ns,
        value=row.value,
        unit=row.unit,
        note=row.note,
        id=row.id,
        updated_ns=row.updated_ns,
    )


KEPT: Final[Kept[LabValue]] = Kept("l", _table, "at_ns", _columns, _value)
