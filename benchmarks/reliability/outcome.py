"""What a program found: figures, and checks that hold or do not; printed, and kept beside this file."""

import datetime as dt
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from benchmarks.influxdb import installed_version
from benchmarks.servers import find
from detector import VERSION

ROOT: Final = Path(__file__).parent.parent.parent
WRITTEN: Final = ("benchmarks/reliability/results.json", "docs/reliability.md")  # by these programs
RESULTS: Final = Path(__file__).with_name("results.json")
PACKAGES: Final = ("paho-mqtt", "influxdb-client", "numpy", "pyarrow")
NEWER: Final = " on 2.x"  # of a result on InfluxDB 2
MANY: Final = 20  # checks; of more only those that fail are printed

Figure = int | float | str


@dataclass(slots=True)
class Outcome:
    """One program's result; `rows` is a table with a heading of its own."""

    name: str
    figures: dict[str, Figure] = field(default_factory=dict)
    heading: tuple[str, ...] = ()
    rows: list[tuple[Figure, ...]] = field(default_factory=list)
    checks: dict[str, bool] = field(default_factory=dict)
    sentences: list[str] = field(default_factory=list)  # what a person needs to find a failure
    took_s: float = 0.0

    def check(self, what: str, holds: bool, sentences: Iterable[str] = ()) -> None:
        """Something that must hold; what to say where it does not."""
        self.checks[what] = holds
        if not holds:
            self.sentences += [f"{what}: {sentence}" for sentence in sentences]

    @property
    def passed(self) -> bool:
        """Whether all holds, and there was something that could have failed."""
        return bool(self.checks) and all(self.checks.values())

    def show(self, out: Console) -> None:
        """Print it."""
        if self.rows:
            table = Table(*self.heading, title=self.name)
            for row in self.rows:
                table.add_row(*map(shown, row))
            out.print(table)
        for name, value in self.figures.items():
            out.print(f"  {name}: {shown(value)}", highlight=False)
        out.print(f"  [green]{sum(self.checks.values())} checks hold[/green]", highlight=False)
        for what, holds in self.checks.items():
            if len(self.checks) <= MANY or not holds:
                word = "[green]holds[/green]" if holds else "[red]FAILS[/red]"
                out.print(f"  {word} {escape(what)}", highlight=False)
        for sentence in self.sentences:
            out.print(f"    {escape(sentence)}", soft_wrap=True, highlight=False)


def shown(value: Figure) -> str:
    """A figure for people."""
    if isinstance(value, float):
        return f"{value:,.1f}" if abs(value) >= 10 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else value


def keep(outcome: Outcome, *, quick: bool, path: Path = RESULTS) -> None:
    """Write it among the others, in place of an earlier one of the same length on a store of the same generation."""
    length = ("quick" if quick else "full") + (NEWER if installed_version().startswith("2.") else "")
    kept: dict[str, dict[str, Any]] = json.loads(path.read_text()) if path.exists() else {}
    kept.setdefault(outcome.name, {})[length] = {
        "passed": outcome.passed,
        "figures": outcome.figures,
        "heading": outcome.heading,
        "rows": outcome.rows,
        "checks": outcome.checks,
        "took_s": round(outcome.took_s, 1),
        "command": f"python -m benchmarks.reliability {outcome.name}{' --quick' if quick else ''}",
        **surroundings(),
    }
    path.write_text(json.dumps(kept, indent=1) + "\n")


def surroundings() -> Mapping[str, Any]:
    """Machine, date and versions."""
    return {
        "date": f"{dt.datetime.now(dt.UTC):%Y-%m-%d}",
        "machine": f"{os.cpu_count()} cores, {_memory_gib()} GiB, {platform.system()} {platform.machine()}",
        "versions": {
            "python": platform.python_version(), "detector": VERSION, "commit": _commit(),
            "mosquitto": _first_line("mosquitto", "-h"), "influxdb": installed_version(),
            **{name: importlib.metadata.version(name) for name in PACKAGES},
        },
    }  # fmt: skip


def _memory_gib() -> int:
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)


def _first_line(program: str, argument: str) -> str:
    path = find(program)
    if path is None:
        return "none"
    printed = subprocess.run([path, argument], capture_output=True, text=True, check=False, timeout=10)
    return (printed.stdout or printed.stderr).splitlines()[0].strip()


def _commit() -> str:
    """The version, and whether anything but earlier results of these programs was changed since."""
    told = _git("describe", "--always").stdout.strip()
    changed = _git("diff", "--quiet", "HEAD", "--", ".", *(f":!{path}" for path in WRITTEN)).returncode == 1
    return f"{told}-dirty" if changed else told or "unknown"


def _git(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)


def say(sentence: str) -> None:
    """Progress."""
    print(f"== {sentence}", file=sys.stderr, flush=True)
