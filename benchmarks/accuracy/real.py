"""Real recordings: nobody in them had a cramp, so every episode is a false alarm."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from detector.quality import FLAGS
from detector.results import Epochs
from ingest.errors import IngestError
from ingest.recording import Recording, detect, open_file
from ingest.recording.formats import recordings_in

LOUD: Final = 2.0  # times rest


@dataclass(frozen=True, slots=True, kw_only=True)
class Listened:
    """What the detector made of one file."""

    source: str  # folder and file
    refused: str  # why it was not read, or nothing
    duration_s: float = 0.0
    usable_s: float = 0.0
    judged_s: float = 0.0  # usable, and the rest level known
    loud_s: float = 0.0  # judged, in epochs at twice rest or more
    flags: tuple[str, ...] = ()
    episodes: tuple[tuple[float, float, float], ...] = ()  # onset, end, confidence

    @property
    def why(self) -> str:
        """Why what was found is, or is not, a false alarm."""
        if self.refused:
            return self.refused
        if self.episodes:
            spans = ", ".join(f"{a:.0f}-{b:.0f} s at {c:.2f}" for a, b, c in self.episodes)
            return f"false alarm: nobody had a cramp, yet an episode at {spans}"
        if not self.usable_s:
            return "nothing usable: " + (", ".join(self.flags) or "shorter than a second")
        if not self.judged_s:
            return "says nothing: it ends before the rest level is known"
        if not self.loud_s:
            return "none: no ten seconds reach twice rest"
        return f"none: {self.loud_s:.0f} s at twice rest or more were not taken for a cramp"


def files(folder: Path) -> list[Path]:
    """What could be a recording."""
    return recordings_in(folder)


def listen(path: Path, folder: Path) -> Listened:
    """What the detector makes of one file, both legs together."""
    name = str(path.relative_to(folder))
    try:
        file = open_file(path)
        parts = [_listen(name, leg) for leg in file.legs]
    except IngestError as error:
        return Listened(source=name, refused=_short(str(error), path))
    if not parts:
        return Listened(source=name, refused="no EMG in it", duration_s=file.duration_s)
    return replace(
        max(parts, key=lambda one: one.judged_s),
        judged_s=sum(one.judged_s for one in parts),
        episodes=tuple(episode for one in parts for episode in one.episodes),
    )


def _listen(name: str, recording: Recording) -> Listened:
    found = detect(recording)
    usable_s, judged_s, loud_s = _seconds(found.epochs)
    return Listened(
        source=name,
        refused="",
        duration_s=recording.duration_s,
        usable_s=usable_s,
        judged_s=judged_s,
        loud_s=loud_s,
        flags=_flags(found.epochs),
        episodes=tuple(
            ((e.onset_ns - recording.start_ns) / 1e9, (e.end_ns - recording.start_ns) / 1e9, e.confidence)
            for e in found.episodes
            if e.status != "rejected"
        ),
    )


def _seconds(epochs: Sequence[Epochs]) -> tuple[float, float, float]:
    """Seconds usable, judged, and judged and loud; of the channel that has most of each."""
    channel, usable, rms, rest = (
        np.concatenate([getattr(one, name) for one in epochs]) for name in ("channel", "usable_s", "rms_uv", "rest_uv")
    )
    most = np.zeros(3)
    for c in np.unique(channel):
        mine = channel == c
        known = np.isfinite(rest[mine])
        before = np.concatenate([[False], known[:-1]])  # an epoch shows the rest level after it
        loud = before & (rms[mine] >= LOUD * rest[mine])
        most = np.maximum(most, [usable[mine].sum(), usable[mine][before].sum(), usable[mine][loud].sum()])
    return float(most[0]), float(most[1]), float(most[2])


def _flags(epochs: Sequence[Epochs]) -> tuple[str, ...]:
    seen = int(np.bitwise_or.reduce(np.concatenate([one.flags for one in epochs]).astype(np.int64), initial=0))
    return tuple(name for bit, name in enumerate(FLAGS) if seen >> bit & 1)


def _short(sentence: str, path: Path) -> str:
    return "not read: " + sentence.replace(f"{path}: ", "").replace("|", "/")
