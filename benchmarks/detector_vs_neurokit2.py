"""EMG samples a second through the whole detector, over those of NeuroKit2's `emg_process`.

The same recordings for both, whole: `emg_process` takes them one by one, the detector all of them at once, with their
acceleration.
"""

import time
import warnings
from typing import Any, Final

from benchmarks.harness import in_turn
from benchmarks.streams import EMG_FS_HZ, SCALE_UV, Legs, make_legs, time_detector

STREAMS: Final = 25
SECONDS: Final = 10
ROUNDS: Final = 2


def time_neurokit2(legs: Legs) -> float:
    """Seconds for `emg_process` over the recordings, one after the other."""
    import neurokit2  # noqa: PLC0415 - only the benchmark's own environment has it

    signals = [leg[0] * (SCALE_UV / 1000.0) for leg in legs.emg]
    begun = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own, about pandas
        for signal in signals:
            neurokit2.emg_process(signal, sampling_rate=EMG_FS_HZ)
    return time.process_time() - begun


def measure(*, streams: int = STREAMS, seconds: int = SECONDS, rounds: int = ROUNDS) -> dict[str, Any]:
    """Run both in turn and compare."""
    # Every leg contracts: without an activation `emg_process` has less to do, or fails.
    legs = make_legs(streams, seconds=seconds, active_share=1.0)
    timed = in_turn(
        {"detector": lambda: time_detector(legs, block_s=seconds), "neurokit2": lambda: time_neurokit2(legs)},
        samples=legs.emg.size,
        rounds=rounds,
    )
    return {
        "name": "detector_vs_neurokit2",
        "ratio": round(timed.ratio("detector", "neurokit2"), 1),
        "unit": "EMG samples/s of the detector over those of neurokit2.emg_process",
        "goal": 500,
        "detector_samples_per_s": round(timed.per_s("detector")),
        "neurokit2_samples_per_s": round(timed.per_s("neurokit2")),
        "streams": streams,
        "timed": timed,
    }
