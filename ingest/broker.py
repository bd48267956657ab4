"""The embedded broker: rumqttd from the iotcore wheel in a child process, on loopback, for demos and first steps.

It keeps sessions in memory only. Where blocks must survive a restart of the broker, use Mosquitto. A 3.1.1 client
may publish, and read what was sent without MQTT 5 properties, as acks are; a message with properties breaks its
connection and, with rumqttd 0.20, the port for all 3.1.1 clients. So whoever reads blocks or events here speaks MQTT 5.
"""

from pathlib import Path
from typing import Final

from iotcore import Broker

from ingest.errors import IngestError
from ingest.wire import MAX_PAYLOAD_BYTES

HOST: Final = "127.0.0.1"
_LISTENER: Final = """
[{version}.1]
name = "{version}"
listen = "{host}:{port}"
next_connection_delay_ms = 1
[{version}.1.connections]
connection_timeout_ms = 60000
max_payload_size = {payload}
max_inflight_count = 500
"""
_ROUTER: Final = """id = 0
[router]
id = 0
max_connections = 1000
max_outgoing_packet_count = 200
max_segment_size = 104857600
max_segment_count = 20
"""


def start_broker(folder: Path, *, port: int) -> Broker:
    """Start a broker that takes MQTT 5 on `port` and MQTT 3.1.1 on the next; `stop()` ends it."""
    config = folder / "broker.toml"
    listeners = "".join(
        _LISTENER.format(version=version, host=HOST, port=at, payload=MAX_PAYLOAD_BYTES + 1024)
        for version, at in (("v5", port), ("v4", port + 1))
    )
    config.write_text(_ROUTER + listeners)
    try:
        return Broker(config_path=str(config)).start()
    except (OSError, RuntimeError) as error:
        raise IngestError(f"the embedded broker cannot listen on {HOST}:{port} and {port + 1}: {error}") from error
