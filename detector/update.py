"""The detector in reading order: place in time, cut into seconds, analyse, judge, lay into epochs, follow episodes."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detector.acc import angle_deg, turn_deg
from detector.candidates import CANDIDATE, Second
from detector.episodes import close, step
from detector.epochs import Full, Picked, begin, flush, lay, summarise
from detector.features import Features, features
from detector.layout import Chunk, CountArray, FloatArray, Layout
from detector.params import DEFAULT, EPOCH_S, Params
from detector.quality import ARTEFACT, MOVING, NO_ACC, UNUSABLE, UPRIGHT, FlagArray, judge
from detector.results import Episode, Results
from detector.stance import at_home, upright
from detector.state import NEVER, State
from detector.windows import Windows, check, cut, place

PIECE_SAMPLES: Final = 1 << 21  # of all streams together: bounds memory, whatever the length of a recording


@dataclass(frozen=True, slots=True)
class Leg:
    """What the accelerometer says of each window, `(S, T)`."""

    moving: NDArray[np.bool_]
    angle: FloatArray  # of axis x to the horizontal, degrees
    known: NDArray[np.bool_]


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
    count = windows.valid.sum(-1)
    at = np.zeros_like(count)
    leg = _movement(state, windows, found, params)
    mates = state.layout.mates()
    while (live := np.flatnonzero(at < count)).size:
        first = windows.second[live, at[live]]
        take = np.zeros_like(count)
        take[live] = np.minimum(EPOCH_S - first % EPOCH_S, count[live] - at[live])
        ended += begin(state, first // EPOCH_S, rows=live, params=params)
        row, offset = np.nonzero(np.arange(take.max()) < take[:, None])
        position = at[row] + offset
        picked = Picked(row=row, at=position, second=windows.second[row, position])
        stands = upright(state, row, found.gravity[row, position], angle=leg.angle[row, position], params=params)
        flags = _judge(state, picked, found, params) | _flags_of(leg, picked, stands)
        lay(state, picked, found, flags)
        episodes += _follow(state, picked, found, flags=flags, offset=offset, leg=leg, mates=mates, params=params)
        full = live[(first + take[live]) % EPOCH_S == 0]
        ended += flush(state, full, params=params)
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


def _flags_of(leg: Leg, picked: Picked, stands: NDArray[np.bool_]) -> FlagArray:
    """What the accelerometer says of the picked windows, as flags `(K, 1)`."""
    flags = np.where(leg.moving[picked.row, picked.at], MOVING, 0) | np.where(stands, UPRIGHT, 0)
    flags |= np.where(leg.known[picked.row, picked.at], 0, NO_ACC)
    return flags[:, None].astype(np.uint16)


def _follow(
    state: State,
    picked: Picked,
    found: Features,
    *,
    flags: FlagArray,
    offset: NDArray[np.intp],
    leg: Leg,
    mates: NDArray[np.bool_],
    params: Params,
) -> list[Episode]:
    """Step the candidates of every stream in which something goes on; the others are left as they are."""
    r, t = picked.row, picked.at
    rest = np.exp(state["rest"][r])
    ok = ((flags & (UNUSABLE | ARTEFACT)) == 0) & np.isfinite(rest[..., 0])
    low, rms = found.low[r, t], np.sqrt(found.power[r, t])
    full = np.minimum(low / rms, 1)
    ratio = np.where(ok & (full >= params.sustained), low / rest[..., 0], 0)
    moving, known = leg.moving[r, t], ok.any(-1)
    stirred = np.zeros(state.streams, np.bool_)
    going_on = (state["evidence"] > 0) | state["opened"] | (state["rise_s"] != NEVER) | state["hot"].any(-1)
    stirred[r] = going_on[r]
    stirred[r[(ratio >= params.off_ratio).any(-1)]] = True
    busy = np.flatnonzero(stirred)
    if busy.size == 0:
        _note(state, picked, moving=moving, known=known)
        return []
    place_of = np.full((state.streams, offset.max() + 1), -1)
    place_of[r, offset] = np.arange(len(r))
    cold: NDArray[np.bool_] = np.any(state["warm"][r] < params.warm_epochs, axis=-1)
    home = at_home(state, r, found.gravity[r, t])
    candidates = {name: state[name][busy] for name in CANDIDATE}
    episodes: list[Episode] = []
    for k in place_of[busy].T:
        now = Second(
            live=k >= 0, second=picked.second[k], ok=ok[k], ratio=ratio[k], rms=rms[k], rms_rest=rest[k, :, 1],
            full=full[k], steps=found.steps[r[k], t[k]], flags=flags[k],
            moving=moving[k], upright=(flags[k, 0] & UPRIGHT) > 0, home=home[k], acc=leg.known[r[k], t[k]],
            cold=cold[k],
        )  # fmt: skip
        episodes += step(candidates, now, streams=busy, mates=mates, params=params)
    for name in CANDIDATE:
        state[name][busy] = candidates[name]
    _note(state, picked, moving=moving, known=known)
    return episodes


def _note(state: State, picked: Picked, *, moving: NDArray[np.bool_], known: NDArray[np.bool_]) -> None:
    """Remember when each leg last moved, and when it could last be judged. Changes `state`."""
    np.maximum.at(state["moved_s"], picked.row[moving], picked.second[moving])
    np.maximum.at(state["known_s"], picked.row[known], picked.second[known])


def _movement(state: State, windows: Windows, found: Features, params: Params) -> Leg:
    """Movement and angle of all windows; notes the gravity of each stream's last one. Changes `state`."""
    before = np.concatenate([state["gravity"][:, None], found.gravity[:, :-1]], axis=1)[:, : windows.valid.shape[1]]
    known = np.isfinite(found.mad)
    moving = known & ((found.mad > params.movement_g) | (turn_deg(before, found.gravity) > params.rotation_deg))
    some = np.flatnonzero(windows.valid.any(-1))
    state["gravity"][some] = found.gravity[some, windows.valid.sum(-1)[some] - 1]
    return Leg(moving=moving, angle=angle_deg(found.gravity), known=known)
