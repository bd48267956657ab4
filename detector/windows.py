"""From chunks of samples to whole seconds: the grid of windows lies on UTC seconds, however the input is cut.

Time of a sample
----------------
A run begins with an anchor, the device's time of its first sample; sample i of a run lies at ``anchor + i / fs``.
A chunk that begins within `SLACK_NS` of where the last one ended continues the run. Further off, up to `SLEW_NS`,
the anchor moves by the difference: clocks drift. Further still it is a gap, and a new run begins with the next
whole second; what is left of the old run is less than one window. A signal that drifts away from the first one of its
device, because its true rate is not quite the rate it states, is moved back beside it.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from detector.errors import DetectorError
from detector.layout import Chunk, CountArray, Group, TimeArray
from detector.state import NEVER, State, Tail, window_n

SLACK_NS: Final = 50_000_000
SLEW_NS: Final = 500_000_000
APART_S: Final = 0.12  # less than the tails have room for
SECOND_NS: Final = 1_000_000_000
LATEST_NS: Final = 7_258_118_400 * SECOND_NS  # 2200-01-01
SCALES: Final = (1e-9, 1e6)  # beyond, squares leave single precision


@dataclass(frozen=True, slots=True)
class Run:
    """Where the windows of one group begin: at `at[s, t]` in the samples of `tail` followed by those of `fresh`."""

    tail: CountArray  # (S, C, cap)
    fresh: CountArray  # (S, C, N)
    at: TimeArray  # (S, T); rubbish where not valid
    n: int  # samples of a window


@dataclass(frozen=True, slots=True)
class Windows:
    """Whole seconds of S streams: `second[s, t]` is UTC, valid where `valid[s, t]`, a prefix in t."""

    second: TimeArray  # (S, T)
    valid: NDArray[np.bool_]  # (S, T)
    runs: tuple[Run, ...]  # by group


def check(state: State, chunk: Chunk) -> None:
    """Raise `DetectorError` unless the chunk fits the state's layout."""
    groups = state.layout.groups
    if len(chunk.samples) != len(groups) or len(chunk.scale) != len(groups):
        given = f"{len(chunk.samples)} groups of samples and {len(chunk.scale)} of scales"
        raise DetectorError(f"chunk has {given}, the layout {len(groups)}")
    if chunk.t0_ns.shape != (state.streams,):
        raise DetectorError(f"t0_ns has shape {chunk.t0_ns.shape}, not ({state.streams},)")
    if chunk.t0_ns.dtype != np.int64:
        raise DetectorError(f"t0_ns is {chunk.t0_ns.dtype}, not int64")
    if not ((chunk.t0_ns >= 0) & (chunk.t0_ns < LATEST_NS)).all():
        raise DetectorError(f"t0_ns from {chunk.t0_ns.min()} to {chunk.t0_ns.max()} is not between 1970 and 2200")
    for g, (group, samples, scale) in enumerate(zip(groups, chunk.samples, chunk.scale, strict=True)):
        if samples.ndim != 3 or samples.shape[:2] != (state.streams, group.channels):
            raise DetectorError(f"group {g}: {samples.shape} is not ({state.streams}, {group.channels}, n)")
        if samples.dtype != np.int16:
            raise DetectorError(f"group {g}: samples are {samples.dtype}, not int16")
        if scale.shape != samples.shape[:2] or scale.dtype != np.float32:
            raise DetectorError(f"group {g}: scale is {scale.dtype} {scale.shape}, not float32 {samples.shape[:2]}")
        if not ((scale >= SCALES[0]) & (scale <= SCALES[1])).all():
            raise DetectorError(f"group {g}: scale per count must be {SCALES[0]:g} to {SCALES[1]:g}, not {scale}")


