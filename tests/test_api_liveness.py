"""The state of a device: what was last written of it in, a state with its reason and remedy out."""

import itertools
import re
from typing import get_args

import pytest
from api_world import EPOCH_NS, HOUR_NS, epochs, ns
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from api.liveness import GOOD, SILENT_S, State, StateCode, device_state, signal_range
from api.recent import LOOK_BACK_NS
from api.zones import ZoneChange, ZoneHistory
from ingest.store import DeviceStatus, Epoch

NOW = ns("2026-03-20T12:00:00")
MINUTE = 60 * 10**9
HEARD = NOW - MINUTE // 2 - (NOW - MINUTE // 2) % EPOCH_NS
LIVE = DeviceStatus(
    device="leg", boot=1, online=True, last_received_ns=HEARD, last_sample_ns=HEARD, updated_ns=HEARD, battery=0.8
)
SILENT = replace(
    LIVE, last_received_ns=NOW - 10 * MINUTE, last_sample_ns=NOW - 10 * MINUTE, updated_ns=NOW - 9 * MINUTE
)
MUTE = DeviceStatus(device="leg", boot=1, online=True)
GOOD_SIGNAL = epochs("leg", HEARD - LOOK_BACK_NS, HEARD)


def signal(
    *, last: int = 30, site: str = "gastrocnemius_medialis", flags: tuple[str, ...] = (), **seconds: float
) -> list[Epoch]:
    """Five good minutes of which the `last` epochs are another way."""
    start_ns = HEARD - last * EPOCH_NS
    other = [replace(epoch, flags=flags) for epoch in epochs("leg", start_ns, HEARD, site=site, **seconds)]
    return [*epochs("leg", HEARD - LOOK_BACK_NS, start_ns, site=site), *other]


