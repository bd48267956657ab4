"""What an epoch teaches: rest level, what is customary, whether the device is worn, how the leg stands and rests."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detector.layout import FloatArray, TimeArray
from detector.params import EPOCH_S, Params
from detector.quality import ARTEFACT, MOVING, UNUSABLE, UNWORN, FlagArray
from detector.rest import PERCENTILE, percentile, track
from detector.stance import learn_home, learn_up, resting, walking
from detector.state import State

CUSTOM: Final = 0.7
CUSTOM_UP: Final = 0.1  # of the logarithm, an epoch
CUSTOM_UP_OPEN: Final = 0.03
CUSTOM_DOWN: Final = 0.005
SHARES: Final = np.array([PERCENTILE, PERCENTILE, CUSTOM])
Rows = slice | NDArray[np.intp]  # of the state


@dataclass(frozen=True, slots=True)
class Grid:
    """Windows of epochs; what there is not (`have`) is rubbish."""

    have: NDArray[np.bool_]  # (..., E)
    flags: FlagArray  # (..., C, E)
    power: FloatArray  # (..., C, E) µV²
    low: FloatArray  # (..., C, E) µV
    mad: FloatArray  # (..., E) g
    gravity: FloatArray  # (..., E, 3) g


@dataclass(frozen=True, slots=True)
class Lesson:
    """What epochs show by themselves, `(..., C)` of each channel."""

    levels: FloatArray  # (..., C, 3) percentiles: sustained amplitude and RMS while calm, sustained amplitude; µV
    put_on: NDArray[np.bool_]  # (..., C) the device is worn
    walks: NDArray[np.bool_]  # (...)
    strides: FloatArray  # (..., 3) direction of gravity then
    rests: NDArray[np.bool_]  # (...)
    posture: FloatArray  # (..., 3) direction of gravity then

    def each(self) -> Iterator["Lesson"]:
        """One epoch after the other, where they are the second axis."""
        for values in zip(*(getattr(self, field.name).swapaxes(0, 1) for field in fields(self)), strict=True):
            yield Lesson(*values)


def calm(flags: FlagArray) -> NDArray[np.bool_]:
    """Whether a window tells of rest: usable, no artefact, the leg still."""
    still: NDArray[np.bool_] = (flags & (UNUSABLE | ARTEFACT | MOVING)) == 0
    return still


def lesson(grid: Grid, *, loud: NDArray[np.bool_] | None) -> Lesson:
    """Read epochs; `loud` `(..., C, E)` tells where activity exceeds rest, None stands for nowhere."""
    there = grid.have[..., None, :]
    ok = there & ((grid.flags & (UNUSABLE | ARTEFACT)) == 0)
    quiet = ok & ((grid.flags & MOVING) == 0)
    still = quiet.any(-2) if loud is None else quiet.any(-2) & ~(quiet & loud).any(-2)
    amplitude = np.stack([grid.low, np.sqrt(grid.power), grid.low], axis=-2)
    walks, strides = walking(mad=grid.mad, gravity=grid.gravity, have=grid.have)
    rests, posture = resting(gravity=grid.gravity, calm=still)
    return Lesson(
        levels=percentile(amplitude, np.stack([quiet, quiet, ok], axis=-2), share=SHARES),
        put_on=(there & ((grid.flags & UNWORN) == 0)).any(-1),
        walks=walks,
        strides=strides,
        rests=rests,
        posture=posture,
    )


def learn(state: State, rows: Rows, epoch: TimeArray, one: Lesson, *, params: Params) -> None:
    """Learn from one epoch `(A,)` of each of `rows`. Changes `state`."""
    if one.walks.any():
        state["up"][rows], state["walked"][rows] = learn_up(
            state["up"][rows], state["walked"][rows], walks=one.walks, mean=one.strides
        )
    if one.rests.any() and state.layout.acc is not None:
        state["home"][rows], state["rested"][rows] = learn_home(
            state["home"][rows], state["rested"][rows], rests=one.rests, mean=one.posture
        )
    rest = _rest(state, rows, epoch[:, None], one, params=params)
    _accustom(state, rows, level=np.log(np.maximum(one.levels[..., 2] / np.exp(rest)[..., 0], 1)))


def _rest(state: State, rows: Rows, epoch: TimeArray, one: Lesson, *, params: Params) -> FloatArray:
    """Teach the rest level `(A, C, 2)`, and note wear: a device put on again may sit elsewhere."""
    rest, worn, warm, put_on = state["rest"][rows], state["worn_epoch"][rows], state["warm"][rows], one.put_on
    absent = put_on & (epoch - worn > params.regap_s // EPOCH_S)
    if absent.any():
        rest, warm = np.where(absent[..., None], np.float32(np.nan), rest), np.where(absent, 0, warm)
    state["worn_epoch"][rows] = np.where(put_on, epoch, worn)
    lasts = state["opened"][rows] & (state["last_s"][rows] - state["onset_s"][rows] < params.endless_s)
    young = (warm < params.warm_epochs)[..., None]
    rest = track(rest, one.levels[..., :2], warm=young, frozen=lasts[:, None, None], params=params)
    state["rest"][rows] = rest
    taught = put_on & np.isfinite(one.levels[..., 0])
    state["warm"][rows] = np.where(put_on, np.minimum(warm + taught, params.warm_epochs), 0)
    return rest


def _accustom(state: State, rows: Rows, *, level: FloatArray) -> None:
    """Learn how hard each muscle works as a matter of course: the 70th percentile of the epoch, fast up, slowly down.

    Standing, pedals and stairs become customary within minutes and are forgotten within an hour or two; while an
    episode is open little is learned. `level` `(A, C)` is the logarithm of it over rest; NaN where unknown.
    """
    custom = state["custom"][rows]
    up = np.where(state["opened"][rows], CUSTOM_UP_OPEN, CUSTOM_UP)[:, None]
    learned = custom + np.minimum(np.maximum(level - custom, -CUSTOM_DOWN), up)
    state["custom"][rows] = np.where(np.isnan(level), custom, learned)
