"""Did the rate change once, and when: posterior of a step against a constant rate and a gradual change. Pure.

Weekly counts are negative binomial: Poisson with a weekly gamma frailty whose size is not known and is summed over,
because weeks of one person vary more than chance and a Poisson step finds changes in that alone. Three models are
weighed by their marginal likelihood: one rate, a rate that drifts evenly, and two rates with the step between any two
weeks. All sums run over grids, so nothing is sampled and the answer is always the same.

`ruptures` is not used: it returns the best positions under a penalty that somebody must choose, without a probability
or an interval, from values without exposure; with few small counts that is a date that looks certain and is not.

After Raftery and Akman 1986 (Biometrika 73:85), Poisson process with one change point, with frailty and trend added.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import special

DoubleArray = NDArray[np.float64]

LEAST_SIDE: Final = 2  # weeks before and after a step
_RATES: Final = np.linspace(-5.0, 3.0, 129)  # log of rate over the mean rate
_RATE_SHAPE: Final = 2.0
_FRAILTY: Final = np.array([0.0, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5])  # 1 / k
_FRAILTY_MEAN: Final = 0.35  # weeks of one person: k about 3
_DRIFTS: Final = np.linspace(-2.0, 2.0, 33)  # log change over the whole range
_DRIFT_SD: Final = 0.7
_PRIOR: Final = (0.5, 0.25, 0.25)  # constant, drift, step


@dataclass(frozen=True, slots=True)
class Posterior:
    """What the counts say. `steps[i]` is how likely the step lies before week `i`, if there is one."""

    constant: float
    drift: float
    step: float
    steps: DoubleArray
    log_ratio: DoubleArray  # grid of log(after / before)
    density: DoubleArray  # probability of each, given a step

    def ratio(self, share: float) -> float:
        """Quantile of the ratio after over before, given a step."""
        return float(np.exp(np.interp(share, np.cumsum(self.density) - self.density / 2.0, self.log_ratio)))

    def reach(self, share: float) -> tuple[int, int]:
        """The positions between which the step lies with this probability, equal tails."""
        up = np.cumsum(self.steps)
        tail = (1.0 - share) / 2.0
        return int(np.searchsorted(up, tail, side="right")), int(np.searchsorted(up, 1.0 - tail))


def weigh(counts: DoubleArray, exposures: DoubleArray, *, frailties: DoubleArray = _FRAILTY) -> Posterior:
    """Posterior of the three models and of the step, from weekly counts and exposures above zero."""
    mean = max(counts.sum(), 0.5) / exposures.sum()
    fits = _log_likelihood(counts, exposures, mean=mean, drifts=np.zeros(1), frailties=frailties)[:, :, 0]
    rates, frailty = _log_rates(), _log_frailty(frailties)
    before = np.concatenate([np.zeros((*fits.shape[:2], 1)), np.cumsum(fits, axis=-1)], axis=-1)
    after = before[..., -1:] - before
    one = special.logsumexp(before[..., -1] + rates, axis=1)
    sides = special.logsumexp(before + rates[None, :, None], axis=1) + special.logsumexp(
        after + rates[None, :, None], axis=1
    )
    inside = np.arange(LEAST_SIDE, len(counts) - LEAST_SIDE + 1)
    joint = sides[:, inside] + frailty[:, None] - np.log(len(inside))
    drifting = _log_likelihood(counts, exposures, mean=mean, drifts=_DRIFTS, frailties=frailties).sum(axis=-1)
    drifting = special.logsumexp(drifting + rates[None, :, None] + _log_drifts()[None, None, :], axis=(1, 2))
    evidence = np.array(
        [special.logsumexp(one + frailty), special.logsumexp(drifting + frailty), special.logsumexp(joint)]
    )
    models = np.exp(evidence + np.log(_PRIOR) - special.logsumexp(evidence + np.log(_PRIOR)))
    weights = np.exp(joint - special.logsumexp(joint))
    steps = np.zeros(len(counts))
    steps[inside] = weights.sum(axis=0)
    grid, density = _ratio(before, after, weights, inside)
    return Posterior(float(models[0]), float(models[1]), float(models[2]), steps, grid, density)


def _ratio(
    before: DoubleArray, after: DoubleArray, weights: DoubleArray, inside: NDArray[np.int64]
) -> tuple[DoubleArray, DoubleArray]:
    """Distribution of log(after / before) over all positions and frailties: a cross-correlation of two grids."""
    prior = _log_rates()[None, :, None]
    low = _normed(before[:, :, inside] + prior)
    high = _normed(after[:, :, inside] + prior)
    total = np.zeros(2 * len(_RATES) - 1)
    for k, of_frailty in enumerate(weights):
        for j, weight in enumerate(of_frailty):
            total += weight * np.convolve(high[k, :, j], low[k, ::-1, j])
    step = _RATES[1] - _RATES[0]
    return step * np.arange(1 - len(_RATES), len(_RATES)), total / total.sum()


def _normed(logs: DoubleArray) -> DoubleArray:
    normed: DoubleArray = np.exp(logs - special.logsumexp(logs, axis=1, keepdims=True))
    return normed


def _log_likelihood(
    counts: DoubleArray, exposures: DoubleArray, *, mean: float, drifts: DoubleArray, frailties: DoubleArray
) -> DoubleArray:
    """Log probability of each count, (frailty, rate, drift, week): Poisson where the frailty is 0, else NB."""
    centred = np.linspace(-0.5, 0.5, len(counts))
    log_mu = np.log(mean) + _RATES[:, None, None] + drifts[:, None] * centred + np.log(exposures)
    mu = np.exp(log_mu)
    fits = []
    for inverse in frailties:
        if inverse == 0.0:
            fits.append(counts * log_mu - mu - special.gammaln(counts + 1.0))
            continue
        k = 1.0 / inverse
        shared = special.gammaln(counts + k) - special.gammaln(k) - special.gammaln(counts + 1.0)
        fits.append(shared + counts * (log_mu - np.log(k + mu)) - k * np.log1p(mu / k))
    return np.stack(fits)


def _log_rates() -> DoubleArray:
    """Gamma prior of a rate about the mean rate, on a logarithmic grid: people differ with shape 2.2 to 3.2, so 2."""
    return _shares(_RATE_SHAPE * (_RATES - np.exp(_RATES)))


def _log_frailty(frailties: DoubleArray) -> DoubleArray:
    widths = np.gradient(frailties) if len(frailties) > 1 else np.ones(1)
    return _shares(np.log(widths) - frailties / _FRAILTY_MEAN)


def _log_drifts() -> DoubleArray:
    return _shares(-0.5 * (_DRIFTS / _DRIFT_SD) ** 2)


def _shares(logs: DoubleArray) -> DoubleArray:
    """Logs of weights that add up to one."""
    normed: DoubleArray = logs - special.logsumexp(logs)
    return normed
