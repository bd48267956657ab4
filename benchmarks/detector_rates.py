"""The detector over the band-pass at other rates and with more channels: the least of the ratios, and the table.

A Fourier transform is quick where the number of samples in a second has small factors only, as 1000 and 2000 have; 1111
and 1259 have not, and devices have such rates.
"""

from functools import partial
from typing import Any, Final

from benchmarks.bandpass import time_sosfilt
from benchmarks.harness import in_turn
from benchmarks.streams import layout_of, make_legs, time_detector

RATES_HZ: Final = (200.0, 250.0, 500.0, 1000.0, 1111.11, 1259.0, 1259.26, 1925.93, 2000.0, 2148.15, 4000.0)
CHANNELS: Final = (2, 4, 8)
STREAMS: Final = 1000  # with more channels as many times fewer
SECONDS: Final = 6
ROUNDS: Final = 3


def measure(*, streams: int = STREAMS, rounds: int = ROUNDS) -> dict[str, Any]:
    """Run both in turn at every rate, and at 1000 Hz for other numbers of channels."""
    table: list[dict[str, Any]] = []
    for fs_hz, channels in [*((fs_hz, 1) for fs_hz in RATES_HZ), *((1000.0, channels) for channels in CHANNELS)]:
        legs = make_legs(streams // channels, seconds=SECONDS, layout=layout_of(fs_hz, channels))
        one = in_turn(
            {"detector": partial(time_detector, legs), "sosfilt": partial(time_sosfilt, legs)},
            samples=legs.emg.size,
            rounds=rounds,
        )
        table.append({"fs_hz": fs_hz, "channels": channels, "streams": legs.streams})
        table[-1]["detector_samples_per_s"] = round(one.per_s("detector"))
        table[-1]["ratio"] = round(one.ratio("detector", "sosfilt"), 2)
    return {
        "name": "detector_rates",
        "ratio": min(entry["ratio"] for entry in table),
        "unit": "least ratio of the detector over sosfilt, 200-4000 Hz, 1-8 channels",
        "table": table,
    }
