"""Tells apart the starts of a device that bear the same boot number, because its counter began again.

Rules
-----
An *incarnation* is a chain of blocks of one boot number in which every seq comes once. It is built from strong
joints to weak ones, and always in order of seq, so that it does not depend on the order of arrival:

1. *Pieces*: seq k is followed by the seq k + 1 that begins nearest to its end, no more than 30 s before and no
   more than an hour after it. Of several that want the same follower the nearest gets it.
2. *Stretches*: a piece goes on with a chain of pieces that ended before its first seq and whose clock ran on: the time
   between them is what the missing blocks would have filled, within 30 s. The nearest in time wins. This waits for 3
   if another chain ended closer in seq, and in time too unless it alone ended with the seq before: the clock may have
   strayed between.
3. A stretch goes on with a chain of stretches that ended before its first seq, the nearest in time. In order of
   preference:
   a. as in 2;
   b. one that ended with the seq before, not more than 30 s after it begins nor 30 days before;
   c. one that ended with the seq before, whatever the clocks say: the clock was set. There must be one such end and one
      such beginning only, for else nobody knows;
   d. one that ended less than 30 days before, or less than an hour after it begins.
   What finds no chain begins one.

So blocks of one boot number that contradict each other by more than an hour part ways, and a clock that was set does
not part them as long as no block is missing there.
"""

from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

SECOND_NS: Final = 1_000_000_000
JITTER_NS: Final = 30 * SECOND_NS  # of a clock that runs on: drift and small corrections
NEAR_NS: Final = 3600 * SECOND_NS
PAUSE_NS: Final = 30 * 24 * 3600 * SECOND_NS  # a longer one is no pause: the clock was set
CLOCK_RAN_ON, PAUSE, CLOCK_SET, HOLE, NO_JOINT = range(5)  # joints, the strongest first
CANDIDATES: Final = 8  # chains looked at for one piece, so that hostile input costs no more

IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Piece:
    """Blocks of consecutive seqs on one clock, and how long those at its ends last."""

    first: int
    start_ns: int
    first_ns: int
    last: int
    end_ns: int
    last_ns: int


class Joint(NamedTuple):
    """A piece put on a chain. The least is the best."""

    kind: int
    gap_ns: int  # either way
    missing: int
    chain: int  # -1: a new one


NONE: Final = Joint(NO_JOINT, 0, 0, -1)


@dataclass(slots=True)
class Chains:
    """The ends of the chains so far, findable by time and by seq."""

    ends: list[Piece] = field(default_factory=list)  # last piece of each chain
    by_end: list[tuple[int, int]] = field(default_factory=list)  # end and chain
    by_last: dict[int, list[int]] = field(default_factory=dict)  # last seq to chains

    def near(self, piece: Piece) -> list[int]:
        """Chains that ended last before `piece`, and those that ended with the seq before it."""
        at = bisect_right(self.by_end, (piece.start_ns + NEAR_NS, len(self.ends)))
        found = [chain for _, chain in self.by_end[max(at - CANDIDATES, 0) : at]]
        return found + self.by_last.get(piece.first - 1, [])[:CANDIDATES]

    def put(self, piece: Piece, chain: int) -> int:
        """Let `piece` be the end of a chain, or of a new one if it is -1."""
        if chain < 0:
            chain = len(self.ends)
            self.ends.append(piece)
        else:
            was = self.ends[chain]
            del self.by_end[bisect_left(self.by_end, (was.end_ns, chain))]
            self.by_last[was.last].remove(chain)
            self.ends[chain] = piece
        insort(self.by_end, (piece.end_ns, chain))
        self.by_last.setdefault(piece.last, []).append(chain)
        return chain


def incarnations(boot: IntArray, seq: IntArray, t0_ns: IntArray, end_ns: IntArray) -> IntArray:
    """A label for each block, the same for blocks of one incarnation. Blocks come sorted by boot, seq and t0."""
    head = _pieces(boot, seq, t0_ns, end_ns)
    firsts = np.flatnonzero(head == np.arange(head.size))
    lasts = np.zeros(head.size, np.int64)
    np.maximum.at(lasts, head, np.arange(head.size))
    lasts = lasts[firsts]
    length = end_ns - t0_ns
    columns = (seq[firsts], t0_ns[firsts], length[firsts], seq[lasts], end_ns[lasts], length[lasts])
    labels = np.zeros(head.size, np.int64)
    edges = np.flatnonzero(np.diff(boot[firsts], prepend=-1, append=-1))
    count = 0
    for low, high in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        rows = zip(*(column[low:high].tolist() for column in columns), strict=True)
        chains = _chains([Piece(*row) for row in rows])
        labels[firsts[low:high]] = np.array(chains) + count
        count += max(chains) + 1
    joined: IntArray = labels[head]
    return joined


