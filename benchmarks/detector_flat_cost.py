"""What an EMG sample costs, from 10 to 50,000 streams: the highest over the lowest cost, and the table.

Each call of the detector costs something whatever it is given, most of a millisecond. So the ratio is over calls that
bring five million samples or more: few streams in long blocks, many in short ones. The table also has short blocks of
few streams, where that cost per call shows.
"""

import statistics
import time
from dataclasses import replace
from typing import Any, Final

from benchmarks.harness import Timed
from benchmarks.streams import SECOND_NS, Legs, make_legs
from detector import start, update

STREAMS: Final = (10, 100, 1000, 10_000, 50_000)
BLOCKS_S: Final = {10: (1, 10, 60, 600), 100: (1, 10, 60), 1000: (1, 10), 10_000: (1,), 50_000: (1,)}
LEAST_CALL: Final = 5_000_000  # samples in a call from which its own cost should no longer show
LEAST: Final = 12_000_000  # samples timed for each entry


def cost_ns(legs: Legs, block_s: int, *, calls: int) -> list[float]:
    """Nanoseconds an EMG sample, call by call. The same block is fed over and over, for memory's sake."""
    (chunk,) = legs.chunks(block_s)
    state, took = start(legs.layout, legs.streams), []
    for call in range(calls):
        chunk = replace(chunk, t0_ns=legs.t0_ns + call * block_s * SECOND_NS)
        begun = time.process_time()
        _, state = update(state, chunk)
        took.append((time.process_time() - begun) / legs.emg.size * 1e9)
    return took


def measure() -> dict[str, Any]:
    """Measure every entry of the table."""
    table: list[dict[str, Any]] = []
    timed = {}
    for streams in STREAMS:
        for block_s in BLOCKS_S[streams]:
            legs = make_legs(streams, seconds=block_s, active_share=0)
            took = cost_ns(legs, block_s, calls=max(12, 2 + LEAST // legs.emg.size))[2:]
            table.append({"streams": streams, "block_s": block_s, "ns_per_sample": round(statistics.median(took), 2)})
            table[-1]["samples_per_call"] = legs.emg.size
            timed[f"{streams} streams, blocks of {block_s} s"] = tuple(one * 1e-9 for one in took[:50])
    large = [entry["ns_per_sample"] for entry in table if entry["samples_per_call"] >= LEAST_CALL]
    return {
        "name": "detector_flat_cost",
        "ratio": round(max(large) / min(large), 2),
        "unit": "highest over lowest cost of a sample, 10 to 50,000 streams, calls of 5 M samples or more",
        "table": table,
        "timed": Timed(1, timed),
    }
