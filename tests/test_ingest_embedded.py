"""The embedded broker, and devices that speak MQTT 3.1.1 to it."""

from contextlib import closing
from pathlib import Path

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from servers import wait_for

from ingest.acks import Acks
from ingest.broker import start_broker
from ingest.devices import Device
from ingest.mqtt import MqttSettings, MqttSource
from ingest.order import Boot, Order
from ingest.wire import Ack, decode_ack, topic
from simulators.processes import free_pair


def test_an_old_device_hears_acks_and_stays_connected(tmp_path: Path) -> None:
    port = free_pair()
    broker = start_broker(tmp_path, port=port)
    heard: list[Ack] = []
    connections: list[bool] = []
    subscribed: list[int] = []
    device = paho.Client(CallbackAPIVersion.VERSION2, client_id="old", protocol=paho.MQTTv311)
    device.on_connect = lambda *_: connections.append(True)
    device.on_subscribe = lambda _client, _data, mid, _reasons, _properties: subscribed.append(mid)
    device.on_message = lambda _client, _data, message: heard.append(decode_ack(message.payload))
    try:
        with closing(MqttSource(MqttSettings(port=port))) as source:
            wait_for(lambda: source.subscribed, what="subscription of the service")
            device.connect("127.0.0.1", port + 1)
            device.loop_start()
            wait_for(lambda: connections, what="connection")
            device.subscribe(topic("old", "ack"), qos=1)
            wait_for(lambda: subscribed, what="subscription of the device")
            acks = Acks(source, every_s=0.0)
            for seq in range(3):
                acks.note([("old", 1)])
                assert acks.send({"old": Device(order=Order(boots=(Boot(1, next_seq=seq + 1),)))}, now=float(seq)) == 1
                wait_for(lambda seq=seq: Ack(boot=1, seq=seq) in heard, what=f"ack of {seq}")
        assert len(connections) == 1
    finally:
        device.disconnect()
        device.loop_stop()
        broker.stop()
