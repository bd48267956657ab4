"""The chain, on real servers: what a device sends and the store then holds is what a recording of it shows."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import paho.mqtt.client as paho
import pytest
import servers
from charley_run import charley, ingester
from conftest import NamedInfluxDB

from ingest import wire
from ingest.recording import detect, open_recording
from ingest.store import Episode, Epoch, Store
from ingest.store.influx import InfluxStore
from ingest.store.sqlite import SqliteStore
from simulators.device import Device, Link, Origin
from simulators.publish import publish
from simulators.recording import write_edf
from simulators.script import LYING, Script

SITES: Final = ("gastrocnemius_medialis", "gastrocnemius_lateralis")
SECONDS: Final = 420
SECOND_NS: Final = 1_000_000_000
ALIGNED_NS: Final = 1_768_087_800 * SECOND_NS  # 2026-01-10T23:30:00Z
WITHIN_NS: Final = ALIGNED_NS + 3_641_593_000  # EDF+ knows microseconds
PERIOD: Final = {"start_ns": ALIGNED_NS - 3600 * SECOND_NS, "end_ns": ALIGNED_NS + 3600 * SECOND_NS}


def leg(device: str, start_ns: int) -> Device:
    """Seven minutes of two electrodes: a cramp in either head, kicks, getting up; over a link that disorders."""
    script = Script(11, duration_s=float(SECONDS), sites=SITES)
    script.pose(-1.0, LYING)
    script.cramp(90.0, duration_s=40.0, level=14.0, rise_s=1.0, wakes=False, site=SITES[0])
    for at in (150.0, 172.0, 195.0):
        script.add("plm", at, at + 3.0, level=0.2)
    script.cramp(225.0, duration_s=70.0, level=20.0, rise_s=4.0, wakes=True, site=SITES[1])
    return Device(
        device=device, zone="Europe/Berlin", origin=Origin("chain", 11, start_ns), leg=script.leg(),
        happenings=tuple(script.happenings), link=Link(doubled=0.05, swapped=0.05),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Chain:
    """One device's two ways: by file, and over the broker into a store."""

    edf: Path
    printed: dict[str, Any]
    episodes: list[Episode]
    epochs: list[Epoch]
    events: list[wire.EpisodeEvent]
    sent: int


def run(broker: servers.Mosquitto, device: Device, store: Store, *, settings: dict[str, str], folder: Path) -> Chain:
    """Record, detect in the file; publish, ingest; read back."""
    (edf,) = write_edf(device, folder / "device.edf")
    done = charley("detect", edf, "--json")
    assert done.returncode == 0, done.stderr
    with listening(broker, device.device) as events, ingester(broker, settings, folder=folder):
        sent = publish([device], host=broker.host, port=broker.port, durable_within_s=60.0)
        assert sent.durable == {device.device: {1: SECONDS - 1}}
        servers.wait_for(lambda: closed(events), what="an event for each episode that closed")
    return Chain(
        edf=edf,
        printed=json.loads(done.stdout),
        episodes=store.episodes([device.device], **PERIOD),
        epochs=store.epochs(device.device, **PERIOD),
        events=events,
        sent=sent.sent,
    )


@contextmanager
def listening(broker: servers.Mosquitto, device: str) -> Iterator[list[wire.EpisodeEvent]]:
    """Every event of a device."""
    events: list[wire.EpisodeEvent] = []
    subscribed: list[int] = []
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    client.on_message = lambda _client, _data, message: events.append(wire.decode_event(message.payload))
    client.on_subscribe = lambda _client, _data, mid, _reasons, _properties: subscribed.append(mid)
    client.connect(broker.host, broker.port)
    client.loop_start()
    try:
        client.subscribe(wire.topic(device, "events"), qos=1)
        servers.wait_for(lambda: subscribed, what="subscription")
        yield events
    finally:
        client.disconnect()
        client.loop_stop()


def closed(events: list[wire.EpisodeEvent]) -> bool:
    opened = {event.data.episode for event in events if event.data.revision == 0}
    return len(opened) >= 2 and opened == {event.data.episode for event in events if event.data.revision == 1}


