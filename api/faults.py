"""What is wrong with a request, from the checker's words into ones that say what to send instead. Pure."""

from collections.abc import Mapping
from typing import Any, Final

INSTANT: Final = "Give an instant with its offset from UTC, such as 2026-01-31T21:00:00+01:00 or 2026-01-31T20:00:00Z"
PATTERNS: Final = {  # of `api.schemas`; a test looks whether all are here
    r"^[A-Za-z0-9_-]{1,64}$": "A device id has 1 to 64 letters, digits, hyphens and underscores, as in its topic",
    r"^([01][0-9]|2[0-3]):[0-5][0-9]$": "Give a local wall time as HH:MM, such as 21:00",
}
_INSTANTS: Final = ("timezone_aware", "datetime_parsing", "datetime_from_date_parsing", "datetime_type")
_OBJECT: Final = 'Send a JSON object, such as {"name": "value"}, with the header Content-Type: application/json'
_OBJECTS: Final = ("model_attributes_type", "dict_type", "model_type")


def told(fault: Mapping[str, Any], *, body: object) -> dict[str, str]:
    """Where a fault is, and what to send instead; without full stop, as several may be told in a row."""
    source, *path = fault["loc"]
    if fault["type"] == "json_invalid":
        return {"where": str(source), "detail": _not_json(fault, body)}
    where = ".".join(str(part) for part in path) or str(source)
    return {"where": where, "detail": _detail(fault)}


def _detail(fault: Mapping[str, Any]) -> str:
    kind = fault["type"]
    if kind in _INSTANTS:
        return INSTANT
    if kind in _OBJECTS:
        return _OBJECT
    known = PATTERNS.get(fault.get("ctx", {}).get("pattern", ""))
    return known if kind == "string_pattern_mismatch" and known else str(fault["msg"])


def _not_json(fault: Mapping[str, Any], body: object) -> str:
    """The place counts lines and columns from 1, as editors do."""
    reason = str(fault.get("ctx", {}).get("error", "it cannot be read"))
    place = fault["loc"][-1]
    before = body[:place] if isinstance(body, str) and isinstance(place, int) else None
    at = "" if before is None else f" at line {before.count(chr(10)) + 1}, column {place - before.rfind(chr(10))}"
    how = "Names and text stand in double quotes, members are parted by commas, and the last has none after it"
    return f"This is no JSON: {reason[:1].lower()}{reason[1:]}{at}. {how}"
