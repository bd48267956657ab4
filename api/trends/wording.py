"""Sentences about trends: plain, and never more certain than the figures. Pure."""

import math
from datetime import date
from typing import Final

from api.observed import ObservedKind
from api.statistics.values import Estimate
from api.trends.values import Cover

_NOUNS: Final[dict[ObservedKind, tuple[str, str]]] = {
    "night": ("night", "nights"),
    "day": ("day", "days"),
    "training": ("training session", "training sessions"),
    "dialysis": ("dialysis session", "dialysis sessions"),
    "between": ("stretch between sessions", "stretches between sessions"),
}


def noun(kind: ObservedKind, number: int) -> str:
    """`night`, `nights`, `training sessions`."""
    return _NOUNS[kind][number != 1]


def counted(number: int, word: str) -> str:
    """`1 cramp`, `no cramps`."""
    return f"{number or 'no'} {word}{'' if number == 1 else 's'}"


def day(at: date) -> str:
    """`20 March 2026`."""
    return f"{at.day} {at:%B %Y}"


def span(first: date, last: date) -> str:
    """`between 2 March and 20 March 2026`, or `on 2 March 2026`."""
    if first == last:
        return f"on {day(first)}"
    begin = f"{first.day} {first:%B}" if first.year == last.year else day(first)
    return f"between {begin} and {day(last)}"


def p_text(p: float) -> str:
    """`p = 0.03`, `p < 0.001`."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}" if p < 0.01 else f"p = {p:.2f}"


def percent(share: float) -> str:
    """`78 %`."""
    return f"{100.0 * share:.0f} %"


def number(value: float) -> str:
    """Two digits that matter; `any number` where there is no bound."""
    if not math.isfinite(value):
        return "any number"
    return f"{value:.2f}" if value < 1 else f"{value:.1f}" if value < 10 else f"{value:.0f}"


def interval(estimate: Estimate) -> str:
    """`1.2 (0.8 to 1.9)`."""
    return f"{number(estimate.value)} ({number(estimate.low)} to {number(estimate.high)})"


def rate(estimate: Estimate) -> str:
    """A rate and its interval in words."""
    if not estimate.known:
        return "no rate: nothing was usable"
    bound = f"up to {number(estimate.high)}" if estimate.low == 0 else (
        f"{number(estimate.low)} to {number(estimate.high)}"
    )  # fmt: skip
    return f"{number(estimate.value)} per 8 usable hours (95 % interval {bound})"


def factor(ratio: float) -> str:
    """A ratio in words: `40 % fewer`, `29 % more`, `3 times as many`."""
    if not math.isfinite(ratio):
        return "any number of times as many"
    percent = round(abs(ratio - 1.0) * 100)
    if percent == 0:
        return "as many"
    if ratio < 1.0:
        return f"{percent} % fewer"
    return f"{percent} % more" if ratio < 2.0 else f"{number(ratio)} times as many"


def times(ratio: Estimate, one: str, other: str) -> str:
    """`1.2 (0.8 to 1.9) times as many an hour by night as by day`; of a side without cramps, a bound."""
    if math.isinf(ratio.value):
        bound = f"at least {number(ratio.low)} times as many an hour {one}" if ratio.low > 0 else "no bound is known"
        return f"no cramps {other}; {bound}"
    if ratio.value == 0:
        bound = f"at most {number(ratio.high)} times as many an hour as {other}"
        return f"no cramps {one}; {bound if math.isfinite(ratio.high) else 'no bound is known'}"
    if math.isinf(ratio.high):
        return f"{number(ratio.value)} (at least {number(ratio.low)}) times as many an hour {one} as {other}"
    return f"{interval(ratio)} times as many an hour {one} as {other}"


def of_cover(covered: Cover, kind: ObservedKind) -> str:
    """What a figure rests on; first of all what is missing."""
    if not covered.planned:
        return f"No {noun(kind, 2)} in this range have ended."
    share = " No device was assigned."
    if covered.expected_h > 0:
        share = f" {percent(covered.usable_h / covered.expected_h)} of the hours were usable."
        if covered.unassigned:
            share = f" In {covered.unassigned} no device was assigned; elsewhere{share}"
    sentence = f"{covered.judged} of {covered.planned} {noun(kind, covered.planned)} could be judged."
    if covered.missing:
        sentence += f" The other {covered.missing} are missing: they are not counted as free of cramps."
    if covered.unjudged_cramps:
        sentence += f" {counted(covered.unjudged_cramps, 'cramp').capitalize()} seen in them are in no rate."
    return sentence + share
