"""A backlog on a real broker: devices hear what is durable before all of it has been taken in."""

from contextlib import closing

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from servers import Mosquitto, wait_for

from ingest.mqtt import MqttSettings, MqttSource
from ingest.wire import topic

ACKS = 100  # more than paho lets be unanswered by itself
LIMIT = 100_000


def test_devices_are_answered_while_a_backlog_is_not_being_read(mosquitto: Mosquitto) -> None:
    heard: list[bytes] = []
    device = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    device.on_message = lambda _client, _data, message: heard.append(bytes(message.payload))
    device.connect(mosquitto.host, mosquitto.port)
    device.subscribe(topic("backlog", "ack"), qos=1)
    device.loop_start()
    settings = MqttSettings(port=mosquitto.port, client_id="backlog", max_queued_bytes=LIMIT)
    with closing(MqttSource(settings)) as source:
        wait_for(lambda: source.subscribed, what="subscription")
        for info in [device.publish(topic("backlog", "blocks"), bytes(10_000), qos=1) for _ in range(100)]:
            info.wait_for_publish(20)
        wait_for(lambda: source.queued_bytes > LIMIT, what="a backlog")
        for i in range(ACKS):
            assert source.publish(topic("backlog", "ack"), str(i).encode()) is not None
        wait_for(lambda: len(heard) == ACKS, what="all answers")
    device.disconnect()
    device.loop_stop()
    assert heard == [str(i).encode() for i in range(ACKS)]
