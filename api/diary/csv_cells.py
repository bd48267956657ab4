"""What stands in a cell as a value, and a value as it stands in a cell; reading gives back what was written. Pure."""

import json
import math
import re
from dataclasses import dataclass
from typing import Final, TypeVar

from api.diary.csv_text import Row
from api.diary.values import MEMBERS, ContextKind, Detail
from api.errors import Invalid

WordT = TypeVar("WordT", bound=str)
_NUMBER: Final = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d{1,3})?")
_THOUSANDS: Final = re.compile(r"[+-]?[1-9]\d{0,2}([.,])\d{3}")
_FORMULA: Final = re.compile(r"'*[=+\-@]")
_QUOTED_FORMULA: Final = re.compile(r"'+[=+\-@]")


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells of one row. `separator` is that of the file: where it is no comma, a comma may be a decimal one."""

    row: Row
    separator: str

    def text(self, column: str) -> str:
        """Text as it was meant: an apostrophe that keeps spreadsheets from calculating is taken off."""
        value = self.row.cells.get(column, "")
        return value[1:] if _QUOTED_FORMULA.match(value) else value

    def word(self, column: str, words: tuple[WordT, ...]) -> WordT | None:
        """One of some words, in any case, with spaces or hyphens for underscores; None where the cell is empty."""
        given = re.sub(r"[\s-]+", "_", self.row.cells.get(column, "").lower())
        if not given:
            return None
        for word in words:
            if word == given:
                return word
        raise Invalid(column, f"Unknown word. Write one of {', '.join(words)}.")

    def needed(self, column: str, words: tuple[WordT, ...]) -> WordT:
        """One of some words, which must be there."""
        found = self.word(column, words)
        if found is None:
            raise Invalid(column, f"This cell must not be empty. Write one of {', '.join(words)}.")
        return found

    def number(self, column: str) -> float | None:
        """A number; None where the cell is empty."""
        value = self.row.cells.get(column, "")
        return self._number(value, column) if value else None

    def whole(self, column: str) -> int | None:
        """A whole number; None where the cell is empty."""
        value = self.number(column)
        if value is not None and not value.is_integer():
            raise Invalid(column, "Write a whole number.")
        return None if value is None else int(value)

    def detail(self, kind: ContextKind) -> Detail:
        """Members as `drink=water; intensity=hard`, or as JSON."""
        value = self.text("detail")
        if value.startswith("{"):
            return _from_json(value)
        members: list[tuple[str, str | float]] = []
        for part in value.split(";"):
            name, equals, text = (piece.strip() for piece in part.partition("="))
            if not part.strip():
                continue
            if not equals or name in dict(members):
                raise Invalid("detail", "Write members as `drink=water; intensity=hard`, each once.")
            numeric = isinstance((MEMBERS[kind].get(name) or ("",))[0], float)
            members.append((name, self._number(text, "detail") if numeric else text))
        return tuple(members)

    def _number(self, value: str, column: str) -> float:
        doubtful = _THOUSANDS.fullmatch(value)
        if doubtful and (doubtful[1] == "," or self.separator != ","):
            plain = value.replace(doubtful[1], "")
            raise Invalid(
                column, f"This may be {plain} or a fraction. Write {plain}, or the fraction with other digits."
            )
        if not _NUMBER.fullmatch(value) or not math.isfinite(number := float(value.replace(",", "."))):
            raise Invalid(column, "This is no number: write digits and one decimal point, without a unit.")
        return number


def shown_text(text: str) -> str:
    """Text for a cell; one that a spreadsheet would calculate gets an apostrophe before it."""
    return f"'{text}" if _FORMULA.match(text) else text


def shown_number(number: float | None) -> str:
    """A number for a cell, to its last digit."""
    if number is None:
        return ""
    return str(int(number)) if float(number).is_integer() and abs(number) < 1e15 else repr(float(number))


def shown_detail(detail: Detail) -> str:
    """Members for a cell."""
    if any(isinstance(value, str) and (";" in value or value != value.strip()) for _, value in detail):
        return json.dumps(dict(detail), ensure_ascii=False)
    return "; ".join(f"{name}={value if isinstance(value, str) else shown_number(value)}" for name, value in detail)


def _from_json(value: str) -> Detail:
    try:
        members = json.loads(value, parse_int=float)
    except (ValueError, RecursionError):
        members = None
    if not isinstance(members, dict) or not all(isinstance(item, str | float) for item in members.values()):
        raise Invalid("detail", "Write members as `drink=water; intensity=hard`, or as a JSON object of them.")
    return tuple(members.items())
