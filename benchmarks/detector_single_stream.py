"""One leg fed whole: EMG samples a second through the detector, over those of one band-pass of SciPy.

Twenty minutes of one EMG channel at 1000 Hz and acceleration at 50 Hz in one call, at rest but for a share of the time;
`sosfilt` takes them in one call too. Twice: all rest, and active for a twentieth of the time.
"""

from dataclasses import replace
from typing import Any, Final

import numpy as np

from benchmarks.bandpass import time_sosfilt
from benchmarks.harness import in_turn
from benchmarks.streams import ACTIVE_UV, EMG_FS_HZ, REST_UV, Legs, make_legs, time_detector

SECONDS: Final = 1200
ROUNDS: Final = 5
EVERY_S: Final = 600
LASTS_S: Final = 30  # of each ten minutes: a twentieth


def with_activity(legs: Legs) -> Legs:
    """Strong activity for half a minute in every ten."""
    emg = legs.emg.copy()
    for second in range(EVERY_S // 2, legs.seconds, EVERY_S):
        part = emg[..., second * EMG_FS_HZ : (second + LASTS_S) * EMG_FS_HZ]
        part[...] = np.clip(part * (ACTIVE_UV / REST_UV), -32768, 32767).astype(np.int16)
    return replace(legs, samples=(emg, *legs.samples[1:]))


def measure(*, seconds: int = SECONDS, rounds: int = ROUNDS) -> dict[str, Any]:
    """Run both in turn and compare."""
    rest = make_legs(1, seconds=seconds, active_share=0)
    active = with_activity(rest)
    timed = in_turn(
        {
            "detector": lambda: time_detector(active, block_s=seconds),
            "detector, all at rest": lambda: time_detector(rest, block_s=seconds),
            "sosfilt": lambda: time_sosfilt(active, block_s=seconds),
        },
        samples=rest.emg.size,
        rounds=rounds,
    )
    return {
        "name": "detector_single_stream",
        "ratio": round(timed.ratio("detector", "sosfilt"), 3),
        "unit": "EMG samples/s of the detector over those of sosfilt, one stream fed whole, active 5 % of the time",
        "goal": 0.25,
        "detector_samples_per_s": round(timed.per_s("detector")),
        "sosfilt_samples_per_s": round(timed.per_s("sosfilt")),
        "ratio_all_at_rest": round(timed.ratio("detector, all at rest", "sosfilt"), 3),
        "timed": timed,
    }
