"""A client of a broker that hears all devices, as a service does."""

import threading
from collections.abc import Callable
from typing import Final

import servers
from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

TOPICS: Final = ("charley/v1/+/blocks", "charley/v1/+/status")


def subscribed_client(
    broker: servers.Mosquitto, *, client_id: str, on_message: Callable[[Client, object, MQTTMessage], None]
) -> Client:
    """Subscribed to blocks and statuses, which `on_message` gets in a thread of the client's own."""
    subscribed = threading.Event()
    client = Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=MQTTv5)
    client.on_connect = lambda client, *_: client.subscribe([(name, 1) for name in TOPICS])
    client.on_subscribe = lambda *_: subscribed.set()
    client.on_message = on_message
    client.reconnect_delay_set(1, 1)
    client.connect(broker.host, broker.port)
    client.loop_start()
    assert subscribed.wait(10.0)
    return client


def leave(client: Client) -> None:
    """Leave the broker; nothing is heard after it."""
    client.disconnect()
    client.loop_stop()
