"""`charley backup` and `charley restore`: progress, what was kept, and what to do with it."""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from ingest.keeping.backup import back_up, size_of
from ingest.keeping.damage import of_backup, of_restore
from ingest.keeping.manifest import Progress as Told
from ingest.keeping.manifest import read_manifest
from ingest.keeping.registry import RegistryTools
from ingest.keeping.restore import restore
from ingest.settings import Settings
from ingest.store import Store

DONE: Final = 0
DAMAGED: Final = 1  # the backup is made, of files some of which are damaged
HEALTH: Final = "It holds health data, names of people and the admin token: keep it as you would keep those."


def run_backup(
    settings: Settings, to: Path, *, tools: RegistryTools, open_store: Callable[[Settings], Store], out: Console,
    err: Console,
) -> int:  # fmt: skip
    """Back up to a folder, in one that exists already to a folder named after the time; gives the exit code."""
    place = to / time.strftime("charley-%Y%m%dT%H%M%SZ", time.gmtime()) if to.is_dir() else to
    with _bar("backing up", 2 * size_of(settings), err) as progress:
        done = back_up(settings, place, tools=tools, open_store=open_store, progress=progress)
    damaged = of_backup(done.manifest.damaged)
    for note in [*done.notes, *damaged]:
        _say(err, note)
    _say(out, f"{done.folder}: the site as it was at {done.manifest.created}; {_counted(done.manifest.counts)}.")
    if done.folder.stat().st_dev == settings.data_dir.stat().st_dev:
        _say(out, "It is on the same disk as the data: copy it to another one.")
    _say(out, HEALTH)
    return DAMAGED if damaged else DONE


def run_restore(
    settings: Settings, source: Path, *, keep_store: bool, tools: RegistryTools,
    open_store: Callable[[Settings], Store], out: Console, err: Console,
) -> int:  # fmt: skip
    """Restore a backup into the empty data folder that the settings name."""
    kept = read_manifest(source)
    for note in of_restore(kept.damaged):
        _say(err, note)
    total = 2 * sum(entry.bytes for entry in kept.files)
    with _bar("restoring", total, err) as progress:
        manifest = restore(
            settings, source, tools=tools, open_store=open_store, keep_store=keep_store, progress=progress
        )
    _say(out, f"{settings.data_dir}: the site as it was at {manifest.created}; {_counted(manifest.counts)}.")
    _say(out, "Start the roles now. What devices sent later comes again where broker or device still hold it.")
    return DONE


def _counted(counts: Mapping[str, int]) -> str:
    found = [f"{count} {_noun(name.replace('_', ' '), count)}" for name, count in counts.items() if count]
    return ", ".join(found) or "nothing was in it yet"


def _noun(plural: str, count: int) -> str:
    return re.sub(r"s\b", "", plural, count=1) if count == 1 else plural


def _say(out: Console, sentence: str) -> None:
    out.print(sentence, soft_wrap=True, markup=False, highlight=False)


@contextmanager
def _bar(label: str, total: int, err: Console) -> Iterator[Told]:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, disable=not err.is_terminal, transient=True) as bar:
        task = bar.add_task(label, total=max(total, 1))
        yield lambda more: bar.advance(task, more)
