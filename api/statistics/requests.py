"""Published summary numbers as they are sent to the API: one model for each analysis."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from api.schemas import Taken
from api.statistics.crossover import CrossoverMethod
from api.statistics.crossover_binary import Preferences
from api.statistics.summary import Group

Real = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Spread = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0, le=10_000)]
Cell = Annotated[int, Field(ge=0, le=500)]
People = Annotated[int, Field(ge=2, le=1_000_000)]
Chance = Annotated[float, Field(gt=0, lt=1)]
Values = Annotated[list[Real], Field(min_length=1, max_length=1_000)]
Pairs = Annotated[list[tuple[Real, Real]], Field(max_length=500)]
Freedom = Annotated[
    float | None, Field(gt=0, le=1e6, description="Degrees of freedom; without, the normal distribution.")
]


class GroupIn(Taken):
    """Mean and standard deviation (not standard error) of some people."""

    mean: Real
    sd: Spread
    n: People

    def group(self) -> Group:
        return Group(self.mean, self.sd, self.n)


class GroupsIn(Taken):
    """Two groups; the estimate is of a against b."""

    a: GroupIn
    b: GroupIn


class PairedGroupsIn(GroupsIn):
    """The same people twice. Abstracts seldom give the correlation; 0.4 to 0.7 is usual for weekly cramps."""

    rho: Annotated[float, Field(ge=-1, le=1)]


class GroupsWithPIn(GroupsIn):
    """The same people twice, and the p value of the paired test."""

    p: Chance


class IntervalIn(Taken):
    """A difference with its interval."""

    difference: Real
    low: Real
    high: Real
    df: Freedom = None
    level: Annotated[float, Field(gt=0.5, lt=1)] = 0.95

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.low < self.high or not self.low <= self.difference <= self.high:
            raise ValueError("low must be below high, and the difference between them")
        return self


class DifferenceWithPIn(Taken):
    """A difference and its p value."""

    difference: Real
    p: Chance
    df: Freedom = None


class SpreadIn(Taken):
    """The interval of a difference of two groups of people."""

    low: Real
    high: Real
    n_a: People
    n_b: People

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.low < self.high:
            raise ValueError("low must be below high")
        return self


class RepeatsIn(GroupsIn):
    """Two groups and the interval that was printed for their difference."""

    low: Real
    high: Real

    @model_validator(mode="after")
    def _spread(self) -> Self:
        if not self.low < self.high or self.a.sd + self.b.sd == 0:
            raise ValueError("low must be below high, and a group must have some spread")
        return self


class RelativeIn(IntervalIn):
    """A difference with its interval, and the control's mean."""

    control: Positive


class PercentIn(Taken):
    """A change in per cent with its interval: -28 for 28 % fewer."""

    percent: Real
    low: Real
    high: Real


class ShareIn(Taken):
    """How many of how many."""

    having: Count
    among: Count
    null: Chance | None = None

    @model_validator(mode="after")
    def _within(self) -> Self:
        if self.having > self.among:
            raise ValueError("having must not exceed among")
        return self


class SharesIn(Taken):
    """How many of how many in each of two groups of different people."""

    a: ShareIn
    b: ShareIn


class PairedSharesIn(Taken):
    """The same people twice. Without `both` and `neither` there is no difference of shares, only the test."""

    only_a: Count
    only_b: Count
    both: Count | None = None
    neither: Count | None = None


class SignsIn(Taken):
    """How many got better and worse; who stayed the same does not count."""

    better: Count
    worse: Count


class PreferencesIn(Taken):
    """How many of one sequence did better in their first period only, in neither, in their second only."""

    first: Cell
    none: Cell
    second: Cell

    def preferences(self) -> Preferences:
        return Preferences(self.first, self.none, self.second)


class BinaryCrossoverIn(Taken):
    """Those who had a first, and those who had b first."""

    ab: PreferencesIn
    ba: PreferencesIn


class CrossoverIn(Taken):
    """First and second period of each person: of those who had a first, and of those who had b first."""

    ab: Pairs
    ba: Pairs
    method: CrossoverMethod = "rank"


class DifferencesIn(Taken):
    """Differences within people."""

    differences: Values


class RatesIn(Taken):
    """Two counts, each with the time it was counted in, in the same unit."""

    count_a: Count
    exposure_a: Positive
    count_b: Count
    exposure_b: Positive
