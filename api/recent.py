"""What the last minutes of a device's signal were like. Pure: its newest epochs in, shares and flags out."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Final

from api.coverage import EPOCH_NS
from ingest.store import Epoch

SIGNAL: Final = 12  # epochs that are judged: two minutes
LOOK_BACK_NS: Final = 30 * EPOCH_NS  # in which it is looked for when a fault began
STALE_NS: Final = 18 * EPOCH_NS  # blocks may be held for two minutes, and last one
HALF_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Signal:
    """Shares of the last two minutes: received of what was due, worn and usable of what was received."""

    received: float
    worn: float
    usable: float
    moves: bool  # in most of them
    flags: tuple[str, ...]  # of most epochs that are not usable, the most frequent first
    poor_sites: tuple[str, ...]  # not usable, while another site is
    pace: float  # device time that passed per service time; far above 1 for what was stored and is sent now
    unworn_ns: int | None  # when the fault began that still lasts; None where that is not seen
    unusable_ns: int | None
    again_ns: int | None  # when it came again, where nothing had come for once; it is judged from then on


@dataclass(frozen=True, slots=True)
class _Moment:
    """Ten seconds of a device, the best of its sites."""

    start_ns: int
    received_s: float
    worn_s: float
    usable_s: float


def signal_of(epochs: Sequence[Epoch], *, newest_ns: int) -> Signal | None:
    """The signal up to the newest sample, or None where no epoch of it is there yet; epochs are in order of start."""
    epochs = [epoch for epoch in epochs if not epoch.void]
    moments = [_moment(start_ns, list(group)) for start_ns, group in groupby(epochs, key=lambda epoch: epoch.start_ns)]
    if not moments or newest_ns - moments[-1].start_ns > STALE_NS:
        return None
    begin_ns = moments[-1].start_ns - (SIGNAL - 1) * EPOCH_NS
    again_ns = _again(moments, since_ns=begin_ns)
    begin_ns = again_ns or begin_ns
    lately = [moment for moment in moments if moment.start_ns >= begin_ns]
    judged = [epoch for epoch in epochs if epoch.start_ns >= begin_ns]
    due_s = (moments[-1].start_ns - max(begin_ns, moments[0].start_ns)) / 1e9 + 10
    received_s = sum(moment.received_s for moment in lately)
    poor = [epoch for epoch in judged if epoch.usable_s < HALF_S]
    return Signal(
        received=received_s / due_s,
        worn=sum(moment.worn_s for moment in lately) / received_s,
        usable=sum(moment.usable_s for moment in lately) / received_s,
        moves=2 * sum("moving" in epoch.flags for epoch in judged) > len(judged),
        flags=_common(poor),
        poor_sites=_sites(judged, poor),
        pace=_pace(epochs),
        unworn_ns=_began(moments, lambda moment: moment.worn_s < HALF_S, newest_ns=newest_ns),
        unusable_ns=_began(moments, lambda moment: moment.usable_s < HALF_S, newest_ns=newest_ns),
        again_ns=again_ns,
    )


def _moment(start_ns: int, sites: Sequence[Epoch]) -> _Moment:
    return _Moment(
        start_ns,
        max(epoch.received_s for epoch in sites),
        max(epoch.worn_s for epoch in sites),
        max(epoch.usable_s for epoch in sites),
    )


def _again(moments: Sequence[_Moment], *, since_ns: int) -> int | None:
    """When it came again lately after the one hole there is: it was off, or away. Who loses data has more than one."""
    after = [later.start_ns for earlier, later in pairwise(moments) if later.start_ns - earlier.start_ns > EPOCH_NS]
    return after[0] if len(after) == 1 and after[0] > since_ns else None


def _pace(epochs: Sequence[Epoch]) -> float:
    written = [epoch.updated_ns for epoch in epochs]
    took_ns = max(written) - min(written)
    return (epochs[-1].start_ns - epochs[0].start_ns) / took_ns if took_ns else math.inf


def _common(epochs: Sequence[Epoch]) -> tuple[str, ...]:
    flags = Counter(flag for epoch in epochs for flag in epoch.flags)
    return tuple(flag for flag, number in flags.most_common() if 2 * number >= len(epochs))


def _sites(epochs: Sequence[Epoch], poor: Sequence[Epoch]) -> tuple[str, ...]:
    everywhere, faulty = Counter(epoch.site for epoch in epochs), Counter(epoch.site for epoch in poor)
    return tuple(sorted(site for site, number in faulty.items() if 2 * number > everywhere[site]))


def _began(moments: Sequence[_Moment], lacks: Callable[[_Moment], bool], *, newest_ns: int) -> int | None:
    """When the fault began that the newest moment shows; None where it is older than what was read."""
    began_ns = None
    for moment in reversed(moments):
        if not lacks(moment):
            return began_ns
        began_ns = moment.start_ns
    return began_ns if began_ns is not None and began_ns > newest_ns - LOOK_BACK_NS + EPOCH_NS else None
