"""Whether a device works, in plain words."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from api_world import World, add_wearer, assign, epochs, get, ns
from msgspec.structs import replace

from ingest.store import DeviceStatus


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


@pytest.fixture
def http(world: World) -> Iterator[httpx.Client]:
    with world.client() as client:
        yield client


def status(device: str = "leg", *, received: str, sample: str | None = None, online: bool = True) -> DeviceStatus:
    return DeviceStatus(
        device=device, boot=1, online=online, last_received_ns=ns(received), last_sample_ns=ns(sample or received)
    )


NOW = status(received="2026-03-20T11:59:30")
BEHIND = status(received="2026-03-20T11:59:30", sample="2026-03-17T02:00:00")
SILENT = status(received="2026-03-20T11:50:00")
GONE = status(received="2026-03-20T09:00:00", online=False)
MUTE = DeviceStatus(device="leg", boot=1, online=True)


@pytest.mark.parametrize(
    ("record", "signal", "state", "sentence"),
    [
        (None, (0, 0), "never_seen", "Never seen: nothing has arrived from this device."),
        (NOW, (10, 10), "working", "Working."),
        (replace(NOW, online=False), (10, 10), "working", "Working."),
        (NOW, (0, 0), "not_worn", "Connected, but not worn."),
        (NOW, (10, 1), "poor_signal", "Worn, but the signal is poor: check the electrodes."),
        (BEHIND, (10, 10), "catching_up", "Synchronising: it has come to Tue 17 Mar, 03:00."),
        (SILENT, (10, 10), "connected_but_silent", "Connected but silent since Fri 20 Mar, 12:50 (10 min ago)."),
        (GONE, (10, 10), "offline", "Offline since Fri 20 Mar, 10:00 (3 h ago)."),
        (MUTE, (0, 0), "connected_but_silent", "Connected but silent: no measurement has arrived yet."),
        (replace(MUTE, online=False), (0, 0), "offline", "Offline; no measurement has ever arrived."),
    ],
)
def test_a_device_says_in_plain_words_whether_it_works(
    world: World, http: httpx.Client, *, record: DeviceStatus | None, signal: tuple[int, int], state: str, sentence: str
) -> None:
    assign(http, add_wearer(http), "leg")
    if record is not None:
        world.write(record)
        last_ns = record.last_sample_ns // 10**10 * 10**10
        if last_ns:
            world.write(epochs("leg", last_ns - 6 * 10**10, last_ns, worn_s=signal[0], usable_s=signal[1]))
    got = get(http, "/devices/leg")
    assert (got["state"], got["sentence"]) == (state, sentence)
    assert get(http, "/devices")["items"] == [got]
