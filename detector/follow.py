"""From judged seconds to candidates: which streams are stepped, and which are left as they are."""

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.candidates import CANDIDATE
from detector.episodes import step
from detector.layout import FloatArray
from detector.params import Params
from detector.quality import ARTEFACT, UNUSABLE, UPRIGHT, FlagArray, settled
from detector.results import Episode
from detector.seconds import Part, Seconds
from detector.shown import shown
from detector.stance import at_home, knows_up, upright
from detector.state import NEVER, State


def flags_of(state: State, part: Part, seconds: Seconds, *, rest: FloatArray, params: Params) -> FlagArray:
    """Quality flags `(A, L, C)` with what depends on rest `(A, 1, C, 2)` and on what is known of the posture."""
    found, doubts, flags = seconds.found, part.of(seconds.doubts), part.of(seconds.flags)
    if knows_up(state, part.rows):
        stands = upright(state, part.rows, part.of(found.gravity), steep=(flags[..., 0] & UPRIGHT) > 0)
        flags = (flags & np.uint16(~UPRIGHT & 0xFFFF)) | (stands * np.uint16(UPRIGHT))[..., None]
    if doubts.any():
        power, hum = part.of(found.power), part.of(found.hum)
        flags = flags | settled(doubts, power=power, hum=hum, rest=rest[..., 1], params=params)
    return flags


def follow(
    state: State,
    part: Part,
    seconds: Seconds,
    *,
    flags: FlagArray,
    rest: FloatArray,
    params: Params,
) -> list[Episode]:
    """Step the candidates of every stream in which something goes on; the others are left as they are."""
    rows, live = part.rows, part.live
    ok = live[..., None] & ((flags & (UNUSABLE | ARTEFACT)) == 0) & np.isfinite(rest[..., 0])
    full, moving = part.of(seconds.full), part.of(seconds.moving)
    ratio = np.where(ok & (full >= params.sustained), part.of(seconds.found.low) / rest[..., 0], 0)
    busy = np.flatnonzero(going_on(state, rows) | (ratio >= params.off_ratio).any((1, 2)))
    episodes: list[Episode] = []
    if busy.size:
        streams, picked = part.streams[busy], partial(_of, part, busy)
        young: NDArray[np.bool_] = np.any(state["warm"][streams] < params.warm_epochs, axis=-1)
        seen = shown(
            live=live[busy],
            second=part.second[busy],
            ok=ok[busy],
            ratio=ratio[busy],
            rms=picked(seconds.rms),
            rms_rest=rest[busy, :, :, 1],
            full=full[busy],
            steps=picked(seconds.found.steps),
            flags=flags[busy],
            moving=moving[busy],
            upright=(flags[busy, :, 0] & UPRIGHT) > 0,
            home=at_home(state, streams, picked(seconds.found.gravity)),
            acc=picked(seconds.acc),
            cold=np.broadcast_to(young[:, None], live[busy].shape),
            mates=state.layout.mates(),
            params=params,
        )
        candidates = {name: state[name][streams] for name in CANDIDATE}
        for now in seen.each():
            episodes += step(candidates, now, streams=streams, params=params)
        for name in CANDIDATE:
            state[name][streams] = candidates[name]
    note(state, part, moving=live & moving, known=ok.any(-1))
    return episodes


def going_on(state: State, rows: slice | NDArray[np.intp]) -> NDArray[np.bool_]:
    """Whether there is a candidate, or anything else that a quiet second would change, `(A,)`."""
    stirring: NDArray[np.bool_] = (state["evidence"][rows] > 0) | state["opened"][rows]
    stirring |= state["rise_s"][rows] != NEVER
    stirring |= (state["hot"][rows] | (state["crest"][rows] > 0)).any(-1)
    return stirring


def _of(part: Part, rows: NDArray[np.intp], x: NDArray[Any]) -> NDArray[Any]:
    picked: NDArray[Any] = part.of(x)[rows]
    return picked


def note(state: State, part: Part, *, moving: NDArray[np.bool_], known: NDArray[np.bool_]) -> None:
    """Remember when each leg last moved, and when it could last be judged. Changes `state`."""
    for name, seen in (("moved_s", moving), ("known_s", known)):
        if seen.any():
            last = np.where(seen, part.second, NEVER).max(-1)
            state[name][part.rows] = np.maximum(state[name][part.rows], last)
