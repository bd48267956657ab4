"""False alarms: how many there are, where that is known from, and what they do to a ratio. Pure.

Who has reviewed enough episodes is judged by their own reviews; else by the accuracy report, in which the false alarms
of simulated nights and days that the detector was not tuned on are counted. Episodes that the wearer called none are
not counted anywhere; what is taken off here is the share of false ones among those not reviewed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from api.observed import RATE_H, Observed, ObservedKind
from api.statistics.proportions import proportion
from api.statistics.rates import rate_interval
from api.statistics.values import Estimate
from api.trends.values import AlarmSource
from api.trends.weeks import judged

LEAST_REVIEWED: Final = 10
MEASURE: Final = "false alarms per 8 usable hours"


@dataclass(frozen=True, slots=True)
class Reported:
    """False alarms in held-out simulated recordings, from docs/accuracy.json; a test compares them."""

    false: int
    hours: float


OF_NIGHTS: Final = Reported(14, 473.197)
OF_DAYS: Final = Reported(35, 311.014)  # of what is not a night: training and dialysis have no figure of their own


@dataclass(frozen=True, slots=True)
class AlarmRate:
    """False alarms among what is counted."""

    source: AlarmSource
    rate: Estimate
    reviewed: int
    rejected: int

    @property
    def ends(self) -> tuple[float, float, float]:
        """Low, middle and high."""
        return self.rate.low, self.rate.value, self.rate.high


def alarm_rate(among: Sequence[Observed], *, kind: ObservedKind) -> AlarmRate:
    """By the wearer's own reviews where there are enough, else by the accuracy report."""
    good = judged(among)
    said = [cramp.confirmed for item in good for cramp in item.cramps]
    rejected, reviewed = said.count(False), len(said) - said.count(None)
    exposure = sum(item.usable_h for item in good) / RATE_H
    open_ = said.count(None)
    if reviewed >= LEAST_REVIEWED and exposure > 0:
        share = proportion(rejected, reviewed)
        scale = open_ / exposure
        method = "share of reviewed episodes called none (Clopper-Pearson) x episodes not reviewed / usable hours"
        rate = Estimate(MEASURE, share.value * scale, share.low * scale, share.high * scale, None, method)
        return AlarmRate("reviews", rate, reviewed, rejected)
    known = OF_NIGHTS if kind == "night" else OF_DAYS
    found = rate_interval(known.false, known.hours / RATE_H)
    # Those that the wearer has confirmed are none of them.
    scale = open_ / len(said) if said else 1.0
    method = "accuracy report, simulated recordings held out from tuning (Garwood) x share not reviewed"
    rate = Estimate(MEASURE, found.value * scale, found.low * scale, found.high * scale, None, method)
    return AlarmRate("accuracy_report", rate, reviewed, rejected)


def seen_ratio(true: float, *, genuine: float, false: float) -> float:
    """What a true rate ratio looks like: (RR g + f) / (g + f), with g genuine cramps seen and f false alarms a time."""
    return (true * genuine + false) / (genuine + false)


def true_ratio(seen: float, *, base: float, false: float, false_base: float) -> float:
    """The ratio without false alarms, from the rate `base` as seen in what is compared with: NaN if nothing is left."""
    left = base - false_base
    return max(0.0, seen * base - false) / left if left > 0 else float("nan")
