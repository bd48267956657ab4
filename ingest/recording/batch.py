"""Many files at once, in processes: one that is too much for the memory, or meets a fault, stops no other."""

import multiprocessing
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any, Final, cast

from detector import DetectorError
from ingest.errors import IngestError, RecordingError
from ingest.recording.formats import recordings_in
from ingest.recording.movement import movements
from ingest.recording.opened import RecordingFile, open_file
from ingest.recording.options import Options
from ingest.recording.places import told
from ingest.recording.report import report
from ingest.recording.run import Found, detect

STEP: Final = 0.01  # of a file, between two messages about how far it is
Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Job:
    """One file, and where its picture goes."""

    path: Path
    options: Options
    plot: Path | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The report of a file, or the sentence that says why there is none."""

    path: Path
    report: dict[str, Any] | None = None
    error: str = ""

    def values(self) -> dict[str, Any]:
        """For JSON."""
        return self.report if self.report is not None else {"file": str(self.path), "error": self.error}


def jobs_in(places: Sequence[Path], options: Options, *, plots: Path | None) -> list[Job]:
    """A job for every file, and for every recording in every folder; pictures lie as the recordings do."""
    jobs: dict[Path, Job] = {}
    pictures: set[Path] = set()
    if plots is not None and plots.is_file() and plots.suffix.lower() != ".png":
        raise RecordingError(f"--plot {plots}: is a file. Name a folder, or a picture that ends in .png.")
    one = plots if plots is not None and plots.suffix.lower() == ".png" else None
    for place in places:
        try:
            paths = recordings_in(place)
        except RecordingError:  # an empty folder: said when it is opened
            paths = [place]
        for path in paths:
            picture = None
            if plots is not None:
                name = path.relative_to(place) if place.is_dir() and path != place else Path(path.name or "recordings")
                picture = _free((plots / name).with_suffix(".png"), pictures)
            jobs.setdefault(path.resolve(), Job(path, options, picture))
    if one is None:
        return list(jobs.values())
    if len(jobs) > 1:
        raise RecordingError(f"--plot {plots}: names one picture, and there are {len(jobs)} recordings. Name a folder.")
    return [replace(job, plot=one) for job in jobs.values()]


def run_all(jobs: Sequence[Job], *, workers: int, progress: Progress) -> list[Outcome]:
    """Run the jobs, `workers` at a time; `progress` is told how many files are done, in fractions."""
    if len(jobs) == 1:
        return [run(jobs[0], progress)]
    outcomes: list[Outcome | None] = [None] * len(jobs)
    shares = [0.0] * len(jobs)
    for k, message in _messages(jobs, max(1, workers)):
        if isinstance(message, Outcome):
            outcomes[k], shares[k] = message, 1.0
        else:
            shares[k] = message
        progress(sum(shares))
    return [outcome for outcome in outcomes if outcome is not None]


def run(job: Job, progress: Progress) -> Outcome:
    """Read one file, detect in each of its legs, draw; what is wrong with the file becomes its outcome."""
    try:
        if job.path.is_dir():
            recordings_in(job.path)
        file = open_file(job.path, job.options)
        done: list[float] = [0.0]

        def tell(leg: int, seconds: float) -> None:
            share = (leg + min(seconds / file.duration_s, 1.0)) / len(file.legs)
            if share - done[0] >= STEP:
                done[0] = share
                progress(share)

        values = _with_picture(file, job.plot, tell) if job.plot is not None else _plain(file, tell)
    except (IngestError, DetectorError) as error:
        return Outcome(job.path, error=str(error))
    except OSError as error:  # a disk that fails while it is read
        return Outcome(job.path, error=f"{job.path}: {error}")
    progress(1.0)
    return Outcome(job.path, values)


def _plain(file: RecordingFile, tell: Callable[[int, float], None]) -> dict[str, Any]:
    found = [detect(leg, progress=lambda s, k=k: tell(k, s)) for k, leg in enumerate(file.legs)]  # type: ignore[misc]
    return report(file, found, moved=[] if file.legs else list(movements(file)))


def _with_picture(file: RecordingFile, plot: Path, tell: Callable[[int, float], None]) -> dict[str, Any]:
    """The same, drawn; matplotlib takes half a second to import, so only now."""
    from ingest.recording.draw import Sheet, draw_leg, draw_movements  # noqa: PLC0415
    from ingest.recording.trace import Trace  # noqa: PLC0415

    traces = [Trace(leg) for leg in file.legs]
    found: list[Found] = []
    for k, (leg, trace) in enumerate(zip(file.legs, traces, strict=True)):
        found.append(detect(leg, watch=trace.watch, progress=lambda s, k=k: tell(k, s)))  # type: ignore[misc]
    moved = [] if file.legs else list(movements(file))
    values = report(file, found, moved=moved)
    pictures = []
    for leg, trace, one in zip(file.legs, traces, found, strict=True):
        mine = [e for e in (*values["episodes"], *values["rejected"]) if (e["side"] or "") == leg.side]
        side = f"{leg.side} leg" if leg.side else ""
        title = " · ".join(part for part in (file.path.name, side, file.format) if part)
        sheet = Sheet(title, file.duration_s, leg.start_ns, file.start_ns > 0, sorted(mine, key=lambda e: e["onset_s"]))
        pictures.append(plot if len(file.legs) == 1 else plot.with_stem(f"{plot.stem}-{leg.side}"))
        with told(pictures[-1], option="--plot", what="the picture"):
            draw_leg(pictures[-1], sheet, trace=trace, found=one)
    if not file.legs:
        title = f"{file.path.name} · no EMG: nothing to detect"
        with told(plot, option="--plot", what="the picture"):
            draw_movements(plot, Sheet(title, file.duration_s, file.start_ns, file.start_ns > 0, ()), moved)
        pictures.append(plot)
    return {**values, "plots": [str(picture) for picture in pictures]}


def _messages(jobs: Sequence[Job], workers: int) -> Iterator[tuple[int, float | Outcome]]:
    """What the processes say, as they say it. One that dies takes its file with it, and is replaced."""
    context = multiprocessing.get_context("spawn")  # threads, Arrow's among them, do not survive a fork
    waiting = list(reversed(range(len(jobs))))
    running: dict[Connection, tuple[int, SpawnProcess]] = {}
    try:
        while waiting or running:
            while waiting and len(running) < workers:
                ours, theirs = context.Pipe()
                child = context.Process(target=_work, args=(theirs,), daemon=True)
                child.start()
                theirs.close()
                running[ours] = (waiting.pop(), child)
                _give(ours, jobs[running[ours][0]])
            for ready in cast("list[Connection]", wait(list(running))):
                k, child = running[ready]
                message = _heard(ready, child, jobs[k])
                if isinstance(message, Outcome):
                    if waiting and child.is_alive():
                        running[ready] = (waiting.pop(), child)
                        _give(ready, jobs[running[ready][0]])
                    else:
                        del running[ready]
                        ready.close()
                yield k, message
    finally:
        for _, child in running.values():
            child.terminate()


def _give(connection: Connection, job: Job) -> None:
    with suppress(ConnectionError):  # it has just died: its silence will be heard
        connection.send(job)


def _heard(connection: Connection, child: SpawnProcess, job: Job) -> float | Outcome:
    try:
        message: float | Outcome = connection.recv()
    except (EOFError, ConnectionError):
        child.join()
        why = f"the process that read it ended with {child.exitcode}: out of memory, or a fault in Charley"
        return Outcome(job.path, error=f"{job.path}: {why}")
    return message


def _work(connection: Connection) -> None:
    """One file after another, until the other side hangs up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends us
    while True:
        try:
            job = connection.recv()
        except EOFError:
            return
        connection.send(run(job, connection.send))


def _free(path: Path, taken: set[Path]) -> Path:
    """The path, or with a number where it is taken."""
    found, n = path, 2
    while found in taken:
        found, n = path.with_stem(f"{path.stem}-{n}"), n + 1
    taken.add(found)
    return found
