"""Samples a second that one core renders and cuts into blocks, over the ten million that are promised.

`python -m benchmarks.simulator_speed` prints every scenario; `measure()` gives the ratio over a night with cramps,
a week on a low-power device, and the demo's first wearer, all blocks included, nothing encoded or sent.
"""

import time
from typing import Any, Final

from simulators.device import Device
from simulators.scenarios import SCENARIOS, build

PROMISED_PER_S: Final = 10e6
START_NS: Final = 1_760_000_000_000_000_000
SEED: Final = 1
MEASURED: Final = ("cramp_night", "week_away", "demo")


def render(device: Device) -> tuple[int, float]:
    """Samples of all channels of all blocks, and the processor seconds they took."""
    samples, begun = 0, time.process_time()
    for block in device.blocks():
        samples += sum(signal.n * signal.channels for signal in block.signals)
    return samples, time.process_time() - begun


def measure() -> dict[str, Any]:
    """Rendered samples a second over the promised ones."""
    samples, seconds, each = 0, 0.0, {}
    for name in MEASURED:
        some, took_s = render(build(name, seed=SEED, start_ns=START_NS).devices[0])
        each[name] = round(some / took_s)
        samples, seconds = samples + some, seconds + took_s
    return {
        "name": "simulator_speed",
        "ratio": round(samples / seconds / PROMISED_PER_S, 3),
        "unit": "rendered samples/s over 10 million/s",
        "samples_per_s": each,
    }


def main() -> None:
    """A line for each scenario."""
    for name in SCENARIOS:
        fleet = build(name, seed=SEED, start_ns=START_NS)
        results = [render(device) for device in fleet]
        samples, seconds = sum(some for some, _ in results), sum(took_s for _, took_s in results)
        print(
            f"{name:18s} {samples / 1e6:8.1f} M samples {seconds:7.2f} s {samples / seconds / 1e6:7.1f} M/s", flush=True
        )


if __name__ == "__main__":
    main()
