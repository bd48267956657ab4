"""From a coefficient on the logarithmic scale to a ratio with its t interval."""

import math
from typing import Final

from scipy import stats

from api.statistics.values import LEVEL, Estimate, unknown

FARTHEST: Final = 20.0  # a log ratio beyond this is a fit that ran away, not a figure


def ratio_by_t(
    log_ratio: float, error: float, df: float, *, measure: str, method: str, note: str = "", level: float = LEVEL
) -> Estimate:
    """exp(b), exp(b ± t x SE), and p of b / SE by Student's t with `df` degrees of freedom."""
    if df <= 0 or not (math.isfinite(log_ratio) and math.isfinite(error)) or abs(log_ratio) > FARTHEST or error <= 0:
        return unknown(
            measure, method=method, note=f"The model could not be fitted to these data. {note}".strip(), null=1.0
        )
    reach = float(stats.t.isf((1.0 - level) / 2.0, df)) * error
    return Estimate(
        measure,
        math.exp(log_ratio),
        _exp(log_ratio - reach),
        _exp(log_ratio + reach),
        float(2.0 * stats.t.sf(abs(log_ratio) / error, df)),
        method,
        null=1.0,
        level=level,
        note=note,
    )


def least_dispersion(df: float, level: float = LEVEL) -> float:
    """The dispersion at which an interval by t is as wide as one of a Poisson model, (z / t)².

    Counts of independent events cannot spread less than Poisson's; a smaller dispersion of a few weeks is luck. A floor
    of 1 came out too cautious when simulated (97.4 % at 2.5 a week without overdispersion), none at all trusts luck.
    """
    tail = (1.0 - level) / 2.0
    return float((stats.norm.isf(tail) / stats.t.isf(tail, df)) ** 2)


def effective_df(df: float, dispersion: float) -> float:
    """Degrees of freedom of a dispersion seen in weekly counts: df / (1 + (1 - 1 / dispersion) / 2).

    What makes weeks differ beyond chance is skewed, and the spread of few skewed numbers is known less well than that
    of normal ones. The half was chosen by simulation of weekly variance m + m²/k with k of 1.5, 3 and 50.
    """
    return df / (1.0 + 0.5 * (1.0 - 1.0 / max(1.0, dispersion)))


def _exp(power: float) -> float:
    return math.exp(power) if power < 700.0 else math.inf