def _pieces(boot: IntArray, seq: IntArray, t0_ns: IntArray, end_ns: IntArray) -> IntArray:
    """The index of the first block of the piece to which each block belongs."""
    size = boot.size
    index = np.arange(size)
    fresh = np.ones(size, bool)
    fresh[1:] = (np.diff(boot) != 0) | (np.diff(seq) != 0)
    group = np.cumsum(fresh) - 1  # of the blocks that share boot and seq
    goes_on = np.zeros(size + 1, bool)  # by group: the next one is the next seq
    leads = np.flatnonzero(fresh)
    goes_on[: leads.size - 1] = (np.diff(boot[leads]) == 0) & (np.diff(seq[leads]) == 1)
    # Group and time in one number, so that one search finds the follower that begins nearest.
    rank = np.searchsorted(np.sort(np.concatenate([t0_ns, end_ns])), np.concatenate([t0_ns, end_ns]))
    stride = 2 * size + 1
    after = np.searchsorted(group * stride + rank[:size], (group + 1) * stride + rank[size:])
    best = np.full(size, -1)
    least = np.full(size, NEAR_NS + 1)
    for at in (after - 1, after):
        inside = np.clip(at, 0, size - 1)
        gap = t0_ns[inside] - end_ns
        fits = goes_on[group] & (group[inside] == group + 1) & (at == inside) & (gap >= -JITTER_NS)
        nearer = fits & (np.abs(gap) < least)
        best[nearer], least[nearer] = inside[nearer], np.abs(gap)[nearer]
    wish = np.lexsort((index, least, best))
    wish = wish[best[wish] >= 0]
    wish = wish[np.diff(best[wish], prepend=-1) != 0]  # the nearest of those that want the same
    head = index.copy()
    head[best[wish]] = wish
    while not np.array_equal(further := head[head], head):
        head = further
    return head


def _chains(pieces: Sequence[Piece]) -> list[int]:
    """The chain of each piece of one boot; pieces come in order of first seq and start."""
    if len(pieces) == 1:
        return [0]
    stretch_of = _join(pieces, weakest=CLOCK_RAN_ON)
    stretches: dict[int, Piece] = {}
    for piece, stretch in zip(pieces, stretch_of, strict=True):
        begin = stretches.get(stretch, piece)
        stretches[stretch] = Piece(begin.first, begin.start_ns, begin.first_ns, piece.last, piece.end_ns, piece.last_ns)
    if len(stretches) == 1:
        return stretch_of
    chain_of = _join(list(stretches.values()), weakest=HOLE)  # still in order: a stretch opens with its first piece
    return [chain_of[stretch] for stretch in stretch_of]


def _join(pieces: Sequence[Piece], *, weakest: int) -> list[int]:
    """The chain of each piece, with joints no weaker than `weakest`."""
    starts = Counter(piece.first for piece in pieces)
    ends = Counter(piece.last for piece in pieces)
    chains = Chains()
    out: list[int] = []
    for piece in pieces:
        sure = starts[piece.first] == ends[piece.first - 1] == 1
        joints = [_joint(chain, chains.ends[chain], piece, sure=sure) for chain in chains.near(piece)]
        best = min(joints, default=NONE)
        if best.kind > weakest or (
            weakest == CLOCK_RAN_ON and any(_between(best, other, sure=sure) for other in joints)
        ):
            best = NONE
        out.append(chains.put(piece, best.chain))
    return out


def _joint(chain: int, end: Piece, piece: Piece, *, sure: bool) -> Joint:
    """What it is to take `piece` for what came after `end`; `sure` if their seqs occur only there."""
    missing = piece.first - end.last - 1
    gap_ns = piece.start_ns - end.end_ns
    off_ns = gap_ns - missing * (end.last_ns + piece.first_ns) // 2
    if missing < 0:
        kind = NO_JOINT
    elif abs(off_ns) <= JITTER_NS:
        kind = CLOCK_RAN_ON
    elif missing == 0 and -JITTER_NS <= gap_ns <= PAUSE_NS:
        kind = PAUSE
    elif missing == 0 and sure:
        kind = CLOCK_SET
    elif missing and -NEAR_NS <= gap_ns <= PAUSE_NS:
        kind = HOLE
    else:
        kind = NO_JOINT
    return Joint(kind, abs(gap_ns), missing, chain)


def _between(joint: Joint, other: Joint, *, sure: bool) -> bool:
    """Whether `joint` passes over blocks that `other` would not."""
    closer = other.gap_ns < joint.gap_ns or (sure and other.missing == 0)
    return closer and other.kind != NO_JOINT and other.missing < joint.missing
