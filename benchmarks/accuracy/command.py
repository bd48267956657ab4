"""What `charley evaluate` does: the evaluation under progress bars."""

import signal
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from benchmarks.accuracy.evaluate import STAGES, AccuracyError, Wanted, evaluate, numbers


def run_evaluate(
    to: Path,
    *,
    quick: bool,
    jobs: int,
    generators: Sequence[str],
    names: Sequence[str],
    seeds: str,
    real: Path | None,
    out: Console,
    err: Console,
) -> int:
    """Evaluate, say what changed since the last report, and give the exit code."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends like Ctrl-C, and ends the processes too
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    try:
        wanted = Wanted(
            out=to, quick=quick, jobs=jobs or None, generators=tuple(generators), names=tuple(names),
            seeds=numbers(seeds), real=real,
        )  # fmt: skip
        with Progress(*columns, TimeRemainingColumn(), console=err) as bar:
            tasks = {what: bar.add_task(what, total=None, visible=False) for what in STAGES}
            changed = evaluate(
                wanted, lambda what, done, total: bar.update(tasks[what], completed=done, total=total, visible=True)
            )
    except AccuracyError as error:
        err.print(f"[red]charley:[/red] {escape(str(error))}", soft_wrap=True, highlight=False)
        return 2
    for line in changed:
        err.print(line, soft_wrap=True, highlight=False)
    out.print(f"Wrote {to}", soft_wrap=True, highlight=False)
    return 0
