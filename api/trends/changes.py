"""Whether and when the rate changed at once, with what the diary says beside it. Pure."""

from collections.abc import Sequence
from datetime import date
from typing import Final

from api.diary.values import Intervention
from api.statistics.values import LEVEL, Estimate, unknown
from api.trends.changing import Posterior, weigh
from api.trends.values import Beginning, Change, Likely, Week
from api.trends.weeks import counts_of, exposures_of, middle, told
from api.trends.wording import factor, percent, span

LEAST_WEEKS: Final = 8
LEAST_CRAMPS: Final = 15
SHOWN_FROM: Final = 0.5  # more likely than not; constant rates come so far in less than 5 % (docs/trends.md)
RATIO: Final = "rate ratio after the change over before"
METHOD: Final = (
    "Bayesian change point of weekly negative binomial counts with unknown frailty, against a constant and a "
    "drifting rate; interval of equal tails"
)
NO_CAUSE: Final = "What began or ended at that time stands beside it; that it was the cause is not shown."


def change(weeks: Sequence[Week], *, interventions: Sequence[Intervention], first: date, last: date) -> Change:
    """One sudden change, if the weeks show it, and what the diary has in the range."""
    some = told(weeks)
    beside = _beside(interventions, first=first, last=last)
    if len(some) < LEAST_WEEKS or counts_of(some).sum() < LEAST_CRAMPS:
        sentence = (
            f"Not enough data to look for a sudden change: needed are {LEAST_WEEKS} weeks in which the device saw "
            f"enough, and {LEAST_CRAMPS} cramps."
        )
        return Change("not_enough_data", None, None, None, None, _unknown(sentence), (), beside, sentence)
    found = weigh(counts_of(some), exposures_of(some))
    dates = tuple(
        Likely(week.first, float(chance)) for week, chance in zip(some, found.steps, strict=True) if chance > 0
    )
    tail = (1.0 - LEVEL) / 2.0
    if found.step >= SHOWN_FROM and found.ratio(tail) < 1.0 < found.ratio(1.0 - tail):
        sentence = (
            "No sudden change is shown: some weeks stand out, but whether there were more or fewer after one of them "
            "is open."
        )
        return Change("not_shown", found.step, None, None, None, _unknown(sentence), dates, beside, sentence)
    if found.step < SHOWN_FROM:
        sentence = f"No sudden change is shown (probability {percent(found.step)}, needed {percent(SHOWN_FROM)})."
        return Change("not_shown", found.step, None, None, None, _unknown(sentence), dates, beside, sentence)
    return _shown(some, found, dates=dates, beside=beside)


def _shown(
    some: Sequence[Week], found: Posterior, *, dates: tuple[Likely, ...], beside: tuple[Beginning, ...]
) -> Change:
    low, high = found.reach(LEVEL)
    # A step between two weeks lies somewhere from the middle of the one to the middle of the other.
    begin, end = middle(some[low - 1]), middle(some[min(high, len(some) - 1)])
    tail = (1.0 - LEVEL) / 2.0
    ratio = Estimate(RATIO, found.ratio(0.5), found.ratio(tail), found.ratio(1.0 - tail), None, METHOD, null=1.0)
    most = max(dates, key=lambda likely: likely.probability).date
    sentence = (
        f"The rate changed {span(begin, end)} (95 % interval; probability of a sudden change {percent(found.step)}): "
        f"{factor(ratio.value)} after it (between {factor(ratio.low)} and {factor(ratio.high)}). {NO_CAUSE}"
    )
    return Change("shown", found.step, begin, end, most, ratio, dates, beside, sentence)


def _beside(interventions: Sequence[Intervention], *, first: date, last: date) -> tuple[Beginning, ...]:
    found: list[Beginning] = []
    for item in interventions:
        name = " ".join(part for part in (item.name or item.code.replace("_", " "), item.dose) if part)
        if first <= item.first <= last:
            found.append(Beginning(item.first, name, "began"))
        if item.last is not None and first <= item.last <= last:
            found.append(Beginning(item.last, name, "ended"))
    return tuple(sorted(found, key=lambda one: (one.date, one.name)))


def _unknown(note: str) -> Estimate:
    return unknown(RATIO, method=METHOD, note=note, null=1.0)