CASES: dict[str, tuple[DeviceStatus | None, list[Epoch], StateCode, str]] = {
    "nothing": (None, [], "never_heard", "Never heard: nothing has arrived from this device. Switch it on."),
    "good": (LIVE, GOOD_SIGNAL, "receiving", "Receiving."),
    "a last will that came late": (replace(LIVE, online=False), GOOD_SIGNAL, "receiving", "Receiving."),
    "low battery": (
        replace(LIVE, battery=0.08), GOOD_SIGNAL, "receiving", "Receiving. Its battery is at 8 %: charge it soon.",
    ),
    "one minute after it came": (LIVE, GOOD_SIGNAL[-6:], "receiving", "Receiving."),
    "no results yet": (LIVE, [], "catching_up", "Its measurements arrive; their results are not there yet."),
    "results of long ago": (
        LIVE, signal()[:8], "catching_up", "Its measurements arrive; their results are not there yet.",
    ),
    "void epochs": (
        LIVE, epochs("leg", HEARD - MINUTE, HEARD, received_s=0, worn_s=0, usable_s=0), "catching_up",
        "Its measurements arrive; their results are not there yet.",
    ),
    "behind": (
        replace(LIVE, last_sample_ns=NOW - 58 * HOUR_NS), GOOD_SIGNAL, "catching_up",
        "Catching up: it has come to Wed 18 Mar, 03:00. Leave it connected.",
    ),
    "behind, and its connection has ended": (
        replace(LIVE, online=False, last_sample_ns=NOW - 58 * HOUR_NS), GOOD_SIGNAL, "catching_up",
        "Catching up: it has come to Wed 18 Mar, 03:00. The connection has just ended: "
        "bring it back into reach, and leave it connected.",
    ),
    "late blocks": (
        replace(LIVE, late_blocks=3), GOOD_SIGNAL, "catching_up",
        "Receiving, and catching up with what came late. Results of 3 late blocks are still being worked out.",
    ),
    "late blocks and not worn": (
        replace(LIVE, late_blocks=1), signal(worn_s=0, usable_s=0), "not_worn",
        "Not worn. Put it on. Results of 1 late block are still being worked out.",
    ),
    "losing": (
        LIVE, signal(received_s=3, worn_s=3, usable_s=3), "losing_data",
        "Losing data: much of it does not arrive. Bring it closer to what it sends to.",
    ),
    "losing by whole epochs": (
        LIVE, signal()[:-14] + signal()[-12:-11] + signal()[-3:], "losing_data",
        "Losing data: much of it does not arrive. Bring it closer to what it sends to.",
    ),
    "switched on again": (
        LIVE, signal()[:-11] + signal()[-3:], "receiving", "Receiving again since Fri 20 Mar, 12:59.",
    ),
    "away some minutes ago": (LIVE, signal()[:-18] + signal()[-13:], "receiving", "Receiving."),
    "switched on again, and losing": (
        LIVE, signal()[:-11] + signal(received_s=3, worn_s=3, usable_s=3)[-3:], "losing_data",
        "Losing data: much of it does not arrive. Bring it closer to what it sends to.",
    ),
    "switched on again, and not worn": (
        LIVE, signal()[:-11] + signal(worn_s=0, usable_s=0)[-3:], "not_worn",
        "Not worn since Fri 20 Mar, 12:59. Put it on.",
    ),
    "not worn for long": (LIVE, signal(worn_s=0, usable_s=0), "not_worn", "Not worn. Put it on."),
    "just taken off": (
        LIVE, signal(last=9, worn_s=0, usable_s=0), "not_worn", "Not worn since Fri 20 Mar, 12:58. Put it on.",
    ),
    "electrode off, on somebody": (
        LIVE, signal(last=12, worn_s=0, usable_s=0, flags=("electrode_off", "hum", "moving")), "receiving_but_unusable",
        "Receiving, but not usable since Fri 20 Mar, 12:57: "
        "an electrode has come off. Press it on, or put on a new one.",
    ),
    "cable out, on somebody": (
        LIVE, signal(worn_s=0, usable_s=0, flags=("flat", "moving")), "receiving_but_unusable",
        "Receiving, but not usable: the electrodes give nothing at all. Check the cable and the contacts.",
    ),
    "saturated": (
        LIVE, signal(usable_s=1, flags=("rail",)), "receiving_but_unusable",
        "Receiving, but not usable: it exceeds what the device can measure. Check the electrodes and the cable.",
    ),
    "hum": (
        LIVE, signal(usable_s=0, flags=("hum",)), "receiving_but_unusable",
        "Receiving, but not usable: mains hum covers the muscle. Press the electrodes on, and keep chargers away.",
    ),
    "unusable for a reason without a flag": (
        LIVE, signal(usable_s=0), "receiving_but_unusable",
        "Receiving, but not usable: check the electrodes and the cable.",
    ),
    "one of two sites": (
        LIVE,
        sorted([*GOOD_SIGNAL, *signal(site="soleus", usable_s=0, worn_s=0, flags=("flat",))], key=lambda e: e.start_ns),
        "receiving",
        "Receiving. But nothing usable from soleus: "
        "the electrodes give nothing at all. Check the cable and the contacts.",
    ),
    "clock ahead": (
        replace(LIVE, clock_offset_s=7800.0), GOOD_SIGNAL, "clock_wrong",
        "Its clock is 2 h 10 min ahead, and so is all that it measures. Set its clock.",
    ),
    "clock behind": (
        replace(LIVE, last_sample_ns=HEARD - 2 * HOUR_NS, clock_offset_s=-7200.0),
        [replace(epoch, start_ns=epoch.start_ns - 2 * HOUR_NS) for epoch in GOOD_SIGNAL], "clock_wrong",
        "Its clock is 2 h behind, or all that it sends is late by that. Check its clock.",
    ),
    "a clock that seems behind, since all that came was stored": (
        replace(LIVE, last_sample_ns=HEARD - 2 * HOUR_NS, clock_offset_s=-7200.0),
        [replace(epoch, start_ns=epoch.start_ns - 2 * HOUR_NS, updated_ns=HEARD) for epoch in GOOD_SIGNAL],
        "catching_up", "Catching up: it has come to Fri 20 Mar, 10:59. Leave it connected.",
    ),
    "a clock a little off": (replace(LIVE, clock_offset_s=290.0), GOOD_SIGNAL, "receiving", "Receiving."),
    "samples of the future": (
        replace(LIVE, last_sample_ns=NOW + HOUR_NS), [], "clock_wrong",
        "Its clock is 1 h ahead, and so is all that it measures. Set its clock.",
    ),
    "clock never set": (
        replace(MUTE, undated_blocks=12, last_received_ns=HEARD), [], "clock_wrong",
        "Its clock is not set, or far off; kept until it is right: 12 blocks. Set its clock.",
    ),
    "clock not set, and nothing counted as received": (
        replace(MUTE, undated_blocks=12, undated_ns=HEARD), [], "clock_wrong",
        "Its clock is not set, or far off; kept until it is right: 12 blocks. Set its clock.",
    ),
    "clock set again": (
        replace(LIVE, undated_blocks=1), GOOD_SIGNAL, "receiving", "Receiving. Kept until its clock is set: 1 block.",
    ),
    "a clock that was wrong, long ago": (
        replace(SILENT, clock_offset_s=7800.0), [], "connected_but_silent",
        "Connected but silent since Fri 20 Mar, 12:50 (10 min ago). Restart it. "
        "Its clock was 2 h 10 min ahead when it was last heard: set it too.",
    ),
    "offline, and its clock was wrong": (
        replace(SILENT, online=False, last_sample_ns=SILENT.last_received_ns + 3 * HOUR_NS, battery=0.03), [],
        "offline",
        "Offline since Fri 20 Mar, 12:50 (10 min ago). Its battery was at 3 %: charge it. "
        "Its clock was 3 h ahead when it was last heard: set it too.",
    ),
    "offline, and its clock was a little off": (
        replace(SILENT, online=False, clock_offset_s=290.0), [], "offline",
        "Offline since Fri 20 Mar, 12:50 (10 min ago). Switch it on, or bring it into reach.",
    ),
    "refused": (
        replace(SILENT, refused_blocks=40, refused_reason="declared", refused_ns=NOW - MINUTE), [],
        "refused",
        "Nothing accepted since Fri 20 Mar, 12:50 (10 min ago): 40 messages refused, the latest because "
        "it contradicts what the device said of its signals.",
    ),
    "refused from the first": (
        DeviceStatus(device="leg", boot=0, online=False, refused_blocks=1, refused_reason="not its id", refused_ns=NOW),
        [], "refused", "Nothing accepted: 1 message refused, the latest because of this reason: not its id.",
    ),
    "refused, long ago": (
        replace(SILENT, refused_blocks=40, refused_reason="not its id", refused_ns=NOW - 9 * MINUTE), [],
        "connected_but_silent", "Connected but silent since Fri 20 Mar, 12:50 (10 min ago). Restart it. "
        "What it sent last was refused, because of this reason: not its id.",
    ),
    "refused, long ago, and its record written just now": (
        replace(SILENT, refused_blocks=40, refused_reason="rate", refused_ns=NOW - 9 * MINUTE, updated_ns=NOW), [],
        "connected_but_silent", "Connected but silent since Fri 20 Mar, 12:50 (10 min ago). Restart it. "
        "What it sent last was refused, because its sampling rate cannot be.",
    ),
    "refused before it was last heard": (
        replace(SILENT, refused_blocks=40, refused_reason="rate", refused_ns=SILENT.last_received_ns - 1), [],
        "connected_but_silent", "Connected but silent since Fri 20 Mar, 12:50 (10 min ago). Restart it.",
    ),
    "refused from the first, long ago": (
        DeviceStatus(
            device="leg", boot=0, online=False, refused_blocks=9, refused_reason="rate", refused_ns=NOW - 9 * MINUTE
        ), [], "offline", "Offline, and no measurement has ever arrived. Switch it on, or bring it into reach. "
        "What it sent last was refused, because its sampling rate cannot be.",
    ),
    "its clock was not set, long ago, and its record written just now": (
        replace(SILENT, online=False, undated_blocks=2, undated_ns=NOW - 9 * MINUTE, updated_ns=NOW), [], "offline",
        "Offline since Fri 20 Mar, 12:50 (10 min ago). Switch it on, or bring it into reach. "
        "Kept until its clock is set: 2 blocks.",
    ),
    "refused now and then": (
        replace(LIVE, refused_blocks=40, refused_reason="not its id", refused_ns=NOW), GOOD_SIGNAL,
        "receiving", "Receiving.",
    ),
    "silent": (
        SILENT, GOOD_SIGNAL, "connected_but_silent",
        "Connected but silent since Fri 20 Mar, 12:50 (10 min ago). Restart it.",
    ),
    "never sent anything": (
        MUTE, [], "connected_but_silent", "Connected but silent, and no measurement has ever arrived. Restart it.",
    ),
    "offline": (
        replace(SILENT, online=False, late_blocks=2), [], "offline",
        "Offline since Fri 20 Mar, 12:50 (10 min ago). Switch it on, or bring it into reach. "
        "Results of 2 late blocks are still being worked out.",
    ),
    "offline with an empty battery": (
        replace(SILENT, online=False, battery=0.03), [], "offline",
        "Offline since Fri 20 Mar, 12:50 (10 min ago). Its battery was at 3 %: charge it.",
    ),
    "offline, never sent anything": (
        replace(MUTE, online=False), [], "offline",
        "Offline, and no measurement has ever arrived. Switch it on, or bring it into reach.",
    ),
}  # fmt: skip
BERLIN = ZoneHistory((ZoneChange(0, "Europe/Berlin"),))


