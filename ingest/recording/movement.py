"""Movement and posture, second by second: what is said of a file without EMG, and drawn of every file."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from detector import DEFAULT, Params
from detector.acc import acc_windows, angle_deg
from detector.layout import CountArray, FloatArray
from ingest.recording.opened import RecordingFile, stretches


@dataclass(frozen=True, slots=True)
class Movement:
    """One accelerometer in whole seconds."""

    name: str  # `right tibia`
    at_s: FloatArray  # (seconds,) from the start of the file
    mad_g: FloatArray  # (seconds,)
    angle_deg: FloatArray  # (seconds,) of axis x to the horizontal

    def values(self, params: Params = DEFAULT) -> dict[str, Any]:
        """Figures for JSON; what was not measured is null."""
        some = len(self.mad_g) > 0
        known = self.angle_deg[np.isfinite(self.angle_deg)]
        return {
            "accelerometer": self.name,
            "seconds": len(self.mad_g),
            "moving_share": float((self.mad_g > params.movement_g).mean()) if some else None,
            "mad_g": float(np.median(self.mad_g)) if some else None,
            "angle_deg": float(np.median(known)) if known.size else None,
        }


class Swing:
    """Gathers the seconds of one accelerometer, stretch after stretch."""

    def __init__(self, *, fs_hz: float, scale: FloatArray) -> None:
        self.fs_hz, self.scale, self.n = fs_hz, scale, max(2, int(fs_hz + 1e-6))
        self.rest: CountArray = np.zeros((3, 0), np.int16)
        self.rest_s = self.end_s = -1.0
        self.parts: list[tuple[FloatArray, FloatArray, FloatArray]] = []

    def add(self, start_s: float, counts: CountArray) -> None:
        """The next counts `(3, n)`; what does not follow the last ones begins a second of its own."""
        follows = abs(start_s - self.end_s) <= 1 / self.fs_hz + 0.05
        begin_s = self.rest_s if follows and self.rest.shape[1] else start_s
        whole = np.concatenate([self.rest, counts], axis=1) if follows else counts
        self.end_s = start_s + counts.shape[1] / self.fs_hz
        seconds = whole.shape[1] // self.n
        self.rest, self.rest_s = whole[:, seconds * self.n :], begin_s + seconds * self.n / self.fs_hz
        rows = whole[:, : seconds * self.n].reshape(3, seconds, self.n).transpose(1, 0, 2)
        found = acc_windows(rows, np.repeat(self.scale[None], seconds, axis=0))
        at_s = (begin_s + np.arange(seconds) * (self.n / self.fs_hz)).astype(np.float32)
        self.parts.append((at_s, found.mad, angle_deg(found.gravity)))

    def movement(self, name: str) -> Movement:
        """All of it."""
        empty = np.zeros(0, np.float32)
        columns = [np.concatenate([empty, *(part[k] for part in self.parts)]) for k in range(3)]
        return Movement(name, *columns)


def movements(file: RecordingFile) -> Iterator[Movement]:
    """Every accelerometer that is on no leg with EMG."""
    for acc, lanes in file.spare:
        scale = np.array([lane.scale for lane in lanes], np.float32)
        swing = Swing(fs_hz=lanes[0].fs_hz / lanes[0].factor, scale=scale)
        for block, (counts,) in stretches(file.source, (lanes,)):
            swing.add(block.start_s, counts)
        yield swing.movement(acc.name)


def sentence(values: dict[str, Any]) -> str:
    """What a person reads of it."""
    if values["seconds"] == 0:
        return f"{values['accelerometer']}: less than a second of acceleration"
    angle = "" if values["angle_deg"] is None else f", axis x at {values['angle_deg']:.0f}° to the horizontal"
    moving = f"moving {100 * values['moving_share']:.0f} % of them (MAD {values['mad_g']:.3f} g in the median second)"
    return f"{values['accelerometer']}: {values['seconds']} s of acceleration, {moving}{angle}"
