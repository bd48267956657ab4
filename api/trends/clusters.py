"""Does one cramp bring the next? Share of cramps followed by another within the hour, against chance. Pure.

A cramp lowers the threshold at which the muscle cramps for at least 60 minutes (18 to 14 Hz; Miller, Long and Edwards
2017, Muscle Nerve 56:E95), so cramps should come in bouts. Chance here is a Poisson process with the wearer's own
profile over the period and the periods' own counts: the places of the cramps within their periods are exchanged among
all cramps. A bad night alone, or an hour at which they usually come, is therefore not taken for a bout. No cramp is
placed where its new period was not usable: nights worn in parts would make any cramps look close.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from api.observed import Observed
from api.statistics.values import LEVEL, Estimate, unknown
from api.trends.dispersion import DoubleArray
from api.trends.values import Clusters, Shown
from api.trends.weeks import judged
from api.trends.wording import p_text, percent
from api.zones import SECOND_NS

BoolArray = NDArray[np.bool_]
IndexArray = NDArray[np.intp]
WITHIN_NS: Final = 3600 * SECOND_NS
AT_ONCE_NS: Final = 60 * SECOND_NS  # both legs at once are one here
LEAST_CRAMPS: Final = 10
LEAST_SHARED: Final = 5  # periods with two cramps or more: only they can show a bout
SHOWN_BELOW: Final = 0.05
EXCHANGES: Final = 1999
ROUNDS: Final = 40  # of swaps, where cramps cannot go everywhere
MEASURE: Final = "share of cramps followed by another within 60 minutes"
METHOD: Final = (
    "Clopper-Pearson on the effective number of cramps, periods as clusters (Korn and Graubard 1998); "
    "p by exchanging the places of cramps among periods"
)


def clusters(among: Sequence[Observed]) -> Clusters:
    """The share as seen, its interval, and what chance would give."""
    good = judged(among)
    places = [_onsets(item) for item in good]
    lengths = np.array([item.end_ns - item.start_ns for item in good], dtype=np.float64)
    number = sum(len(one) for one in places)
    shared = sum(len(one) >= 2 for one in places)
    followed = np.array([_followed(one) for one in places if len(one)], dtype=np.float64)
    total = int(followed.sum())
    if number < LEAST_CRAMPS or shared < LEAST_SHARED:
        sentence = f"Not enough data for bouts: needed are {LEAST_SHARED} periods with two cramps or more."
        empty = unknown(MEASURE, method=METHOD, note=sentence)
        return Clusters("not_enough_data", number, total, empty, None, None, None, sentence)
    of_chance = _exchanged(places, lengths, _allowed(good, places, lengths))
    p = float((1 + np.count_nonzero(of_chance >= total / number - 1e-12)) / (1 + len(of_chance)))
    sizes = np.array([len(one) for one in places if len(one)], dtype=np.float64)
    share = _share(followed, sizes, p=min(1.0, p))
    low, high = np.quantile(of_chance, [0.025, 0.975])
    verdict: Shown = "shown" if p < SHOWN_BELOW else "not_shown"
    mean = float(of_chance.mean())
    sentence = _sentence(share, mean, p=p)
    return Clusters(verdict, number, total, share, mean, float(low), float(high), sentence)


def _onsets(item: Observed) -> DoubleArray:
    """Onsets since the period began, ns; those of both legs at once are one."""
    kept: list[int] = []
    for onset_ns in sorted(cramp.onset_ns for cramp in item.cramps if cramp.confirmed is not False):
        if not kept or onset_ns - kept[-1] > AT_ONCE_NS:
            kept.append(onset_ns)
    return np.array([onset_ns - item.start_ns for onset_ns in kept], dtype=np.float64)


def _followed(onsets: DoubleArray) -> int:
    """How many have another within the hour after them."""
    return int(np.count_nonzero(np.diff(onsets) <= WITHIN_NS))


def _owners(places: Sequence[DoubleArray]) -> IndexArray:
    """The period of each cramp."""
    return np.repeat(np.arange(len(places)), [len(one) for one in places])


def _allowed(among: Sequence[Observed], places: Sequence[DoubleArray], lengths: DoubleArray) -> BoolArray:
    """Whether the relative place of a cramp (row) was usable in a period (column); in its own it was."""
    owner = _owners(places)
    phases = np.concatenate(places) / lengths[owner]
    may = np.zeros((len(owner), len(among)), dtype=np.bool_)
    for column, item in enumerate(among):
        at = phases * lengths[column]
        for start_ns, end_ns in item.usable_spans or ((item.start_ns, item.end_ns),):
            may[:, column] |= (at >= start_ns - item.start_ns) & (at < end_ns - item.start_ns)
    may[np.arange(len(owner)), owner] = True
    return may


def _exchanged(places: Sequence[DoubleArray], lengths: DoubleArray, may: BoolArray) -> DoubleArray:
    """Shares when the relative places are exchanged among all cramps, every period keeping its number."""
    owner = _owners(places)
    phases = np.concatenate(places) / lengths[owner]
    rng = np.random.default_rng(0)
    if may[:, owner].all():
        order = np.argsort(rng.random((EXCHANGES, len(phases))), axis=1)
    else:
        order = _swapped(may, owner, rng=rng)
    onsets = phases[order] * lengths[owner]
    # Periods are set far apart, so that one sort keeps them separate.
    apart = 2.0 * lengths.max() + 2.0 * WITHIN_NS
    gaps = np.diff(np.sort(onsets + owner * apart, axis=1), axis=1)
    shares: DoubleArray = np.count_nonzero(gaps <= WITHIN_NS, axis=1) / len(phases)
    return shares


def _swapped(may: BoolArray, owner: IndexArray, *, rng: np.random.Generator) -> IndexArray:
    """Orders drawn evenly from those that put no cramp where nothing was usable: swaps of pairs, each by a coin.

    A swap is as likely as its way back, so all orders that can be reached are alike likely (Metropolis).
    """
    number = len(owner)
    order = np.tile(np.arange(number), (EXCHANGES, 1))
    for _ in range(ROUNDS):
        pairs = rng.permutation(number)[: number // 2 * 2].reshape(2, -1)
        a, b = order[:, pairs[0]], order[:, pairs[1]]
        good = may[a, owner[pairs[1]]] & may[b, owner[pairs[0]]] & (rng.random(a.shape) < 0.5)
        order[:, pairs[0]], order[:, pairs[1]] = np.where(good, b, a), np.where(good, a, b)
    return order


def _share(followed: DoubleArray, sizes: DoubleArray, *, p: float) -> Estimate:
    """Share with the interval of a proportion from clusters: Clopper-Pearson on n / design effect, with t."""
    number, clusters_n = sizes.sum(), len(sizes)
    share = followed.sum() / number
    residual = followed - share * sizes
    variance = clusters_n / (clusters_n - 1) * (residual**2).sum() / number**2
    chance = share * (1.0 - share) / number
    effect = max(1.0, variance / chance) if chance > 0 else 1.0
    tail = (1.0 - LEVEL) / 2.0
    wider = (stats.t.isf(tail, clusters_n - 1) / stats.t.isf(tail, number - 1)) ** 2
    n = number / effect / wider
    x = share * n
    low = float(stats.beta.ppf(tail, x, n - x + 1.0)) if x > 0 else 0.0
    high = float(stats.beta.isf(tail, x + 1.0, n - x)) if x < n else 1.0
    return Estimate(MEASURE, float(share), low, high, p, METHOD)


def _sentence(share: Estimate, by_chance: float, *, p: float) -> str:
    seen = (
        f"{percent(share.value)} of cramps were followed by another within the hour "
        f"(95 % interval {percent(share.low)} to {percent(share.high)}); "
        f"chance would give {percent(by_chance)} ({p_text(p)})."
    )
    return f"{seen} They come in bouts." if p < SHOWN_BELOW else f"{seen} Bouts are not shown."
