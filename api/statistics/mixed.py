"""Several cycles of treatment on and off: in one person, and in several persons whose own effects may differ.

For one person `dispersed.rate_ratio_weeks` sees more in the same data; for several, `grouped.within` is less biased
when counts are small. These ask less of the counts, and the second says how much persons differ.

Found by simulation (2-week blocks, weekly variance m + m²/3, 60-100 % of hours usable): `paired_cycles` of 2 or 4
cycles at 2.5 and 8 cramps a week covers 94.9-96.8 % and is false 3.2-5.1 % of the time, but sees a halving at 8 a week
in 22 % (weeks: 39 %). `several_cycles` of 6 persons with 3 cycles or 20 with 2 (4 a week, shape 2.5) covers 95-99 %,
false 1-3 %: cautious. Its ratio of a true 0.5 is 0.52-0.55, as half a cramp added to small counts draws towards 1.
"""

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from api.errors import Invalid
from api.statistics.logratio import ratio_by_t
from api.statistics.pairs import paired
from api.statistics.rates import RATIO
from api.statistics.rows import DoubleArray, Numbers
from api.statistics.values import LEVEL, Estimate, unknown

HALF: Final = 0.5  # added to every count, so that a block without cramps has a logarithm too
BOUNDARY: Final = 1e-4  # of the variance between wearers over that within them
SEPARATOR: Final = "\x1f"
PAIRED: Final = (
    "paired t test over cycles of the log rate with treatment less the log rate without (half a cramp added to each "
    "count), carried over to the rate ratio"
)
MIXED: Final = (
    "linear mixed model (REML) of each cycle's difference of log rates (half a cramp added to each count) with wearers "
    "at random, Student's t with one degree of freedom less than wearers, carried over to the rate ratio"
)
MEANS: Final = (
    "t test of the mean difference of log rates over cycles (half a cramp added to each count) with one degree of "
    "freedom less than wearers, carried over to the rate ratio, as the mixed model found no variance between them"
)
NO_CYCLES: Final = "At least two cycles with hours on both sides and cramps are needed."
ALIKE: Final = "All cycles came out alike, so there is no spread to judge by."
OWN: Final = "Wearers' own ratios spread by a factor of {:.2f} about it."
SINGULAR: Final = "Wearers' own ratios differ no more than their cycles do."


@dataclass(frozen=True, slots=True)
class Differences:
    """Difference of log rates of each cycle that has cramps, and whose it is."""

    wearer: tuple[str, ...]
    log_ratio: DoubleArray


def paired_cycles(
    *, cycles: Numbers, treated: Numbers, counts: Numbers, exposures: Numbers, level: float = LEVEL
) -> Estimate:
    """Rate with treatment over that without of one person: paired t (Chen and Chen 2014, PLoS ONE 9:e87752).

    One row per block (rows of the same cycle and side are summed). They recommend it for three or four cycles.
    """
    found = _differences(["" for _ in cycles], cycles=cycles, treated=treated, counts=counts, exposures=exposures)
    return _paired_t(found.log_ratio, level=level)


def several_cycles(
    *,
    wearers: Sequence[str],
    cycles: Numbers,
    treated: Numbers,
    counts: Numbers,
    exposures: Numbers,
    level: float = LEVEL,
) -> Estimate:
    """The same of several persons, each with an effect of their own about a common one (Laird and Ware 1982).

    One row per wearer and block. The note says by what factor the wearers' own ratios spread (one standard deviation).
    """
    found = _differences(wearers, cycles=cycles, treated=treated, counts=counts, exposures=exposures)
    names = set(found.wearer)
    if len(names) < 2 or len(found.wearer) == len(names):
        # One wearer, or one cycle of each: the spread within and between wearers cannot be told apart, nor need it be.
        return _paired_t(found.log_ratio, level=level)
    if float(np.ptp(found.log_ratio)) == 0.0:
        return unknown(RATIO, method=MIXED, note=ALIKE, null=1.0)
    fitted = _mixed(found)
    method, note = (MIXED, OWN) if fitted else (MEANS, SINGULAR)
    centre, error, between = fitted or (*_without_wearers(found), 0.0)
    note = note.format(math.exp(between))
    return ratio_by_t(centre, error, len(names) - 1, measure=RATIO, method=method, note=note, level=level)


def _mixed(found: Differences) -> tuple[float, float, float] | None:
    """Centre, its standard error, and the standard deviation between wearers; None where that is on its boundary, 0."""
    # statsmodels takes 2.5 s and 60 MB to import, so only a process that fits something pays for it.
    from statsmodels.regression.mixed_linear_model import MixedLM  # noqa: PLC0415

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        # It warns where the variance between wearers is on its boundary, which is judged by that variance instead.
        warnings.simplefilter("ignore")
        try:
            result = MixedLM(found.log_ratio, np.ones((len(found.wearer), 1)), groups=found.wearer).fit(reml=True)
        except np.linalg.LinAlgError:
            return None
        centre, error = float(result.fe_params[0]), float(result.bse_fe[0])
        between, residual = float(result.cov_re[0, 0]), float(result.scale)
    if not (result.converged and math.isfinite(centre) and math.isfinite(error) and between > BOUNDARY * residual):
        return None
    return centre, error, math.sqrt(between)


def _without_wearers(found: Differences) -> tuple[float, float]:
    """Mean and standard error over cycles, or over wearers' means where wider: fits fail by other causes too."""
    names = np.asarray(found.wearer)
    means = np.array([found.log_ratio[names == name].mean() for name in np.unique(names)])
    error = max(float(of.std(ddof=1)) / math.sqrt(len(of)) for of in (found.log_ratio, means))
    return float(found.log_ratio.mean()), error


def _paired_t(log_ratio: DoubleArray, *, level: float) -> Estimate:
    count = len(log_ratio)
    if count < 2:
        return unknown(RATIO, method=PAIRED, note=NO_CYCLES, null=1.0)
    error = float(log_ratio.std(ddof=1)) / math.sqrt(count)
    note = "" if error > 0 else ALIKE
    return ratio_by_t(float(log_ratio.mean()), error, count - 1, measure=RATIO, method=PAIRED, note=note, level=level)


def _differences(
    wearers: Sequence[str], *, cycles: Numbers, treated: Numbers, counts: Numbers, exposures: Numbers
) -> Differences:
    if len(cycles) != len(wearers):
        raise Invalid("cycles", f"cycles must number a cycle for each of the {len(wearers)} rows.")
    keys = [f"{wearer}{SEPARATOR}{cycle}" for wearer, cycle in zip(wearers, cycles, strict=True)]
    pairs = paired(wearers=keys, treated=treated, counts=counts, exposures=exposures)
    log_ratio = np.log((pairs.on + HALF) / pairs.on_exposure) - np.log((pairs.off + HALF) / pairs.off_exposure)
    return Differences(tuple(key.split(SEPARATOR)[0] for key in pairs.wearer), log_ratio)
