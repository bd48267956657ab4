"""`charley diary`: a wearer's diary in and out as CSV, and shown."""

import sys
from pathlib import Path
from typing import Final, Literal

from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from api.diary.exchange import Imported, export_csv, import_csv
from api.diary.template import template
from api.diary.together import entries_between
from api.errors import Invalid, Unknown
from api.registry import Registry, wearers
from api.times import instant_range

Action = Literal["import", "export", "template", "list"]
STANDARD: Final = Path("-")  # input or output
SHOWN_FAULTS: Final = 50
_NOT_LISTED: Final = {"updated", "adherence", "usual"}


def run_diary(
    registry: Registry,
    action: Action,
    wearer: str = "",
    file: Path | None = None,
    *,
    skip_bad: bool = False,
    begin: str | None = None,
    end: str | None = None,
    now_ns: int,
    out: Console,
    err: Console,
) -> int:
    """Do one action; 0 is done, 1 is that rows were bad, 2 that nothing could be done."""
    if action == "template":
        return _give(template(), file, out=out, err=err)
    try:
        if action == "import":
            return _import(registry, wearer, file, skip_bad=skip_bad, now_ns=now_ns, out=out, err=err)
        if action == "export":
            return _export(registry, wearer, file, begin=begin, end=end, now_ns=now_ns, out=out, err=err)
        return _list(registry, wearer, begin=begin, end=end, now_ns=now_ns, out=out)
    except Unknown:
        err.print("There is no wearer of this id: GET /api/v1/wearers has the ids.")
        return 2
    except Invalid as error:
        err.print(escape(str(error)), soft_wrap=True, highlight=False)
        return 2


def _import(
    registry: Registry, wearer: str, file: Path | None, *, skip_bad: bool, now_ns: int, out: Console, err: Console
) -> int:
    if file is None:
        raise Invalid("file", "Name the file: charley diary import WEARER FILE.")
    content = sys.stdin.buffer.read() if file == STANDARD else file.read_bytes()
    with registry.write() as db:
        done = import_csv(db, wearer, content, skip_bad=skip_bad, now_ns=now_ns)
    if done.faults:
        _show_faults(done, err=err)
    if done.faults and not skip_bad:
        err.print("Nothing was added. Mend these lines and try again, or keep the rest with --skip-bad.")
        return 1
    added = ", ".join(f"{count} {kind}" for kind, count in done.added.items() if count)
    out.print(f"Added: {added or 'nothing'}. There before: {done.known}. Skipped: {done.skipped}.")
    return 1 if done.faults else 0


def _export(
    registry: Registry,
    wearer: str,
    file: Path | None,
    *,
    begin: str | None,
    end: str | None,
    now_ns: int,
    out: Console,
    err: Console,
) -> int:
    with registry.read() as db:
        within = None
        if begin is not None or end is not None:
            within = instant_range(begin, end, zones=wearers.find(db, wearer).zones, now_ns=now_ns)
        text = export_csv(
            db, wearer, start_ns=within.start_ns if within else None, end_ns=within.end_ns if within else None
        )
    return _give(text, file, out=out, err=err)


def _list(registry: Registry, wearer: str, *, begin: str | None, end: str | None, now_ns: int, out: Console) -> int:
    with registry.read() as db:
        within = instant_range(begin, end, zones=wearers.find(db, wearer).zones, now_ns=now_ns)
        found = entries_between(db, wearer, within, now_ns=now_ns)
    table = Table(Column("when", no_wrap=True), "entry", Column("says", overflow="fold"))
    for item in found:
        said = item.view.model_dump(mode="json", by_alias=True, exclude_none=True, exclude=_NOT_LISTED)
        kind, at = said.pop("kind"), ""
        for name in ("at", "about", "start", "from", "onset"):
            at = at or said.pop(name, "")
        says = "; ".join(
            f"{name}: {value}" for name, value in said.items() if value not in ("", {}) and name != "usual"
        )
        table.add_row(escape(str(at)), kind, escape(says))
    out.print(table if found else "Nothing in this range.")
    return 0


def _give(text: str, file: Path | None, *, out: Console, err: Console) -> int:
    """Write to a new file that only its owner may read, or print."""
    if file is None or file == STANDARD:
        out.file.write(text)
        return 0
    try:
        file.touch(mode=0o600, exist_ok=False)
    except FileExistsError:
        err.print(escape(f"{file} is there already: choose another name."), soft_wrap=True)
        return 2
    file.write_text(text, encoding="utf-8", newline="")
    return 0


def _show_faults(done: Imported, *, err: Console) -> None:
    table = Table("line", "column", Column("what is wrong", overflow="fold"))
    for fault in done.faults[:SHOWN_FAULTS]:
        table.add_row(str(fault.line), escape(fault.column), escape(fault.detail))
    err.print(table)
    if len(done.faults) > SHOWN_FAULTS:
        err.print(f"and {len(done.faults) - SHOWN_FAULTS} more faults")
