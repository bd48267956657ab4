"""What is told of a wearer's trends. Every figure has its interval, its coverage and a sentence.

Missing is never zero: a rate rests on periods that were judged, and the others are counted beside it. `verdict` is
`not_enough_data` where a figure would say more than was seen.
"""

from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from api.observed import ObservedKind
from api.statistics.values import Estimate

Direction = Literal["fewer", "more", "no_change_shown", "not_enough_data"]
Shown = Literal["shown", "not_shown", "not_enough_data"]
Pattern = Literal["mostly_night", "mostly_day", "no_pattern_shown", "not_enough_data"]
AlarmSource = Literal["reviews", "accuracy_report"]
By = Literal["since_start", "clock"]


@dataclass(frozen=True, slots=True)
class Cover:
    """What a figure rests on. Cramps and rates are of judged periods; `unjudged_cramps` were seen in the others."""

    planned: int  # periods that have ended
    judged: int  # usable long enough
    expected_h: float
    usable_h: float
    judged_h: float  # usable, in judged periods: the exposure of every rate
    cramps: int
    unjudged_cramps: int
    unassigned: int = 0  # of the missing: there was no device, so nothing was expected

    @property
    def missing(self) -> int:
        """Periods that tell nothing: they are not zeros."""
        return self.planned - self.judged


@dataclass(frozen=True, slots=True)
class Week:
    """Seven local dates, or fewer in the first of a range; without a judged period there is no rate."""

    first: date
    last: date
    cover: Cover
    rate: Estimate  # per 8 usable hours


@dataclass(frozen=True, slots=True)
class LinePoint:
    """The fitted level in the middle of a week."""

    date: date
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Trend:
    """Level now and change per 4 weeks; `power` is the chance that a halving over the range would have been seen."""

    verdict: Direction
    level: Estimate
    change: Estimate  # a ratio per 4 weeks: 0.88 is 12 % fewer
    dispersion: float
    power: float
    needed: str  # what would be needed, if this was not enough
    line: tuple[LinePoint, ...]
    sentence: str


@dataclass(frozen=True, slots=True)
class WeekdayRate:
    """All periods of one day of the week; 0 is Monday."""

    weekday: int
    name: str
    periods: int
    usable_h: float
    cramps: int
    rate: Estimate


@dataclass(frozen=True, slots=True)
class Weekdays:
    """Whether cramps keep to days of the week. `p` is of one test of all seven."""

    verdict: Shown
    p: float | None
    items: tuple[WeekdayRate, ...]
    sentence: str


@dataclass(frozen=True, slots=True)
class Beginning:
    """Something in the diary that began or ended, to stand beside a change; no cause is claimed."""

    date: date
    name: str
    what: Literal["began", "ended"]


@dataclass(frozen=True, slots=True)
class Likely:
    """How likely the rate changed on this date, if it changed once."""

    date: date
    probability: float


@dataclass(frozen=True, slots=True)
class Change:
    """Whether and when the rate changed at once. Ratio: after over before."""

    verdict: Shown
    probability: float | None  # of one sudden change, against a constant rate and a gradual one
    first: date | None  # interval of the date
    last: date | None
    most_likely: date | None
    ratio: Estimate
    dates: tuple[Likely, ...]
    beside: tuple[Beginning, ...]
    sentence: str


@dataclass(frozen=True, slots=True)
class HourRate:
    """One hour of the period; `label` as an axis shows it."""

    hour: int
    label: str
    usable_h: float
    cramps: int
    rate: Estimate


@dataclass(frozen=True, slots=True)
class Profile:
    """Rate by hour since the period began, or by the wearer's clock."""

    by: By
    items: tuple[HourRate, ...]
    dispersion: float
    sentence: str


@dataclass(frozen=True, slots=True)
class Clusters:
    """Share of cramps followed by another within the hour, against what chance would give with the same profile."""

    verdict: Shown
    cramps: int
    followed: int
    share: Estimate
    by_chance: float | None
    by_chance_low: float | None
    by_chance_high: float | None
    sentence: str


@dataclass(frozen=True, slots=True)
class NightDay:
    """Night against day, and what the articles make of it."""

    pattern: Pattern
    night: Cover
    day: Cover
    night_rate: Estimate
    day_rate: Estimate
    exact: Estimate
    dispersed: Estimate
    hypothesis: str
    warning: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Corrected:
    """A figure as seen, and with false alarms taken off at the low, middle and high end of their rate."""

    name: str
    seen: Estimate
    at_low: Estimate
    at_middle: Estimate
    at_high: Estimate
    hangs_on_it: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class FalseAlarms:
    """How many of the cramps may be none, where that is known from, and what would change."""

    source: AlarmSource
    rate: Estimate  # per 8 usable hours, among cramps not reviewed
    reviewed: int
    rejected: int
    corrected: tuple[Corrected, ...]
    sentence: str


@dataclass(frozen=True, slots=True)
class Trends:
    """Everything about one kind of period of one wearer."""

    wearer: str
    kind: ObservedKind
    first: date
    last: date
    cover: Cover
    cover_sentence: str
    rate: Estimate
    rate_sentence: str
    weeks: tuple[Week, ...]
    trend: Trend
    weekdays: Weekdays
    change: Change
    profiles: tuple[Profile, ...]
    clusters: Clusters
    night_day: NightDay | None
    false_alarms: FalseAlarms
    caveats: tuple[str, ...]
    sentence: str


@dataclass(frozen=True, slots=True)
class Beside:
    """A laboratory value, and the rate in the days around it. No cause either way."""

    at: str  # on the wearer's clock
    value: float
    unit: str
    cover: Cover
    rate: Estimate
    sentence: str


@dataclass(frozen=True, slots=True)
class Analyte:
    """All values of one substance, and whether they go with the rate."""

    analyte: str
    name: str
    unit: str
    verdict: Shown
    correlation: Estimate
    items: tuple[Beside, ...]
    sentence: str


@dataclass(frozen=True, slots=True)
class Laboratory:
    """Laboratory values beside episodes."""

    wearer: str
    kind: ObservedKind
    first: date
    last: date
    days: int  # around each value
    items: tuple[Analyte, ...]
    warning: str


@dataclass(frozen=True, slots=True)
class ContextGroup:
    """All stretches of one context, such as matches with an electrolyte drink."""

    key: str
    name: str
    cover: Cover
    rate: Estimate
    with_cramp: Estimate  # share of them with at least one cramp
    sentence: str


@dataclass(frozen=True, slots=True)
class ContextRatio:
    """One group against another."""

    key: str
    against: str
    exact: Estimate
    dispersed: Estimate
    verdict: Direction
    corrected: Corrected | None  # without false alarms, as the accuracy report or the wearer's reviews have them
    sentence: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """One question about contexts: which groups there are, and how they compare."""

    key: Literal["drink", "dialysis", "heat"]
    question: str
    groups: tuple[ContextGroup, ...]
    ratios: tuple[ContextRatio, ...]
    caveats: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Contexts:
    """Rates by what the diary says was going on."""

    wearer: str
    first: date
    last: date
    items: tuple[Comparison, ...]
