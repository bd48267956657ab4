"""From a row to an entry, and from an entry to a row: one long table for all kinds. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, get_args

from api.diary.about import about_text, felt_about, parse_about
from api.diary.analytes import ANALYTES
from api.diary.clock import read_date, read_instant, written
from api.diary.csv_cells import Cells, shown_detail, shown_number, shown_text
from api.diary.csv_text import Row
from api.diary.taking import AHEAD_NS
from api.diary.units import spelled
from api.diary.values import (
    KINDS,
    Context,
    ContextKind,
    EntryKind,
    FeltCramp,
    FeltMuscle,
    Intake,
    Intervention,
    InterventionCode,
    LabValue,
    Outcome,
    Review,
    Schedule,
    Verdict,
)
from api.errors import Invalid
from api.registry import Side, Wearer
from api.zones import SECOND_NS, ZoneHistory

Entry = FeltCramp | Intervention | Intake | Context | LabValue | Review
# Which columns a kind uses, besides those that every row has.
USES: Final[dict[EntryKind, tuple[str, ...]]] = {
    "cramp": ("at", "uncertain_s", "what", "side", "duration_s", "pain", "sleep_disturbance", "note"),
    "intervention": ("at", "end", "what", "name", "value", "unit", "schedule", "times", "note"),
    "intake": ("at", "what", "outcome", "of"),
    "context": ("at", "end", "what", "detail", "note"),
    "laboratory": ("at", "what", "value", "unit", "note"),
    "review": ("episode", "what", "note"),
}
_EVERY: Final = ("entry", "id", "key")
_COLUMNS: Final = {  # where what an entry finds wrong stands in a row
    "from": "at", "to": "end", "start": "at", "about": "at", "dose": "value", "dose.value": "value",
    "dose.unit": "unit", "analyte": "what", "code": "what", "kind": "what", "end": "end",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Read:
    """An entry as read; an intake of an intervention that is named by `of`, its id in the file, or by `code`."""

    line: int
    kind: EntryKind
    entry: Entry
    file_id: str
    key: str
    of: str = ""
    code: InterventionCode | None = None


def read_row(row: Row, *, separator: str, wearer: Wearer, now_ns: int) -> Read:
    """The entry that a row tells of; what is wrong is `Invalid` under the name of its column."""
    cells = Cells(row, separator)
    kind = cells.needed("entry", KINDS)
    foreign = [name for name in row.cells if name not in (*_EVERY, *USES[kind])]
    if foreign:
        raise Invalid(foreign[0], f"A row of kind {kind} has no `{foreign[0]}`: empty this cell.")
    try:
        entry = _READERS[kind](cells, wearer, now_ns)
    except Invalid as error:
        raise Invalid(_COLUMNS.get(error.name, error.name.partition(".")[0]), str(error)) from error
    code = cells.word("what", get_args(InterventionCode)) if kind == "intake" else None
    return Read(row.line, kind, entry, cells.text("id"), cells.text("key"), of=cells.text("of"), code=code)


def row_of(entry: Entry, zones: ZoneHistory, *, key: str = "") -> dict[str, str]:
    """The cells of an entry."""
    cells = {"id": entry.id, "key": shown_text(key)}
    match entry:
        case FeltCramp():
            cells |= _of_cramp(entry, zones)
        case Intervention():
            cells |= _of_intervention(entry)
        case Intake():
            at = written(zones, entry.at_ns)
            cells |= {"entry": "intake", "at": at, "outcome": entry.outcome, "of": entry.intervention}
        case Context():
            end = "" if entry.end_ns is None else written(zones, entry.end_ns)
            cells |= {"entry": "context", "at": written(zones, entry.at_ns), "end": end, "what": entry.kind}
            cells |= {"detail": shown_detail(entry.detail), "note": shown_text(entry.note)}
        case LabValue():
            cells |= {"entry": "laboratory", "at": written(zones, entry.at_ns), "what": entry.analyte}
            cells |= {"value": shown_number(entry.value), "unit": entry.unit, "note": shown_text(entry.note)}
        case Review():
            cells |= {"entry": "review", "episode": entry.episode, "what": entry.verdict}
            cells |= {"note": shown_text(entry.note)}
    return cells


def _of_cramp(entry: FeltCramp, zones: ZoneHistory) -> dict[str, str]:
    vague = entry.about is not None
    return {
        "entry": "cramp",
        "at": about_text(entry.about) if entry.about else written(zones, entry.at_ns),
        "uncertain_s": "" if vague or not entry.uncertain_s else shown_number(entry.uncertain_s),
        "what": entry.muscle or "",
        "side": entry.side or "",
        "duration_s": shown_number(entry.duration_s),
        "pain": shown_number(entry.pain),
        "sleep_disturbance": shown_number(entry.sleep_disturbance),
        "note": shown_text(entry.note),
    }


def _of_intervention(entry: Intervention) -> dict[str, str]:
    return {
        "entry": "intervention",
        "at": entry.first.isoformat(),
        "end": "" if entry.last is None else entry.last.isoformat(),
        "what": entry.code,
        "name": shown_text(entry.name),
        "value": shown_number(entry.dose_value),
        "unit": entry.dose_unit or "",
        "schedule": entry.schedule,
        "times": shown_number(entry.times),
        "note": shown_text(entry.note),
    }


def _cramp(cells: Cells, wearer: Wearer, now_ns: int) -> FeltCramp:
    at, about = cells.row.cells.get("at", ""), None
    if at.startswith(("night", "day")):
        about = parse_about(at)
        at_ns, uncertain_s = felt_about(about, wearer)
        if at_ns - uncertain_s * 1e9 > now_ns + AHEAD_NS:
            raise Invalid("at", "That night or day has not begun: check the date.")
        if "uncertain_s" in cells.row.cells:
            raise Invalid("uncertain_s", "Of a whole night or day this is known: empty this cell.")
    else:
        at_ns, uncertain_s = _passed(at, wearer, now_ns), cells.number("uncertain_s") or 0.0
    return FeltCramp(
        at_ns=at_ns,
        uncertain_s=uncertain_s,
        about=about,
        muscle=cells.word("what", get_args(FeltMuscle)),
        side=cells.word("side", get_args(Side)),
        duration_s=cells.number("duration_s"),
        pain=cells.whole("pain"),
        sleep_disturbance=cells.whole("sleep_disturbance"),
        note=cells.text("note"),
    )


def _intervention(cells: Cells, _wearer: Wearer, _now_ns: int) -> Intervention:
    end = cells.row.cells.get("end", "")
    unit = cells.text("unit")
    return Intervention(
        code=cells.needed("what", get_args(InterventionCode)),
        first=read_date(cells.row.cells.get("at", ""), name="at"),
        last=read_date(end, name="end") if end else None,
        name=cells.text("name"),
        dose_value=cells.number("value"),
        dose_unit=spelled(unit) if unit else None,
        schedule=cells.word("schedule", get_args(Schedule)) or "daily",
        times=cells.whole("times"),
        note=cells.text("note"),
    )


def _intake(cells: Cells, wearer: Wearer, now_ns: int) -> Intake:
    if not cells.text("of") and "what" not in cells.row.cells:
        raise Invalid("what", "Say what was taken: its code here, or the id of the intervention in `of`.")
    at_ns = _passed(cells.row.cells.get("at", ""), wearer, now_ns)
    return Intake("", at_ns, cells.word("outcome", get_args(Outcome)) or "taken")


def _context(cells: Cells, wearer: Wearer, _now_ns: int) -> Context:
    kind = cells.needed("what", get_args(ContextKind))
    end = cells.row.cells.get("end", "")
    return Context(
        kind=kind,
        at_ns=read_instant(cells.row.cells.get("at", ""), wearer.zones, name="at"),
        end_ns=read_instant(end, wearer.zones, name="end") if end else None,
        detail=cells.detail(kind),
        note=cells.text("note"),
    )


def _laboratory(cells: Cells, wearer: Wearer, now_ns: int) -> LabValue:
    analyte = cells.needed("what", ANALYTES)
    at, value = cells.row.cells.get("at", ""), cells.number("value")
    if value is None:
        raise Invalid("value", "This cell must not be empty: write the number on the report.")
    if len(at) <= len("2026-11-20"):
        midnight_ns = wearer.zones.midnight_ns(read_date(at, name="at"))
        if midnight_ns > now_ns:
            raise Invalid("at", "This lies in the future: check the date.")
        at_ns = midnight_ns + 12 * 3600 * SECOND_NS
    else:
        at_ns = _passed(at, wearer, now_ns)
    return LabValue(analyte, at_ns, value, spelled(cells.text("unit")), note=cells.text("note"))


def _review(cells: Cells, _wearer: Wearer, _now_ns: int) -> Review:
    episode = cells.text("episode")
    onset = episode.rpartition(".")[2]
    if len(episode) > 160 or not (onset.isascii() and onset.isdigit() and int(onset[:20]) < 2**63):
        raise Invalid("episode", "Write the `id` of one of the wearer's episodes.")
    return Review(episode, int(onset), cells.needed("what", get_args(Verdict)), cells.text("note"))


def _passed(text: str, wearer: Wearer, now_ns: int) -> int:
    at_ns = read_instant(text, wearer.zones, name="at")
    if at_ns > now_ns + AHEAD_NS:
        raise Invalid("at", "This lies in the future: check date and time.")
    return at_ns


_Reader = Callable[[Cells, Wearer, int], Entry]
_READERS: Final[Mapping[EntryKind, _Reader]] = {
    "cramp": _cramp,
    "intervention": _intervention,
    "intake": _intake,
    "context": _context,
    "laboratory": _laboratory,
    "review": _review,
}
