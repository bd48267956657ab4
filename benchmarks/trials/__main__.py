"""Simulated cohorts with known effects through the whole system: is what trials say true?

python -m benchmarks.trials [--quick] [DESIGN ...]
python -m benchmarks.trials page

Without a design all run, `results.json`, the figure and `docs/trials.md` are written. With designs, or quickly, tables
are printed and nothing is written.
"""

import argparse
import json
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from benchmarks.trials import articles, coverage, figure, page, stress, system
from benchmarks.trials.designs import CASES
from benchmarks.trials.spread import simulated
from benchmarks.trials.tables import Made

RESULTS: Final = Path(__file__).with_name("results.json")
ROOT: Final = Path(__file__).parent.parent.parent
PAGE: Final = "page"


def main() -> int:
    """Run what is asked for; 1 where the system path differs or a share is outside its goal in a full run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.trials", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*CASES, PAGE, []], metavar="DESIGN", help=", ".join(CASES))
    parser.add_argument("--quick", action="store_true", help="a minute in place of a quarter of an hour")
    options = parser.parse_args()
    if options.names == [PAGE]:
        page.write()
        return 0
    out = Console()
    begun = time.perf_counter()
    names = tuple(options.names) or tuple(CASES)
    whole = not options.names
    tasks = coverage.tasks(names, quick=options.quick)
    tasks += [*stress.tasks(quick=options.quick), *articles.tasks(quick=options.quick)] if whole else []
    found = simulated(tasks)
    judged = coverage.verdicts(names, found)
    compared = system.compare(names, quick=options.quick)
    made = [coverage.table(judged), system.table(compared)]
    made += [*stress.tables(found), articles.table(found)] if whole else []
    for table in made:
        _show(out, table)
    if whole and not options.quick:
        _keep(made, seconds=time.perf_counter() - begun)
        figure.draw(judged)
        page.write()
    failed = [name for name, verdict in judged if not (options.quick or verdict.within_goal)]
    failed += [one.name for one in compared if not one.same]
    if failed:
        out.print(f"[red]not as it should be:[/red] {', '.join(failed)}")
    return 1 if failed else 0


def _keep(made: list[Made], *, seconds: float) -> None:
    """Write the tables beside what else `results.json` holds."""
    kept: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    command = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    origin = f"Made by `python -m benchmarks.trials` on {today}, version `{commit}`, in {seconds / 60:.0f} minutes."
    tables = [table.as_json() for table in made]
    tables[0]["note"] = "\n\n".join([origin, tables[0]["note"], figure.LINK])
    kept["cohorts"] = {"commit": commit, "date": today, "seconds": round(seconds), "tables": tables}
    RESULTS.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")


def _show(out: Console, made: Made) -> None:
    table = Table(*made.columns, title=made.title, caption=made.note)
    for row in made.rows:
        table.add_row(*row)
    out.print(table)


if __name__ == "__main__":
    raise SystemExit(main())
