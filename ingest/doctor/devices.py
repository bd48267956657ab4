"""The devices and the ingester, as their own records tell of them."""

from collections.abc import Sequence
from statistics import median
from typing import Final

from ingest.doctor.check import Check, fail, in_words, ok, skipped, warn
from ingest.store import DeviceStatus, ServiceStatus

OFF_S: Final = 60.0
DRIFT_PPM: Final = 200.0
SILENT_S: Final = 60.0
RECENT_S: Final = 86_400.0
RUNNING: Final = "ingester.running"


def check_devices(statuses: Sequence[DeviceStatus], *, now_ns: int) -> list[Check]:
    """Clocks that are wrong, and what is missing or refused."""
    if not statuses:
        return [skipped("devices.clock", "no device has been heard yet")]
    return [_clocks(statuses, now_ns), _refused(statuses)]


def _clocks(statuses: Sequence[DeviceStatus], now_ns: int) -> Check:
    name = "devices.clock"
    live = [status for status in statuses if now_ns - status.last_received_ns < RECENT_S * 1e9]
    off = [status for status in live if abs(status.clock_offset_s) > OFF_S or abs(status.clock_drift_ppm) > DRIFT_PPM]
    if not off:
        return ok(name, f"{len(live)} of {len(statuses)} devices heard in a day, their clocks within {OFF_S:.0f} s")
    middle_s = median(status.clock_offset_s for status in live)
    if len(live) >= 3 and abs(middle_s) > OFF_S:
        told = f"most devices' clocks differ from this one, by {in_words(abs(middle_s))}"
        return fail(name, told, "it is this machine's clock that is wrong: timedatectl set-ntp true")
    told = ", ".join(
        f"{status.device} {status.clock_offset_s:+.0f} s {status.clock_drift_ppm:+.0f} ppm" for status in off[:5]
    )
    mend = "set these devices' clocks: their times, and so their nights, are off by that much"
    return warn(name, f"{len(off)} clocks are wrong: {told}", mend)


def _refused(statuses: Sequence[DeviceStatus]) -> Check:
    name = "devices.blocks"
    refused = [status for status in statuses if status.refused_blocks]
    missing = sum(status.missing_blocks for status in statuses)
    if refused:
        told = ", ".join(f"{one.device} {one.refused_blocks} ({one.refused_reason})" for one in refused[:5])
        return warn(name, f"refused blocks: {told}", "`charley quarantine list` shows them; mend these devices")
    return ok(name, f"none refused, {missing} missing so far")


def check_ingester(services: Sequence[ServiceStatus], *, running: bool | None, now_ns: int) -> Check:
    """What the ingester says of itself, and whether it still does. `running` is None where that cannot be seen."""
    ingester = next((service for service in services if service.name == "ingest"), None)
    age_s = float("inf") if ingester is None else (now_ns - ingester.beat_ns) / 1e9
    if ingester is None or age_s > SILENT_S:
        return _silent(age_s, running=running)
    if not ingester.accepting:
        return fail(RUNNING, f"takes no more: {ingester.reason}", "mend what it says; it goes on by itself")
    if not ingester.connected:
        return warn(RUNNING, "running, not connected to the broker", "see the checks of the broker")
    return ok(RUNNING, f"version {ingester.version}, lag {ingester.lag_s:.1f} s, {ingester.unacked} unacknowledged")


def _silent(age_s: float, *, running: bool | None) -> Check:
    ever = age_s < float("inf")
    if running:
        if not ever:
            return ok(RUNNING, "running")
        mend = "see its log and the checks of the store: its results wait in the journal"
        return warn(RUNNING, f"running, but the store has not heard from it for {in_words(age_s)}", mend)
    start = "start `charley ingest`; what devices send waits at the broker and in the devices until then"
    if not ever:
        return skipped(RUNNING, "no ingester has said anything yet", start)
    return warn(RUNNING, f"not running; last heard {in_words(age_s)} ago", start)


def oldest_waiting_s(services: Sequence[ServiceStatus], *, now_ns: int) -> float | None:
    """For how long the oldest record or event has waited, as the ingester tells it."""
    oldest = [one.oldest_outbox_ns for one in services if one.name == "ingest" and one.oldest_outbox_ns]
    return (now_ns - oldest[0]) / 1e9 if oldest else None
