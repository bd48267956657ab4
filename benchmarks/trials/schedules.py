"""Who takes what when, drawn by lot for a simulated trial: the benchmark's own, so that the service's is not presumed.

The system path takes the schedule that the service itself has made instead.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

import numpy as np

from api.trials.values import Member, Phase, PhaseKind, Plan
from benchmarks.trials.designs import FIRST

ARMS: Final = {
    "parallel": ("A", "B"),
    "factorial": ("", "A", "B", "AB"),
    "crossover": ("AB", "BA"),
    "before_after": ("A",),
}


def allocated(plan: Plan, *, seed: Sequence[int], first: date = FIRST) -> tuple[list[Member], list[Phase]]:
    """Members with their sequences, as many to each as can be, and every phase of theirs."""
    rng = np.random.default_rng([*seed, 1])
    names = [f"w{place:03d}" for place in range(plan.wearers)]
    if plan.design == "n_of_1":
        sequences = ["".join("AB" if rng.random() < 0.5 else "BA" for _ in range(plan.cycles)) for _ in names]
    else:
        arms = ARMS[plan.design]
        sequences = [str(arms[place % len(arms)]) for place in rng.permutation(plan.wearers).tolist()]
    members = [Member(name, sequence, first) for name, sequence in zip(names, sequences, strict=True)]
    return members, [phase for member in members for phase in _phases(plan, member)]


def _phases(plan: Plan, member: Member) -> list[Phase]:
    sequence = member.sequence
    labels = list(sequence) if plan.design in ("n_of_1", "crossover") else [sequence]
    found: list[Phase] = []
    at = member.first

    def add(kind: PhaseKind, days: int, label: str = "", position: int = 0) -> None:
        nonlocal at
        if days:
            cycle = (position + 1) // 2 if plan.design == "n_of_1" else 0
            found.append(Phase(member.wearer, kind, label, at, at + timedelta(days - 1), cycle, position, sequence))
            at += timedelta(days)

    add("baseline", plan.baseline_days)
    for position, label in enumerate(labels, 1):
        if position > 1:
            add("washout", plan.washout_days)
        add("treatment", plan.block_days, label, position)
    return found
