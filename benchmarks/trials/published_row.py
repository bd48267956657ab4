"""One line of what the articles found and what we make of it, and how its figures are written."""

import math
from dataclasses import dataclass
from typing import Final, Literal

from api.statistics.values import Estimate

Verdict = Literal["agrees", "agrees in part", "differs", "cannot be reproduced", "shown elsewhere"]
Seen = Literal["abstract", "second-hand", "unverified", "abstract and second-hand", "none"]
"""Where we have the figures from: the abstract or a table; another page; our memory; both of the first; no figures."""


# Designs of the main table of simulated cohorts, as it names them.
PARALLEL: Final = "two arms of 45, two weeks of baseline and four of treatment"
CROSSOVER: Final = "forty wearers, AB/BA, four weeks each, two weeks of washout"
FACTORIAL: Final = "four arms of 45, two weeks of baseline and four of treatment; the other factor 0.75"


@dataclass(frozen=True, slots=True)
class Ratio:
    """A line of the forest plot: rate with treatment over rate without."""

    label: str
    estimate: Estimate
    sure: bool = True  # all of its figures come from the abstract


@dataclass(frozen=True, slots=True)
class Row:
    """One published system. `name` is that of its test."""

    name: str
    system: str
    source: str
    design: str
    published: str
    analysis: str  # functions of ours
    ours: str
    verdict: Verdict
    why: str
    doi: str = ""
    seen: Seen = "abstract"
    warning: str = ""
    simulated: tuple[str, ...] = ()  # lines of the tables of simulated cohorts that make the point
    ratios: tuple[Ratio, ...] = ()

    def __post_init__(self) -> None:
        if self.verdict in {"differs", "cannot be reproduced", "agrees in part"} and not self.why:
            raise ValueError(f"{self.name} must say why")


def number(value: float, digits: int = 2) -> str:
    """A number with a real minus sign."""
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return f"{value:.{digits}f}".replace("-", "−")


def interval(found: Estimate, digits: int = 2) -> str:
    """−0.38 (−2.14 to 1.38)."""
    return f"{number(found.value, digits)} ({number(found.low, digits)} to {number(found.high, digits)})"


def percents(found: Estimate, digits: int = 1) -> str:
    """83.3 % (51.6 to 97.9)."""
    value, low, high = (f"{100 * share:.{digits}f}" for share in (found.value, found.low, found.high))
    return f"{value} % ({low} to {high})"


def p_of(found: Estimate) -> str:
    """p = 0.67, p < 0.0001."""
    return p_text(found.p)


def p_text(p: float | None) -> str:
    """A p value with two digits that say something."""
    if p is None:
        return "not tested"
    if p < 0.0001:
        return "p < 0.0001"
    digits = 2 if p >= 0.1 else 3 if p >= 0.001 else 5
    return f"p = {p:.{digits}f}"


def t_of(found: Estimate) -> str:
    """t = −3.98 on 78 degrees of freedom, as the note of a summary analysis tells it."""
    return found.note.split(".", maxsplit=2)[0].replace("-", "−") + "." + found.note.split(".", maxsplit=2)[1]