@pytest.mark.parametrize("name", CASES)
def test_a_device_has_one_state_with_its_reason(name: str) -> None:
    status, measured, code, sentence = CASES[name]
    got = device_state(status, measured, now_ns=NOW, zones=BERLIN)
    assert (got.code, got.sentence) == (code, sentence)


def test_every_state_is_in_the_table() -> None:
    assert {case[2] for case in CASES.values()} == set(get_args(StateCode))


def state(status: DeviceStatus, measured: list[Epoch]) -> State:
    return device_state(status, measured, now_ns=NOW)


def test_a_state_tells_since_when_as_far_as_that_is_known() -> None:
    assert state(LIVE, signal(last=13, worn_s=0, usable_s=0)).since_ns == HEARD - 13 * EPOCH_NS
    assert state(LIVE, signal(worn_s=0, usable_s=0)).since_ns is None
    came = epochs("leg", HEARD - 6 * EPOCH_NS, HEARD, worn_s=0, usable_s=0)
    assert state(LIVE, came).since_ns == HEARD - 6 * EPOCH_NS
    assert state(SILENT, []).since_ns == SILENT.last_received_ns
    assert state(LIVE, GOOD_SIGNAL).since_ns is None


def test_without_a_wearer_times_are_in_utc() -> None:
    assert "Fri 20 Mar, 11:50 UTC" in state(SILENT, []).sentence


