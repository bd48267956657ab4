"""Where the time of an update goes: the share of the Fourier transforms, and the table by step.

1,000 legs with clocks of their own, one EMG channel at 1000 Hz, blocks of one second. Each step is timed by itself on
what it is given in a run.
"""

import statistics
import time
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import scipy.fft

from benchmarks.streams import EMG_FS_HZ, make_legs
from detector import start, update
from detector.emg import ENVELOPE_N, SLAB
from detector.features import features
from detector.windows import cut, place, take

STREAMS: Final = 1000
SECONDS: Final = 24
FIRST: Final = 4  # blocks until every leg has had a window


def clock(call: Callable[[], object]) -> float:
    """Processor seconds."""
    begun = time.process_time()
    call()
    return time.process_time() - begun


def transforms() -> None:
    """Nothing but the two transforms of every window."""
    samples = np.ones((SLAB, EMG_FS_HZ), np.float32)
    envelope = np.ones((ENVELOPE_N, SLAB), np.complex64)
    for _ in range(0, STREAMS, SLAB):
        scipy.fft.rfft(samples.T, axis=0)
        scipy.fft.ifft(envelope, axis=0, norm="forward")


def measure(*, streams: int = STREAMS, seconds: int = SECONDS) -> dict[str, Any]:
    """Time the steps of every block, and take medians."""
    legs = make_legs(streams, seconds=seconds)
    state = start(legs.layout, streams)
    took: dict[str, list[float]] = {"whole": [], "seconds": [], "samples taken": [], "features": [], "transforms": []}
    for second, chunk in enumerate(legs.chunks()):
        after = update(state, chunk)[1]
        if second >= FIRST:
            took["whole"].append(clock(lambda: update(state, chunk)))  # noqa: B023 - called at once
            took["seconds"].append(clock(lambda: cut(place(state.copy(), chunk), chunk.samples)))  # noqa: B023
            windows, _ = cut(place(state.copy(), chunk), chunk.samples)
            row, t = np.nonzero(windows.valid)
            slabs = [slice(k, k + SLAB) for k in range(0, len(row), SLAB)]
            took["samples taken"].append(clock(lambda: [take(windows.runs[0], row[k], t[k]) for k in slabs]))  # noqa: B023
            took["features"].append(clock(lambda: features(legs.layout, windows, chunk.scale)))  # noqa: B023
            took["transforms"].append(clock(transforms))
        state = after
    median = {name: statistics.median(values) for name, values in took.items()}
    shares = {
        "place and cut into seconds": median["seconds"],
        "take the samples of windows": median["samples taken"],
        "Fourier transforms alone": median["transforms"],
        "other features": median["features"] - median["samples taken"] - median["transforms"],
        "flags, epochs, rest, episodes": median["whole"] - median["seconds"] - median["features"],
    }
    windows_n = streams * 1e-6
    return {
        "name": "detector_steps",
        "ratio": round(median["transforms"] / median["whole"], 3),
        "unit": "time of the Fourier transforms alone over that of the whole update",
        "table": [
            {"step": name, "share": round(one / median["whole"], 3), "us_a_window": round(one / windows_n, 2)}
            for name, one in shares.items()
        ],
    }
