"""Small trials to analyse: phases whose nights have the counts that a test gives. None is a night without data."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from api.observed import Cramp, Observed
from api.trials.analyse import analyse
from api.trials.values import Analysis, Member, Phase, PhaseKind, Plan, Seen, Treatment

FIRST = date(2026, 1, 5)
DAY_NS = 86_400 * 10**9
MAGNESIUM = Treatment("A", "magnesium", "300 mg")
PLACEBO = Treatment("B", "placebo", control=True)
BOTH = (MAGNESIUM, PLACEBO)
FACTORS = (Treatment("A", "vitamin E", "400 mg"), Treatment("B", "vitamin C", "250 mg"))


def plan(design: str = "n_of_1", **changes: Any) -> Plan:
    """A plan of a design with its usual treatments."""
    treatments = {"before_after": BOTH[:1], "factorial": FACTORS}.get(design, BOTH)
    wearers = {"before_after": 1, "n_of_1": 1, "factorial": 8}.get(design, 4)
    made = Plan("Magnesium", "Are there fewer cramps?", design, treatments, wearers=wearers)  # type: ignore[arg-type]
    return replace(made, **changes)


def night(
    wearer: str, day: date, count: int | None, *, hours: float = 8.0, seconds: float = 60.0, severity: float = 4.0
) -> Observed:
    """A night of eight usable hours with some cramps."""
    start_ns = (day - date(1970, 1, 1)).days * DAY_NS + 21 * 3600 * 10**9
    cramps = tuple(
        Cramp(start_ns + number * 10**12, seconds, severity, load=2.0, episode=f"{wearer}.{day}.{number}")
        for number in range(count or 0)
    )
    usable_s = 0.0 if count is None else hours * 3600
    return Observed(
        wearer, "night", day, 1, start_ns, start_ns + 8 * 3600 * 10**9, 8 * 3600.0, usable_s, count is not None, cramps
    )


def seen(
    wearer: str, label: str, counts: Sequence[int | None], *, after: int = 0, kind: PhaseKind = "treatment",
    position: int = 1, cycle: int = 0, sequence: str = "", felt_better: bool | None = None, **more: float,
) -> Seen:  # fmt: skip
    """A phase that begins some days after the first date."""
    first = FIRST + timedelta(days=after)
    days = [first + timedelta(days=number) for number in range(len(counts))]
    phase = Phase(wearer, kind, label, first, days[-1], cycle, position if kind == "treatment" else 0, sequence)
    observed = tuple(night(wearer, day, count, **more) for day, count in zip(days, counts, strict=True))
    return Seen(phase, observed, felt_better)


def baseline(wearer: str, counts: Sequence[int | None], *, sequence: str = "", **more: Any) -> Seen:
    """The phase before."""
    return seen(wearer, "", counts, kind="baseline", sequence=sequence, **more)


def members(among: Sequence[Seen], **excluded: str) -> tuple[Member, ...]:
    """Everybody of some phases; names of arguments are wearers to exclude."""
    sequences = {one.phase.wearer: one.phase.sequence for one in among}
    return tuple(
        Member(wearer, sequence, FIRST, excluded=excluded.get(wearer, "")) for wearer, sequence in sequences.items()
    )


def said(of: Plan, among: Sequence[Seen], **more: Any) -> Analysis:
    """The analysis of some phases, with everybody in it."""
    return analyse(of, among, members(among), **more)


def half(count: int) -> list[int]:
    """Fourteen nights with that many cramps, as even as can be."""
    return [count // 14 + (number < count % 14) for number in range(14)]


def n_of_1(blocks: str, counts: Sequence[Sequence[int | None]], *, wearer: str = "w") -> list[Seen]:
    """Blocks of one person in pairs, such as "ABBA"."""
    after, found = 0, []
    for number, (label, block) in enumerate(zip(blocks, counts, strict=True)):
        found.append(
            seen(
                wearer, label, block, after=after, position=number + 1, cycle=number // 2 + 1, sequence=blocks
            )
        )  # fmt: skip
        after += len(block)
    return found


def crossover(sequence: str, first: Sequence[int | None], second: Sequence[int | None], *, wearer: str) -> list[Seen]:
    """Both periods of one wearer."""
    return [
        seen(wearer, sequence[0], first, position=1, sequence=sequence),
        seen(wearer, sequence[1], second, after=len(first) + 14, position=2, sequence=sequence),
    ]


def arm(label: str, before: Sequence[int | None], after: Sequence[int | None], *, wearer: str) -> list[Seen]:
    """Baseline and treatment of one wearer of an arm."""
    return [
        baseline(wearer, before, sequence=label),
        seen(wearer, label, after, after=len(before), sequence=label),
    ]


def wait_for_analyses() -> None:
    """Return once no analysis runs beside the requests."""
    for thread in threading.enumerate():
        if thread.name == "trial-analyses":
            thread.join(timeout=60)
            assert not thread.is_alive(), "an analysis runs on and on"
