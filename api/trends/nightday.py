"""Night against day, and what the articles make of it. Pure."""

from collections.abc import Sequence
from datetime import date
from typing import Final

from api.observed import Observed
from api.trends.ratios import MOST_CRAMPS, Compared, Side, compare, cramps_needed
from api.trends.values import NightDay, Pattern
from api.trends.weeks import cover, per_8_h, told, weekly
from api.trends.wording import noun, times

LEAST_JUDGED: Final = 7  # nights, and days
HYPOTHESIS: Final[dict[Pattern, str]] = {
    "mostly_night": "Popular articles take cramps mostly at night for a sign of too little magnesium.",
    "mostly_day": "Popular articles take cramps mostly by day for a sign of too little calcium.",
    "no_pattern_shown": "Popular articles take cramps mostly at night for a sign of too little magnesium, "
    "and cramps mostly by day for one of too little calcium. Neither pattern is shown here.",
    "not_enough_data": "Popular articles take cramps mostly at night for a sign of too little magnesium, "
    "and cramps mostly by day for one of too little calcium. There is not enough data for either.",
}
WARNING: Final = (
    "This is a weak pointer: of people with cramps at rest 73 % have them at night, whatever their minerals "
    "(Naylor and Young 1994), and no trial has tested the rule. Only a laboratory can tell a lack. Take nothing "
    "because of this figure."
)


def night_day(nights: Sequence[Observed], days: Sequence[Observed], *, first: date, last: date) -> NightDay:
    """Rate by night over rate by day, each per usable hour, by weeks."""
    night, day = cover(nights), cover(days)
    by_night, by_day = _side(nights, first=first, last=last), _side(days, first=first, last=last)
    compared = compare(by_night, by_day)
    pattern = _pattern(compared, judged=min(night.judged, day.judged))
    return NightDay(
        pattern,
        night,
        day,
        per_8_h(night.cramps, night.judged_h),
        per_8_h(day.cramps, day.judged_h),
        compared.exact,
        compared.dispersed,
        HYPOTHESIS[pattern],
        WARNING,
        _lacking(by_night, by_day, nights=night.judged, days=day.judged)
        if pattern == "not_enough_data"
        else _sentence(compared, pattern),
    )


def _side(among: Sequence[Observed], *, first: date, last: date) -> Side:
    weeks = told(weekly(among, first=first, last=last))
    return Side(tuple(week.cover.cramps for week in weeks), tuple(week.cover.judged_h for week in weeks))


def _pattern(compared: Compared, *, judged: int) -> Pattern:
    if judged < LEAST_JUDGED:
        return "not_enough_data"
    match compared.verdict:
        case "more":
            return "mostly_night"
        case "fewer":
            return "mostly_day"
        case "no_change_shown":
            return "no_pattern_shown"
        case _:
            return "not_enough_data"


def _lacking(by_night: Side, by_day: Side, *, nights: int, days: int) -> str:
    """How many nights, days and cramps are needed, beside those that there are."""
    needed, found = [], []
    if min(nights, days) < LEAST_JUDGED:
        needed.append(f"{LEAST_JUDGED} nights and {LEAST_JUDGED} days that could be judged")
        found += [f"{nights} {noun('night', nights)}", f"{days} {noun('day', days)}"]
    cramps, seen = cramps_needed(by_night, by_day), by_night.count + by_day.count
    if cramps is not None and (cramps > seen or not needed):
        cramps = max(cramps, seen + 1)
        needed.append(f"{'more than' if cramps == MOST_CRAMPS else 'about'} {cramps} cramps in all")
        found.append(f"{seen} {'cramp' if seen == 1 else 'cramps'}")
    *most, last = found
    there = f"{', '.join(most)} and {last}" if most else last
    told = f"Not enough data to compare night and day: needed are {', and '.join(needed)}."
    return f"{told} So far there {'is' if there == '1 cramp' else 'are'} {there}."


def _sentence(compared: Compared, pattern: Pattern) -> str:
    ratio = times(compared.dispersed, "by night", "by day")
    if pattern == "mostly_night":
        return f"Mostly by night: {ratio}."
    if pattern == "mostly_day":
        return f"Mostly by day: {ratio}."
    return f"No pattern is shown: {ratio}; 1 would be as many."
