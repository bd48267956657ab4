"""Who takes what from when to when, worked out from the plan and its seed. Pure.

Rules
-----
- The same plan gives the same schedule for ever: everything is drawn by numpy's default generator (PCG64), seeded with
  the plan's seed, a stream and a number: `default_rng([seed, stream, number])`.
- crossover, parallel, factorial (stream 1): places are given out in the order of joining, in permuted blocks of four;
  `number` is the block. Every four wearers hold two of each sequence or arm, or one of each of four.
- n_of_1 (stream 2): in each pair of blocks the order of A and B is drawn; `number` is the wearer's place.
- before_after: baseline, then the treatment; nothing is drawn.
- The labels of a blinded trial mean nothing here; which treatment is A is drawn elsewhere, never from the seed.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np

from api.trials.values import Phase, PhaseKind, Plan

BLOCK: Final = 4
CODES: Final = ("1", "2", "3", "4")  # packs of a blinded factorial trial
FACTORIAL: Final = ("AB", "A", "B", "")
_OF_PLACES, _OF_PAIRS = 1, 2
_ARMS: Final = {"crossover": ("AB", "BA"), "parallel": ("A", "B")}


def arms_of(plan: Plan) -> tuple[str, ...]:
    """The sequences or arms that places are given out to, as the schedule shows them."""
    if plan.design == "factorial":
        return CODES if plan.blinded else FACTORIAL
    return _ARMS.get(plan.design, ("A",))


def sequence_of(plan: Plan, place: int) -> str:
    """The sequence or arm of the wearer who joined at this place, from 0; of an n_of_1 trial all blocks, "ABBA"."""
    if plan.design == "before_after":
        return "A"
    if plan.design == "n_of_1":
        first_is_a = np.random.default_rng([plan.seed, _OF_PAIRS, place]).integers(0, 2, size=plan.cycles)
        return "".join("AB" if a_first else "BA" for a_first in first_is_a)
    arms = arms_of(plan)
    number, within = divmod(place, BLOCK)
    order = np.random.default_rng([plan.seed, _OF_PLACES, number]).permutation(BLOCK)
    return arms[int(order[within]) % len(arms)]


def phases_of(plan: Plan, *, wearer: str, place: int, first: date) -> list[Phase]:
    """Every phase of one wearer in order of time, settling days included."""
    sequence = sequence_of(plan, place)
    labels = list(sequence) if plan.design in ("n_of_1", "crossover") else [sequence]
    run = _Run(wearer, sequence, first)
    phases = [run.next("baseline", days=plan.baseline_days)] if plan.baseline_days else []
    for position, label in enumerate(labels, 1):
        cycle = (position + 1) // 2 if plan.design == "n_of_1" else 0
        if position > 1 and plan.washout_days:
            phases.append(run.next("washout", days=plan.washout_days))
        phases.append(run.next("treatment", days=plan.block_days, label=label, position=position, cycle=cycle))
    return phases


@dataclass(slots=True)
class _Run:
    """A schedule in the making; `at` is the next date that is free."""

    wearer: str
    sequence: str
    at: date

    def next(self, kind: PhaseKind, *, days: int, label: str = "", position: int = 0, cycle: int = 0) -> Phase:
        first = self.at
        self.at = first + timedelta(days=days)
        return Phase(
            wearer=self.wearer,
            kind=kind,
            label=label,
            first=first,
            last=self.at - timedelta(days=1),
            cycle=cycle,
            position=position,
            sequence=self.sequence,
        )
