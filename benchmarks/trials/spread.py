"""Spreads simulated trials over processes and shows how far they are."""

import gc
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from multiprocessing import get_context
from typing import Final, TypeVar

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from benchmarks.trials.simulate import Done, Task, carry_out

PROCESSES: Final = 2
AT_ONCE: Final = 50  # trials of one process before it says how far it is
POLITE: Final = 5
ONE_THREAD: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
Given = TypeVar("Given")
Taken = TypeVar("Taken")


def simulated(tasks: Sequence[Task]) -> dict[str, Done]:
    """What came of every task, by its key; the same whatever the number of processes."""
    parts = [
        replace(task, first=task.first + begin, trials=min(AT_ONCE, task.trials - begin))
        for task in tasks
        for begin in range(0, task.trials, AT_ONCE)
    ]
    found: dict[str, Done] = {}
    for part in over(carry_out, parts, what="simulated trials", weigh=lambda task: task.trials):
        known = found.get(part.key, Done(part.key, ()))
        found[part.key] = Done(part.key, known.ours + part.ours, known.naive + part.naive)
    return found


def over(
    function: Callable[[Given], Taken],
    among: Sequence[Given],
    *,
    what: str,
    weigh: Callable[[Given], int] = lambda _: 1,
) -> list[Taken]:
    """The function of each, in the order given, with a bar."""
    for name in ONE_THREAD:  # two processes share two cores
        os.environ.setdefault(name, "1")
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    context = get_context("spawn")
    with ProcessPoolExecutor(PROCESSES, mp_context=context, initializer=_begin) as pool, Progress(*columns) as bar:
        shown = bar.add_task(what, total=sum(map(weigh, among)))
        waiting = {pool.submit(function, one): place for place, one in enumerate(among)}
        found: dict[int, Taken] = {}
        for future in as_completed(waiting):
            place = waiting[future]
            found[place] = future.result()
            bar.advance(shown, weigh(among[place]))
    return [found[place] for place in range(len(among))]


def _begin() -> None:
    os.nice(POLITE)
    gc.disable()  # a trial makes ten thousand small values and no cycles; `carry_out` ends each part
