"""Judges many estimates of one truth: coverage, false positives, bias and power, each with its own uncertainty."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.stats import beta

COVERAGE: Final = (0.93, 0.97)
FALSE_POSITIVE: Final = (0.04, 0.06)
ALPHA: Final = 0.05


@dataclass(frozen=True, slots=True)
class Trial:
    """What an analysis said of one simulated trial; NaN where it said that it cannot tell."""

    value: float
    low: float
    high: float
    p: float
    conclusion: str

    @property
    def told(self) -> bool:
        """Whether there was a figure with an interval."""
        return not math.isnan(self.value) and not math.isnan(self.low) and not math.isnan(self.high)


@dataclass(frozen=True, slots=True)
class Share:
    """How many of how many, with the exact 95 % interval (Clopper and Pearson)."""

    hits: int
    of: int

    @property
    def value(self) -> float:
        return self.hits / self.of if self.of else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        low = float(beta.ppf(0.025, self.hits, self.of - self.hits + 1)) if self.hits else 0.0
        high = float(beta.ppf(0.975, self.hits + 1, self.of - self.hits)) if self.hits < self.of else 1.0
        return low, high

    def __str__(self) -> str:
        low, high = self.interval
        return f"{100 * self.value:.1f} % ({100 * low:.1f} to {100 * high:.1f})"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Many trials of one design with one true ratio."""

    truth: float
    trials: int
    told: int
    coverage: Share  # intervals that hold the truth, of those told
    rejects: Share  # p < 0.05, of those told: false positives where the truth is 1, else power
    wrong_way: int  # that reject in favour of the wrong side
    bias: float  # mean of log estimate minus log truth
    ratio: float  # the median of the estimates
    width: float  # median of high / low

    @property
    def within_goal(self) -> bool:
        """Whether coverage is within 93 to 97 % and, where nothing was to be found, false positives are 4 to 6 %."""
        held = COVERAGE[0] <= self.coverage.value <= COVERAGE[1]
        return held and (self.truth != 1.0 or FALSE_POSITIVE[0] <= self.rejects.value <= FALSE_POSITIVE[1])


def judge(trials: Sequence[Trial], *, truth: float) -> Verdict:
    """How estimates fare against what is true."""
    told = [trial for trial in trials if trial.told]
    rejecting = [trial for trial in told if trial.p < ALPHA]
    wrong = [trial for trial in rejecting if truth != 1.0 and (trial.value - 1.0) * (truth - 1.0) < 0]
    logs = [math.log(trial.value) for trial in told if 0.0 < trial.value < math.inf]
    widths = [trial.high / trial.low for trial in told if trial.low > 0.0]
    return Verdict(
        truth=truth,
        trials=len(trials),
        told=len(told),
        coverage=Share(sum(trial.low <= truth <= trial.high for trial in told), len(told)),
        rejects=Share(len(rejecting), len(told)),
        wrong_way=len(wrong),
        bias=float(np.mean(logs)) - math.log(truth) if logs else math.nan,
        ratio=float(np.median([trial.value for trial in told])) if told else math.nan,
        width=float(np.median(widths)) if widths else math.nan,
    )