def place(state: State, chunk: Chunk) -> State:
    """Decide for each stream whether the chunk continues its run, slews its clock or begins a new run.

    Changes the arrays of `state`; its tails are replaced in what is returned.
    """
    anchor, next_s = state["anchor_ns"], state["next_s"]
    first = state.layout.groups[0]
    expected = anchor + np.rint(state.tails[0].received * (SECOND_NS / first.fs_hz)).astype(np.int64)
    error = chunk.t0_ns - expected
    fresh = (anchor == NEVER) | (np.abs(error) > SLEW_NS)
    slew = ~fresh & (np.abs(error) > SLACK_NS)
    anchor[slew] += error[slew]
    anchor[fresh] = chunk.t0_ns[fresh]
    next_s[fresh] = np.maximum(next_s[fresh], -(-chunk.t0_ns[fresh] // SECOND_NS))
    since_ns = chunk.t0_ns - anchor
    others = zip(state.tails[1:], state.layout.groups[1:], strict=True)
    tails = [state.tails[0], *(_aligned(tail, group, since_ns) for tail, group in others)]
    if fresh.any():
        tails = [
            Tail(
                samples=tail.samples,
                have=np.where(fresh, 0, tail.have),
                received=np.where(fresh, 0, tail.received),
            )
            for tail in tails
        ]
    return replace(state, tails=tuple(tails))


def due(since_ns: TimeArray | int, fs_hz: float) -> TimeArray:
    """How many samples a signal should have given so long after its anchor."""
    index: TimeArray = np.floor(since_ns * fs_hz / SECOND_NS + 0.5).astype(np.int64)
    return index


def slack_n(fs_hz: float) -> float:
    """By how many samples a signal may be off before it is moved: by what signals of a block may end apart."""
    return max(APART_S * fs_hz, 1.5)


def _aligned(tail: Tail, group: Group, since_ns: TimeArray) -> Tail:
    """Keep a signal beside the first one: its true rate may be a little off the rate it states."""
    should = due(since_ns, group.fs_hz)
    off = np.abs(tail.received - should) > slack_n(group.fs_hz)
    return replace(tail, received=np.where(off, should, tail.received)) if off.any() else tail


def cut(state: State, samples: tuple[CountArray, ...]) -> tuple[Windows, State]:
    """Append samples `(S, C, n)` per group and find every whole second that all groups now cover.

    Changes the arrays of `state`; its tails are replaced in what is returned.
    """
    groups, next_s, anchor = state.layout.groups, state["next_s"], state["anchor_ns"]
    received = [tail.received + x.shape[-1] for tail, x in zip(state.tails, samples, strict=True)]
    end_s = np.min([_last_s(g, anchor, r) for g, r in zip(groups, received, strict=True)], axis=0) + 1
    # A clock set forward leaves less than a second of samples to the running second: it borrows from the next one.
    short = [t.have + x.shape[-1] < window_n(g.fs_hz) for g, t, x in zip(groups, state.tails, samples, strict=True)]
    end_s = np.where(np.any(short, axis=0), np.minimum(end_s, next_s), end_s)
    count = np.maximum(end_s - next_s, 0)
    second = next_s[:, None] + np.arange(count.max(initial=0))
    runs, tails = [], []
    for group, tail, x, total in zip(groups, state.tails, samples, received, strict=True):
        cap, n = tail.samples.shape[-1], window_n(group.fs_hz)
        length = cap + x.shape[-1]
        oldest = cap - tail.have
        at = _index(group, anchor[:, None], second) - (total - length)[:, None]
        runs.append(Run(tail=tail.samples, fresh=x, at=np.clip(at, oldest[:, None], length - n), n=n))
        left = total - np.maximum(_index(group, anchor, next_s + count), total - length + oldest)
        tails.append(Tail(samples=_last(tail.samples, x), have=np.clip(left, 0, cap), received=total))
    next_s += count
    return Windows(second=second, valid=second < end_s[:, None], runs=tuple(runs)), replace(state, tails=tuple(tails))


def _last(tail: CountArray, fresh: CountArray) -> CountArray:
    """As many samples as `tail` holds, from the end of both."""
    cap, length = tail.shape[-1], fresh.shape[-1]
    if length >= cap:
        return fresh[..., length - cap :].copy()
    return np.concatenate([tail[..., length:], fresh], axis=-1)


def take(run: Run, row: NDArray[np.intp], t: NDArray[np.intp]) -> CountArray:
    """The windows (K, C, n) of streams `row`, ascending, at `t`."""
    at, n, cap = run.at[row, t], run.n, run.tail.shape[-1]
    begin, end = int(at.min()), int(at.max()) + n
    streams: slice | NDArray[np.intp] = slice(int(row[0]), int(row[-1]) + 1)
    own = row - row[0]
    if own[-1] > 2 * len(row):  # few streams among many have a window
        streams, own = row, np.arange(len(row))
    buffer: CountArray = run.fresh[streams, :, max(begin - cap, 0) : max(end - cap, 0)]
    if begin < cap:
        buffer = np.concatenate([run.tail[streams, :, begin:end], buffer], axis=-1)
    if len(buffer) == len(row) and end - begin == n:  # one window each, at the same place
        return buffer
    if len(buffer) == 1 and end - begin == n * len(row) and (np.diff(at) == n).all():  # one after the other
        found: CountArray = buffer[0].reshape(-1, len(row), n).swapaxes(0, 1)
    else:
        # A view of all windows there are, from which some are copied; `sliding_window_view` takes longer to check it.
        shape = (*buffer.shape[:2], end - begin - n + 1, n)
        found = as_strided(buffer, shape, (*buffer.strides, buffer.strides[-1]))[own, :, at - begin]
    return found


def _index(group: Group, anchor_ns: TimeArray, second: TimeArray) -> TimeArray:
    """Index since the anchor of the sample nearest to the start of a UTC second."""
    since_s = (second * SECOND_NS - anchor_ns) / SECOND_NS
    index: TimeArray = np.floor(since_s * group.fs_hz + 0.5).astype(np.int64)
    return index


def _last_s(group: Group, anchor_ns: TimeArray, received: TimeArray) -> TimeArray:
    """Last UTC second whose window ends within the samples received."""
    n = window_n(group.fs_hz)
    guess: TimeArray = (
        np.floor((anchor_ns + (received - n) * (SECOND_NS / group.fs_hz)) / SECOND_NS).astype(np.int64) + 1
    )
    for _ in range(2):
        guess = np.where(_index(group, anchor_ns, guess) + n > received, guess - 1, guess)
    return guess
