"""What to do about a device that does not do its work, as sentences. Pure."""

from collections.abc import Collection
from typing import Final

from api.recent import Signal
from api.wording import count, duration
from ingest.store import DeviceStatus

LOW_BATTERY: Final = 0.15
# The first flag that was raised says why a signal is not usable.
_OF_FLAGS: Final = {
    "electrode_off": "an electrode has come off. Press it on, or put on a new one.",
    "flat": "the electrodes give nothing at all. Check the cable and the contacts.",
    "rail": "it exceeds what the device can measure. Check the electrodes and the cable.",
    "hum": "mains hum covers the muscle. Press the electrodes on, and keep chargers away.",
    "artefact": "it is full of artefacts. Fasten the electrodes and the cable.",
}
# The reasons of the wire format.
REFUSALS: Final = {
    "channels": "its acceleration has not three channels",
    "content_type": "its type is not known",
    "counter": "the device began to count anew too often: it needs a counter that lasts, and another id",
    "declared": "it contradicts what the device said of its signals",
    "device": "it names another device",
    "duration": "it is too short or too long",
    "empty": "it is empty",
    "encoding": "it cannot be decoded",
    "rate": "its sampling rate cannot be",
    "samples": "its number of samples cannot be",
    "scale": "its scale cannot be",
    "schema": "it is not in the wire format",
    "signals": "its signals do not fit together",
    "size": "it is too large",
    "stretch": "its signals cover different stretches",
    "topic": "its topic is not one",
}
WAITS_FOR_ARCHIVE: Final = (
    "Results of what came late wait: a file of the service cannot be read. "
    "Tell whoever runs the service: charley doctor says which."
)
_ELSE: Final = "check the electrodes and the cable."


def of_flags(flags: Collection[str]) -> str:
    """Why a signal is not usable, and what helps."""
    return next((remedy for flag, remedy in _OF_FLAGS.items() if flag in flags), _ELSE)


def of_refusal(reason: str) -> str:
    """A clause that says why a message was refused."""
    return REFUSALS.get(reason) or f"of this reason: {reason.rstrip('.')}"


def of_refused(status: DeviceStatus) -> str:
    """A word on a device of which what came last was refused; else empty."""
    if not status.refused_reason or status.refused_ns <= status.last_received_ns:
        return ""
    return f" What it sent last was refused, because {of_refusal(status.refused_reason)}."


def of_sites(signal: Signal) -> str:
    """Sites that are not usable on a device that otherwise is; empty where there is none."""
    if not signal.poor_sites:
        return ""
    names = " and ".join(site.replace("_", " ") for site in signal.poor_sites)
    return f" But nothing usable from {names}: {of_flags(signal.flags)}"


def of_battery(status: DeviceStatus, *, gone: bool) -> str:
    """A word on a battery that is low, or was when the device was last heard; else empty."""
    if status.battery is None or status.battery > LOW_BATTERY:
        return ""
    level = f"{status.battery * 100:.0f} %"
    return f"Its battery was at {level}: charge it." if gone else f"Its battery is at {level}: charge it soon."


def of_clock(status: DeviceStatus, *, over_s: float) -> str:
    """A word on the clock of a device that is away and was ahead by more than so much; else empty."""
    ahead_s = max(status.clock_offset_s, (status.last_sample_ns - status.last_received_ns) / 1e9)
    if not status.last_received_ns or ahead_s <= over_s:
        return ""
    return f" Its clock was {duration(ahead_s)} ahead when it was last heard: set it too."


def of_waiting(status: DeviceStatus) -> str:
    """What has arrived and is not yet in the results; empty where all is."""
    found = ""
    if status.archive_unreadable:
        found += f" {WAITS_FOR_ARCHIVE}"
    elif status.late_blocks:
        found += f" Results of {count(status.late_blocks, 'late block')} are still being worked out."
    if status.undated_blocks:
        found += f" Kept until its clock is set: {count(status.undated_blocks, 'block')}."
    return found
