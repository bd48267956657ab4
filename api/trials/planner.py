"""How long a trial must be, or how many must take part: "with 2.5 cramps a week you need ...". Pure.

Rules
-----
- Power is the share of simulated trials whose primary analysis comes out below alpha: the analysis itself, in its form
  for many tables at once. A formula (Wald with the non-central t distribution) was up to 5 points off.
- The same question has the same answer: everything is drawn from the seed. `error` is what chance leaves of the power.
- Who drops out counts for nothing, so that plans are on the safe side.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from scipy import stats

from api.errors import Invalid
from api.statistics.power_tables import Presumed
from api.trials.planner_trials import Layout, p_values
from api.trials.plans import LEAST_WEARERS, LONGEST_DAYS, MOST_CYCLES, MOST_WEARERS
from api.trials.values import Design

WANTED: Final = 0.8
ALPHA: Final = 0.05
RATIOS: Final = (0.5, 0.75)
CHUNK: Final = 60_000  # numbers held at once: what a processor's cache holds
ENOUGH: Final = 0.9  # a table goes no further
ADJUSTMENTS: Final = 3
LARGER: Final = 30  # a size that is not proved to be enough is made larger by a thirtieth
_STEPS: Final = {"crossover": 2, "parallel": 2, "factorial": 4}
_USUAL_WEEKS: Final = {"n_of_1": 2}
_PEOPLE: Final = (8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 500)
_WEEKS: Final = (2, 4, 6, 8, 12, 16, 20, 24, 28)
_CYCLES: Final = (2, 3, 4, 6, 8, 10, 12, 14, 16, 20)


@dataclass(frozen=True, slots=True)
class Effort:
    """How many trials are simulated for one power: as many as `cells` numbers allow."""

    cells: int
    least: int
    most: int


ROUGH: Final = Effort(cells=250_000, least=800, most=4000)
FINE: Final = Effort(cells=1_200_000, least=2000, most=10_000)


@dataclass(frozen=True, slots=True)
class Ask:
    """What is planned. The size that a design is planned by may be left out: block_weeks, cycles or wearers."""

    design: Design
    presumed: Presumed
    block_weeks: int | None = None
    cycles: int | None = None
    wearers: int | None = None
    baseline_weeks: int = 2  # parallel and factorial
    power: float = WANTED
    alpha: float = ALPHA
    drop_out: float = 0.0
    seed: int = 0

    @property
    def by(self) -> str:
        """The size that is looked for."""
        return {"before_after": "block_weeks", "n_of_1": "cycles"}.get(self.design, "wearers")

    @property
    def given(self) -> int | None:
        """The size that is asked about, if any."""
        return {"block_weeks": self.block_weeks, "cycles": self.cycles, "wearers": self.wearers}[self.by]


@dataclass(frozen=True, slots=True)
class Step:
    """One size and its power."""

    layout: Layout  # wearers as registered, drop-outs among them
    power: float
    trials: int  # simulated

    @property
    def error(self) -> float:
        """Half the width of the 95 % interval that simulation leaves."""
        return 1.96 * math.sqrt(max(self.power * (1.0 - self.power), 1.0 / self.trials) / self.trials)


@dataclass(frozen=True, slots=True)
class Planned:
    """What came out."""

    ask: Ask
    smallest: Step | None  # that has the power wanted; None: no size allowed has it
    asked: Step | None  # the size that was asked about
    table: tuple[Step, ...]


def plan(ask: Ask) -> Planned:
    """Power by size, and the smallest size with the power wanted."""
    check(ask)
    power = _Power(ask)
    table = []
    for size in _table_sizes(ask):
        table.append(power(size))
        if table[-1].power >= max(ENOUGH, ask.power):
            break
    asked = power(ask.given, fine=True) if ask.given is not None else None
    return Planned(ask, _smallest(ask, table, power), asked, tuple(table))


def sizes_of(ask: Ask) -> range:
    """Every size that a plan may have."""
    match ask.design:
        case "before_after":
            return range(1, LONGEST_DAYS // 14 + 1)
        case "n_of_1":
            return range(2, min(MOST_CYCLES, LONGEST_DAYS // (14 * _weeks(ask))) + 1)
        case _:
            least, step = LEAST_WEARERS[ask.design], _STEPS[ask.design]
            return range(least, MOST_WEARERS + 1, step)


def layout_of(ask: Ask, size: int) -> Layout:
    """The trial of one size, as registered."""
    between = ask.design in ("parallel", "factorial")
    return Layout(
        ask.design,
        block_weeks=size if ask.by == "block_weeks" else _weeks(ask),
        cycles=size if ask.by == "cycles" else 1,
        wearers=size if ask.by == "wearers" else ask.wearers or 1,
        baseline_weeks=ask.baseline_weeks if between else 0,
    )


def check(ask: Ask) -> None:
    """Refuse what cannot be planned, and say what to give instead."""
    presumed = ask.presumed
    _within(presumed.per_week, "rate", "cramps a week", low=0.1, high=200.0)
    _within(presumed.ratio, "ratio", "rate with the treatment over that without", low=0.05, high=0.95)
    _within(presumed.weekly_k, "weekly_k", "negative binomial shape of weekly counts", low=0.2, high=math.inf)
    _within(presumed.people_shape, "people_shape", "gamma shape of people's levels", low=0.2, high=math.inf)
    _within(presumed.correlation, "correlation", "correlation of a person's counts", low=0.05, high=1.0)
    _within(presumed.usable, "usable", "share of usable nights", low=0.1, high=1.0)
    _within(presumed.sensitivity, "sensitivity", "share of cramps that the device finds", low=0.1, high=1.0)
    _within(presumed.false_alarms, "false_alarms", "false alarms a night", low=0.0, high=20.0)
    _within(ask.power, "power", "power wanted", low=0.1, high=0.99)
    _within(ask.alpha, "alpha", "level of the test", low=0.001, high=0.2)
    _within(ask.drop_out, "drop_out", "share of wearers who drop out", low=0.0, high=0.8)
    _within(float(_weeks(ask)), "block_weeks", "weeks of a block", low=1, high=LONGEST_DAYS // 14)
    _within(float(ask.baseline_weeks), "baseline_weeks", "weeks of baseline", low=0, high=26)
    _within(float(ask.wearers or 1), "wearers", "wearers", low=1, high=MOST_WEARERS)
    allowed = sizes_of(ask)
    if not allowed:
        raise Invalid(
            "block_weeks",
            f"Two pairs of blocks of {_weeks(ask)} weeks are longer than {LONGEST_DAYS} days: give fewer.",
        )
    if ask.given is not None and not allowed[0] <= ask.given <= allowed[-1]:
        raise Invalid(ask.by, f"A {ask.design} plan has {allowed[0]} to {allowed[-1]} {ask.by}; give one of these.")


class _Power:
    """Power by size, each worked out once: roughly for a table, finely for what is proposed."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._known: dict[tuple[int, bool], Step] = {}

    def __call__(self, size: int, *, fine: bool = False) -> Step:
        if (size, fine) not in self._known:
            self._known[size, fine] = power_of(self._ask, size, fine=fine)
        return self._known[size, fine]


