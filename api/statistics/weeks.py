"""Weeks (or blocks) of one person, made ready for a regression."""

from dataclasses import dataclass

import numpy as np

from api.statistics.rows import DoubleArray, Numbers, column, counted, flags


@dataclass(frozen=True, slots=True)
class Weeks:
    """Weeks with exposure; on both sides some, and cramps in some."""

    counts: DoubleArray
    exposures: DoubleArray
    design: DoubleArray  # (n, q): level, covariates, and treated last
    stratum: DoubleArray  # (n,) cycle; one for all where cycles have no level of their own
    trend: bool

    @property
    def treated(self) -> DoubleArray:
        return self.design[:, -1]

    @property
    def df(self) -> int:
        return len(self.counts) - int(self.design.shape[1])

    @property
    def covariates(self) -> str:
        """What is beside treatment in the model, in words."""
        cycle = " and a level per cycle" if self.design.shape[1] > 2 + self.trend else ""
        return (", a linear trend" if self.trend else "") + cycle

    def strata(self, on: float) -> tuple[DoubleArray, DoubleArray]:
        """Sums of counts and of exposures of each stratum that has both sides, with treatment (1) or without (0)."""
        shared = np.intersect1d(self.stratum[self.treated == 1.0], self.stratum[self.treated == 0.0])
        of = [(self.stratum == one) & (self.treated == on) for one in shared]
        return np.array([self.counts[rows].sum() for rows in of]), np.array([self.exposures[rows].sum() for rows in of])

    def side(self, on: float) -> tuple[float, float]:
        """Sum of counts and of exposure with treatment (1) or without (0)."""
        rows = self.treated == on
        return float(self.counts[rows].sum()), float(self.exposures[rows].sum())


def prepared(
    counts: Numbers, exposures: Numbers, treated: Numbers, *, time: Numbers | None, cycle: Numbers | None
) -> Weeks | str:
    """The weeks that can be analysed, or a sentence why there is nothing to analyse."""
    number, exposure = counted(counts, exposures)
    length = len(number)
    on = flags("treated", treated, length=length)
    when = column("time", time, length=length) if time is not None else None
    turn = column("cycle", cycle, length=length) if cycle is not None else np.zeros(length)
    # A cycle without cramps says nothing of their ratio, and its level would run to minus infinity.
    kept = (exposure > 0) & np.isin(turn, turn[number > 0])
    number, exposure, on, turn = number[kept], exposure[kept], on[kept], turn[kept]
    if not number.any():
        return "No cramps on either side, so there is no ratio."
    if on.all() or not on.any():
        return "There are no weeks with data on one side."
    columns = [(turn == one).astype(np.float64) for one in np.unique(turn)]
    if when is not None:
        columns.append(when[kept] - when[kept].mean())
    design = np.column_stack([*columns, on])
    if np.linalg.matrix_rank(design) < design.shape[1]:
        return "Treatment cannot be told apart from time in these weeks."
    return Weeks(number, exposure, design, turn, trend=when is not None)
