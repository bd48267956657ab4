"""The detector in reading order: place in time, cut into seconds, analyse, judge, lay into epochs, follow episodes."""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detector.candidates import CANDIDATE
from detector.episodes import close
from detector.epochs import Full, begin, flush, lay, summarise
from detector.features import Features, features
from detector.follow import flags_of, follow
from detector.layout import Chunk, CountArray, Layout
from detector.params import DEFAULT, EPOCH_S, Params
from detector.results import Episode, Results
from detector.seconds import Seconds, look, parts, whole_epochs
from detector.state import State
from detector.whole import whole
from detector.windows import Windows, check, cut, place

PIECE_SAMPLES: Final = 1 << 21  # of all streams together: bounds memory, whatever the length of a recording


def update(state: State, chunk: Chunk, *, params: Params = DEFAULT) -> tuple[Results, State]:
    """Feed the next samples of S streams.

    Parameters
    ----------
    state : State
        What the streams left behind; not changed.
    chunk : Chunk
        Their next samples. Cutting a recording into other chunks changes neither results nor final state.
    params : Params
        Tuning.

    Returns
    -------
    Results
        Epochs that ended and episodes that opened or closed.
    State
        To pass in with what follows.

    Raises
    ------
    DetectorError
        If the chunk does not fit the state's layout.

    Examples
    --------
    >>> from detector import Chunk, Group, Layout, start, update
    >>> layout = Layout((Group("emg", 1000.0, 1),))
    >>> noise = np.random.default_rng(0).normal(0, 20, (1, 1, 20_000)).astype(np.int16)
    >>> chunk = Chunk(t0_ns=np.array([0]), samples=(noise,), scale=(np.ones((1, 1), np.float32),))
    >>> results, state = update(start(layout, 1), chunk)
    >>> len(results.epochs.start_ns), results.episodes
    (2, ())
    """
    check(state, chunk)
    state = place(state.copy(), chunk)
    ended: list[Full] = []
    episodes: list[Episode] = []
    for piece in _pieces(state.layout, chunk.samples):
        windows, state = cut(state, piece)
        if windows.valid.size:
            found = features(state.layout, windows, chunk.scale)
            _advance(state, windows, found, params=params, ended=ended, episodes=episodes)
    return Results(epochs=summarise(state.layout, ended), episodes=_in_order(episodes)), state


def finish(state: State, *, params: Params = DEFAULT) -> Results:
    """What is left when a recording ends: the running epoch, and open episodes, closed and marked truncated."""
    state = state.copy()
    held = np.flatnonzero(state["grid_have"].any(-1))
    candidates = {name: state[name] for name in CANDIDATE}
    streams = np.arange(state.streams)
    everywhere = np.ones(state.streams, np.bool_)
    acc = everywhere & (state.layout.acc is not None)
    ends = close(candidates, candidates["opened"].copy(), streams=streams, gone=everywhere, acc=acc, params=params)
    return Results(epochs=summarise(state.layout, flush(state, held, params=params)), episodes=_in_order(ends))


def _in_order(episodes: list[Episode]) -> tuple[Episode, ...]:
    return tuple(sorted(episodes, key=lambda e: (e.onset_ns, e.stream, e.status != "preliminary")))


def _pieces(layout: Layout, samples: tuple[CountArray, ...]) -> Iterator[tuple[CountArray, ...]]:
    """Cut long chunks in time, all groups at the same instants."""
    longest_s = max(x.shape[-1] / group.fs_hz for x, group in zip(samples, layout.groups, strict=True))
    per_s = sum(x.shape[0] * x.shape[1] * g.fs_hz for x, g in zip(samples, layout.groups, strict=True))
    count = max(1, round(longest_s / max(10.0, PIECE_SAMPLES / max(per_s, 1.0))))
    for i in range(count):
        yield tuple(x[..., x.shape[-1] * i // count : x.shape[-1] * (i + 1) // count] for x in samples)


def _advance(
    state: State,
    windows: Windows,
    found: Features,
    *,
    params: Params,
    ended: list[Full],
    episodes: list[Episode],
) -> None:
    """Take every stream through its windows, one epoch at a time, for the rest level holds for an epoch."""
    seconds = look(state, windows, found, params)
    first, count = whole_epochs(seconds)
    if not count:
        _piecemeal(state, seconds, np.zeros_like(first), seconds.count, params=params, ended=ended, episodes=episodes)
        return
    last = first + count * EPOCH_S
    _piecemeal(state, seconds, np.zeros_like(first), first, params=params, ended=ended, episodes=episodes)
    ended += begin(
        state, seconds.second[np.arange(len(first)), first] // EPOCH_S, rows=np.arange(len(first)), params=params
    )
    whole(state, seconds.between(first, count * EPOCH_S), params=params, ended=ended, episodes=episodes)
    _piecemeal(state, seconds, last, seconds.count, params=params, ended=ended, episodes=episodes)


def _piecemeal(
    state: State,
    seconds: Seconds,
    first: NDArray[np.intp],
    last: NDArray[np.intp],
    *,
    params: Params,
    ended: list[Full],
    episodes: list[Episode],
) -> None:
    """The windows from `first` to `last` `(S,)`, which may be parts of epochs."""
    for part in parts(seconds, first, last):
        ended += begin(state, part.second[:, 0] // EPOCH_S, rows=part.streams, params=params)
        rest = np.exp(state["rest"][part.rows])[:, None]
        flags = flags_of(state, part, seconds, rest=rest, params=params)
        lay(state, part, seconds, flags)
        episodes += follow(state, part, seconds, flags=flags, rest=rest, params=params)
        ended += flush(state, part.streams[part.full], params=params)
