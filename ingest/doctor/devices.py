"""The devices and the ingester, as their own records tell of them.

A block that waited at the broker or in the device looks like one of a clock that is behind; nothing on the way makes
a clock look ahead. So a clock that is ahead is wrong, and of one that is behind both causes are named. Of blocks
without a date nothing is measured: that they came, and none that is dated and new, is all that shows such a clock.
"""

from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Final

from ingest.archive.checking import page_trouble
from ingest.doctor.check import Check, fail, in_few, in_words, ok, skipped, warn
from ingest.store import DeviceStatus, ServiceStatus

OFF_S: Final = 60.0
DRIFT_PPM: Final = 200.0
SILENT_S: Final = 60.0
RECENT_S: Final = 86_400.0
RUNNING: Final = "ingester.running"
_START: Final = "start `charley ingest`; what devices send waits at the broker and in the devices until then"
_WAITED: Final = (
    "where blocks waited at the broker or in the devices, nothing is to be done: look again a day after; else"
)


def check_devices(statuses: Sequence[DeviceStatus], *, now_ns: int, damaged: Sequence[str] = ()) -> list[Check]:
    """Clocks that are wrong, what is missing or refused, and whose archive has these damaged parts."""
    if not statuses:
        return [skipped("devices.clock", "no device has been heard yet")]
    return [_clocks(statuses, now_ns), _refused(statuses, now_ns), _archive(statuses, damaged)]


def look_at_parts(folder: Path, statuses: Sequence[DeviceStatus]) -> list[str]:
    """The damaged parts of devices whose archive could not be read; each of theirs is read whole."""
    waiting = [status.device for status in statuses if status.archive_unreadable]
    parts = [
        part for device in waiting for part in sorted(folder.glob(f"archive/device={device}/date=*/part-*.parquet"))
    ]
    return [str(part.relative_to(folder)) for part in parts if page_trouble(part)]


def _archive(statuses: Sequence[DeviceStatus], damaged: Sequence[str]) -> Check:
    name = "devices.archive"
    waiting = [status.device for status in statuses if status.archive_unreadable]
    if not waiting:
        return ok(name, "late blocks of no device wait for a part of the archive to be mended")
    told = f"late blocks of {in_few(waiting)} wait, as the archive could not be read"
    if damaged:
        mend = "put these files back from a backup, or without one move them out of the archive"
        return fail(name, f"{told}; damaged: {in_few(damaged)}", mend)
    return fail(name, told, "the ingester's log says why (archive_unreadable); it is tried again every ten minutes")


def _clocks(statuses: Sequence[DeviceStatus], now_ns: int) -> Check:
    live = [status for status in statuses if now_ns - status.last_received_ns < RECENT_S * 1e9]
    undated = [status for status in live if _is_undated(status)]
    check = _dated([status for status in live if status not in undated], of=len(statuses))
    if not undated:
        return check
    names = in_few([status.device for status in undated])
    told = f"clocks that cannot be right, whose blocks are kept without a date until they are: {names}; {check.found}"
    mend = "set the clocks of these devices (docs/wire.md, section 5)"
    if len(live) >= 3 and 2 * len(undated) > len(live):
        mend = f"see that this machine's clock is right, as it is so for most devices; else {mend}"
    if check.mend:
        return Check(check.name, check.verdict, told, f"{mend}; of the others: {check.mend}")
    return warn(check.name, told, mend)


def _dated(live: Sequence[DeviceStatus], *, of: int) -> Check:
    """The clocks of devices that are heard, whose blocks have dates."""
    name = "devices.clock"
    off = [status for status in live if _is_off(status)]
    if not off:
        return ok(name, f"{len(live)} of {of} devices heard in a day, their clocks within {OFF_S:.0f} s")
    middle_s = median(status.clock_offset_s if _is_off(status) else 0.0 for status in live)
    if len(live) >= 3 and middle_s > OFF_S:
        told = f"most devices' clocks are ahead of this one, by {in_words(middle_s)}"
        return fail(name, told, "it is this machine's clock that is wrong: timedatectl set-ntp true")
    if len(live) >= 3 and middle_s < -OFF_S:
        told = f"most devices seem {in_words(-middle_s)} behind: their blocks came late, or this clock is ahead"
        return warn(name, told, f"{_WAITED}, see that this machine's clock is kept by NTP: timedatectl set-ntp true")
    mend = "set these devices' clocks: their times, and so their nights, are off by that much"
    wrong = [one for one in off if one.clock_offset_s > OFF_S or abs(one.clock_drift_ppm) > DRIFT_PPM]
    behind = [one for one in off if one not in wrong]
    told = f"{len(behind)} clocks are behind, or their blocks came late: {_some(behind)}"
    if not wrong:
        return warn(name, told, f"{_WAITED}, {mend}")
    firm = f"{len(wrong)} clocks are wrong: {_some(wrong)}"
    return warn(name, f"{firm}; {told}" if behind else firm, mend)


