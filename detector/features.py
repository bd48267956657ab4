"""Features of every window of a leg: EMG channels of all groups side by side, and the accelerometer."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detector.acc import acc_windows
from detector.emg import SLAB, analyse, blank
from detector.layout import FloatArray, Group, Layout
from detector.windows import Run, Windows, take

ACC_SLAB: Final = 512  # windows of acceleration analysed at once; a tenth of the samples of EMG, or less


@dataclass(frozen=True, slots=True)
class Features:
    """Per stream, window and EMG channel `(S, T, C)`; acceleration `(S, T)`, NaN where there is none."""

    power: FloatArray  # µV²
    low: FloatArray  # µV
    steps: FloatArray  # (S, T, C, STEPS) counts², mean square of the envelope in each 1/32 s
    hum: FloatArray  # µV²
    wander: FloatArray  # µV²
    bands: FloatArray  # (S, T, C, BANDS) µV²
    span: FloatArray  # counts
    clipped: FloatArray
    mad: FloatArray  # (S, T) g
    gravity: FloatArray  # (S, T, 3) g


def features(layout: Layout, windows: Windows, scale: tuple[FloatArray, ...]) -> Features:
    """Analyse whole seconds.

    Parameters
    ----------
    layout : Layout
        What each group is.
    windows : Windows
        W of them are valid.
    scale : tuple of array
        Per group ``(S, C)``, µV or g per count.

    Returns
    -------
    Features
        In µV and g; rubbish where no window is valid.
    """
    row, t = np.nonzero(windows.valid)
    parts: list[tuple[FloatArray, ...]] = []
    mad, gravity = np.full(len(row), np.nan, np.float32), np.full((len(row), 3), np.nan, np.float32)
    for group, run, unit in zip(layout.groups, windows.runs, scale, strict=True):
        if group.kind == "acc":
            for k in slabs(row, ACC_SLAB):
                acc = acc_windows(take(run, row[k], t[k]), unit[row[k]])
                mad[k], gravity[k] = acc.mad, acc.gravity
        else:
            parts.append(_emg(group, run, unit, row, t))
    columns = [column[0] if len(column) == 1 else np.concatenate(column, axis=1) for column in zip(*parts, strict=True)]
    return Features(*(_laid(column, windows.valid) for column in (*columns, mad, gravity)))


def slabs(row: NDArray[np.intp], size: int) -> Iterator[slice]:
    """Cut windows, which are in order of streams `row`, into pieces of up to `size`; long streams are kept apart."""
    first, count = 0, len(row)
    while first < count:
        end = min(first + size, count)
        own = int(np.searchsorted(row[first:end], row[first], side="right"))
        end = first + own if own >= size // 4 else end
        yield slice(first, end)
        first = end


def _emg(
    group: Group, run: Run, unit: FloatArray, row: NDArray[np.intp], t: NDArray[np.intp]
) -> tuple[FloatArray, ...]:
    """Features (W, C, ...) of the windows of an EMG group, in the order of `Features`."""
    channels = group.channels
    emg = blank(len(row) * channels)
    for k in slabs(row, max(1, SLAB // channels)):
        counts = take(run, row[k], t[k]).reshape(-1, run.n)
        analyse(counts, group.fs_hz, emg, slice(k.start * channels, k.stop * channels))
    uv = unit[row].reshape(-1)
    uv2 = uv * uv
    flat = (
        emg.power * uv2, emg.low * uv, emg.steps, emg.hum * uv2, emg.wander * uv2, emg.bands * uv2[:, None],
        emg.span, emg.clipped,
    )  # fmt: skip
    return tuple(x.reshape(len(row), channels, *x.shape[1:]) for x in flat)


def _laid(x: FloatArray, valid: NDArray[np.bool_]) -> FloatArray:
    """Spread values (W, ...) over (S, T, ...)."""
    shape = (*valid.shape, *x.shape[1:])
    if len(x) == valid.size:
        return x.reshape(shape)
    spread = np.ones(shape, np.float32)
    spread[valid] = x
    return spread
