"""EMG samples a second through the whole detector, over those of NeuroKit2's `emg_process`.

The same recordings for both: `emg_process` takes one recording of one channel whole, the detector all of them in
blocks of a second. Both take turns on one thread.
"""

import statistics
import time
import warnings
from typing import Any, Final

from benchmarks.detector_vs_sosfilt import time_detector
from benchmarks.streams import EMG_FS_HZ, SCALE_UV, Legs, make_legs

STREAMS: Final = 50
SECONDS: Final = 10
ROUNDS: Final = 3


def time_neurokit2(legs: Legs) -> float:
    """Seconds for `emg_process` over the recordings, one after the other."""
    import neurokit2  # noqa: PLC0415 - only the benchmark's own environment has it

    signals = [leg[0] * (SCALE_UV / 1000.0) for leg in legs.emg]
    begun = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own, about pandas
        for signal in signals:
            neurokit2.emg_process(signal, sampling_rate=EMG_FS_HZ)
    return time.perf_counter() - begun


def measure(*, streams: int = STREAMS, seconds: int = SECONDS, rounds: int = ROUNDS) -> dict[str, Any]:
    """Run both in turn and compare the medians."""
    # Every leg contracts: without an activation `emg_process` has less to do, or fails.
    legs = make_legs(streams, seconds=seconds, active_share=1.0)
    warm = make_legs(1, seconds=10, active_share=1.0)
    time_detector(warm)
    time_neurokit2(warm)
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(rounds):
        ours.append(legs.emg.size / time_detector(legs))
        theirs.append(legs.emg.size / time_neurokit2(legs))
    detector, other = statistics.median(ours), statistics.median(theirs)
    return {
        "name": "detector_vs_neurokit2",
        "ratio": round(detector / other, 2),
        "unit": "EMG samples/s of the detector over those of neurokit2.emg_process",
        "detector_samples_per_s": round(detector),
        "neurokit2_samples_per_s": round(other),
        "emg_samples": legs.emg.size,
        "streams": streams,
        "rounds": [[round(a), round(b)] for a, b in zip(ours, theirs, strict=True)],
    }
