"""Whole epochs, many at a time: what does not depend on the rest level is read from all of them at once.

Nothing here is decided otherwise than in `follow`, `learn` and `epochs`, which are called wherever something goes on.
"""

from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from detector.epochs import Full
from detector.follow import flags_of, follow, going_on
from detector.layout import FloatArray, TimeArray
from detector.learn import Grid, Lesson, calm, learn, lesson
from detector.params import EPOCH_S, Params
from detector.quality import ARTEFACT, UNUSABLE, FlagArray
from detector.results import Episode
from detector.seconds import Part, Seconds
from detector.stance import knows_up
from detector.state import NEVER, State

EVERY: Final = slice(None)


@dataclass(frozen=True, slots=True)
class Outline:
    """What K epochs of S streams show by themselves; flags that depend on the rest level are not yet set."""

    lesson: Lesson  # (S, K, ...)
    doubtful: list[bool]  # (K,) some flag does depend on it
    peak: FloatArray  # (S, K, C) largest sustained amplitude of a usable second without bursts, µV
    calm_peak: FloatArray  # (S, K, C) of a calm second
    moved_s: TimeArray  # (S, K) last second in which the leg moved
    usable_s: TimeArray  # (S, K, C) last second without artefact


def whole(state: State, seconds: Seconds, *, params: Params, ended: list[Full], episodes: list[Episode]) -> None:
    """Take S streams through K whole epochs each: `seconds` holds nothing else. Changes `state`."""
    streams, epochs = len(seconds.count), seconds.second[:, ::EPOCH_S] // EPOCH_S
    flags, levels = seconds.flags.copy(), np.empty((*epochs.shape, state.layout.channels), np.float32)
    outline = _outline(seconds, params)
    numbers, live = np.arange(streams), np.ones((streams, EPOCH_S), np.bool_)
    stirring = bool(going_on(state, EVERY).any())
    for k, one in enumerate(outline.lesson.each()):
        at = (EVERY, slice(k * EPOCH_S, (k + 1) * EPOCH_S))
        part = Part(streams=numbers, rows=EVERY, at=at, second=seconds.second[at], live=live, full=live[:, 0])
        rest = np.exp(state["rest"])[:, None]
        settled = False
        if outline.doubtful[k] or knows_up(state, EVERY):
            flags[at] = flags_of(state, part, seconds, rest=rest, params=params)
            settled = bool(((flags[at] ^ seconds.flags[at]) & (UNUSABLE | ARTEFACT)).any())
        low_rest = rest[:, 0, :, 0]
        if stirring or settled or (outline.peak[:, k] / low_rest >= params.off_ratio).any():
            episodes += follow(state, part, seconds, flags=flags[at], rest=rest, params=params)
            stirring = bool(going_on(state, EVERY).any())
        else:
            _note(state, outline, k, known=np.isfinite(low_rest))
        if settled or (outline.calm_peak[:, k] > params.on_ratio * low_rest).any():
            grid = _grid(seconds, flags, k)
            one = lesson(grid, loud=grid.low > params.on_ratio * low_rest[..., None])  # noqa: PLW2901 - read anew
        learn(state, EVERY, epochs[:, k], one, params=params)
        levels[:, k] = state["rest"][..., 1]
    _leave(state, seconds, flags, epochs[:, -1])
    ended.append(_full(seconds, flags, epochs, rest=levels))


def _outline(seconds: Seconds, params: Params) -> Outline:
    low, second = _epochs(seconds.found.low), _epochs(seconds.second)
    flags = _epochs(seconds.flags)
    ok = (flags & (UNUSABLE | ARTEFACT)) == 0
    steady = ok & (_epochs(seconds.full) >= params.sustained)
    return Outline(
        lesson=lesson(_grid(seconds, seconds.flags, EVERY), loud=None),
        doubtful=np.any(_epochs(seconds.doubts), axis=(0, 2, 3)).tolist(),
        peak=np.where(steady, low, 0).max(2),
        calm_peak=np.where(calm(flags), low, 0).max(2),
        moved_s=np.where(_epochs(seconds.moving), second, NEVER).max(2),
        usable_s=np.where(ok, second[..., None], NEVER).max(2),
    )


def _epochs(x: NDArray[Any]) -> NDArray[Any]:
    """`(S, K * E, ...)` -> `(S, K, E, ...)`."""
    return x.reshape(len(x), -1, EPOCH_S, *x.shape[2:])


def _grid(seconds: Seconds, flags: FlagArray, k: int | slice) -> Grid:
    """The grid of epoch k of all streams, or of all epochs."""
    found = seconds.found
    mad = _epochs(found.mad)[:, k]
    return Grid(
        have=np.ones(mad.shape, np.bool_),
        flags=_epochs(flags)[:, k].swapaxes(-1, -2),
        power=_epochs(found.power)[:, k].swapaxes(-1, -2),
        low=_epochs(found.low)[:, k].swapaxes(-1, -2),
        mad=mad,
        gravity=_epochs(found.gravity)[:, k],
    )


def _note(state: State, outline: Outline, k: int, *, known: NDArray[np.bool_]) -> None:
    """What `follow` notes of an epoch in which nothing goes on."""
    usable_s = np.where(known, outline.usable_s[:, k], NEVER).max(-1)
    state["moved_s"][:] = np.maximum(state["moved_s"], outline.moved_s[:, k])
    state["known_s"][:] = np.maximum(state["known_s"], usable_s)


def _leave(state: State, seconds: Seconds, flags: FlagArray, epoch: TimeArray) -> None:
    """Leave the state as if the last epoch had been laid window by window, and flushed."""
    last = _grid(seconds, flags, -1)
    state["grid_epoch"][:] = epoch
    for name in ("flags", "power", "low", "mad", "gravity"):
        state[f"grid_{name}"][:] = getattr(last, name)


def _full(seconds: Seconds, flags: FlagArray, epochs: TimeArray, *, rest: FloatArray) -> Full:
    streams, count = epochs.shape
    grid = _grid(seconds, flags, EVERY)
    usable = (_epochs(flags) & UNUSABLE) == 0
    bands = np.add.reduce(np.where(usable[..., None], _epochs(seconds.found.bands), 0), axis=2)
    # Sums must not depend on how arrays lie in memory.
    flat = {field.name: np.ascontiguousarray(getattr(grid, field.name)) for field in fields(Grid)}
    return Full(
        rows=np.repeat(np.arange(streams), count),
        epoch=epochs.reshape(-1),
        grid=Grid(**{name: x.reshape(streams * count, *x.shape[2:]) for name, x in flat.items()}),
        bands=bands.reshape(streams * count, *bands.shape[2:]),
        rest=rest.reshape(streams * count, -1),
    )
