"""EMG samples a second through the whole detector, over those of one bare band-pass of SciPy.

1,000 legs with one EMG channel at 1000 Hz and acceleration at 50 Hz, fed in blocks of one second to one thread. The
band-pass is what any EMG program does first: Butterworth of order 4, 20-450 Hz, `scipy.signal.sosfilt` over the same
blocks, already converted to float64, its memory carried on. Only EMG samples are counted for either. Both take turns.
"""

import statistics
import time
from typing import Any, Final

import numpy as np
from scipy.signal import butter, sosfilt

from benchmarks.streams import EMG_FS_HZ, LAYOUT, SCALE_UV, Legs, make_legs
from detector import start, update

STREAMS: Final = 1000
SECONDS: Final = 30
ROUNDS: Final = 5


def time_detector(legs: Legs) -> float:
    """Seconds for the detector to take in the recordings, block by block."""
    chunks = list(legs.chunks())
    state = start(LAYOUT, legs.streams)
    begun = time.perf_counter()
    for chunk in chunks:
        _, state = update(state, chunk)
    return time.perf_counter() - begun


def time_sosfilt(legs: Legs) -> float:
    """Seconds for one band-pass over the same blocks."""
    sos = butter(4, (20.0, 450.0), "bandpass", fs=EMG_FS_HZ, output="sos")
    memory = np.zeros((sos.shape[0], legs.streams, 2))
    blocks = [np.multiply(chunk.samples[0][:, 0], SCALE_UV, dtype=np.float64) for chunk in legs.chunks()]
    begun = time.perf_counter()
    for block in blocks:
        _, memory = sosfilt(sos, block, axis=-1, zi=memory)
    return time.perf_counter() - begun


def measure(*, streams: int = STREAMS, seconds: int = SECONDS, rounds: int = ROUNDS) -> dict[str, Any]:
    """Run both in turn and compare the medians."""
    legs = make_legs(streams, seconds=seconds)
    warm = make_legs(2, seconds=2)
    time_detector(warm)
    time_sosfilt(warm)
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(rounds):
        ours.append(legs.emg.size / time_detector(legs))
        theirs.append(legs.emg.size / time_sosfilt(legs))
    detector, bare = statistics.median(ours), statistics.median(theirs)
    return {
        "name": "detector_vs_sosfilt",
        "ratio": round(detector / bare, 4),
        "unit": "EMG samples/s of the detector over those of one order-4 band-pass sosfilt pass",
        "detector_samples_per_s": round(detector),
        "sosfilt_samples_per_s": round(bare),
        "emg_samples": legs.emg.size,
        "streams": streams,
        "rounds": [[round(a), round(b)] for a, b in zip(ours, theirs, strict=True)],
    }
