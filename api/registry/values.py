"""What the registry keeps, as values."""

import re
from dataclasses import dataclass
from typing import Final, Literal, get_args

from api.errors import Invalid
from api.periods import NightPreference
from api.zones import ZoneHistory

Side = Literal["left", "right"]
Muscle = Literal["gastrocnemius_medialis", "gastrocnemius_lateralis", "tibialis_anterior", "soleus"]
MUSCLES: Final[tuple[str, ...]] = get_args(Muscle)
MAX_NAME: Final = 80
_DEVICE_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


def check_name(name: str) -> str:
    """A name to show: trimmed, not empty, of one line."""
    trimmed = " ".join(name.split())
    if not 1 <= len(trimmed) <= MAX_NAME or not trimmed.isprintable():
        raise Invalid("name", f"Give a name of 1 to {MAX_NAME} printable characters.")
    return trimmed


def check_device_id(device: str) -> str:
    """A device id as it stands in MQTT topics."""
    if not _DEVICE_ID.fullmatch(device):
        raise Invalid("device", "A device id has 1 to 64 letters, digits, hyphens and underscores, as in its topic.")
    return device


@dataclass(frozen=True, slots=True)
class Wearer:
    """A person. The id is random and says nothing of them."""

    id: str
    name: str
    night: NightPreference
    zones: ZoneHistory
    created_ns: int


@dataclass(frozen=True, slots=True)
class Device:
    """One leg wearable, by the id on its topics."""

    id: str
    label: str
    created_ns: int


@dataclass(frozen=True, slots=True)
class Assignment:
    """Which device sits on which wearer, side and muscle, in `[from_ns, to_ns)`; no `to_ns`: it goes on."""

    id: str
    device: str
    wearer: str
    side: Side
    muscle: Muscle
    from_ns: int
    to_ns: int | None

    def __post_init__(self) -> None:
        if self.to_ns is not None and self.to_ns <= self.from_ns:
            raise Invalid("to", "An assignment ends after it begins: give a `to` later than `from`.")

    def covers(self, instant_ns: int) -> bool:
        """Whether the device was assigned at this instant."""
        return self.from_ns <= instant_ns and (self.to_ns is None or instant_ns < self.to_ns)

    def clip(self, start_ns: int, end_ns: int) -> tuple[int, int] | None:
        """The part of `[start_ns, end_ns)` that it holds for."""
        low = max(start_ns, self.from_ns)
        high = end_ns if self.to_ns is None else min(end_ns, self.to_ns)
        return (low, high) if low < high else None
