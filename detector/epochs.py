"""The running epoch: windows are laid in a grid of ten, and a full (or abandoned) grid becomes one row a channel."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from detector.acc import angle_deg
from detector.emg import bins, median_hz
from detector.layout import FloatArray, Layout, TimeArray
from detector.learn import Grid, learn, lesson
from detector.params import EPOCH_S, Params
from detector.quality import UNUSABLE, UNWORN, FlagArray
from detector.results import Epochs
from detector.seconds import Part, Seconds
from detector.state import State, window_n
from detector.windows import SECOND_NS

_KINDS: Final[dict[str, Any]] = {
    "stream": np.int64,
    "channel": np.int64,
    "start_ns": np.int64,
    "flags": np.uint16,
}


def lay(state: State, part: Part, seconds: Seconds, flags: FlagArray) -> None:
    """Write windows into the grid of their stream; flags `(A, L, C)`. Changes `state`."""
    found = seconds.found
    usable = part.live[..., None] & ((flags & UNUSABLE) == 0)
    bands = np.where(usable[..., None], part.of(found.bands), 0)
    # Added in order of time, one after the other, on top of what there is: however the seconds come, sums are the same.
    so_far = state["bands"][part.rows][:, None]
    state["bands"][part.rows] = np.add.reduce(np.concatenate([so_far, bands], axis=1), axis=1)
    column, values = part.second % EPOCH_S, (part.of(found.power), part.of(found.low))
    alone, all_live = (part.of(found.mad), part.of(found.gravity)), part.live.all()
    first = int(column[0, 0])
    if all_live and (column[:, 0] == first).all():  # all clocks in step
        where: tuple[Any, Any] = (part.rows, slice(first, first + column.shape[1]))
        _write(state, where, [x.swapaxes(1, 2) for x in (flags, *values)], alone)
    elif all_live and column.shape[1] == 1:  # a window each
        _write(state, (part.streams, column[:, 0]), [x[:, 0] for x in (flags, *values)], [x[:, 0] for x in alone])
    else:
        live = np.nonzero(part.live)
        where = (part.streams[live[0]], column[live])
        _write(state, where, [x[live] for x in (flags, *values)], [x[live] for x in alone])


def _write(state: State, where: tuple[Any, Any], values: Sequence[NDArray[Any]], alone: Sequence[NDArray[Any]]) -> None:
    rows, columns = where
    state["grid_have"][where] = True
    state["grid_mad"][where], state["grid_gravity"][where] = alone
    for name, value in zip(("grid_flags", "grid_power", "grid_low"), values, strict=True):
        state[name][rows, :, columns] = value


@dataclass(frozen=True, slots=True)
class Full:
    """Grids of A epochs that ended."""

    rows: NDArray[np.intp]  # (A,)
    epoch: TimeArray  # (A,)
    grid: Grid
    bands: FloatArray  # (A, C, BANDS) sum over usable windows
    rest: FloatArray  # (A, C) logarithm, RMS


def begin(state: State, epoch: TimeArray, *, rows: NDArray[np.intp], params: Params) -> list[Full]:
    """Open `epoch` `(A,)` for `rows` `(A,)`: what another epoch left in the grid is given out. Changes `state`."""
    other = state["grid_epoch"][rows] != epoch
    if not other.any():
        return []
    rows, epoch = rows[other], epoch[other]
    held = state["grid_have"][rows].any(-1)
    left = flush(state, rows[held], params=params)
    state["grid_epoch"][rows] = epoch
    return left


def flush(state: State, rows: NDArray[np.intp], *, params: Params) -> list[Full]:
    """Give out the grids of `rows`, learn from them, and empty them. Changes `state`."""
    if rows.size == 0:
        return []
    grid = Grid(*(state[f"grid_{field.name}"][rows] for field in fields(Grid)))
    epoch, rest, bands = state["grid_epoch"][rows], state["rest"][rows], state["bands"][rows]
    loud = grid.low > params.on_ratio * np.exp(rest)[..., :1]
    learn(state, rows, epoch, lesson(grid, loud=loud), params=params)
    state["grid_have"][rows], state["bands"][rows] = False, 0
    return [Full(rows=rows, epoch=epoch, grid=grid, bands=bands, rest=state["rest"][rows, :, 1])]


def summarise(layout: Layout, ended: list[Full]) -> Epochs:
    """The rows of all epochs that ended, in order of time, stream and channel."""
    if not ended:
        return _empty()
    rows, epoch, bands, rest = (
        np.concatenate([getattr(one, name) for one in ended]) for name in ("rows", "epoch", "bands", "rest")
    )
    full = Grid(*(np.concatenate([getattr(one.grid, field.name) for one in ended]) for field in fields(Grid)))
    have = full.have[:, None, :]
    worn = have & ((full.flags & UNWORN) == 0)
    usable = have & ((full.flags & UNUSABLE) == 0)
    count = usable.sum(-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        rms = np.sqrt(np.where(usable, full.power, 0).sum(-1) / count)
        mad = np.where(full.have, full.mad, 0).sum(-1) / full.have.sum(-1)
        gravity = np.where(full.have[..., None], full.gravity, 0).sum(1)
    channels = full.flags.shape[1]
    columns: dict[str, Any] = {
        "stream": np.repeat(rows, channels),
        "channel": np.tile(np.arange(channels), len(rows)),
        "start_ns": np.repeat(epoch * (EPOCH_S * SECOND_NS), channels),
        "received_s": np.repeat(full.have.sum(-1), channels),
        "worn_s": worn.sum(-1).ravel(),
        "usable_s": count.ravel(),
        "rms_uv": rms.ravel(),
        "rest_uv": np.exp(rest).ravel(),
        "median_hz": _median(layout, bands).ravel(),
        "movement_g": np.repeat(mad, channels),
        "angle_deg": np.repeat(angle_deg(gravity), channels),
        "flags": np.bitwise_or.reduce(np.where(have, full.flags, 0), axis=-1).ravel(),
    }
    order = np.lexsort((columns["channel"], columns["stream"], columns["start_ns"]))
    return Epochs(**{name: column[order].astype(_KINDS.get(name, np.float32)) for name, column in columns.items()})


def _empty() -> Epochs:
    return Epochs(**{field.name: np.zeros(0, _KINDS.get(field.name, np.float32)) for field in fields(Epochs)})


def _median(layout: Layout, bands: FloatArray) -> FloatArray:
    """Median frequency `(A, C)` of band powers `(A, C, BANDS)`; band edges differ by group."""
    parts, first = [], 0
    for group in layout.emg:
        where = bins(window_n(group.fs_hz), group.fs_hz)
        parts.append(median_hz(bands[:, first : first + group.channels], where.centre_hz))
        first += group.channels
    joined: FloatArray = np.concatenate(parts, axis=1)
    return joined
