"""Trials that have not been made: their tables drawn, and tested as `counts` tests the primary outcome. Pure."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from api.statistics.power_groups import p_between, p_within
from api.statistics.power_series import p_series
from api.statistics.power_tables import DoubleArray, Presumed, levels_of, periods_of, weeks_of
from api.statistics.power_tests import p_exact, p_of_weeks
from api.trials.counts import FEW
from api.trials.values import Design

OTHER: Final = 0.75  # what the other factor of a factorial trial is presumed to do


@dataclass(frozen=True, slots=True)
class Layout:
    """How long a trial is, and how many take part in it to the end."""

    design: Design
    block_weeks: int  # of a block or period; before_after: as long before as after
    cycles: int = 1  # pairs of blocks; n_of_1 only
    wearers: int = 1
    baseline_weeks: int = 0  # parallel and factorial only

    @property
    def total_weeks(self) -> int:
        """How long one wearer takes part, without washout."""
        match self.design:
            case "n_of_1":
                return 2 * self.cycles * self.block_weeks
            case "before_after" | "crossover":
                return 2 * self.block_weeks
            case _:
                return self.baseline_weeks + self.block_weeks

    @property
    def cells(self) -> int:
        """Numbers to draw for one trial."""
        if self.design == "n_of_1" or (self.design == "before_after" and self.wearers == 1):
            return self.wearers * self.total_weeks
        return self.wearers * 2


def p_values(presumed: Presumed, layout: Layout, *, trials: int, rng: np.random.Generator) -> DoubleArray:
    """p of the primary outcome of each of many trials."""
    match layout.design:
        case "n_of_1":
            return _n_of_1(presumed, layout, trials=trials, rng=rng)
        case "before_after" if layout.wearers == 1:
            after = np.repeat([0.0, 1.0], layout.block_weeks)
            return _weekly(presumed, np.tile(after, (trials, 1)), rng=rng)
        case "before_after":
            return _within(presumed, layout, np.ones(layout.wearers), trials=trials, by_period=False, rng=rng)
        case "crossover":
            return _within(presumed, layout, _alternating(layout.wearers), trials=trials, by_period=True, rng=rng)
        case _:
            return _between(presumed, layout, trials=trials, rng=rng)


def _n_of_1(presumed: Presumed, layout: Layout, *, trials: int, rng: np.random.Generator) -> DoubleArray:
    """In each pair of blocks the order is drawn."""
    first = rng.integers(0, 2, (trials, layout.wearers, layout.cycles, 1)).astype(np.float64)
    blocks = np.concatenate([first, 1.0 - first], axis=3).reshape(trials, layout.wearers, -1)
    treated = np.repeat(blocks, layout.block_weeks, axis=2)
    if layout.wearers == 1:
        cycle = np.repeat(np.arange(float(layout.cycles)), 2 * layout.block_weeks)
        return _weekly(presumed, treated[:, 0], cycle=cycle, rng=rng)
    # Blocks are short: what a person is like is taken to hold throughout.
    steady = replace(presumed, correlation=1.0)
    levels = levels_of(steady, trials=trials, people=layout.wearers, periods=1, rng=rng)
    ratios = np.where(treated > 0, presumed.ratio, 1.0) * levels / presumed.per_week
    counts, exposures = weeks_of(presumed, ratios, rng=rng)
    p = p_series(counts, exposures, treated)
    return _or_exact(p, *(_sums(counts, exposures, treated)))


def _weekly(
    presumed: Presumed, treated: DoubleArray, *, cycle: DoubleArray | None = None, rng: np.random.Generator
) -> DoubleArray:
    counts, exposures = weeks_of(presumed, np.where(treated > 0, presumed.ratio, 1.0), rng=rng)
    p = p_of_weeks(counts, exposures, treated, cycle=cycle)
    return _or_exact(p, *_sums(counts[:, None], exposures[:, None], treated[:, None]))


def _within(
    presumed: Presumed, layout: Layout, lag: DoubleArray, *, trials: int, by_period: bool, rng: np.random.Generator
) -> DoubleArray:
    """First period without, second with treatment; which of them came first only matters to the period effect."""
    levels = levels_of(presumed, trials=trials, people=layout.wearers, periods=2, rng=rng)
    weeks = np.full((1, 1, 2), float(layout.block_weeks))
    counts, exposures = periods_of(presumed, levels * np.array([1.0, presumed.ratio]), weeks=weeks, rng=rng)
    sides = (counts[..., 1], counts[..., 0], exposures[..., 1], exposures[..., 0])
    p = p_within(*sides, lag=lag if by_period else None)
    both = (sides[2] > 0) & (sides[3] > 0)
    on, off, on_exposure, off_exposure = ((side * both).sum(axis=1) for side in sides)
    return _or_exact(p, on, off, on_exposure, off_exposure)


def _between(presumed: Presumed, layout: Layout, *, trials: int, rng: np.random.Generator) -> DoubleArray:
    """Baseline and treatment of each wearer; arms as even as can be."""
    place = np.arange(layout.wearers)
    first = (place % 2).astype(np.float64)
    second = (place // 2 % 2).astype(np.float64) if layout.design == "factorial" else np.zeros(layout.wearers)
    ratio = np.where(first > 0, presumed.ratio, 1.0) * np.where(second > 0, OTHER, 1.0)
    levels = levels_of(presumed, trials=trials, people=layout.wearers, periods=2, rng=rng)
    levels = levels * np.stack([np.ones(layout.wearers), ratio], axis=1)
    weeks = np.array([[[float(max(layout.baseline_weeks, 1)), float(layout.block_weeks)]]])
    counts, exposures = periods_of(presumed, levels, weeks=weeks, rng=rng)
    factors = np.stack([first, second], axis=1) if layout.design == "factorial" else first[:, None]
    before = (counts[..., 0], exposures[..., 0]) if layout.baseline_weeks else None
    return p_between(factors, counts[..., 1], exposures[..., 1], before=before)


def _or_exact(
    p: DoubleArray, on: DoubleArray, off: DoubleArray, on_exposure: DoubleArray, off_exposure: DoubleArray
) -> DoubleArray:
    """The exact test where fewer cramps were counted than show how they vary."""
    few = on + off < FEW
    if few.any():
        p[few] = p_exact(on[few], off[few], on_exposure[few], off_exposure[few])
    return p


def _sums(
    counts: DoubleArray, exposures: DoubleArray, treated: DoubleArray
) -> tuple[DoubleArray, DoubleArray, DoubleArray, DoubleArray]:
    """Counts and exposures with treatment and without, of wearers who have both; `(T, people, weeks)` each."""
    sides = [(of * side).sum(axis=2) for of in (counts, exposures) for side in (treated, 1.0 - treated)]
    both = (sides[2] > 0) & (sides[3] > 0)
    on, off, on_exposure, off_exposure = ((side * both).sum(axis=1) for side in sides)
    return on, off, on_exposure, off_exposure


def _alternating(wearers: int) -> DoubleArray:
    return np.where(np.arange(wearers) % 2, 1.0, -1.0)
