"""What each second shows by itself, whatever went before it; and the seconds that are judged by one rest level."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from math import cos, radians, sin
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.acc import cosine, sine
from detector.features import Features
from detector.layout import FloatArray, TimeArray
from detector.params import EPOCH_S, Params
from detector.quality import MOVING, NO_ACC, UPRIGHT, FlagArray, marks
from detector.state import State
from detector.windows import Windows


@dataclass(frozen=True, slots=True)
class Seconds:
    """Windows of S streams with C channels: `(S, T)` and `(S, T, C)`. Rubbish where `windows` are not valid."""

    found: Features
    second: TimeArray  # (S, T) UTC
    count: NDArray[np.intp]  # (S,) how many are valid
    flags: FlagArray  # (S, T, C) that do not depend on the rest level; upright by axis x
    doubts: FlagArray  # (S, T, C) flags that do
    rms: FloatArray  # (S, T, C) µV
    full: FloatArray  # (S, T, C) sustained over RMS amplitude
    moving: NDArray[np.bool_]  # (S, T)
    acc: NDArray[np.bool_]  # (S, T) there is acceleration

    def between(self, first: NDArray[np.intp], count: int) -> "Seconds":
        """So many windows of each stream, from that at `first` `(S,)`."""
        if (first == first[0]).all():
            where: tuple[Any, Any] = (slice(None), slice(int(first[0]), int(first[0]) + count))
        else:
            where = (np.arange(len(first))[:, None], first[:, None] + np.arange(count))
        found = Features(*(getattr(self.found, field.name)[where] for field in fields(Features)))
        others = {f.name: getattr(self, f.name)[where] for f in fields(self) if f.name not in {"found", "count"}}
        return Seconds(found=found, count=np.full_like(self.count, count), **others)


def look(state: State, windows: Windows, found: Features, params: Params) -> Seconds:
    """See all windows; notes the gravity of each stream's last one. Changes `state`."""
    count = windows.valid.sum(-1)
    moving, acc = _movement(state, found, count=count, params=params)
    flags, doubts = marks(
        power=found.power, hum=found.hum, wander=found.wander, span=found.span, clipped=found.clipped, params=params
    )
    steep = np.abs(sine(found.gravity)) > sin(radians(params.upright_deg))
    flags |= (moving * np.uint16(MOVING) | ~acc * np.uint16(NO_ACC) | steep * np.uint16(UPRIGHT))[..., None]
    rms = np.sqrt(found.power)
    return Seconds(
        found=found,
        second=windows.second,
        count=count,
        flags=flags,
        doubts=doubts,
        rms=rms,
        full=np.minimum(found.low / rms, 1),
        moving=moving,
        acc=acc,
    )


def _movement(
    state: State, found: Features, *, count: NDArray[np.intp], params: Params
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Whether the leg moves, and whether that is known, `(S, T)`."""
    before = np.concatenate([state["gravity"][:, None], found.gravity[:, :-1]], axis=1)
    acc = np.isfinite(found.mad)
    turns = cosine(before, found.gravity) < cos(radians(params.rotation_deg))
    moving = acc & ((found.mad > params.movement_g) | turns)
    some = np.flatnonzero(count)
    state["gravity"][some] = found.gravity[some, count[some] - 1]
    return moving, acc


@dataclass(frozen=True, slots=True)
class Part:
    """The next L windows of A streams, each within one epoch. `of` picks theirs of an array over all windows."""

    streams: NDArray[np.intp]  # (A,)
    rows: slice | NDArray[np.intp]  # the same, to index arrays of the state with
    at: tuple[Any, Any]
    second: TimeArray  # (A, L)
    live: NDArray[np.bool_]  # (A, L); what is not live is rubbish
    full: NDArray[np.bool_]  # (A,) the epoch ends with them

    def of(self, x: NDArray[Any]) -> NDArray[Any]:
        """`(S, T, ...)` -> `(A, L, ...)`; a view where that is possible."""
        part: NDArray[Any] = x[self.at]
        return part


def whole_epochs(seconds: Seconds) -> tuple[NDArray[np.intp], int]:
    """Where in each stream's windows the first whole epoch begins `(S,)`, and how many every stream has from there."""
    first = (-seconds.second[:, 0] % EPOCH_S).astype(np.intp)
    return first, max(int(((seconds.count - first) // EPOCH_S).min()), 0)


def parts(seconds: Seconds, begin: NDArray[np.intp], end: NDArray[np.intp]) -> Iterator[Part]:
    """Walk all streams through their windows from `begin` to `end` `(S,)`, epoch by epoch."""
    at = begin.copy()
    while (streams := np.flatnonzero(at < end)).size:
        now = at[streams]
        first = seconds.second[streams, now]
        take = np.minimum(EPOCH_S - first % EPOCH_S, end[streams] - now)
        most, same = int(take.max()), bool((take == take[0]).all() and (now == now[0]).all())
        rows: slice | NDArray[np.intp] = slice(None) if len(streams) == len(end) else streams
        offset = np.arange(most)
        if same:
            where: tuple[Any, Any] = (rows, slice(int(now[0]), int(now[0]) + most))
        else:
            where = (streams[:, None], np.minimum(now[:, None] + offset, seconds.second.shape[1] - 1))
        yield Part(
            streams=streams,
            rows=rows,
            at=where,
            second=first[:, None] + offset,
            live=offset < take[:, None],
            full=(first + take) % EPOCH_S == 0,
        )
        at[streams] += take