def test_epochs_are_asked_for_only_of_who_is_heard() -> None:
    assert signal_range(SILENT, now_ns=NOW) is None
    asked = signal_range(LIVE, now_ns=NOW)
    assert asked is not None
    assert asked[0] <= GOOD_SIGNAL[0].start_ns
    assert GOOD_SIGNAL[-1].start_ns < asked[1]


INSTANTS = st.one_of(st.just(0), st.integers(NOW - 3 * HOUR_NS, NOW + HOUR_NS))
STATUSES = st.builds(
    DeviceStatus,
    device=st.just("leg"),
    boot=st.just(1),
    online=st.booleans(),
    battery=st.one_of(st.none(), st.floats(0, 1)),
    last_received_ns=INSTANTS,
    last_sample_ns=INSTANTS,
    updated_ns=INSTANTS,
    clock_offset_s=st.floats(-1000, 1000),
    late_blocks=st.integers(0, 2),
    undated_blocks=st.integers(0, 2),
    refused_blocks=st.integers(0, 2),
    undated_ns=INSTANTS,
    refused_reason=st.sampled_from(["", "clock"]),
    refused_ns=INSTANTS,
)


@given(STATUSES, st.lists(st.tuples(*(st.integers(0, 10) for _ in range(3))), max_size=31))
def test_missing_data_is_never_good_and_every_sentence_is_one(
    status: DeviceStatus, levels: list[tuple[int, int, int]]
) -> None:
    measured = []
    newest_ns = status.last_sample_ns // EPOCH_NS * EPOCH_NS
    for place, seconds in enumerate(levels):
        usable, worn, received = sorted(seconds)
        at_ns = max(newest_ns - (len(levels) - place) * EPOCH_NS, 0)
        measured += epochs("leg", at_ns, at_ns + 1, received_s=received, worn_s=worn, usable_s=usable)
    got = device_state(status, measured, now_ns=NOW)
    assert re.fullmatch(r"[A-Z].*[.]", got.sentence)
    if got.code == GOOD:
        assert NOW - status.last_received_ns <= SILENT_S * 1e9
        assert abs(status.last_sample_ns - status.last_received_ns) <= 2 * 300e9 + 120e9
        lately = list(itertools.islice(reversed(measured), 12))
        assert sum(epoch.usable_s for epoch in lately) > 0
        assert not status.late_blocks
