"""`charley doctor`: looks at everything, prints what it found with the mend."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn
from rich.table import Column, Table

from ingest.doctor.check import VERDICTS, Check, Verdict, exit_code
from ingest.doctor.gather import Seen, steps
from ingest.keeping import RegistryTools
from ingest.settings import Settings
from ingest.store import Store

_STYLES: Final[dict[Verdict, str]] = {"ok": "green", "warn": "yellow", "fail": "bold red", "skipped": "dim"}


def run_doctor(
    settings: Settings,
    *,
    open_store: Callable[[Settings], Store],
    tools: RegistryTools,
    as_json: bool = False,
    broker_load: bool = True,
    mosquitto_conf: Path | None = None,
    out: Console,
    err: Console,
) -> int:
    """Look, print and give the exit code: 1 when something has failed, else 0."""
    seen = Seen(settings=settings, now_ns=time.time_ns())
    todo = steps(open_store=open_store, tools=tools, broker_load=broker_load, mosquitto_conf=mosquitto_conf)
    columns = (SpinnerColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=err, disable=as_json or not err.is_terminal, transient=True) as bar:
        task = bar.add_task("", total=None)
        for name, step in todo:
            bar.update(task, description=f"looking at the {name}")
            step(seen)
    if as_json:
        print(json.dumps([asdict(check) for check in seen.checks], indent=2))  # noqa: T201
    else:
        _print(seen.checks, out)
    return exit_code(seen.checks)


def _print(checks: list[Check], out: Console) -> None:
    table = Table(Column("", no_wrap=True), Column("check", no_wrap=True), Column("found and mend", overflow="fold"))
    for check in checks:
        mend = f"\n[italic]mend:[/italic] {escape(check.mend)}" if check.mend else ""
        style = _STYLES[check.verdict]
        table.add_row(f"[{style}]{check.verdict}[/{style}]", check.name, escape(check.found) + mend)
    out.print(table)
    counts = {verdict: sum(check.verdict == verdict for check in checks) for verdict in VERDICTS}
    out.print(", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count), highlight=False)
