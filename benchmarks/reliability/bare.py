"""A subscriber that does nothing but count: what broker and machine could do if the service cost nothing.

python -m benchmarks.reliability.bare PORT SECONDS prints messages a second, once messages come in.
"""

import subprocess
import sys
import threading
import time
from typing import Any, Final

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from benchmarks.reliability.outcome import ROOT
from ingest.mqtt import SUBSCRIPTIONS

RECEIVE_MAXIMUM: Final = 2000
READY: Final = "subscribed"
WARM_S: Final = 2.0


def count(port: int, seconds: float) -> float:
    """Messages a second over so many seconds."""
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id="bare", protocol=paho.MQTTv5)
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.ReceiveMaximum = RECEIVE_MAXIMUM
    seen = 0
    first = threading.Event()

    def on_message(*_: Any) -> None:
        nonlocal seen
        seen += 1
        first.set()

    client.on_message = on_message
    client.on_connect = lambda c, *_: c.subscribe(list(SUBSCRIPTIONS))
    client.on_subscribe = lambda *_: print(READY, flush=True)
    client.connect("127.0.0.1", port, properties=properties)
    client.loop_start()
    first.wait()
    time.sleep(WARM_S)
    before, begun = seen, time.perf_counter()
    time.sleep(seconds)
    rate = (seen - before) / (time.perf_counter() - begun)
    client.disconnect()
    client.loop_stop()
    return rate


def start(port: int, seconds: float) -> "subprocess.Popen[str]":
    """A counter as a process of its own; returns once it has subscribed."""
    command = [sys.executable, "-m", "benchmarks.reliability.bare", str(port), str(seconds)]
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    if child.stdout is None or READY not in child.stdout.readline():
        child.kill()
        raise RuntimeError("the bare subscriber does not come up")
    return child


if __name__ == "__main__":
    print(count(int(sys.argv[1]), float(sys.argv[2])))
