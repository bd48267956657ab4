"""All that the detector remembers, as arrays over streams: a value that is passed in and handed back.

Rules
-----
- The first axis of every array is the stream. Nothing else is remembered anywhere.
- `pack` turns each stream's share into one row of bytes and `unpack` back, without loss.
- The running epoch is kept window by window (`grid_*`, column = UTC second modulo 10). What is kept as a sum is added
  to one window at a time, so that cutting the input elsewhere cannot change the order of any addition.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from math import ceil, prod
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from detector.emg import BANDS
from detector.errors import DetectorError
from detector.layout import CountArray, Layout, TimeArray
from detector.params import EPOCH_S
from detector.rhythm import BEATS

ROUGH: Final = 13
NEAR: Final = 1 / 800  # 50 Hz is then at most a sixteenth of a line off
SKEW_S: Final = 0.15  # by how much the signals of a block may end apart
NEVER: Final = -1_000_000  # long before 1970, when a recording without a date may begin
_SHAPED: Final = {
    # name: (dtype, trailing shape with C = channels, initial value)
    "anchor_ns": ("i8", "", NEVER),  # time of the sample with index 0
    "next_s": ("i8", "", NEVER),  # next second to analyse
    "gravity": ("f4", "3", 0),  # of the last window
    "grid_epoch": ("i8", "", NEVER),  # which epoch the grid holds
    "grid_have": ("?", "E", False),
    "grid_flags": ("u2", "CE", 0),
    "grid_power": ("f4", "CE", 0),
    "grid_low": ("f4", "CE", 0),
    "bands": ("f4", "CB", 0),  # sum over the usable windows of the epoch
    "grid_mad": ("f4", "E", 0),
    "grid_gravity": ("f4", "E3", 0),
    "rest": ("f4", "C2", np.nan),  # logarithm of the rest level: sustained amplitude, RMS; µV
    "warm": ("i4", "C", 0),  # epochs that taught the rest level since donning
    "custom": ("f4", "C", 0),  # logarithm of the customary sustained amplitude over rest
    "up": ("f4", "3", 0),  # direction of gravity while walking
    "walked": ("i4", "", 0),  # epochs that taught it
    "home": ("f4", "3", 0),  # direction of gravity at rest
    "rested": ("i4", "", 0),  # epochs that speak for it
    "worn_epoch": ("i8", "C", NEVER),  # last epoch with a second worn
    "known_s": ("i8", "", NEVER),  # last second in which some channel could be judged
    # the candidate: an activity that may become an episode
    "evidence": ("f4", "", 0),  # seconds, see episodes.py; 0 when there is no candidate
    "opened": ("?", "", False),
    "opened_s": ("i8", "", 0),  # the second after which it opened
    "site": ("i4", "", 0),  # channel that names the episode, fixed when it opens
    "onset_s": ("i8", "", 0),
    "rise_s": ("i8", "", NEVER),  # since when some channel has been above off_ratio
    "last_s": ("i8", "", NEVER),  # last active second
    "active": ("i4", "", 0),  # active seconds
    "moved_s": ("i8", "", NEVER),  # last second in which the leg moved
    "moved": ("?", "", False),  # the leg moved shortly before onset
    "lain": ("?", "", False),  # the leg was not upright at onset
    "cold": ("?", "", False),  # the rest level was young at onset
    "quiet_s": ("i4", "", 0),  # seconds of stillness and silence before onset
    "usual": ("f4", "C", 0),  # what was customary at onset
    "signed": ("i4", "", 0),  # active seconds until it opened, over which the next two are summed
    "upright": ("i4", "", 0),  # with the shank upright, away from home
    "seated": ("i4", "", 0),  # with the shank upright, at home
    "stirred": ("i4", "", 0),  # while the leg moved
    "paired": ("i4", "", 0),  # with a usable channel on a synergist
    "coactive": ("f4", "", 0),  # in these, that channel over the first one
    "slow": ("f4", "", 0),  # wobble of the first channel at 1-2 Hz
    "fast": ("f4", "", 0),  # and at 3-4 Hz
    "beats": ("f4", "L", 0),  # its lines from 3 Hz
    "mean": ("f4", "", 0),  # running mean of the ratio
    "before": ("f4", "2", 1),  # highest ratio of the last two seconds
    "jump": ("f4", "", 0),  # steepest rise within two seconds, a factor
    "jumped_to": ("f4", "", 0),  # and the ratio it led to
    "strong_s": ("i8", "", 0),  # last second above half of the crest
    "crest": ("f4", "C", 0),  # highest ratio, sustained amplitude over rest
    "hot": ("?", "C", False),
    "spent": ("?", "C", False),  # tense still, but the cramp is over
    "hot_s": ("i4", "C", 0),
    "load": ("f4", "C", 0),
    "full": ("f4", "C", 0),  # sum of sustained over RMS amplitude
    "peak": ("f4", "C", 0),  # RMS, µV
    "peak_ratio": ("f4", "C", 0),
    "seen_flags": ("u2", "", 0),
}


@dataclass(frozen=True, slots=True)
class Tail:
    """Samples of one group that do not yet fill a window, right-aligned."""

    samples: CountArray  # (S, C, cap)
    have: TimeArray  # (S,) how many of them are valid
    received: TimeArray  # (S,) index, since the anchor, of the sample to come


@dataclass(frozen=True, slots=True)
class State:
    """State of S streams of one layout; `arrays` holds those of `_SHAPED`, by name."""

    layout: Layout
    tails: tuple[Tail, ...]
    arrays: dict[str, NDArray[Any]]

    @property
    def streams(self) -> int:
        return len(self.arrays["next_s"])

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self.arrays[name]

    def copy(self) -> "State":
        """A state that may be changed without touching this one; tails are shared, for they are replaced whole."""
        return replace(self, arrays={name: array.copy() for name, array in self.arrays.items()})


@lru_cache(maxsize=256)
def window_n(fs_hz: float) -> int:
    """Samples of a window: as many as there are whole ones in a second, or slightly fewer.

    A Fourier transform is quick where its length has small factors only. Where that number has a factor above
    `ROUGH`, the length down to `NEAR` below the rate is taken whose largest factor is smallest.

    >>> window_n(1000.0), window_n(1259.26), window_n(1111.0), window_n(333.3)
    (1000, 1258, 1110, 333)
    """
    whole = int(fs_hz + 1e-6)
    if _largest_factor(whole) <= ROUGH:
        return whole
    least = min(whole, ceil(fs_hz * (1 - NEAR)))
    best: int = min(range(whole, least - 1, -1), key=_largest_factor)
    return best


def _largest_factor(n: int) -> int:
    found, factor = 1, 2
    while n > 1:
        while n % factor == 0:
            found, n = factor, n // factor
        factor += 1
    return found


def start(layout: Layout, streams: int) -> State:
    """The state of streams that have not begun."""
    sizes = {"C": layout.channels, "E": EPOCH_S, "B": BANDS, "L": BEATS, "2": 2, "3": 3}
    arrays: dict[str, NDArray[Any]] = {}
    for name, (dtype, axes, initial) in _SHAPED.items():
        arrays[name] = np.full((streams, *(sizes[axis] for axis in axes)), initial, dtype=dtype)
    tails = []
    for group in layout.groups:
        cap = window_n(group.fs_hz) + int(SKEW_S * group.fs_hz) + 3
        samples: CountArray = np.zeros((streams, group.channels, cap), np.int16)
        zero: TimeArray = np.zeros(streams, np.int64)
        tails.append(Tail(samples=samples, have=zero, received=zero.copy()))
    return State(layout=layout, tails=tuple(tails), arrays=arrays)


def pack(state: State) -> NDArray[np.uint8]:
    """Bytes of each stream's state, shape (S, K)."""
    rows = [np.ascontiguousarray(a).reshape(state.streams, prod(a.shape[1:])).view(np.uint8) for a in _arrays(state)]
    return np.concatenate(rows, axis=1)


def unpack(layout: Layout, rows: NDArray[np.uint8]) -> State:
    """The state whose `pack` gave `rows`, shape (S, K)."""
    sizes = [a[:1].nbytes for a in _arrays(start(layout, 1))]
    if rows.dtype != np.uint8 or rows.ndim != 2 or rows.shape[1] != sum(sizes):
        raise DetectorError(f"packed state is {rows.dtype} {rows.shape}, not uint8 (streams, {sum(sizes)})")
    blank = start(layout, len(rows))
    parts = np.split(np.ascontiguousarray(rows), np.cumsum(sizes)[:-1], axis=1)
    values = [
        np.ascontiguousarray(part).reshape(-1).view(a.dtype).reshape(a.shape)
        for part, a in zip(parts, _arrays(blank), strict=True)
    ]
    whole = iter(values)
    tails = tuple(Tail(*(next(whole) for _ in fields(Tail))) for _ in layout.groups)
    return State(layout=layout, tails=tails, arrays=dict(zip(blank.arrays, whole, strict=True)))


def _arrays(state: State) -> Iterator[NDArray[Any]]:
    for tail in state.tails:
        yield tail.samples
        yield tail.have
        yield tail.received
    yield from state.arrays.values()
