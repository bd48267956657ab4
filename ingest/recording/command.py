"""`charley detect`: many files in, tables, JSON, CSV and pictures out."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ingest.errors import RecordingError
from ingest.recording.batch import Outcome, jobs_in, run_all
from ingest.recording.options import Options
from ingest.recording.places import check_file, check_folder, told
from ingest.recording.printed import print_many, print_one
from ingest.recording.report import episodes_csv

ALL_READ, SOME_READ, NONE_READ = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Output:
    """What is to come out."""

    json: bool = False
    jsonl: bool = False
    csv: Path | None = None
    plots: Path | None = None


def run_detect(
    places: Sequence[Path], options: Options, output: Output, *, workers: int, out: Console, err: Console
) -> int:
    """Run over files and folders and print; gives the exit code."""
    jobs = jobs_in(places, options, plots=output.plots)
    _check_places(output)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, disable=not err.is_terminal, transient=True) as bar:
        task = bar.add_task(jobs[0].path.name if len(jobs) == 1 else "files", total=len(jobs))
        outcomes = run_all(
            jobs, workers=workers or os.cpu_count() or 1, progress=lambda done: bar.update(task, completed=done)
        )
    bad = [outcome for outcome in outcomes if outcome.report is None]
    if len(outcomes) == 1 and len(places) == 1 and bad:
        raise RecordingError(bad[0].error)
    _say(outcomes, err)
    if output.csv is not None:
        with told(output.csv, option="--csv", what="the episodes"):
            output.csv.parent.mkdir(parents=True, exist_ok=True)
            output.csv.write_text(episodes_csv(outcome.values() for outcome in outcomes))
    if output.jsonl:
        for outcome in outcomes:
            print(json.dumps(outcome.values()))  # noqa: T201
    elif output.json:
        one = len(places) == 1 and not places[0].is_dir()
        values = [outcome.values() for outcome in outcomes]
        print(json.dumps(values[0] if one else values, indent=2))  # noqa: T201
    elif len(outcomes) == 1:
        print_one(outcomes[0].values(), out)
    else:
        print_many(outcomes, places, out)
    return NONE_READ if len(bad) == len(outcomes) else SOME_READ if bad else ALL_READ


def _check_places(output: Output) -> None:
    """Whether everything can be written, before anything is read."""
    if output.csv is not None:
        check_file(output.csv, option="--csv", what="the episodes")
    if output.plots is not None and output.plots.suffix.lower() == ".png":
        check_file(output.plots, option="--plot", what="the picture")
    elif output.plots is not None:
        check_folder(output.plots, option="--plot", what="pictures")


def _say(outcomes: Sequence[Outcome], err: Console) -> None:
    """Errors and what is odd about a file, on standard error."""
    for outcome in outcomes:
        if outcome.report is None:
            err.print(f"[red]charley:[/red] {escape(outcome.error)}", soft_wrap=True, highlight=False)
            continue
        for note in outcome.report["notes"]:
            err.print(f"{outcome.path}: {note}", soft_wrap=True, markup=False, highlight=False)
