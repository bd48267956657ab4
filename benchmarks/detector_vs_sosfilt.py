"""EMG samples a second through the whole detector, over those of one bare band-pass of SciPy.

1,000 legs with one EMG channel at 1000 Hz and acceleration at 50 Hz, each with a clock of its own, fed in blocks of one
second to one thread. The band-pass is Butterworth of order 4, 20-450 Hz, `scipy.signal.sosfilt` over the same blocks,
already converted to float64. Only EMG samples are counted for either.
"""

from typing import Any, Final

from benchmarks.bandpass import time_sosfilt
from benchmarks.harness import in_turn
from benchmarks.streams import make_legs, time_detector

STREAMS: Final = 1000
SECONDS: Final = 30
ROUNDS: Final = 7


def measure(*, streams: int = STREAMS, seconds: int = SECONDS, rounds: int = ROUNDS) -> dict[str, Any]:
    """Run both in turn and compare; and once more with all clocks in step, which spares copies."""
    legs = make_legs(streams, seconds=seconds)
    in_step = make_legs(streams, seconds=seconds, in_step=True)
    timed = in_turn(
        {
            "detector": lambda: time_detector(legs),
            "sosfilt": lambda: time_sosfilt(legs),
            "detector, clocks in step": lambda: time_detector(in_step),
        },
        samples=legs.emg.size,
        rounds=rounds,
    )
    return {
        "name": "detector_vs_sosfilt",
        "ratio": round(timed.ratio("detector", "sosfilt"), 3),
        "unit": "EMG samples/s of the detector over those of one order-4 band-pass sosfilt pass",
        "goal": 1.0,
        "detector_samples_per_s": round(timed.per_s("detector")),
        "sosfilt_samples_per_s": round(timed.per_s("sosfilt")),
        "ratio_with_clocks_in_step": round(timed.ratio("detector, clocks in step", "sosfilt"), 3),
        "streams": streams,
        "timed": timed,
    }
