"""What an epoch teaches: rest level, what is customary, whether the device is worn, how the leg stands and rests."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from detector.layout import FloatArray
from detector.params import EPOCH_S, Params
from detector.quality import ARTEFACT, MOVING, UNUSABLE, UNWORN, FlagArray
from detector.rest import PERCENTILE, percentile, track
from detector.stance import learn_home, learn_up
from detector.state import State

CUSTOM: Final = 0.7
CUSTOM_UP: Final = 0.1  # of the logarithm, an epoch
CUSTOM_UP_OPEN: Final = 0.03
CUSTOM_DOWN: Final = 0.005
SHARES: Final = np.array([PERCENTILE, PERCENTILE, CUSTOM])


def learn(
    state: State,
    rows: NDArray[np.intp],
    *,
    have: NDArray[np.bool_],
    flags: FlagArray,
    power: FloatArray,
    params: Params,
) -> None:
    """Learn from the grids of `rows` `(A,)`, where there is a window (`have`, `(A, E)`). Changes `state`.

    `flags` and `power` `(A, C, E)` are those of the grids.
    """
    there, low, rest = have[:, None], state["grid_low"][rows], state["rest"][rows]
    ok = there & ((flags & (UNUSABLE | ARTEFACT)) == 0)
    calm = ok & ((flags & MOVING) == 0)
    if state.layout.acc is not None:
        loud = low > params.on_ratio * np.exp(rest[..., :1])
        still = calm.any(1) & ~(calm & loud).any(1)
        _posture(state, rows, have=have, still=still)
    amplitude = np.stack([low, np.sqrt(power), low], axis=2)
    levels = percentile(amplitude, np.stack([calm, calm, ok], axis=2), share=SHARES)
    put_on = (there & ((flags & UNWORN) == 0)).any(-1)
    rest = _rest(state, rows, rest=rest, levels=levels[..., :2], put_on=put_on, params=params)
    _accustom(state, rows, level=np.log(np.maximum(levels[..., 2] / np.exp(rest[..., 0]), 1)))


def _rest(
    state: State,
    rows: NDArray[np.intp],
    *,
    rest: FloatArray,
    levels: FloatArray,
    put_on: NDArray[np.bool_],
    params: Params,
) -> FloatArray:
    """Teach the rest level `(A, C, 2)`, and note wear: a device put on again may sit elsewhere."""
    epoch, worn, warm = state["grid_epoch"][rows, None], state["worn_epoch"][rows], state["warm"][rows]
    absent = put_on & (epoch - worn > params.regap_s // EPOCH_S)
    state["worn_epoch"][rows] = np.where(put_on, epoch, worn)
    if absent.any():
        rest, warm = np.where(absent[..., None], np.float32(np.nan), rest), np.where(absent, 0, warm)
    lasts = state["opened"][rows] & (state["last_s"][rows] - state["onset_s"][rows] < params.endless_s)
    rest = track(rest, levels, warm=(warm < params.warm_epochs)[..., None], frozen=lasts[:, None, None], params=params)
    state["rest"][rows] = rest
    taught = put_on & np.isfinite(levels[..., 0])
    state["warm"][rows] = np.where(put_on, np.minimum(warm + taught, params.warm_epochs), 0)
    return rest


def _accustom(state: State, rows: NDArray[np.intp], *, level: FloatArray) -> None:
    """Learn how hard each muscle works as a matter of course: the 70th percentile of the epoch, fast up, slowly down.

    Standing, pedals and stairs become customary within minutes and are forgotten within an hour or two; while an
    episode is open little is learned. `level` `(A, C)` is the logarithm of it over rest; NaN where unknown.
    """
    custom = state["custom"][rows]
    up = np.where(state["opened"][rows], CUSTOM_UP_OPEN, CUSTOM_UP)[:, None]
    learned = custom + np.minimum(np.maximum(level - custom, -CUSTOM_DOWN), up)
    state["custom"][rows] = np.where(np.isnan(level), custom, learned)


def _posture(state: State, rows: NDArray[np.intp], *, have: NDArray[np.bool_], still: NDArray[np.bool_]) -> None:
    """Learn which way is up and in which posture the leg rests, where it is `still` and its muscles quiet `(A, E)`."""
    gravity = state["grid_gravity"][rows]
    state["up"][rows], state["walked"][rows] = learn_up(
        state["up"][rows], state["walked"][rows], mad=state["grid_mad"][rows], gravity=gravity, have=have
    )
    state["home"][rows], state["rested"][rows] = learn_home(
        state["home"][rows], state["rested"][rows], gravity=gravity, calm=still
    )
