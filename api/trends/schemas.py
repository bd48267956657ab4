"""What the addresses of trends give: `values.py` as pydantic models, with NaN and infinity as null."""

import math
from datetime import date
from typing import Annotated, Literal

from pydantic import BeforeValidator, ConfigDict, Field

from api.observed import ObservedKind
from api.schemas import Given, Instant
from api.trends.values import AlarmSource, By, Direction, Pattern, Shown


def _told(value: float | None) -> float | None:
    """Four digits of a finite number; null of one that is not known or has no bound."""
    return None if value is None or not math.isfinite(value) else float(f"{value:.4g}")


Real = Annotated[float | None, BeforeValidator(_told)]
First = Annotated[date, Field(serialization_alias="from", validation_alias="first")]
Last = Annotated[date, Field(serialization_alias="to", validation_alias="last")]


class Told(Given):
    """Taken member by member from the value of the same name."""

    model_config = ConfigDict(from_attributes=True, populate_by_name=True)


class EstimateOut(Told):
    """A figure and its interval. `value` null: not known, and `note` says why; else a null bound is no bound."""

    measure: str
    value: Real
    low: Real
    high: Real
    p: Real = Field(description="Two-sided, against `null`; null where nothing was tested.")
    null: Real = Field(description="What no effect would be.")
    level: float
    method: str
    note: str


class CoverOut(Told):
    """What a figure rests on: periods that have ended, those judged, hours, cramps; see the vocabulary."""

    planned: int
    judged: int
    missing: int = Field(description="Not judged. They are not zeros: no rate holds them.")
    unassigned: int = Field(description="Of those missing: no device was assigned, so no hours were expected.")
    expected_h: Real
    usable_h: Real
    judged_h: Real = Field(description="Usable hours of judged periods: the exposure of every rate.")
    cramps: int = Field(description="In judged periods.")
    unjudged_cramps: int = Field(description="Seen in the others: a lower bound, in no rate.")


class WeekOut(Told):
    """One week of the series."""

    first: date
    last: date
    cover: CoverOut
    rate: EstimateOut


class LinePointOut(Told):
    """The fitted level in the middle of a week."""

    date: date
    value: Real
    low: Real
    high: Real


class TrendOut(Told):
    """Level and slope."""

    verdict: Direction
    level: EstimateOut = Field(description="Per 8 usable hours at the end of the range, or in the last week with data.")
    change: EstimateOut = Field(description="Ratio per 4 weeks: 0.88 is 12 % fewer.")
    dispersion: Real = Field(description="Variance of weekly counts over their mean; 1 is chance alone.")
    power: Real = Field(description="Chance that a rate halving over the range would have been shown.")
    needed: str
    line: list[LinePointOut]
    sentence: str


class WeekdayRateOut(Told):
    """One day of the week; 0 is Monday."""

    weekday: int
    name: str
    periods: int
    usable_h: Real
    cramps: int
    rate: EstimateOut


class WeekdaysOut(Told):
    """Days of the week, and one test of all seven."""

    verdict: Shown
    p: Real
    items: list[WeekdayRateOut]
    sentence: str


class BeginningOut(Told):
    """Something in the diary that began or ended."""

    date: date
    name: str
    what: Literal["began", "ended"]


class LikelyOut(Told):
    """How likely the rate changed on this date, if it changed once."""

    date: date
    probability: Real


class ChangeOut(Told):
    """Whether and when the rate changed at once. No cause is claimed."""

    verdict: Shown
    probability: Real
    first: date | None = Field(description="Interval of the date of the change; null unless shown.")
    last: date | None
    most_likely: date | None
    ratio: EstimateOut
    dates: list[LikelyOut]
    beside: list[BeginningOut] = Field(description="From the diary, to stand beside it.")
    sentence: str


class HourRateOut(Told):
    """One hour."""

    hour: int
    label: str
    usable_h: Real
    cramps: int
    rate: EstimateOut


class ProfileOut(Told):
    """Rate by hour since the period began (of a night: since sleep onset) or by the wearer's clock."""

    by: By
    items: list[HourRateOut]
    dispersion: Real
    sentence: str


class ClustersOut(Told):
    """Cramps followed by another within 60 minutes, and what chance would give."""

    verdict: Shown
    cramps: int
    followed: int
    share: EstimateOut
    by_chance: Real
    by_chance_low: Real
    by_chance_high: Real
    sentence: str


class NightDayOut(Told):
    """Night against day."""

    pattern: Pattern
    night: CoverOut
    day: CoverOut
    night_rate: EstimateOut
    day_rate: EstimateOut
    exact: EstimateOut
    dispersed: EstimateOut
    hypothesis: str
    warning: str
    sentence: str


class CorrectedOut(Told):
    """A figure as seen, and with false alarms taken off."""

    name: str
    seen: EstimateOut
    at_low: EstimateOut
    at_middle: EstimateOut
    at_high: EstimateOut
    hangs_on_it: bool = Field(description="The conclusion differs within the interval of the false-alarm rate.")
    sentence: str


class FalseAlarmsOut(Told):
    """False alarms, and a sensitivity analysis of what they change."""

    source: AlarmSource
    rate: EstimateOut
    reviewed: int
    rejected: int
    corrected: list[CorrectedOut]
    sentence: str


class TrendsOut(Told):
    """Trends of one kind of period of a wearer."""

    wearer: str
    kind: ObservedKind
    first: First
    last: Last
    cover: CoverOut
    cover_sentence: str
    rate: EstimateOut = Field(description="Per 8 usable hours, over the range.")
    rate_sentence: str
    weeks: list[WeekOut]
    trend: TrendOut
    weekdays: WeekdaysOut
    change: ChangeOut
    profiles: list[ProfileOut]
    clusters: ClustersOut
    night_day: NightDayOut | None = Field(description="With nights and days only.")
    false_alarms: FalseAlarmsOut
    caveats: list[str]
    sentence: str


class BesideOut(Told):
    """A laboratory value, and the rate around it."""

    at: Instant
    value: Real
    unit: str
    cover: CoverOut
    rate: EstimateOut
    sentence: str


class AnalyteOut(Told):
    """All values of one substance."""

    analyte: str
    name: str
    unit: str
    verdict: Shown
    correlation: EstimateOut
    items: list[BesideOut]
    sentence: str


class LaboratoryOut(Told):
    """Laboratory values beside episodes."""

    wearer: str
    kind: ObservedKind
    first: First
    last: Last
    days: int = Field(description="Around each value, half before and half after.")
    items: list[AnalyteOut]
    warning: str


class ContextGroupOut(Told):
    """All stretches of one context."""

    key: str
    name: str
    cover: CoverOut
    rate: EstimateOut
    with_cramp: EstimateOut
    sentence: str


class ContextRatioOut(Told):
    """One group against another; below 1 is fewer in the first."""

    key: str
    against: str
    exact: EstimateOut
    dispersed: EstimateOut
    verdict: Direction
    corrected: CorrectedOut | None = Field(description="With false alarms taken off; null where there is no ratio.")
    sentence: str


class ComparisonOut(Told):
    """One question about contexts."""

    key: Literal["drink", "dialysis", "heat"]
    question: str
    groups: list[ContextGroupOut]
    ratios: list[ContextRatioOut]
    caveats: list[str]


class ContextsOut(Told):
    """Rates by what the diary says was going on."""

    wearer: str
    first: First
    last: Last
    items: list[ComparisonOut]
