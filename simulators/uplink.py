"""One device's connection to the broker: sends, counts what is owed, and sends again what nobody has vouched for.

Rules
-----
- paho's thread only enqueues; everything else happens in the caller's thread, in `handle`.
- A block is owed to the broker until its PUBACK, and held until the service names it durable on the ack topic. Of
  held blocks the last `HELD` are kept, as a device with so much memory would.
- After a reconnect paho sends again what the broker has not acknowledged; blocks that the broker acknowledged but
  the service has not are sent again here, once the service has shown that it acknowledges at all.
"""

from collections import deque
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Final, Literal

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage, MQTTMessageInfo, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from ingest.errors import WireError
from ingest.wire import CONTENT_MSGPACK, Block, Status, decode_ack, encode, topic
from simulators.device import Device
from simulators.errors import PublishError

IN_FLIGHT: Final = 16  # below the 20 that brokers take by default
HELD: Final = 256
HELD_BYTES: Final = 16 * 1024 * 1024
KEEPALIVE_S: Final = 30
RECONNECT_S: Final = (1, 8)


@dataclass(frozen=True, slots=True)
class Report:
    """What paho's thread saw: which device, what, and the detail."""

    index: int
    what: Literal["up", "down", "puback", "ack"]
    detail: ReasonCode | bytes | int | None = None
    mid: int = 0


class Uplink:
    """Connects at once; call `handle` with every report of its own, and `close` at the end."""

    def __init__(
        self, index: int, device: Device, reports: SimpleQueue[Report], *, host: str, port: int,
        username: str | None, password: str | None, ca_file: Path | None = None,
    ) -> None:  # fmt: skip
        self.device = device
        self.connected = False
        self.connections = 0
        self.sent = 0
        self.acknowledged = 0
        self.resent = 0
        self.durable: dict[int, int] = {}  # by boot
        self.served = False  # whether the service acknowledges in time
        self.boot = device.boot
        self._index = index
        self._reports = reports
        self._owed: dict[int, bool] = {}  # by message id: whether it is a block sent for the first time
        self._held: deque[tuple[int, int, bytes]] = deque()
        self._held_bytes = 0
        self._client = self._make_client(username, password)
        try:
            if ca_file is not None:
                self._client.tls_set(ca_certs=str(ca_file))
            self._client.connect(host, port, keepalive=KEEPALIVE_S)
        except (OSError, ValueError) as error:
            raise PublishError(f"cannot reach an MQTT broker at {host}:{port}: {error}") from error
        self._client.loop_start()

    @property
    def owed(self) -> int:
        """Messages that the broker has not acknowledged."""
        return len(self._owed)

    @property
    def undurable(self) -> int:
        """Blocks, and by bytes their equivalent, that the service has not named durable."""
        return max(len(self._held), HELD * self._held_bytes // HELD_BYTES)

    def send(self, block: Block) -> None:
        """Hands a block to paho; the caller has made sure that there is room."""
        if block.boot != self.boot:
            self.boot = block.boot
            self._announce(online=True)
        payload = encode(block)
        self._held.append((block.boot, block.seq, payload))
        self._held_bytes += len(payload)
        while len(self._held) > 1 and self.undurable > HELD:
            self._held_bytes -= len(self._held.popleft()[2])
        self._publish(payload, first=True)
        self.sent += 1

    def handle(self, report: Report) -> None:
        """Takes one report into account; raises `PublishError` where going on is useless."""
        if report.what == "up" and isinstance(report.detail, ReasonCode):
            if report.detail.is_failure:
                raise PublishError(f"the broker refuses {self.device.device}: {report.detail}")
            self._up()
        elif report.what == "down":
            self.connected = False
        elif report.what == "puback":
            first = self._owed.pop(report.mid, False)
            self.acknowledged += first
            if isinstance(report.detail, ReasonCode) and report.detail.is_failure:
                raise PublishError(f"the broker refuses a message of {self.device.device}: {report.detail}")
        elif report.what == "ack" and isinstance(report.detail, bytes):
            self._ack(report.detail)

    def farewell(self) -> None:
        """Says that the device goes offline."""
        if self.connected:
            self._announce(online=False)

    def close(self) -> None:
        """Disconnects and ends paho's thread."""
        self._client.disconnect()
        self._client.loop_stop()

    def _up(self) -> None:
        self.connected = True
        self.connections += 1
        self._client.subscribe(topic(self.device.device, "ack"), qos=1)
        self._announce(online=True)
        if self.connections > 1 and self.durable:
            for _, _, payload in self._held:
                self._publish(payload, first=False)
                self.resent += 1

    def _ack(self, payload: bytes) -> None:
        try:
            ack = decode_ack(payload)
        except WireError as error:
            raise PublishError(f"the service sent {self.device.device} an unreadable ack: {error}") from error
        self.served = True
        self.durable[ack.boot] = max(ack.seq, self.durable.get(ack.boot, -1))
        left = deque(item for item in self._held if item[0] != ack.boot or item[1] > ack.seq)
        self._held, self._held_bytes = left, sum(len(item[2]) for item in left)

    def _announce(self, *, online: bool) -> None:
        payload = encode(self._status(online=online))
        info = self._client.publish(topic(self.device.device, "status"), payload, qos=1, retain=True)
        self._expect(info, first=False)

    def _publish(self, payload: bytes, *, first: bool) -> None:
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.ContentType = CONTENT_MSGPACK
        name = topic(self.device.device, "blocks")
        self._expect(self._client.publish(name, payload, qos=1, properties=properties), first=first)

    def _expect(self, info: MQTTMessageInfo, *, first: bool) -> None:
        # Without a connection paho keeps the message and sends it later.
        if info.rc not in (MQTTErrorCode.MQTT_ERR_SUCCESS, MQTTErrorCode.MQTT_ERR_NO_CONN):
            raise PublishError(f"paho does not take a message of {self.device.device}: {info.rc!s}")
        self._owed[info.mid] = first

    def _status(self, *, online: bool) -> Status:
        device = self.device
        return Status(
            boot=self.boot, online=online, firmware=device.firmware, sites=device.sites, battery=device.battery
        )

    def _make_client(self, username: str | None, password: str | None) -> Client:
        client = Client(CallbackAPIVersion.VERSION2, client_id=self.device.device, protocol=MQTTv5)
        client.will_set(topic(self.device.device, "status"), encode(self._status(online=False)), qos=1, retain=True)
        if username is not None:
            client.username_pw_set(username, password)
        client.max_inflight_messages_set(IN_FLIGHT)
        client.reconnect_delay_set(*RECONNECT_S)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.on_message = self._on_message
        return client

    def _on_connect(
        self, _client: Client, _data: Any, _flags: ConnectFlags, code: ReasonCode, _properties: Properties | None
    ) -> None:
        self._reports.put(Report(self._index, "up", code))

    def _on_disconnect(
        self, _client: Client, _data: Any, _flags: DisconnectFlags, code: ReasonCode, _properties: Properties | None
    ) -> None:
        self._reports.put(Report(self._index, "down", code))

    def _on_publish(
        self, _client: Client, _data: Any, mid: int, code: ReasonCode, _properties: Properties | None
    ) -> None:
        self._reports.put(Report(self._index, "puback", code, mid))

    def _on_message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        self._reports.put(Report(self._index, "ack", bytes(message.payload)))
