"""Woodfield's N-of-1 trials of quinine, replayed on simulated patients.

Run `python -m benchmarks.trials.published_woodfield` to replay them all.

The table of the ten patients could not be had, so the design is shown to work, not its result reproduced. Three pairs
of two weeks, order drawn anew in each pair, is how we read the abstract's three blocks of four weeks.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from api.statistics.dispersed import rate_ratio_weeks
from benchmarks.trials.published_row import Row

KEPT: Final = Path(__file__).with_name("woodfield.json")
RATIOS: Final = (1.0, 0.72, 0.5)  # none; Cochrane's 28 % fewer; half
REPLAYS: Final = 100
PATIENTS: Final = 10
PER_WEEK: Final = 4.4  # Cochrane's control: 8.8 in two weeks
SHAPE: Final = 2.5  # between patients
WEEKLY: Final = 3.0  # of weeks of one patient
CYCLES: Final = np.repeat([1, 2, 3], 4)


def patient(rng: np.random.Generator, ratio: float) -> str:
    """One patient's trial: "clear" at p < 0.05, else "better" or "none" by the sign alone."""
    treated = np.concatenate([np.repeat(rng.permutation([0, 1]), 2) for _ in range(3)])
    level = rng.gamma(SHAPE, PER_WEEK / SHAPE) * np.where(treated == 1, ratio, 1.0)
    counts = rng.poisson(level * rng.gamma(WEEKLY, 1.0 / WEEKLY, treated.size))
    found = rate_ratio_weeks(counts, np.full(treated.size, 56.0), treated, cycle=CYCLES)
    if not found.known or found.value >= 1.0:
        return "none"
    return "clear" if found.p is not None and found.p < 0.05 else "better"


def replay(ratio: float, number: int) -> list[int]:
    """Ten patients: how many were clearly helped, seemed better, were not helped."""
    rng = np.random.default_rng((2005, round(100 * ratio), number))
    told = [patient(rng, ratio) for _ in range(PATIENTS)]
    return [told.count(what) for what in ("clear", "better", "none")]


def kept() -> dict[str, list[list[int]]]:
    """All replays, as they were kept."""
    found: dict[str, list[list[int]]] = json.loads(KEPT.read_text())
    return found


def woodfield_2005() -> Row:
    """What ten patients come to under three truths."""
    replays = kept()
    told = "; ".join(f"ratio {float(ratio):g}: {_mean(among)}" for ratio, among in replays.items())
    atleast = {ratio: np.mean([row[0] >= 3 for row in among]) for ratio, among in replays.items()}
    chance = ", ".join(f"{100 * share:.0f} % with {float(ratio):g}" for ratio, share in atleast.items())
    return Row(
        "woodfield_2005",
        "Quinine, one person at a time", "Woodfield and others 2005, Br J Gen Pract 55:181 (PMC1463087)",
        "N-of-1: two weeks of wash-out, three blocks of four weeks of quinine and placebo in random order; 10 of 13 "
        "persons completed",
        "3 clearly helped (p < 0.05), 6 better without significance, 1 not helped",
        "`dispersed.rate_ratio_weeks` with a level for each pair, on simulated patients",
        f"of ten simulated patients, clearly helped, better and not helped on average: {told}; three or more clearly "
        "helped "
        f"in {chance}",
        "cannot be reproduced",
        "The patients' table was not to be had: the design was replayed on simulated patients instead "
        f"({REPLAYS} times ten for each truth; three pairs of two weeks each, as we read the abstract).",
        warning="One person's three pairs have little power. Quinine is not approved for cramps by the FDA "
        "(second-hand) "
        "and has serious risks.",
        simulated=("quinine, one person, three pairs of four weeks",),
    )  # fmt: skip


def _mean(replays: Sequence[Sequence[int]]) -> str:
    return ", ".join(f"{share:.1f}" for share in np.mean(replays, axis=0).tolist())


def main() -> int:
    """Replay and keep."""
    made: dict[str, Any] = {str(ratio): [replay(ratio, number) for number in range(REPLAYS)] for ratio in RATIOS}
    KEPT.write_text(
        "{\n" + ",\n".join(f" {json.dumps(key)}: {json.dumps(rows)}" for key, rows in made.items()) + "\n}\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