def power_of(ask: Ask, size: int, *, fine: bool = True) -> Step:
    """Power of one size, by simulation."""
    layout = layout_of(ask, size)
    kept = replace(layout, wearers=max(1, math.floor(layout.wearers * (1.0 - ask.drop_out) + 1e-9)))
    presumed = ask.presumed if layout.wearers > 1 else replace(ask.presumed, people_shape=math.inf)
    effort = FINE if fine else ROUGH
    trials = min(effort.most, max(effort.least, effort.cells // kept.cells))
    rng = np.random.default_rng([ask.seed, size])
    found, left = 0, trials
    while left:
        now = min(left, max(1, CHUNK // kept.cells))
        found += int((p_values(presumed, kept, trials=now, rng=rng) < ask.alpha).sum())
        left -= now
    return Step(layout, found / trials, trials)


def _smallest(ask: Ask, table: Sequence[Step], power: _Power) -> Step | None:
    """Searched roughly, then proved finely, a little larger if need be."""
    allowed = sizes_of(ask)
    at = _searched(ask, table, power)
    while at is not None and at < len(allowed):
        step = power(allowed[at], fine=True)
        if step.power >= ask.power:
            return step
        at += max(1, at // LARGER)
    return None


def _searched(ask: Ask, table: Sequence[Step], power: _Power) -> int | None:
    """Between the sizes of the table, by the normal deviate of power, which is nearly straight in the root of size."""
    sizes, allowed = [_size(ask, step) for step in table], sizes_of(ask)
    above = next((at for at, step in enumerate(table) if step.power >= ask.power), None)
    if above is None:
        return None
    guess = sizes[0] if above == 0 else _between(ask, table[above - 1], table[above])
    at = min(range(len(allowed)), key=lambda number: abs(allowed[number] - guess))
    best = allowed.index(sizes[above])
    for _ in range(ADJUSTMENTS):
        enough = power(allowed[at]).power >= ask.power
        best = min(best, at) if enough else best
        at += -1 if enough else 1
        if not 0 <= at < best:
            break
    return best


def _between(ask: Ask, low: Step, high: Step) -> float:
    deviates = stats.norm.ppf(np.clip([low.power, ask.power, high.power], 1e-4, 1.0 - 1e-4))
    roots = [math.sqrt(_size(ask, low)), math.sqrt(_size(ask, high))]
    return float(np.interp(deviates[1], [deviates[0], deviates[2]], roots) ** 2)


def _size(ask: Ask, step: Step) -> int:
    return int(getattr(step.layout, ask.by))


def _table_sizes(ask: Ask) -> list[int]:
    allowed = sizes_of(ask)
    rows = {"block_weeks": _WEEKS, "cycles": _CYCLES}.get(ask.by, _PEOPLE)
    return sorted({size for size in rows if size in allowed} | ({allowed[-1]} if ask.by != "wearers" else set()))


def _weeks(ask: Ask) -> int:
    return ask.block_weeks if ask.block_weeks is not None else _USUAL_WEEKS.get(ask.design, 4)


def _within(value: float, name: str, what: str, *, low: float, high: float) -> None:
    if not low <= value <= high:
        bounds = f"{low:g} or more" if math.isinf(high) else f"{low:g} to {high:g}"
        raise Invalid(name, f"Give {what} as {bounds}.")
