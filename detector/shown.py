"""What a second shows of streams in which something goes on, given their rest levels: all that candidates count."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detector.layout import FloatArray, TimeArray
from detector.params import Params
from detector.quality import FlagArray
from detector.rhythm import rhythm


@dataclass(frozen=True, slots=True)
class Second:
    """One second of A streams with C channels; only where `live` is it more than rubbish."""

    live: NDArray[np.bool_]  # (A,)
    second: TimeArray  # (A,)
    ok: NDArray[np.bool_]  # (A, C) usable, no artefact, rest known
    ratio: FloatArray  # (A, C) sustained amplitude over rest
    rms: FloatArray  # (A, C) µV
    full: FloatArray  # (A, C) sustained over RMS amplitude
    moving: NDArray[np.bool_]  # (A,)
    upright: NDArray[np.bool_]  # (A,)
    home: NDArray[np.bool_]  # (A,) in the posture of rest
    acc: NDArray[np.bool_]  # (A,)
    cold: NDArray[np.bool_]  # (A,) some channel has learned its rest level from few epochs
    flags: FlagArray  # (A,) of any channel
    known: NDArray[np.bool_]  # (A,) some channel is ok
    above: NDArray[np.bool_]  # (A, C) at `off_ratio` or more
    most: FloatArray  # (A,) highest ratio of a channel that is ok
    over: FloatArray  # (A, C) RMS over its rest level
    relative: FloatArray  # (A, C) what the second adds to the load
    paired: NDArray[np.bool_]  # (A,) a synergist of the first channel is ok
    coactive: FloatArray  # (A,) amplitude of the strongest of them over that of the first, both above rest
    slow: FloatArray  # (A,) wobble of the first channel, see rhythm.py
    fast: FloatArray  # (A,)
    beats: FloatArray  # (A, BEATS)

    def each(self) -> Iterator["Second"]:
        """One after the other, where the arrays are those of several, `(A, L, ...)`."""
        for values in zip(*(getattr(self, name).swapaxes(0, 1) for name in _NAMES), strict=True):
            yield Second(*values)


_NAMES: Final = tuple(field.name for field in fields(Second))


def shown(
    *, live: NDArray[np.bool_], second: TimeArray, ok: NDArray[np.bool_], ratio: FloatArray, rms: FloatArray,
    rms_rest: FloatArray, full: FloatArray, steps: FloatArray, flags: FlagArray, moving: NDArray[np.bool_],
    upright: NDArray[np.bool_], home: NDArray[np.bool_], acc: NDArray[np.bool_], cold: NDArray[np.bool_],
    mates: NDArray[np.bool_], params: Params,
) -> Second:  # fmt: skip
    """Read seconds.

    Parameters
    ----------
    live, second, moving, upright, home, acc, cold : arrays, shape (...)
        As in `Second`.
    ok, ratio, rms, full : arrays, shape (..., C)
        As in `Second`.
    rms_rest : array, broadcast to (..., C)
        Rest level, RMS µV.
    steps : array, shape (..., C, STEPS)
        Envelope within the second, mean squares, any unit.
    flags : array of uint16, shape (..., C)
        Of each channel.
    mates : bool array, shape (C, C)
        Which channels are synergists.
    params : Params
        Tuning.

    Returns
    -------
    Second
        Powers of muscle and of rest add, so what exceeds rest is ``sqrt(rms² - rest²)``. The first channel is that
        which exceeds its rest by most.
    """
    above = ok & (ratio >= params.off_ratio)
    above_uv = np.where(ok, np.sqrt(np.maximum(rms**2 - rms_rest**2, 0)), 0).astype(np.float32)
    first = above_uv.argmax(-1)[..., None]
    of_first = mates[first[..., 0]] & ok
    second_uv = np.where(of_first & above, above_uv, 0).max(-1)  # who works less than that does not work
    first_uv = np.take_along_axis(above_uv, first, -1)[..., 0]
    chosen = np.take_along_axis(steps, first[..., None], -2)
    slow, fast, beats = rhythm(chosen.reshape(-1, steps.shape[-1]))
    return Second(
        live=live, second=second, ok=ok, ratio=ratio, rms=rms, full=full, moving=moving, upright=upright, home=home,
        acc=acc, cold=cold, above=above,
        flags=np.bitwise_or.reduce(flags, axis=-1),
        known=np.any(ok, axis=-1),
        most=np.where(ok, ratio, 0).max(-1),
        over=rms / rms_rest,
        relative=(above_uv / rms_rest / (params.reference_ratio - 1)).astype(np.float32),
        paired=of_first.any(-1),
        coactive=(second_uv / np.maximum(first_uv, 1e-12)).astype(np.float32),
        slow=slow.reshape(live.shape),
        fast=fast.reshape(live.shape),
        beats=beats.reshape(*live.shape, -1),
    )  # fmt: skip
