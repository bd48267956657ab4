"""Is a device working at all? Its last signs of life in, a state and a plain sentence out. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from api.coverage import EPOCH_NS, cells_of
from api.wording import duration
from api.zones import SECOND_NS, ZoneHistory
from ingest.store import DeviceStatus, Epoch

LivenessState = Literal[
    "working", "catching_up", "poor_signal", "not_worn", "connected_but_silent", "offline", "never_seen"
]
SILENT_S: Final = 120.0  # two of the longest blocks
BEHIND_S: Final = 600.0
LOOK_BACK_NS: Final = 6 * EPOCH_NS


@dataclass(frozen=True, slots=True)
class Liveness:
    """The state of a device now; `since_ns` is when it was last heard, where that matters."""

    state: LivenessState
    sentence: str
    since_ns: int | None = None


def recent_range(status: DeviceStatus) -> tuple[int, int]:
    """The stretch of device time whose epochs tell whether the device is worn."""
    return status.last_sample_ns - LOOK_BACK_NS - EPOCH_NS, status.last_sample_ns + 1


def liveness(
    status: DeviceStatus | None, recent: Sequence[Epoch], *, zones: ZoneHistory | None, now_ns: int
) -> Liveness:
    """Judge by what arrived, whatever the device says of its connection; `recent` covers `recent_range`."""
    if status is None:
        return Liveness("never_seen", "Never seen: nothing has arrived from this device.")
    heard_ns = status.last_received_ns
    ago_s = max(now_ns - heard_ns, 0) / 1e9
    if heard_ns and ago_s <= SILENT_S:
        return _of_signal(status, recent, zones=zones, now_ns=now_ns)
    when = f"{_clock(heard_ns, zones)} ({duration(ago_s)} ago)"
    if not status.online:
        if not heard_ns:
            return Liveness("offline", "Offline; no measurement has ever arrived.")
        return Liveness("offline", f"Offline since {when}.", heard_ns)
    if not heard_ns:
        return Liveness("connected_but_silent", "Connected but silent: no measurement has arrived yet.")
    return Liveness("connected_but_silent", f"Connected but silent since {when}.", heard_ns)


def _of_signal(status: DeviceStatus, recent: Sequence[Epoch], *, zones: ZoneHistory | None, now_ns: int) -> Liveness:
    if (now_ns - status.last_sample_ns) / 1e9 > BEHIND_S:
        sentence = f"Synchronising: it has come to {_clock(status.last_sample_ns, zones)}."
        return Liveness("catching_up", sentence, status.last_sample_ns)
    received, worn, usable = cells_of(recent).seconds.sum(axis=1).tolist()
    if received and worn * 2 < received:
        return Liveness("not_worn", "Connected, but not worn.")
    if received and usable * 2 < received:
        return Liveness("poor_signal", "Worn, but the signal is poor: check the electrodes.")
    return Liveness("working", "Working.")


def _clock(instant_ns: int, zones: ZoneHistory | None) -> str:
    local = zones.local(instant_ns) if zones else datetime.fromtimestamp(instant_ns // SECOND_NS, UTC)
    return f"{local:%a %d %b, %H:%M}" + ("" if zones else " UTC")
