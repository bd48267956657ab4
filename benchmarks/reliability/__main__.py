"""Show what must hold whatever happens on the way; each program prints figures and fails where it does not hold.

python -m benchmarks.reliability [NAME ...] [--quick] [--keep FOLDER]
python -m benchmarks.reliability page

Without a name all run, and the page is written.
"""

import argparse
import importlib
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from rich.console import Console

from benchmarks.reliability import page
from benchmarks.reliability.outcome import Outcome, keep, say

PROGRAMS: Final = ("kills", "offline", "outages", "hostile", "reconnect", "flood", "backup", "arrival")
PAGE: Final = "page"


def run(name: str, *, quick: bool, folder: Path) -> Outcome:
    """One program to its end; an error of its own is a failure like any other."""
    say(f"{name}{', quick' if quick else ''} ...")
    program = importlib.import_module(f"benchmarks.reliability.{name}")
    try:
        outcome: Outcome = program.run(quick=quick, folder=folder)
    except (RuntimeError, TimeoutError) as error:  # a process that ended, or something that never came about
        outcome = Outcome(name)
        outcome.check("it ran to its end", False, [str(error)])
    return outcome


def main() -> int:
    """Run those that are named, or all; 1 when anything does not hold."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reliability", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*PROGRAMS, PAGE, []], metavar="NAME", help=", ".join(PROGRAMS))
    parser.add_argument("--quick", action="store_true", help="a minute instead of an hour")
    parser.add_argument("--keep", type=Path, help="keep what the processes wrote here")
    options = parser.parse_args()
    if options.names == [PAGE]:
        page.write()
        return 0
    out = Console()
    failed = []
    for name in options.names or PROGRAMS:
        with ExitStack() as stack:
            folder = options.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="charley-")))
            outcome = run(name, quick=options.quick, folder=folder / name)
        outcome.show(out)
        keep(outcome, quick=options.quick)
        if not outcome.passed:
            failed.append(name)
    if not options.names:
        page.write()
    if failed:
        out.print(f"[red]does not hold:[/red] {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
