"""A steady load: devices that send a block a second as time passes, and what they wait for."""

import threading
import time
from types import TracebackType
from typing import Final, Self

from benchmarks.reliability.fleet import Fleet
from benchmarks.reliability.legs import SECOND_NS, Sent, Stretch

TICK_S: Final = 0.1


def live_tapes(*, devices: int, seconds: int, seed: int, speed: int) -> dict[str, list[Sent]]:
    """One-second blocks that begin now; with a speed above 1 so long ago that the last one is of now."""
    start_ns = time.time_ns() - (seconds - seconds // speed) * SECOND_NS
    return {
        f"leg-{i}": Stretch(seed=seed * 1000 + i, start_ns=start_ns, seconds=seconds).blocks() for i in range(devices)
    }


class Load:
    """Lets each device send as many blocks as seconds have passed, times `speed`, until the block ends.

    Devices are out of step, as they are in life.
    """

    def __init__(self, fleet: Fleet, *, speed: float = 1.0) -> None:
        self._fleet = fleet
        self._speed = speed
        self._begun = time.monotonic()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="load", daemon=True)
        self._thread.start()

    @property
    def now_s(self) -> float:
        """Seconds since it began."""
        return time.monotonic() - self._begun

    @property
    def exhausted(self) -> bool:
        """Whether every device has been allowed to send all it has."""
        return all(device.limit >= len(device.sendings) for device in self._fleet.devices.values())

    def _run(self) -> None:
        while not self._ended.wait(TICK_S):
            due = self.now_s * self._speed
            devices = self._fleet.devices.values()
            for i, device in enumerate(devices):
                device.limit = max(device.limit, min(len(device.sendings), int(due + i / len(devices))))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join(10 * TICK_S)
