"""Features of every window of a leg: EMG channels of all groups side by side, and the accelerometer."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.acc import acc_windows
from detector.emg import BANDS, STEPS, emg_windows
from detector.layout import FloatArray, Layout
from detector.windows import Windows


@dataclass(frozen=True, slots=True)
class Features:
    """Per stream, window and EMG channel `(S, T, C)`; acceleration `(S, T)`, NaN where there is none."""

    power: FloatArray  # µV²
    low: FloatArray  # µV
    steps: FloatArray  # (S, T, C, STEPS) µV², mean square of the envelope in each 1/32 s
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
        Samples per group, ``(S, T, C, n)`` counts.
    scale : tuple of array
        Per group ``(S, C)``, µV or g per count.

    Returns
    -------
    Features
        In µV and g.
    """
    parts: list[tuple[NDArray[np.float32], ...]] = []
    streams, count = windows.second.shape
    mad = np.full((streams, count), np.nan, np.float32)
    gravity = np.full((streams, count, 3), np.nan, np.float32)
    for group, samples, unit in zip(layout.groups, windows.samples, scale, strict=True):
        if group.kind == "acc":
            rows = np.repeat(unit, count, axis=0)
            acc = acc_windows(samples.reshape(-1, *samples.shape[2:]), rows)
            mad, gravity = acc.mad.reshape(streams, count), acc.gravity.reshape(streams, count, 3)
            continue
        shape = samples.shape[:3]
        emg = emg_windows(samples.reshape(-1, samples.shape[3]), group.fs_hz)
        uv = np.broadcast_to(unit.astype(np.float32)[:, None, :], shape)
        uv2 = uv * uv
        parts.append(
            (
                emg.power.reshape(shape) * uv2,
                emg.low.reshape(shape) * uv,
                emg.steps.reshape(*shape, STEPS) * uv2[..., None],
                emg.hum.reshape(shape) * uv2,
                emg.wander.reshape(shape) * uv2,
                emg.bands.reshape(*shape, BANDS) * uv2[..., None],
                emg.span.reshape(shape),
                emg.clipped.reshape(shape),
            )
        )
    power, low, steps, hum, wander, bands, span, clipped = (
        column[0] if len(column) == 1 else np.concatenate(column, axis=2) for column in zip(*parts, strict=True)
    )
    return Features(
        power=power, low=low, steps=steps, hum=hum, wander=wander, bands=bands, span=span, clipped=clipped,
        mad=mad, gravity=gravity,
    )  # fmt: skip
