"""Runs the detector over a recording: a file is the stream fed once."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from detector import DEFAULT, Chunk, Episode, Epochs, Params, finish, start, update
from ingest.pipeline import goes_on
from ingest.recording.opened import Recording


@dataclass(frozen=True, slots=True)
class Found:
    """What the detector found in a recording."""

    episodes: tuple[Episode, ...]  # as they stand at the end; none is preliminary
    epochs: tuple[Epochs, ...]

    def coverage(self) -> dict[str, float]:
        """Seconds received, worn and usable by the leg: a second counts where any site gives it."""
        names = ("received_s", "worn_s", "usable_s")
        totals = dict.fromkeys(names, 0.0)
        for epochs in self.epochs:
            starts, index = np.unique(epochs.start_ns, return_inverse=True)
            for name in names:
                most = np.zeros(len(starts))
                np.maximum.at(most, index, getattr(epochs, name))
                totals[name] += float(most.sum())
        return totals


def detect(
    recording: Recording,
    *,
    params: Params = DEFAULT,
    progress: Callable[[float], None] | None = None,
    watch: Callable[[Chunk], None] | None = None,
) -> Found:
    """Run the detector over a recording; `progress` is told the seconds done, `watch` sees every chunk.

    Where nothing was recorded for long a session ends, as it does for a device that sends.
    """
    state = start(recording.layout, 1)
    episodes: dict[tuple[int, int], Episode] = {}
    epochs = []
    reach_ns = 0

    def end() -> None:
        rest = finish(state, params=params)
        epochs.append(rest.epochs)
        episodes.update({(e.channel, e.onset_ns): e for e in rest.episodes})

    for chunk in recording.pieces():
        lasts_s = chunk.samples[0].shape[-1] / recording.layout.groups[0].fs_hz
        if not goes_on(int(chunk.t0_ns[0]), reach_ns):
            end()
            state = start(recording.layout, 1)
        reach_ns = int(chunk.t0_ns[0]) + round(lasts_s * 1e9)
        results, state = update(state, chunk, params=params)
        epochs.append(results.epochs)
        episodes.update({(e.channel, e.onset_ns): e for e in results.episodes})
        if watch is not None:
            watch(chunk)
        if progress is not None:
            progress((int(chunk.t0_ns[0]) - recording.start_ns) / 1e9 + lasts_s)
    end()
    ordered = sorted(episodes.values(), key=lambda e: (e.onset_ns, e.channel))
    return Found(episodes=tuple(ordered), epochs=tuple(epochs))
