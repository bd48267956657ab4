"""A client of a broker that hears devices, as a service does."""

import threading
from collections.abc import Callable

import servers
from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion


def subscribed_client(
    broker: servers.Mosquitto, *, on_message: Callable[[Client, object, MQTTMessage], None], device: str = "+",
    client_id: str = "",
) -> Client:  # fmt: skip
    """Subscribed to blocks and statuses, which `on_message` gets in a thread of the client's own."""
    topics = [(f"charley/v1/{device}/{leaf}", 1) for leaf in ("blocks", "status")]
    subscribed = threading.Event()
    client = Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=MQTTv5)
    client.on_connect = lambda client, *_: client.subscribe(topics)
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
