"""`charley detect`: many files in; tables that fit 80 characters, JSON, CSV and pictures out."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column, Table

from ingest.errors import RecordingError
from ingest.recording.batch import Outcome, jobs_in, run_all
from ingest.recording.options import Options
from ingest.recording.places import check_file, check_folder, told
from ingest.recording.report import episodes_csv

ALL_READ, SOME_READ, NONE_READ = 0, 1, 2
NOTICE: Final = "Not a medical device."
STYLE: Final[dict[str, Any]] = {"box": SIMPLE_HEAD, "padding": (0, 1, 0, 0), "pad_edge": False, "show_edge": False}
NAMED: Final = 3  # files of which the channels are told together


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
    _warn(outcomes, err)
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


def _warn(outcomes: Sequence[Outcome], err: Console) -> None:
    """Errors and what is odd about a file, on standard error."""
    for outcome in outcomes:
        if outcome.report is None:
            err.print(f"[red]charley:[/red] {escape(outcome.error)}", soft_wrap=True, highlight=False)
            continue
        for note in outcome.report["notes"]:
            err.print(f"{outcome.path}: {note}", soft_wrap=True, markup=False, highlight=False)


def print_one(report: dict[str, Any], out: Console) -> None:
    """The episodes of one file, and what its channels were taken for."""
    if report["episodes"]:
        out.print(_episodes(report["episodes"]))
        _say(out, "")
    else:
        _say(out, "No episode.")
    for line in _channels(report):
        _say(out, line)
    for picture in report.get("plots", ()):
        _say(out, f"picture: {picture}")
    usable_s, rejected = report["coverage"]["usable_s"], len(report["rejected"])
    taken_back = f" {rejected} taken back." if rejected else ""
    _say(out, f"{usable_s:.0f} s usable of {report['duration_s']:.0f} s.{taken_back} {NOTICE}")


def print_many(outcomes: Sequence[Outcome], places: Sequence[Path], out: Console) -> None:
    """A line a file, what channels were taken for, then the episodes of each; files by their names in the folder."""
    folder = _folder(places)
    names = {outcome.path: os.path.relpath(outcome.path, folder) for outcome in outcomes}
    _say(out, f"Recordings in {folder}")
    out.print(_files(outcomes, names))
    read = [(names[outcome.path], outcome.report) for outcome in outcomes if outcome.report is not None]
    _print_channels(read, out)
    for name, report in read:
        if report["episodes"]:
            _say(out, f"\n{name}")
            out.print(_episodes(report["episodes"]))
    if pictures := [Path(picture) for _, report in read for picture in report.get("plots", ())]:
        above = os.path.commonpath([picture.parent for picture in pictures])
        _say(out, f"\n{len(pictures)} picture(s) in {above}, named like the recordings")
    count = sum(len(report["episodes"]) for _, report in read)
    _say(out, f"\n{count} episode(s) in {len(outcomes)} file(s). {NOTICE}")


def _folder(places: Sequence[Path]) -> str:
    """The folder in which all lie; of several places the one above them."""
    return os.path.commonpath([(place if place.is_dir() else place.parent).absolute() for place in places])


def _files(outcomes: Sequence[Outcome], names: dict[Path, str]) -> Table:
    heads = ("seconds", "usable", "channels\nused", "episodes", "worst\nseverity")
    columns = [Column(head, justify="right", no_wrap=True) for head in heads]
    table = Table(Column("file", overflow="fold"), "format", *columns, **STYLE)
    for outcome in outcomes:
        report, name = outcome.report, escape(names[outcome.path])
        if report is None:
            table.add_row(name, "[red]not read[/red]")
            continue
        found, channels = report["episodes"], report["channels"]
        used = sum(one["taken_for"] is not None for one in channels)
        table.add_row(
            name, report["format"], f"{report['duration_s']:.0f}", f"{report['coverage']['usable_s']:.0f}",
            f"{used} of {len(channels)}", str(len(found)),
            f"{max(episode['severity'] for episode in found):.1f}" if found else "",
        )  # fmt: skip
    return table


def _episodes(episodes: Sequence[dict[str, Any]]) -> Table:
    heads = ("severity", "grade", "confidence")
    table = Table(
        Column("onset\n(s)", justify="right", no_wrap=True), Column("duration\n(s)", justify="right", no_wrap=True),
        Column("site", overflow="fold"), *(Column(head, justify="right", no_wrap=True) for head in heads),
        Column("flags", overflow="fold"), **STYLE,
    )  # fmt: skip
    for episode in episodes:
        site = " ".join(filter(None, (episode["side"], episode["stream"])))
        table.add_row(
            f"{episode['onset_s']:.0f}", f"{episode['end_s'] - episode['onset_s']:.0f}", escape(site),
            f"{episode['severity']:.1f}", str(episode["grade"]), f"{episode['confidence']:.2f}",
            ", ".join(episode["flags"]),
        )  # fmt: skip
    return table


def _channels(report: dict[str, Any]) -> tuple[str, ...]:
    """What every channel was taken for, and why the others were left out."""
    taken = [one for one in report["channels"] if one["taken_for"]]
    said = [f"{one['label']} is {' '.join(filter(None, (one['side'], one['taken_for'])))}" for one in taken]
    left = [f"left out: {one['label']}: {one['left_out']}" for one in report["channels"] if not one["taken_for"]]
    return ("; ".join(said), *left)


def _print_channels(read: Sequence[tuple[str, dict[str, Any]]], out: Console) -> None:
    """Of files whose channels are the same, once."""
    files: dict[tuple[str, ...], list[str]] = {}
    for name, report in read:
        files.setdefault(_channels(report), []).append(name)
    for lines, names in files.items():
        _say(out, "")
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        _say(out, f"Channels of {', '.join(names[:NAMED])}{more}:")
        for line in lines:
            _say(out, f"  {line}")


def _say(out: Console, sentence: str) -> None:
    out.print(sentence, soft_wrap=True, markup=False, highlight=False)