def check_episodes(chain: Chain, *, start_ns: int) -> None:
    """Every physical field of every episode is the same."""
    printed = [
        {
            "site": one["stream"],
            "onset_ns": start_ns + round(one["onset_s"] * SECOND_NS),
            "end_ns": start_ns + round(one["end_s"] * SECOND_NS),
            **{f"severity_{part}": value for part, value in one["severity_parts"].items()},
            **{name: one[name] for name in ("severity", "grade", "confidence", "load", "peak_uv", "peak_ratio")},
            **{name: tuple(one[name]) for name in ("flags", "sites")},
            "status": one["status"],
            "detector": chain.printed["detector"],
            "params": chain.printed["params"],
        }
        for one in chain.printed["episodes"]
    ]
    assert [{name: getattr(episode, name) for name in printed[0]} for episode in chain.episodes] == printed
    assert {episode.status for episode in chain.episodes} <= {"final", "rejected"}
    finals = [episode for episode in chain.episodes if episode.status == "final"]
    assert [episode.site for episode in finals] == list(SITES)
    unchecked = set(Episode.__struct_fields__) - set(printed[0])
    assert unchecked == {"device", "revision", "superseded_by", "updated_ns"}
    assert {(episode.id, 1) for episode in chain.episodes} <= {(e.data.episode, e.data.revision) for e in chain.events}
    assert {event.scope for event in chain.events} == {"backfill"}


def check_epochs(chain: Chain, *, start_ns: int) -> None:
    """Every epoch that the stretch fills, or begins in it, is the same; a live device's last one is not over yet."""
    found = detect(open_recording(chain.edf)).epochs
    sites = open_recording(chain.edf).sites
    last_ns = start_ns + SECONDS * SECOND_NS
    rows = [
        (int(epochs.start_ns[i]), sites[epochs.channel[i]], epochs, i)
        for epochs in found
        for i in range(len(epochs.start_ns))
        if epochs.start_ns[i] + 10 * SECOND_NS <= last_ns
    ]
    rows.sort(key=lambda row: row[:2])
    assert [(epoch.start_ns, epoch.site) for epoch in chain.epochs] == [row[:2] for row in rows]
    assert len(chain.epochs) == 2 * (SECONDS // 10)
    for epoch, (_, _, epochs, i) in zip(chain.epochs, rows, strict=True):
        for name in ("received_s", "worn_s", "usable_s", "rms_uv", "rest_uv", "median_hz"):
            assert getattr(epoch, name) == pytest.approx(float(getattr(epochs, name)[i]), rel=1e-6, nan_ok=True), name
        # EDF states the size of a count with eight characters
        assert epoch.movement_g == pytest.approx(float(epochs.movement_g[i]), abs=1e-5)
        assert epoch.angle_deg == pytest.approx(float(epochs.angle_deg[i]), abs=0.01)


def coverage(epochs: list[Epoch]) -> dict[str, float]:
    """Seconds of the leg: of each ten, those of the site that has most."""
    totals: dict[str, float] = {}
    for name in ("received_s", "worn_s", "usable_s"):
        best: dict[int, float] = {}
        for epoch in epochs:
            best[epoch.start_ns] = max(best.get(epoch.start_ns, 0.0), getattr(epoch, name))
        totals[name] = sum(best.values())
    return totals


def test_mosquitto_and_influxdb_hold_what_a_recording_shows(
    mosquitto: servers.Mosquitto, influxdb: servers.InfluxDB | NamedInfluxDB, tmp_path: Path
) -> None:
    settings = {
        "store": "influxdb", "influxdb_url": influxdb.url, "influxdb_token": influxdb.token,
        "influxdb_org": influxdb.org, "influxdb_bucket": influxdb.bucket,
    }  # fmt: skip
    store = InfluxStore(influxdb.url, token=influxdb.token, org=influxdb.org, bucket=influxdb.bucket)
    try:
        device = leg(f"chain-{tmp_path.parent.name}", ALIGNED_NS)
        chain = run(mosquitto, device, store, settings=settings, folder=tmp_path)
        (status,) = store.statuses([device.device])
    finally:
        store.close()
    assert chain.sent > SECONDS  # some blocks came twice
    check_episodes(chain, start_ns=ALIGNED_NS)
    check_epochs(chain, start_ns=ALIGNED_NS)
    assert coverage(chain.epochs) == {key: chain.printed["coverage"][key] for key in coverage(chain.epochs)}
    assert coverage(chain.epochs)["received_s"] == SECONDS
    assert (status.boot, status.online, status.missing_blocks) == (1, False, 0)
    assert status.last_sample_ns == ALIGNED_NS + SECONDS * SECOND_NS


def test_mosquitto_and_sqlite_hold_what_a_recording_shows(mosquitto: servers.Mosquitto, tmp_path: Path) -> None:
    """A device that starts anywhere within a second."""
    store = SqliteStore(tmp_path / "store.sqlite")
    try:
        chain = run(mosquitto, leg("chain-sqlite", WITHIN_NS), store, settings={}, folder=tmp_path)
    finally:
        store.close()
    check_episodes(chain, start_ns=WITHIN_NS)
    check_epochs(chain, start_ns=WITHIN_NS)
