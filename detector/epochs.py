"""The running epoch: windows are laid in a grid of ten, and a full (or abandoned) grid becomes one row a channel."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.acc import angle_deg
from detector.emg import bins, median_hz
from detector.features import Features
from detector.layout import FloatArray, Layout, TimeArray
from detector.params import EPOCH_S, Params
from detector.quality import ARTEFACT, UNUSABLE, UNWORN, FlagArray
from detector.rest import quiet, track
from detector.results import Epochs
from detector.state import NEVER, State, window_n
from detector.windows import SECOND_NS


@dataclass(frozen=True, slots=True)
class Picked:
    """K windows: stream row, position in time and UTC second of each."""

    row: NDArray[np.intp]
    at: NDArray[np.intp]
    second: TimeArray


def lay(state: State, picked: Picked, found: Features, flags: FlagArray) -> None:
    """Write windows into the grid of their stream; flags `(K, C)`. Changes `state`."""
    r, t, column = picked.row, picked.at, picked.second % EPOCH_S
    state["grid_have"][r, column] = True
    state["grid_flags"][r, :, column] = flags
    state["grid_power"][r, :, column] = found.power[r, t]
    state["grid_low"][r, :, column] = found.low[r, t]
    state["grid_bands"][r, :, column] = found.bands[r, t]
    state["grid_mad"][r, column] = found.mad[r, t]
    state["grid_gravity"][r, column] = found.gravity[r, t]


def begin(state: State, epoch: TimeArray, *, rows: NDArray[np.intp], params: Params) -> Epochs:
    """Open `epoch` `(A,)` for `rows` `(A,)`: what another epoch left in the grid is given out. Changes `state`."""
    other = state["grid_epoch"][rows] != epoch
    rows, epoch = rows[other], epoch[other]
    held = state["grid_have"][rows].any(-1)
    left = flush(state, rows[held], params=params)
    absent = (epoch - state["grid_epoch"][rows] > params.regap_s // EPOCH_S) & (state["grid_epoch"][rows] != NEVER)
    state["warm"][rows[absent]] = 0
    state["grid_epoch"][rows] = epoch
    return left


def flush(state: State, rows: NDArray[np.intp], *, params: Params) -> Epochs:
    """Turn the grids of `rows` into epochs, teach the rest level, and empty them. Changes `state`."""
    if rows.size == 0:
        return empty()
    have = state["grid_have"][rows][:, None, :]
    flags = state["grid_flags"][rows]
    worn = have & ((flags & UNWORN) == 0)
    usable = have & ((flags & UNUSABLE) == 0)
    power = state["grid_power"][rows]
    count = usable.sum(-1)
    _learn(state, rows, calm=usable & ((flags & ARTEFACT) == 0), worn=worn, params=params)
    with np.errstate(invalid="ignore", divide="ignore"):
        rms = np.sqrt(np.where(usable, power, 0).sum(-1) / count)
        mad = np.where(have[:, 0], state["grid_mad"][rows], 0).sum(-1) / have[:, 0].sum(-1)
        gravity = np.where(have.transpose(0, 2, 1), state["grid_gravity"][rows], 0).sum(1)
    bands = np.where(usable[..., None], state["grid_bands"][rows], 0).sum(2)
    channels = flags.shape[1]
    out = Epochs(
        stream=np.repeat(rows, channels),
        channel=np.tile(np.arange(channels), len(rows)),
        start_ns=np.repeat(state["grid_epoch"][rows] * (EPOCH_S * SECOND_NS), channels),
        received_s=np.broadcast_to(have.sum(-1), count.shape).ravel().astype(np.float32),
        worn_s=worn.sum(-1).ravel().astype(np.float32),
        usable_s=count.ravel().astype(np.float32),
        rms_uv=rms.ravel().astype(np.float32),
        rest_uv=np.exp(state["rest"][rows, :, 1]).ravel().astype(np.float32),
        median_hz=_median(state.layout, bands).ravel(),
        movement_g=np.repeat(mad, channels).astype(np.float32),
        angle_deg=np.repeat(angle_deg(gravity), channels).astype(np.float32),
        flags=np.bitwise_or.reduce(np.where(have, flags, 0), axis=-1).ravel().astype(np.uint16),
    )
    state["grid_have"][rows] = False
    return out


def _learn(
    state: State, rows: NDArray[np.intp], *, calm: NDArray[np.bool_], worn: NDArray[np.bool_], params: Params
) -> None:
    """Teach the rest level what the epoch showed, and note wear: a device put on again is learned anew."""
    warm = state["warm"][rows]
    low = quiet(state["grid_low"][rows], calm)
    rms = np.sqrt(quiet(state["grid_power"][rows], calm))
    lasts = state["opened"][rows] & (state["last_s"][rows] - state["onset_s"][rows] < params.endless_s)
    state["rest"][rows] = track(
        state["rest"][rows],
        np.stack([low, rms], -1),
        warm=(warm < params.warm_epochs)[..., None],
        frozen=np.broadcast_to(lasts[:, None, None], (*warm.shape, 1)),
        params=params,
    )
    state["warm"][rows] = np.where(worn.any(-1), np.minimum(warm + 1, params.warm_epochs), 0)


def _median(layout: Layout, bands: FloatArray) -> FloatArray:
    """Median frequency `(A, C)` of band powers `(A, C, BANDS)`; band edges differ by group."""
    parts, first = [], 0
    for group in layout.emg:
        where = bins(window_n(group.fs_hz), group.fs_hz)
        parts.append(median_hz(bands[:, first : first + group.channels], where.centre_hz))
        first += group.channels
    joined: FloatArray = np.concatenate(parts, axis=1)
    return joined


def empty() -> Epochs:
    """No epochs."""
    return join([])


def join(parts: list[Epochs]) -> Epochs:
    """All rows of several, in order of time, stream and channel."""
    kinds: dict[str, Any] = {
        "stream": np.int64,
        "channel": np.int64,
        "start_ns": np.int64,
        "flags": np.uint16,
    }
    columns = {
        field.name: np.concatenate(
            [np.zeros(0, kinds.get(field.name, np.float32)), *(getattr(part, field.name) for part in parts)],
            dtype=kinds.get(field.name, np.float32),
        )
        for field in fields(Epochs)
    }
    order = np.lexsort((columns["channel"], columns["stream"], columns["start_ns"]))
    return Epochs(**{name: column[order] for name, column in columns.items()})
