"""Which recordings there are. An id such as "shaped/tiptoe/4" is permanent: what it stands for never changes.

Even seeds are for development. Odd seeds, and every seed of the generator `spikes`, are held out: nothing is ever
chosen by looking at them, and the report's headline is over them alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from typing import Final

from benchmarks.accuracy.leg import Leg, Scenarios

GENERATORS: Final = ("ours", "shaped", "spikes")
HELD_OUT: Final = frozenset({"spikes"})
SEEDS: Final = 24  # of every scenario in the full suite
QUICK_SEEDS: Final = 2


@dataclass(frozen=True, slots=True, order=True)
class Case:
    """One recording of the suite, by what makes it."""

    generator: str
    scenario: str
    seed: int

    @property
    def id(self) -> str:
        return f"{self.generator}/{self.scenario}/{self.seed}"

    @property
    def held_out(self) -> bool:
        return self.generator in HELD_OUT or self.seed % 2 == 1

    def make(self) -> Leg:
        """Render it; the same on every machine."""
        return scenarios(self.generator)[self.scenario](self.seed)


def scenarios(generator: str) -> Scenarios:
    """What a generator can make, by name."""
    found: Scenarios = import_module(f"benchmarks.accuracy.legs.{generator}").SCENARIOS
    return found


def is_long(scenario: str) -> bool:
    """Whether its name says that it is a whole night or day."""
    return "night" in scenario or "day" in scenario


def cases(
    *,
    generators: Iterable[str] = GENERATORS,
    names: Iterable[str] = (),
    seeds: Iterable[int],
) -> tuple[Case, ...]:
    """Cases in order; no name stands for every scenario."""
    wanted, numbers = frozenset(names), tuple(seeds)
    return tuple(
        Case(generator, name, seed)
        for generator in generators
        for name in scenarios(generator)
        if not wanted or name in wanted
        for seed in numbers
    )


def suite(*, quick: bool = False) -> tuple[Case, ...]:
    """The whole suite. A generator held out entirely needs half the seeds."""
    chosen: list[Case] = []
    for generator in GENERATORS:
        for name in scenarios(generator):
            seeds = QUICK_SEEDS if quick else SEEDS
            seeds = max(1, seeds // 2) if generator in HELD_OUT else seeds
            chosen += [Case(generator, name, seed) for seed in range(seeds)]
    return tuple(chosen)
