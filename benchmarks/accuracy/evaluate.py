"""The whole evaluation: run, score, draw, write."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, TypeVar

from benchmarks.accuracy import figures, kept
from benchmarks.accuracy.findings import Findings
from benchmarks.accuracy.real import Listened, files, listen
from benchmarks.accuracy.reliability import reliability
from benchmarks.accuracy.report import by_scenario, page
from benchmarks.accuracy.rival_run import Rivalry, run_rivals
from benchmarks.accuracy.rivals import available
from benchmarks.accuracy.run import run_case
from benchmarks.accuracy.suite import Case, is_long, suite
from benchmarks.accuracy.workers import workers
from benchmarks.accuracy.worst import Sight, draw, pick

RIVAL_SEEDS: Final = (1,)
STAGES: Final = ("recordings", "rivals", "real recordings", "figures")
T = TypeVar("T")
R = TypeVar("R")
Progress = Callable[[str, int, int], None]  # what is being done, how many of how many


class AccuracyError(Exception):
    """What was asked for cannot be run; the sentence says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to run, and where the page goes."""

    out: Path  # the page; figures go to a folder of its name, results to a JSON file of its name
    quick: bool = False
    jobs: int | None = None
    generators: tuple[str, ...] = ()  # none: all
    names: tuple[str, ...] = ()
    seeds: tuple[int, ...] = ()
    real: Path | None = None


def evaluate(wanted: Wanted, progress: Progress) -> list[str]:
    """Run the suite and write the report; what changed since the last one."""
    chosen = _chosen(wanted)
    if not wanted.out.parent.is_dir():
        raise AccuracyError(f"{wanted.out}: there is no folder {wanted.out.parent}. Name a file elsewhere: --out")
    with workers(wanted.jobs) as pool:
        scored = _spread(pool, run_case, chosen, tell=_said(progress, "recordings"))
        recordings = tuple(sorted(scored, key=lambda one: one.case))  # a bootstrap draws by place
        rivals = _rivals(pool, chosen, progress)
        real = _real(pool, wanted.real, progress)
        found = Findings(
            recordings=recordings, rivals=rivals, rivals_missing=not available(), real=real,
            real_name=_name(wanted.real), folder=wanted.out.stem, quick=wanted.quick,
        )  # fmt: skip
        found = replace(found, pictures=_pictures(pool, found, wanted.out, progress))
    data = wanted.out.with_suffix(".json")
    changed = kept.changes(data, recordings)
    kept.write(data, recordings, real)
    wanted.out.write_text(page(found))
    return changed


def numbers(text: str) -> tuple[int, ...]:
    """Seeds as they are written on a command line."""
    try:
        seeds = tuple(int(part) for part in text.split(",") if part.strip())
    except ValueError:
        raise AccuracyError(f"--seeds {text}: say numbers with commas between, for instance 0,2,4") from None
    return seeds


def _chosen(wanted: Wanted) -> list[Case]:
    """Long recordings first, so that the last to end is a short one."""
    every = suite(quick=wanted.quick)
    if wanted.seeds:
        every = tuple(
            Case(generator, name, seed)
            for generator, name in sorted({(case.generator, case.scenario) for case in every})
            for seed in wanted.seeds
        )
    chosen = [
        case
        for case in every
        if (not wanted.generators or case.generator in wanted.generators)
        and (not wanted.names or case.scenario in wanted.names)
    ]
    if not chosen:
        raise AccuracyError(
            "no such recording; there are " + ", ".join(sorted({c.id.rpartition("/")[0] for c in every}))
        )
    return sorted(chosen, key=lambda case: (not is_long(case.scenario), case))


def _rivals(pool: ProcessPoolExecutor, chosen: Sequence[Case], progress: Progress) -> tuple[Rivalry, ...]:
    """Rivals hear the first held-out seeds of short recordings only: they are slow."""
    if not available():
        return ()
    short = [c for c in chosen if c.held_out and c.seed in RIVAL_SEEDS and not is_long(c.scenario)]
    told = [one for those in _spread(pool, run_rivals, short, tell=_said(progress, "rivals")) for one in those]
    return tuple(sorted(told, key=lambda one: (one.rival.name, one.case)))


def _real(pool: ProcessPoolExecutor, folder: Path | None, progress: Progress) -> tuple[Listened, ...]:
    if folder is None:
        return ()
    work = _Listen(folder)
    heard = _spread(pool, work, files(folder), tell=_said(progress, "real recordings"))
    return tuple(sorted(heard, key=lambda one: one.source))


@dataclass(frozen=True, slots=True)
class _Listen:
    folder: Path

    def __call__(self, path: Path) -> Listened:
        return listen(path, self.folder)


def _pictures(pool: ProcessPoolExecutor, found: Findings, out: Path, progress: Progress) -> tuple[tuple[str, str], ...]:
    """Draw everything; file and caption of the worst cases."""
    folder = out.parent / found.folder
    for old in folder.glob("*.png"):
        old.unlink()
    figures.scenarios(by_scenario(found.held_out), folder / "scenarios.png")
    figures.reliability(reliability(found.held_out), folder / "reliability.png")
    sights = pick(found.held_out)
    names = [f"worst-{place}.png" for place in range(1, len(sights) + 1)]
    jobs = [(sight, folder / name) for sight, name in zip(sights, names, strict=True)]
    _spread(pool, _draw, jobs, tell=_said(progress, "figures"))
    return tuple((name, sight.caption) for name, sight in zip(names, sights, strict=True))


def _draw(job: tuple[Sight, Path]) -> None:
    draw(job[0], job[1])


def _spread(
    pool: ProcessPoolExecutor, work: Callable[[T], R], items: Iterable[T], *, tell: Callable[[int, int], None]
) -> list[R]:
    """Work on every item in the pool; results in any order."""
    waiting = [pool.submit(work, item) for item in items]
    done: list[R] = []
    for future in as_completed(waiting):
        done.append(future.result())
        tell(len(done), len(waiting))
    return done


def _said(progress: Progress, what: str) -> Callable[[int, int], None]:
    return lambda done, total: progress(what, done, total)


def _name(folder: Path | None) -> str:
    return "" if folder is None else f"the folder `{folder.name}`"
