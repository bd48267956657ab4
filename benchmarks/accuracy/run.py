"""Run cases, in processes; as a program, print a line a recording while tuning.

python -m benchmarks.accuracy.run --generator shaped --scenario tiptoe --seeds 0,2,4
"""

import argparse
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import as_completed
from functools import partial
from pathlib import Path

from benchmarks.accuracy.cache import load
from benchmarks.accuracy.hear import hear
from benchmarks.accuracy.score import Scored, score
from benchmarks.accuracy.suite import GENERATORS, Case, cases
from benchmarks.accuracy.workers import workers


def run_case(case: Case, *, cache: Path | None = None) -> Scored:
    """Render, detect, score."""
    leg = load(case, cache)
    return score(case, leg, hear(leg))


def run_cases(chosen: Iterable[Case], *, jobs: int | None = None, cache: Path | None = None) -> Iterator[Scored]:
    """Scored recordings as they get done, in any order."""
    work = partial(run_case, cache=cache)
    wanted = list(chosen)
    if jobs == 1:
        yield from map(work, wanted)
        return
    with workers(jobs) as pool:
        for done in as_completed([pool.submit(work, case) for case in wanted]):
            yield done.result()


def line(done: Scored) -> str:
    """A recording on one line: what was found, missed (x), and false (!), with delay or place and confidence."""
    parts = []
    for cramp in done.cramps:
        if cramp.found:
            parts.append(f"@{cramp.onset_s:.0f}+{cramp.audible_delay_s or 0:.0f}s d{cramp.duration_error_s or 0:+.0f}s")
        else:
            parts.append(f"x@{cramp.onset_s:.0f} {cramp.duration_s:.0f}s {cramp.peak_ratio:.1f}x")
    parts += [
        f"{'' if episode.cramps else '!'}[{episode.onset_s:.0f}-{episode.end_s:.0f} c{episode.confidence:.2f}]"
        for episode in done.episodes
    ]
    extra = f" split {done.splits}" * (done.splits > 0) + f" merge {done.merges}" * (done.merges > 0)
    head = f"{done.case.id:<34} {done.found}/{len(done.cramps)} found, {done.false} false{extra}"
    return f"{head:<58} {' '.join(parts)}"


def main() -> int:
    """Print a line a recording, and the sum."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--generator", action="append", choices=GENERATORS, help="default: ours and shaped")
    parser.add_argument("--scenario", action="append", default=[], help="may be given more than once")
    parser.add_argument("--seeds", default="0,2", help="default: 0,2")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--cache", type=Path, help="keep rendered legs here")
    parser.add_argument("--held-out", action="store_true", help="allow seeds that nobody may tune on")
    given = parser.parse_args()
    chosen = cases(
        generators=given.generator or ("ours", "shaped"),
        names=given.scenario,
        seeds=[int(seed) for seed in given.seeds.split(",")],
    )
    if any(case.held_out for case in chosen) and not given.held_out:
        parser.error("odd seeds and the generator spikes are held out: tune on even seeds of ours and shaped")
    begun = time.perf_counter()
    done = []
    for scored in run_cases(chosen, jobs=given.jobs, cache=given.cache):
        print(line(scored), flush=True)
        done.append(scored)
    true, found = sum(len(one.cramps) for one in done), sum(one.found for one in done)
    print(f"== {found}/{true} found, {sum(one.false for one in done)} false, {time.perf_counter() - begun:.0f} s")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
