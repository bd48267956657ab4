"""What the doctor says of the devices and the ingester, as their records tell of them."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pytest
from ingest_feed import SECOND_NS, T0_NS, cut, ingest, recording
from msgspec.structs import replace

from ingest.doctor import Check
from ingest.doctor.devices import check_devices, check_ingester
from ingest.store import DeviceStatus, ServiceStatus

NOW_NS: Final = 1_790_000_000 * 10**9
DAY_NS: Final = 86_400 * 10**9


def one(checks: list[Check], name: str) -> Check:
    (found,) = [check for check in checks if check.name == name]
    return found


def status(device: str, **changes: Any) -> DeviceStatus:
    return DeviceStatus(device=device, boot=1, online=True, last_received_ns=NOW_NS, **changes)


def test_clocks_of_devices() -> None:
    sound = [status("a"), status("b", clock_offset_s=2.0), status("c")]
    assert one(check_devices(sound, now_ns=NOW_NS), "devices.clock").verdict == "ok"
    off = one(check_devices([*sound, status("d", clock_offset_s=3600.0)], now_ns=NOW_NS), "devices.clock")
    assert (off.verdict, "d +3600 s" in off.found) == ("warn", True)
    drifting = one(check_devices([*sound, status("d", clock_drift_ppm=-250.0)], now_ns=NOW_NS), "devices.clock")
    assert drifting.verdict == "warn"
    ours = [status(name, clock_offset_s=7200.0 + number) for number, name in enumerate("abc")]
    mine = one(check_devices(ours, now_ns=NOW_NS), "devices.clock")
    assert (mine.verdict, "this machine's clock" in mine.mend) == ("fail", True)
    assert check_devices([], now_ns=NOW_NS)[0].verdict == "skipped"


def test_blocks_that_waited_are_no_proof_of_a_clock_that_is_behind() -> None:
    """While the ingester was away, blocks waited at the broker: their delay is all that is known."""
    waited = [
        status(name, clock_offset_s=-1300.0, last_sample_ns=NOW_NS - (1300 + number) * 10**9)
        for number, name in enumerate("abc")
    ]
    for some in (waited, waited[:1]):
        check = one(check_devices(some, now_ns=NOW_NS), "devices.clock")
        assert (check.verdict, "came late" in check.found) == ("warn", True)
        assert "waited at the broker" in check.mend
    for late_ns in (10**9, -(10**9)):  # by a clock that is a second ahead, a block ends after it came
        live = [status(one.device, clock_offset_s=-1300.0, last_sample_ns=NOW_NS - late_ns) for one in waited]
        assert one(check_devices(live, now_ns=NOW_NS), "devices.clock").verdict == "ok"


def test_a_clock_that_was_wrong_long_ago_is_not_told_of() -> None:
    old = status("a", clock_offset_s=1e6)
    assert one(check_devices([old], now_ns=NOW_NS + 3 * 86_400 * 10**9), "devices.clock").verdict == "ok"


def ahead(folder: Path, names: Sequence[str], *, now_ns: int) -> list[DeviceStatus]:
    """What is written of devices whose clocks are two days ahead, and of one whose clock is right."""
    emg = recording(20)
    late_ns = now_ns - T0_NS - 20 * SECOND_NS
    feeds = [(name, cut(emg, [10.0] * 2), late_ns + 2 * DAY_NS) for name in names]
    feeds.append(("sound", cut(emg, [10.0] * 2), late_ns))
    moved = [(name, replace(block, t0=block.t0 + by_ns)) for name, blocks, by_ns in feeds for block in blocks]
    store = ingest(folder, moved)
    return list(store.statuses(store.devices()))


def test_clocks_without_which_blocks_have_no_date_are_named(tmp_path: Path) -> None:
    now_ns = time.time_ns()
    found = ahead(tmp_path, [f"leg-{number}" for number in range(7)], now_ns=now_ns)
    few = one(check_devices(found[-3:], now_ns=now_ns), "devices.clock")
    assert (few.verdict, "kept without a date until they are: leg-5, leg-6; 1 of 3" in few.found) == ("warn", True)
    assert "docs/wire.md" in few.mend
    many = one(check_devices(found, now_ns=now_ns), "devices.clock")
    assert "leg-0, leg-1, leg-2, leg-3, leg-4 and 2 more; 1 of 8 devices heard in a day" in many.found
    assert "this machine's clock" in many.mend
    assert one(check_devices(found, now_ns=now_ns + 2 * DAY_NS), "devices.clock").verdict == "ok"


def test_a_clock_that_was_set_since_is_counted_although_blocks_stay_without_a_date() -> None:
    known = {"undated_blocks": 3, "undated_ns": NOW_NS - 30 * 10**9}
    mended = one(check_devices([status("a", last_sample_ns=NOW_NS - 10**9, **known)], now_ns=NOW_NS), "devices.clock")
    assert (mended.verdict, "1 of 1 devices" in mended.found) == ("ok", True)
    others = [status("b", **known), status("c", clock_offset_s=3600.0)]
    both = one(check_devices(others, now_ns=NOW_NS), "devices.clock")
    assert (both.verdict, "until they are: b; 1 clocks are wrong: c" in both.found) == ("warn", True)


def refusing(device: str, *, ago_s: int) -> DeviceStatus:
    return status(
        device, refused_blocks=7, refused_reason="device", refused_ns=NOW_NS - ago_s * 10**9, missing_blocks=2
    )


def test_messages_refused_within_a_day_are_told_with_their_reason() -> None:
    check = one(check_devices([refusing("a", ago_s=7200)], now_ns=NOW_NS), "devices.blocks")
    told = "messages refused since each was first heard: a 7 (the last 2 hours ago: device); 2 blocks missing so far"
    assert (check.verdict, check.found) == ("warn", told)
    several = one(check_devices([refusing(name, ago_s=5) for name in "abcdefg"], now_ns=NOW_NS), "devices.blocks")
    assert "e 7 (the last 5 s ago: device) and 2 more; 14 blocks missing" in several.found
    old = one(check_devices([refusing("a", ago_s=90_000)], now_ns=NOW_NS), "devices.blocks")
    assert (old.verdict, old.found) == ("ok", "none refused in a day, 2 blocks missing so far")


@pytest.mark.parametrize(
    ("changes", "running", "verdict"),
    [
        ({}, True, "ok"),
        ({}, None, "ok"),
        ({}, False, "warn"),
        ({"accepting": False, "reason": "disk"}, True, "fail"),
        ({"connected": False}, True, "warn"),
        ({"beat_ns": NOW_NS - 3600 * 10**9}, True, "warn"),
        ({"beat_ns": NOW_NS - 3600 * 10**9}, False, "warn"),
    ],
)
def test_ingester(changes: dict[str, Any], running: bool | None, verdict: str) -> None:
    given = {"name": "ingest", "started_ns": NOW_NS, "beat_ns": NOW_NS, "version": "1", "connected": True} | changes
    assert check_ingester([ServiceStatus(**given)], running=running, now_ns=NOW_NS).verdict == verdict


def test_an_ingester_that_has_just_ended_is_not_told_as_running() -> None:
    beat = ServiceStatus(name="ingest", started_ns=1, beat_ns=NOW_NS - 5 * 10**9, version="1", connected=True)
    check = check_ingester([beat], running=False, now_ns=NOW_NS)
    assert (check.verdict, "last heard 5 s ago, but no process here holds" in check.found) == ("warn", True)
    assert "start `charley ingest`" in check.mend
    full = replace(beat, accepting=False, reason="the disk is full")
    for age_s in (0, 3600):
        stopped = check_ingester([full], running=False, now_ns=NOW_NS + age_s * 10**9)
        assert (stopped.verdict, "It said that it takes no more: the disk is full" in stopped.found) == ("warn", True)
        assert "by itself" not in stopped.mend
        assert "start `charley ingest`" in stopped.mend


def test_ingester_that_never_spoke() -> None:
    assert check_ingester([], running=False, now_ns=NOW_NS).verdict == "skipped"
    assert check_ingester([], running=True, now_ns=NOW_NS).verdict == "ok"
