"""What was seen of a wearer in one stretch of time, as analyses take it: cramps, and the hours that could show them.

Trends and trials rest on these values alone, so that a simulated cohort and a real one go the same way.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

ObservedKind = Literal["night", "day", "training", "dialysis", "between"]
RATE_H: Final = 8.0


@dataclass(frozen=True, slots=True)
class Cramp:
    """One cramp of a wearer, detected by a device or felt."""

    onset_ns: int
    duration_s: float
    severity: float  # 0-10
    load: float = 0.0  # of a felt cramp there is none
    grade: int = 1
    episode: str = ""  # id of the episode; empty of one that was only felt
    confirmed: bool | None = None  # by the wearer: felt it, said it was none, or said nothing


@dataclass(frozen=True, slots=True)
class Observed:
    """One period of one wearer. `date` is the local date it is named by."""

    wearer: str
    kind: ObservedKind
    date: date
    part: int
    start_ns: int
    end_ns: int
    expected_s: float
    usable_s: float
    enough: bool  # usable long enough to judge by; where not, the count is a lower bound
    cramps: tuple[Cramp, ...]
    weekday: int = 0  # 0 Monday, of `date`
    # Stretches, ns, in steps of five minutes, in which most of the time was usable; empty where not known.
    usable_spans: tuple[tuple[int, int], ...] = ()

    @property
    def count(self) -> int:
        """Cramps that the wearer has not called none."""
        return sum(cramp.confirmed is not False for cramp in self.cramps)

    @property
    def usable_h(self) -> float:
        return self.usable_s / 3600.0

    @property
    def per_8_usable_h(self) -> float:
        """Rate of this period; NaN where nothing was usable."""
        return self.count * RATE_H / self.usable_h if self.usable_s > 0 else float("nan")


def exposure_h(among: Sequence[Observed]) -> float:
    """Usable hours of some periods."""
    return sum(item.usable_h for item in among)


def counted(among: Sequence[Observed]) -> int:
    """Cramps of some periods."""
    return sum(item.count for item in among)
