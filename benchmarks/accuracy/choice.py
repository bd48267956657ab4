"""Choose for each rival what serves it best, on development seeds.

python -m benchmarks.accuracy.choice
"""

from itertools import chain

from benchmarks.accuracy.rival_run import Rivalry, run_grid
from benchmarks.accuracy.rivals import GRID, Rival
from benchmarks.accuracy.suite import Case, cases, is_long
from benchmarks.accuracy.workers import workers

SEEDS = (0,)


def f1(told: list[Rivalry]) -> float:
    """Twice the found over the found twice, the missed and the false."""
    scored = [one.scored for one in told if one.scored is not None]
    found = sum(one.found for one in scored)
    missed = sum(len(one.cramps) for one in scored) - found
    return 2 * found / max(1, 2 * found + missed + sum(one.false for one in scored))


def grid(case: Case) -> list[Rivalry]:
    """Every threshold and rule on one recording."""
    leg = case.make()
    return [
        told
        for (package, method), thresholds in GRID.items()
        for threshold in thresholds
        for told in run_grid(case, leg, rivals=[Rival(package, method, threshold, dense) for dense in (False, True)])
    ]


def main() -> int:
    """Print the best of each method."""
    chosen = [case for case in cases(generators=("shaped",), seeds=SEEDS) if not is_long(case.scenario)]
    with workers(None) as pool:
        told = list(chain.from_iterable(pool.map(grid, chosen)))
    for package, method in GRID:
        mine = {one.rival for one in told if (one.rival.package, one.rival.method) == (package, method)}
        ranked = sorted(mine, key=lambda rival: -f1([one for one in told if one.rival == rival]))
        for rival in ranked:
            print(f"{f1([one for one in told if one.rival == rival]):.3f} {rival}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
