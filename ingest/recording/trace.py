"""What is drawn of a recording, gathered while the detector runs over it: as many points as a picture has room for."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detector import Chunk
from detector.layout import CountArray
from ingest.recording.movement import Movement, Swing
from ingest.recording.opened import Recording

POINTS: Final = 1400
SHORTEST_S: Final = 0.05  # of which one RMS is taken
Points = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Curve:
    """The envelope of one channel: `(points,)`, NaN where nothing was received."""

    at_s: Points
    rms: Points
    low: Points  # least and largest RMS within the point
    high: Points


class Trace:
    """Watches the chunks of one leg."""

    def __init__(self, leg: Recording) -> None:
        self.leg = leg
        self.width_s = max(SHORTEST_S, leg.duration_s / POINTS)
        shape = (leg.layout.channels, int(leg.duration_s / self.width_s) + 1)
        self.square, self.count = np.zeros(shape), np.zeros(shape)
        self.low, self.high = np.full(shape, np.inf), np.zeros(shape)
        groups = zip(leg.layout.groups, leg.scale, strict=True)
        self.swing = next((Swing(fs_hz=g.fs_hz, scale=scale[0]) for g, scale in groups if g.kind == "acc"), None)

    def watch(self, chunk: Chunk) -> None:
        """Take in the next chunk."""
        start_s = (int(chunk.t0_ns[0]) - self.leg.start_ns) / 1e9
        first = 0
        for group, samples, scale in zip(self.leg.layout.groups, chunk.samples, chunk.scale, strict=True):
            if group.kind == "acc":
                if self.swing is not None:
                    self.swing.add(start_s, samples[0])
                continue
            for channel in range(group.channels):
                self._add(first + channel, samples[0, channel], float(scale[0, channel]), start_s, group.fs_hz)
            first += group.channels

    def _add(self, channel: int, counts: CountArray, scale: float, start_s: float, fs_hz: float) -> None:
        n = max(4, round(SHORTEST_S * fs_hz))
        rows = counts[: len(counts) // n * n].reshape(-1, n).astype(np.float64)
        rms = rows.std(axis=-1) * scale
        at = ((start_s + (np.arange(len(rms)) + 0.5) * (n / fs_hz)) / self.width_s).astype(np.intp)
        at = np.clip(at, 0, self.count.shape[1] - 1)
        np.add.at(self.square[channel], at, rms * rms)
        np.add.at(self.count[channel], at, 1)
        np.minimum.at(self.low[channel], at, rms)
        np.maximum.at(self.high[channel], at, rms)

    def curve(self, channel: int) -> Curve:
        """The envelope of a channel as far as it was seen."""
        count = self.count[channel]
        seen = count > 0
        at_s: Points = np.asarray((np.arange(len(count)) + 0.5) * self.width_s, np.float64)
        rms = np.where(seen, np.sqrt(self.square[channel] / np.maximum(count, 1)), np.nan)
        low, high = np.where(seen, self.low[channel], np.nan), np.where(seen, self.high[channel], np.nan)
        return Curve(at_s, rms, low, high)

    def movement(self) -> Movement | None:
        """The leg's acceleration, if it has any."""
        return self.swing.movement("shank") if self.swing is not None else None
