"""The detector in reading order: place in time, cut into seconds, analyse, judge, lay into epochs, follow episodes."""

from collections.abc import Iterator
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from detector.candidates import CANDIDATE, Second
from detector.episodes import close, step
from detector.epochs import Full, begin, flush, lay, summarise
from detector.features import Features, features
from detector.layout import Chunk, CountArray, FloatArray, Layout
from detector.params import DEFAULT, EPOCH_S, Params
from detector.quality import ARTEFACT, UNUSABLE, UPRIGHT, FlagArray, settled
from detector.results import Episode, Results
from detector.seconds import Part, Seconds, look, parts
from detector.stance import at_home, upright
from detector.state import NEVER, State
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
    mates = state.layout.mates()
    for part in parts(seconds):
        ended += begin(state, part.second[:, 0] // EPOCH_S, rows=part.streams, params=params)
        rest = np.exp(state["rest"][part.rows])[:, None]
        flags = _flags(state, part, seconds, rest=rest, params=params)
        lay(state, part, seconds, flags)
        episodes += _follow(state, part, seconds, flags=flags, rest=rest, mates=mates, params=params)
        ended += flush(state, part.streams[part.full], params=params)


def _flags(state: State, part: Part, seconds: Seconds, *, rest: FloatArray, params: Params) -> FlagArray:
    """Quality flags `(A, L, C)` with what depends on rest `(A, 1, C, 2)` and on what is known of the posture."""
    found, doubts = seconds.found, part.of(seconds.doubts)
    stands = upright(state, part.rows, part.of(found.gravity), steep=part.of(seconds.steep))
    flags = part.of(seconds.flags) | (stands * np.uint16(UPRIGHT))[..., None]
    if doubts.any():
        power, hum = part.of(found.power), part.of(found.hum)
        flags |= settled(doubts, power=power, hum=hum, rest=rest[..., 1], params=params)
    return flags


def _follow(
    state: State,
    part: Part,
    seconds: Seconds,
    *,
    flags: FlagArray,
    rest: FloatArray,
    mates: NDArray[np.bool_],
    params: Params,
) -> list[Episode]:
    """Step the candidates of every stream in which something goes on; the others are left as they are."""
    rows, live = part.rows, part.live
    ok = live[..., None] & ((flags & (UNUSABLE | ARTEFACT)) == 0) & np.isfinite(rest[..., 0])
    full, moving = part.of(seconds.full), part.of(seconds.moving)
    ratio = np.where(ok & (full >= params.sustained), part.of(seconds.found.low) / rest[..., 0], 0)
    going_on = (state["evidence"][rows] > 0) | state["opened"][rows] | (state["rise_s"][rows] != NEVER)
    going_on |= (state["hot"][rows] | (state["crest"][rows] > 0)).any(-1)  # whatever a quiet second would change
    going_on |= (ratio >= params.off_ratio).any((1, 2))
    busy = np.flatnonzero(going_on)
    episodes = []
    if busy.size:
        streams, picked = part.streams[busy], partial(_of, part, busy)
        candidates = {name: state[name][streams] for name in CANDIDATE}
        cold: NDArray[np.bool_] = np.any(state["warm"][streams] < params.warm_epochs, axis=-1)
        home = at_home(state, streams, picked(seconds.found.gravity))
        rms, steps, acc = picked(seconds.rms), picked(seconds.found.steps), picked(seconds.acc)
        stands = (flags[busy, :, 0] & UPRIGHT) > 0
        for k in range(live.shape[1]):
            now = Second(
                live=live[busy, k], second=part.second[busy, k], ok=ok[busy, k], ratio=ratio[busy, k], rms=rms[:, k],
                rms_rest=rest[busy, 0, :, 1], full=full[busy, k], steps=steps[:, k], flags=flags[busy, k],
                moving=moving[busy, k], upright=stands[:, k], home=home[:, k], acc=acc[:, k], cold=cold,
            )  # fmt: skip
            episodes += step(candidates, now, streams=streams, mates=mates, params=params)
        for name in CANDIDATE:
            state[name][streams] = candidates[name]
    _note(state, part, moving=live & moving, known=ok.any(-1))
    return episodes


def _of(part: Part, rows: NDArray[np.intp], x: NDArray[Any]) -> NDArray[Any]:
    picked: NDArray[Any] = part.of(x)[rows]
    return picked


def _note(state: State, part: Part, *, moving: NDArray[np.bool_], known: NDArray[np.bool_]) -> None:
    """Remember when each leg last moved, and when it could last be judged. Changes `state`."""
    for name, seen in (("moved_s", moving), ("known_s", known)):
        if seen.any():
            last = np.where(seen, part.second, NEVER).max(-1)
            state[name][part.rows] = np.maximum(state[name][part.rows], last)
