"""The detector in reading order: place in time, cut into seconds, analyse, judge, lay into epochs, follow episodes."""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detector.acc import angle_deg, turn_deg
from detector.episodes import CANDIDATE, Second, close, step
from detector.epochs import Picked, begin, flush, join, lay
from detector.features import Features, features
from detector.layout import Chunk, CountArray, Layout
from detector.params import DEFAULT, EPOCH_S, Params
from detector.quality import ARTEFACT, UNUSABLE, FlagArray, judge
from detector.results import Episode, Epochs, Results
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
    state = place(state, chunk)
    epochs: list[Epochs] = []
    episodes: list[Episode] = []
    for piece in _pieces(state.layout, chunk.samples):
        windows, state = cut(state, piece)
        found = features(state.layout, windows, chunk.scale)
        _advance(state, windows, found, params=params, epochs=epochs, episodes=episodes)
    return Results(epochs=join(epochs), episodes=_in_order(episodes)), state


def finish(state: State, *, params: Params = DEFAULT) -> Results:
    """What is left when a recording ends: the running epoch, and open episodes, closed and marked truncated."""
    state = state.copy()
    held = np.flatnonzero(state["grid_have"].any(-1))
    candidates = {name: state[name] for name in CANDIDATE}
    streams = np.arange(state.streams)
    everywhere = np.ones(state.streams, np.bool_)
    acc = everywhere & (state.layout.acc is not None)
    ends = close(candidates, candidates["opened"].copy(), streams=streams, gone=everywhere, acc=acc, params=params)
    return Results(epochs=flush(state, held, params=params), episodes=_in_order(ends))


def _in_order(episodes: list[Episode]) -> tuple[Episode, ...]:
    return tuple(sorted(episodes, key=lambda e: (e.onset_ns, e.stream, e.status != "preliminary")))


def _pieces(layout: Layout, samples: tuple[CountArray, ...]) -> Iterator[tuple[CountArray, ...]]:
    """Cut long chunks in time, all groups at the same instants."""
    longest_s = max(x.shape[-1] / group.fs_hz for x, group in zip(samples, layout.groups, strict=True))
    per_s = sum(x.shape[0] * x.shape[1] * g.fs_hz for x, g in zip(samples, layout.groups, strict=True))
    count = max(1, round(longest_s / max(10.0, PIECE_SAMPLES / per_s)))
    for i in range(count):
        yield tuple(x[..., x.shape[-1] * i // count : x.shape[-1] * (i + 1) // count] for x in samples)


def _advance(
    state: State,
    windows: Windows,
    found: Features,
    *,
    params: Params,
    epochs: list[Epochs],
    episodes: list[Episode],
) -> None:
    """Take every stream through its windows, one epoch at a time, for the rest level holds for an epoch."""
    count = windows.valid.sum(-1)
    at = np.zeros_like(count)
    while (live := np.flatnonzero(at < count)).size:
        first = windows.second[live, at[live]]
        take = np.zeros_like(count)
        take[live] = np.minimum(EPOCH_S - first % EPOCH_S, count[live] - at[live])
        epochs.append(begin(state, first // EPOCH_S, rows=live, params=params))
        row, offset = np.nonzero(np.arange(take.max()) < take[:, None])
        position = at[row] + offset
        picked = Picked(row=row, at=position, second=windows.second[row, position])
        flags = _judge(state, picked, found, params)
        lay(state, picked, found, flags)
        episodes += _follow(state, picked, found, flags=flags, offset=offset, params=params)
        full = live[(first + take[live]) % EPOCH_S == 0]
        epochs.append(flush(state, full, params=params))
        at += take


def _judge(state: State, picked: Picked, found: Features, params: Params) -> FlagArray:
    """Quality flags (K, C) of the picked windows."""
    r, t = picked.row, picked.at
    return judge(
        power=found.power[r, t],
        hum=found.hum[r, t],
        wander=found.wander[r, t],
        span=found.span[r, t],
        clipped=found.clipped[r, t],
        rest=np.exp(state["rest"][r, :, 1]),
        params=params,
    )


def _follow(
    state: State,
    picked: Picked,
    found: Features,
    *,
    flags: FlagArray,
    offset: NDArray[np.intp],
    params: Params,
) -> list[Episode]:
    """Step the candidates of every stream in which something goes on; the others are left as they are."""
    r, t = picked.row, picked.at
    rest = np.exp(state["rest"][r])
    ok = ((flags & (UNUSABLE | ARTEFACT)) == 0) & np.isfinite(rest[..., 0])
    low, rms = found.low[r, t], np.sqrt(found.power[r, t])
    full = np.minimum(low / rms, 1)
    ratio = np.where(ok & (full >= params.sustained), low / rest[..., 0], 0)
    moving, upright, acc = _movement(state, picked, found, params)
    stirred = np.zeros(state.streams, np.bool_)
    stirred[r[(ratio >= params.off_ratio).any(-1)]] = True
    stirred |= (state["evidence"] > 0) | state["opened"] | (state["rise_s"] != NEVER)
    busy = np.flatnonzero(stirred & np.isin(np.arange(state.streams), r))
    if busy.size == 0:
        np.maximum.at(state["moved_s"], r[moving], picked.second[moving])
        return []
    place_of = np.full((state.streams, offset.max() + 1), -1)
    place_of[r, offset] = np.arange(len(r))
    candidates = {name: state[name][busy] for name in CANDIDATE}
    episodes: list[Episode] = []
    for k in place_of[busy].T:
        now = Second(
            live=k >= 0, second=picked.second[k], ok=ok[k], ratio=ratio[k], rms=rms[k], rms_rest=rest[k, :, 1],
            full=full[k], flags=flags[k],
            moving=moving[k], upright=upright[k], acc=acc[k],
        )  # fmt: skip
        episodes += step(candidates, now, streams=busy, params=params)
    for name in CANDIDATE:
        state[name][busy] = candidates[name]
    np.maximum.at(state["moved_s"], r[moving], picked.second[moving])
    return episodes


def _movement(
    state: State, picked: Picked, found: Features, params: Params
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    """Whether the leg moved, was upright, and could be watched, in each picked window (K,). Notes posture."""
    r, t = picked.row, picked.at
    after = found.gravity[r, t]
    continues = np.zeros(len(r), np.bool_)
    continues[1:] = r[1:] == r[:-1]
    before = np.where(continues[:, None], np.roll(after, 1, axis=0), state["gravity"][r])
    known = np.isfinite(found.mad[r, t])
    moving = known & ((found.mad[r, t] > params.movement_g) | (turn_deg(before, after) > params.rotation_deg))
    upright = known & (np.abs(angle_deg(after)) > params.upright_deg)
    last = np.append(r[1:] != r[:-1], True)
    state["gravity"][r[last]] = after[last]
    return moving, upright, known
