"""Several devices that belong together."""

from collections.abc import Iterator
from dataclasses import dataclass

from simulators.device import Device
from simulators.truth import Truth


@dataclass(frozen=True, slots=True)
class Fleet:
    """The devices of one scenario."""

    name: str
    devices: tuple[Device, ...]

    def __iter__(self) -> Iterator[Device]:
        return iter(self.devices)

    def __len__(self) -> int:
        return len(self.devices)

    def truths(self) -> tuple[Truth, ...]:
        """The truth about each device."""
        return tuple(device.truth() for device in self.devices)
