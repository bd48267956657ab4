"""Blocks a second through the whole ingester, over a bare paho subscriber that only counts.

Both drain the same messages from a real Mosquitto, where a publisher in a process of its own has left them in two
persistent sessions: so neither waits for the publisher, and all that differs is what the subscriber does. Each
subscriber is a process of its own; they take turns, and the ratio is the median over rounds. The ingester decodes,
orders, detects, journals to disk, acknowledges, and delivers to a SQLite store.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from benchmarks.servers import Mosquitto
from ingest.archive import Archive
from ingest.journal import Journal
from ingest.metrics import Metrics
from ingest.mqtt import SUBSCRIPTIONS, MqttSettings, MqttSource
from ingest.service import Options, Service
from ingest.store.sqlite import SqliteStore
from ingest.wire import Block, Signal, encode, topic

ROOT: Final = Path(__file__).parent.parent
DEVICES: Final = 200
BLOCKS: Final = 20_000  # of one second: 1 kHz EMG, 50 Hz acceleration
ROUNDS: Final = 3
RECEIVE_MAXIMUM: Final = 2000
T0_NS: Final = 1_790_000_000_000_000_000
LIMIT_S: Final = 120.0


def publish(port: int, blocks: int) -> None:
    """Leave blocks of many devices in the broker, device after device in turn."""
    rng = np.random.default_rng(2)
    emg = [rng.normal(0, 20, 1000).astype("<i2").tobytes() for _ in range(50)]
    still = np.array([[4096], [0], [0]])
    acc = [(rng.normal(0, 10, (3, 50)) + still).astype("<i2").tobytes() for _ in range(50)]
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    client.max_inflight_messages_set(1000)
    client.connect("127.0.0.1", port)
    client.loop_start()
    for i in range(blocks):
        seq, device = divmod(i, DEVICES)
        block = Block(
            boot=1,
            seq=seq,
            t0=T0_NS + seq * 1_000_000_000,
            signals=(
                Signal(kind="emg", site="soleus", fs_hz=1000, scale=0.1, channels=1, samples=emg[i % 50]),
                Signal(kind="acc", site="shank", fs_hz=50, scale=1 / 4096, channels=3, samples=acc[i % 50]),
            ),
        )
        last = client.publish(topic(f"bench-{device}", "blocks"), encode(block), qos=1)
    last.wait_for_publish(LIMIT_S)
    while client._out_messages:  # paho has no public way to ask
        time.sleep(0.01)
    client.disconnect()
    client.loop_stop()


def _session(client_id: str) -> tuple[paho.Client, Properties]:
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=paho.MQTTv5)
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = 3600
    properties.ReceiveMaximum = RECEIVE_MAXIMUM
    return client, properties


def open_session(port: int, client_id: str) -> None:
    """Subscribe once, and leave: from now on the broker keeps what is published."""
    client, properties = _session(client_id)
    subscribed = threading.Event()
    client.on_connect = lambda c, *_: c.subscribe(list(SUBSCRIPTIONS))
    client.on_subscribe = lambda *_: subscribed.set()
    client.connect("127.0.0.1", port, clean_start=False, properties=properties)
    client.loop_start()
    if not subscribed.wait(LIMIT_S):
        raise TimeoutError("the broker did not answer")
    client.disconnect()
    client.loop_stop()


def drain_bare(port: int, blocks: int) -> float:
    """Seconds for a subscriber that only counts."""
    client, properties = _session("bare")
    count, first = 0, 0.0
    finished = threading.Event()

    def on_message(*_: object) -> None:
        nonlocal count, first
        first = first or time.perf_counter()
        count += 1
        if count == blocks:
            finished.set()

    client.on_message = on_message
    client.connect("127.0.0.1", port, clean_start=False, properties=properties)
    client.loop_start()
    if not finished.wait(LIMIT_S):
        raise TimeoutError(f"bare subscriber: {count} of {blocks} blocks within {LIMIT_S:g} s")
    elapsed = time.perf_counter() - first
    client.disconnect()
    client.loop_stop()
    return elapsed


def drain_ingest(port: int, blocks: int) -> float:
    """Seconds for the whole ingester, from the first message to the last one durable and acknowledged."""
    settings = MqttSettings(port=port, client_id="ingest", receive_maximum=RECEIVE_MAXIMUM)
    with tempfile.TemporaryDirectory() as folder:
        journal, store = Journal(Path(folder) / "journal.sqlite"), SqliteStore(Path(folder) / "store.sqlite")
        source = MqttSource(settings)
        archive = Archive(Path(folder) / "archive")
        ingester = Service(source, journal, store, archive, options=Options(), metrics=Metrics())
        count, first = 0, 0.0
        deadline = time.perf_counter() + LIMIT_S
        while count < blocks:
            now = time.perf_counter()
            if now > deadline:
                raise TimeoutError(f"ingester: {count} of {blocks} blocks within {LIMIT_S:g} s")
            count += ingester.step()
            first = first or (now if count else 0.0)
        elapsed = time.perf_counter() - first
        ingester.settle()
        source.close()
        ingester.close()
        journal.close()
        store.close()
    return elapsed


def _child(role: str, port: int, blocks: int) -> float:
    command = [sys.executable, "-m", "benchmarks.ingest_vs_bare_paho", role, str(port), str(blocks)]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=2 * LIMIT_S)
    return float(done.stdout or 0)


def measure(*, blocks: int = BLOCKS, rounds: int = ROUNDS) -> dict[str, Any]:
    """Run both in turn and compare."""
    rates: dict[str, list[float]] = {"bare": [], "ingest": []}
    with tempfile.TemporaryDirectory() as folder, Mosquitto(Path(folder)) as broker:
        for client_id in rates:
            open_session(broker.port, client_id)
        for i in range(rounds):
            _child("publish", broker.port, blocks)
            for role in sorted(rates, reverse=bool(i % 2)):
                rates[role].append(blocks / _child(role, broker.port, blocks))
    median = {role: statistics.median(values) for role, values in rates.items()}
    ratios = [ingest / bare for ingest, bare in zip(rates["ingest"], rates["bare"], strict=True)]
    return {
        "name": "ingest_vs_bare_paho",
        "ratio": round(statistics.median(ratios), 3),
        "unit": "x",
        "ingest_blocks_per_s": round(median["ingest"]),
        "bare_blocks_per_s": round(median["bare"]),
        "samples": {role: [round(value) for value in values] for role, values in rates.items()},
        "blocks": blocks,
        "devices": DEVICES,
    }


def main() -> None:
    """Print the measurement, or play one part of it."""
    if len(sys.argv) == 1:
        print(json.dumps(measure(), indent=2))
        return
    role, port, blocks = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    if role == "publish":
        publish(port, blocks)
    else:
        print({"bare": drain_bare, "ingest": drain_ingest}[role](port, blocks))


if __name__ == "__main__":
    main()
