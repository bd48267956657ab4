"""What rate, trend and night against day become when false alarms are taken off: a sensitivity analysis. Pure.

Each figure is worked out again at the low, the middle and the high end of the rate of false alarms. It is no better
estimate, as nobody knows which of the cramps are none; it says whether a conclusion hangs on them.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from itertools import product
from typing import Final

from api.statistics.values import Estimate, unknown
from api.trends.alarms import AlarmRate, seen_ratio, true_ratio
from api.trends.trend import direction, trend
from api.trends.values import AlarmSource, Corrected, FalseAlarms, NightDay, Trend, Week
from api.trends.wording import factor, number, percent, rate

_KNOWN: Final[dict[AlarmSource, str]] = {
    "reviews": "by the wearer's own reviews",
    "accuracy_report": "by the accuracy report on simulated nights and days, which may not be this wearer's",
}
NOTHING_LEFT: Final = "With so many false alarms nothing would be left."


def false_alarms(
    alarms: AlarmRate,
    *,
    seen: Estimate,
    weeks: Sequence[Week],
    last: date,
    slope: Trend,
    night_day: NightDay | None,
    by_night: AlarmRate,
    by_day: AlarmRate,
) -> FalseAlarms:
    """Figures of which something is said, as seen and corrected; night and day have a rate of false alarms each."""
    rows = [_rate(seen, alarms)]
    if slope.change.known and slope.verdict != "not_enough_data":
        rows.append(_slope(slope, alarms, weeks=weeks, last=last))
    if night_day is not None and night_day.dispersed.known and night_day.pattern != "not_enough_data":
        rows.append(
            corrected_ratio(
                "night_day", night_day.dispersed, base=night_day.day_rate.value, alarms=by_night, alarms_base=by_day,
                what="by night, compared with day", about="night against day",
            )
        )  # fmt: skip
    return FalseAlarms(
        alarms.source, alarms.rate, alarms.reviewed, alarms.rejected, tuple(rows), _sentence(alarms, seen, rows)
    )


def less(seen: Estimate, false: float) -> Estimate:
    """A rate with false alarms taken off; none of it falls below zero."""
    value, low, high = (max(0.0, one - false) for one in (seen.value, seen.low, seen.high))
    return replace(seen, value=value, low=low, high=high, method=f"{seen.method}; false alarms taken off")


def _rate(seen: Estimate, alarms: AlarmRate) -> Corrected:
    low, middle, high = (less(seen, false) for false in alarms.ends)
    hangs = seen.known and seen.low > 0 and high.low == 0
    if not seen.known:
        sentence = "There is no rate."
    elif seen.value == 0:
        sentence = "There were no cramps, so no false alarms either."
    elif hangs:
        sentence = "False alarms alone could make up this rate: it may be that there were no cramps at all."
    else:
        sentence = (
            f"Without false alarms the rate would be {number(high.value)} to {number(low.value)} per 8 usable hours."
        )
    return Corrected("rate", seen, low, middle, high, hangs, sentence)


def _slope(slope: Trend, alarms: AlarmRate, *, weeks: Sequence[Week], last: date) -> Corrected:
    at = [trend(weeks, last=last, background=false) for false in alarms.ends]
    found = [
        one.change if one.change.known else unknown(slope.change.measure, method=slope.change.method, note=NOTHING_LEFT)
        for one in at
    ]
    verdicts = [one.verdict for one in at]
    hangs = any(verdict != slope.verdict for verdict in verdicts)
    return Corrected(
        "trend", slope.change, found[0], found[1], found[2], hangs,
        _says("every 4 weeks", found, about="the trend", hangs=hangs),
    )  # fmt: skip


def corrected_ratio(
    name: str, seen: Estimate, *, base: float, alarms: AlarmRate, alarms_base: AlarmRate, what: str, about: str
) -> Corrected:
    """A ratio without false alarms, from the rate `base` as seen below the line; each side has its own."""

    def at(false: float, false_base: float) -> Estimate:
        return _ratio(seen, base=base, false=false, false_base=false_base)

    found = [at(*both) for both in zip(alarms.ends, alarms_base.ends, strict=True)]
    corners = [at(*both) for both in product(alarms.ends[::2], alarms_base.ends[::2])]
    hangs = any(direction(one) != direction(seen) for one in (*found, *corners))
    return Corrected(name, seen, found[0], found[1], found[2], hangs, _says(what, found, about=about, hangs=hangs))


def _ratio(seen: Estimate, *, base: float, false: float, false_base: float) -> Estimate:
    """The interval is carried over at the base rate as seen: what is asked is where it goes, not how wide it is."""
    value, low, high = (
        true_ratio(one, base=base, false=false, false_base=false_base) for one in (seen.value, seen.low, seen.high)
    )
    method = f"{seen.method}; false alarms taken off"
    if math.isnan(value):
        return unknown(seen.measure, method=method, note=NOTHING_LEFT, null=1.0)
    return replace(seen, value=value, low=low, high=high, p=None, method=method)


def _says(what: str, found: Sequence[Estimate], *, about: str, hangs: bool) -> str:
    """`about` names the comparison, as the sentence may stand for itself."""
    known = [factor(one.value) for one in found if one.known]
    if not known:
        return f"With so many false alarms no cramps would be left, so what is said of {about} hangs on them."
    reach = known[0] if len(set(known)) == 1 else f"{known[0]} to {known[-1]}"
    told = f"Without false alarms there would be {reach} cramps {what}"
    if len(known) < len(found):
        told += "; were false alarms as many as they may be, no cramps would be left to compare"
    return f"{told}. What is said of {about} {'hangs on false alarms' if hangs else 'does not hang on them'}."


def _sentence(alarms: AlarmRate, seen: Estimate, rows: Sequence[Corrected]) -> str:
    told = f"False alarms, {_KNOWN[alarms.source]}: {rate(alarms.rate)}."
    if alarms.source == "reviews":
        told += f" Of {alarms.reviewed} episodes reviewed, {alarms.rejected} were none."
    genuine = seen.value - alarms.rate.value
    if seen.known and genuine > 0:
        look = seen_ratio(0.5, genuine=genuine, false=alarms.rate.value)
        told += f" With as many, a true halving looks like a fall to {percent(look)}."
    hanging = [row.name.replace("_", " against ") for row in rows if row.hangs_on_it]
    if hanging:
        told += f" What is said of {', '.join(hanging)} hangs on them."
    return told
