"""Level now and change per 4 weeks, and whether the weeks could have shown one. Pure."""

import math
from collections.abc import Sequence
from datetime import date
from typing import Final

import numpy as np
from scipy import stats

from api.statistics.values import Estimate, unknown
from api.trends.dispersion import DoubleArray
from api.trends.sloping import Fit, fit
from api.trends.values import Direction, LinePoint, Trend, Week
from api.trends.weeks import DAYS, counts_of, exposures_of, middle, told
from api.trends.wording import day, factor, rate

STEP_WEEKS: Final = 4.0
LEAST_WEEKS: Final = 6
LEAST_POWER: Final = 0.4  # to show a rate that halves every 4 weeks; below it nothing is told
HALVING: Final = 0.5
WORTH: Final = 0.75  # and how long it takes to show a fall by a quarter every 4 weeks
USUAL_POWER: Final = 0.8
LONGEST_WEEKS: Final = 260
FAR: Final = 4.0  # standard errors between the change asked for and none
LEVEL: Final = "episodes per 8 usable hours at the end of the range, or of the last week with data"
CHANGE: Final = "rate ratio per 4 weeks"
METHOD: Final = (
    "quasi-Poisson regression of weekly counts on time, log link, usable hours as offset; Pearson dispersion, "
    "intervals by Student's t"
)


def trend(weeks: Sequence[Week], *, last: date, background: float = 0.0) -> Trend:
    """Level and slope of the weeks that were judged; `background` is the rate of false alarms per 8 usable hours."""
    some = told(weeks)
    counts, exposures, x = counts_of(some), exposures_of(some), _times(some, last=last)
    if len(some) < LEAST_WEEKS or counts.sum() == 0:
        cause = f"Needed are {LEAST_WEEKS} weeks in which the device saw enough" + (
            ", and a cramp." if len(some) else "."
        )
        return _nothing(cause, power=0.0, dispersion=1.0, needed=cause)
    fitted = fit(counts, exposures, x, background=background)
    chance = power(counts, exposures, x, dispersion=fitted.dispersion)
    needed = _needed(counts, exposures, dispersion=fitted.dispersion)
    if not fitted.ok and chance >= LEAST_POWER:
        cause = "The cramps lie in so few of the weeks that no line along time fits them."
        return _nothing(cause, power=chance, dispersion=fitted.dispersion, needed=cause)
    if not fitted.ok or chance < LEAST_POWER:
        cause = (
            f"A rate that halves every 4 weeks would have been shown with a chance of {100 * chance:.0f} % only, "
            f"needed are {100 * LEAST_POWER:.0f} %."
        )
        return _nothing(cause, power=chance, dispersion=fitted.dispersion, needed=needed)
    # Beyond the last week with data the line is a guess that looks like a figure.
    at, late = (0.0, None) if some[-1].last == last else (float(x[-1]), some[-1].last)
    level = Estimate(
        LEVEL, *fitted.level(at), None, METHOD, note=f"At {day(late)}, the last with data." if late else ""
    )
    change = Estimate(CHANGE, *fitted.change(STEP_WEEKS), fitted.p, METHOD, null=1.0)
    return Trend(
        direction(change), level, change, fitted.dispersion, chance, needed, _line(some, fitted, x),
        _sentence(level, change, late=late),
    )  # fmt: skip


def direction(ratio: Estimate) -> Direction:
    """What an interval of a ratio says."""
    if not ratio.known:
        return "not_enough_data"
    return "fewer" if ratio.high < 1.0 else "more" if ratio.low > 1.0 else "no_change_shown"


def power(
    counts: DoubleArray, exposures: DoubleArray, x: DoubleArray, *, dispersion: float, ratio: float = HALVING
) -> float:
    """Chance that the t test of the slope shows a `ratio` per 4 weeks at this mean rate (noncentral t)."""
    df = len(x) - 2
    if df < 1 or counts.sum() == 0:
        return 0.0
    mean = exposures * counts.sum() / exposures.sum()
    spread = float((mean * (x - np.average(x, weights=mean)) ** 2).sum())
    # A dispersion below 1 is luck: what is promised rests on Poisson at best.
    away = abs(math.log(ratio)) / STEP_WEEKS * math.sqrt(spread / max(1.0, dispersion))
    edge = float(stats.t.isf(0.025, df))
    # The wrong way is less than one in a million far out, where SciPy's noncentral t gives NaN.
    wrong = float(stats.nct.cdf(-edge, df, away)) if away < FAR else 0.0
    return float(stats.nct.sf(edge, df, away)) + wrong


def _times(weeks: Sequence[Week], *, last: date) -> DoubleArray:
    """Weeks before the end of the range, as negative numbers."""
    return np.array([(middle(week) - last).days / DAYS for week in weeks], dtype=np.float64)


def _line(weeks: Sequence[Week], fitted: Fit, x: DoubleArray) -> tuple[LinePoint, ...]:
    return tuple(LinePoint(middle(week), *fitted.level(float(at))) for week, at in zip(weeks, x, strict=True))


def _needed(counts: DoubleArray, exposures: DoubleArray, *, dispersion: float) -> str:
    """How many weeks like these it takes to show a fall by a quarter every 4 weeks."""
    mean, exposure = float(counts.mean()), float(exposures.mean())
    low, high = 3, LONGEST_WEEKS + 1
    while low < high:
        n = (low + high) // 2
        enough = power(
            np.full(n, mean), np.full(n, exposure), np.arange(float(n)), dispersion=dispersion, ratio=WORTH
        ) >= USUAL_POWER  # fmt: skip
        low, high = (low, n) if enough else (n + 1, high)
    what = "to show a rate that falls by a quarter every 4 weeks, four times out of five"
    if low > LONGEST_WEEKS:
        return f"At this rate, years would be needed {what}."
    return f"At this rate, about {low} weeks would be needed {what}."


def _nothing(cause: str, *, power: float, dispersion: float, needed: str) -> Trend:
    sentence = f"Not enough data to tell a trend. {cause}" + ("" if cause == needed else f" {needed}")
    return Trend(
        "not_enough_data",
        unknown(LEVEL, method=METHOD, note=cause),
        unknown(CHANGE, method=METHOD, note=cause, null=1.0),
        dispersion,
        power,
        needed,
        (),
        sentence,
    )


def _sentence(level: Estimate, change: Estimate, *, late: date | None) -> str:
    now = f"{f'In the week to {day(late)}, the last with data,' if late else 'Now'} {rate(level)}."
    found, low, high = factor(change.value), factor(change.low), factor(change.high)
    match direction(change):
        case "fewer":
            return f"Fewer: {found} every 4 weeks (between {low} and {high}). {now}"
        case "more":
            return f"More: {found} every 4 weeks (between {low} and {high}). {now}"
        case _:
            return (
                f"No change is shown: {found} every 4 weeks fits best, but anything from {low} to {high} is possible. "
                f"{now}"
            )