def _some(statuses: Sequence[DeviceStatus]) -> str:
    return in_few([f"{one.device} {one.clock_offset_s:+.0f} s {one.clock_drift_ppm:+.0f} ppm" for one in statuses])


def _is_undated(status: DeviceStatus) -> bool:
    """Whether its newest blocks have no date. One whose clock was set since sends blocks that end about now."""
    if not status.undated_blocks:
        return False
    off_ns = OFF_S * 1e9
    return status.undated_ns + off_ns > status.last_received_ns > status.last_sample_ns + off_ns


def _is_off(status: DeviceStatus) -> bool:
    late_s = (status.last_received_ns - status.last_sample_ns) / 1e9
    if status.clock_offset_s < -OFF_S and abs(late_s) < OFF_S:
        return abs(status.clock_drift_ppm) > DRIFT_PPM  # its newest block ended just when it came: it is not behind
    return abs(status.clock_offset_s) > OFF_S or abs(status.clock_drift_ppm) > DRIFT_PPM


def _refused(statuses: Sequence[DeviceStatus], now_ns: int) -> Check:
    name = "devices.blocks"
    refused = [one for one in statuses if one.refused_blocks and now_ns - one.refused_ns < RECENT_S * 1e9]
    missing = f"{sum(status.missing_blocks for status in statuses)} blocks missing so far"
    if not refused:
        return ok(name, f"none refused in a day, {missing}")
    told = in_few([_refusals(one, now_ns) for one in refused])
    mend = "mend these devices; `charley quarantine list` shows what was refused and is still kept"
    return warn(name, f"messages refused since each was first heard: {told}; {missing}", mend)


def _refusals(status: DeviceStatus, now_ns: int) -> str:
    ago = in_words(max(now_ns - status.refused_ns, 0) / 1e9)
    return f"{status.device} {status.refused_blocks} (the last {ago} ago: {status.refused_reason})"


def check_ingester(services: Sequence[ServiceStatus], *, running: bool | None, now_ns: int) -> Check:
    """What the ingester says of itself, and whether it still does. `running` is None where that cannot be seen."""
    ingester = next((service for service in services if service.name == "ingest"), None)
    if ingester is None:
        return ok(RUNNING, "running") if running else skipped(RUNNING, "no ingester has said anything yet", _START)
    age_s = max(now_ns - ingester.beat_ns, 0) / 1e9
    if age_s > SILENT_S or running is False:
        return _silent(ingester, age_s, running=running)
    if not ingester.accepting:
        return fail(RUNNING, f"takes no more: {ingester.reason}", "mend what it says; it goes on by itself")
    if not ingester.connected:
        return warn(RUNNING, "running, not connected to the broker", "see the checks of the broker")
    return ok(RUNNING, f"version {ingester.version}, lag {ingester.lag_s:.1f} s, {ingester.unacked} unacknowledged")


def _silent(ingester: ServiceStatus, age_s: float, *, running: bool | None) -> Check:
    """Of one that does not say anything any more, or that nobody here runs, however lately it was heard."""
    if running:
        mend = "see its log and the checks of the store: its results wait in the journal"
        return warn(RUNNING, f"running, but the store has not heard from it for {in_words(age_s)}", mend)
    heard, mend = f"last heard {in_words(age_s)} ago", _START
    told = f"not running; {heard}"
    if age_s <= SILENT_S:
        told = f"{heard}, but no process here holds its data folder: it has ended, or runs in another container or on "
        told, mend = f"{told}another machine", f"if it has ended: {_START}"
    if not ingester.accepting:
        told, mend = f"{told}. It said that it takes no more: {ingester.reason}", f"mend what it said; {mend}"
    return warn(RUNNING, told, mend)


def oldest_waiting_s(services: Sequence[ServiceStatus], *, now_ns: int) -> float | None:
    """For how long the oldest record or event has waited, as the ingester tells it."""
    oldest = [one.oldest_outbox_ns for one in services if one.name == "ingest" and one.oldest_outbox_ns]
    return (now_ns - oldest[0]) / 1e9 if oldest else None
