"""One device's connection to the broker: keeps blocks, sends them, counts what is owed, sends again what was lost.

Rules
-----
- paho's thread only enqueues; everything else happens in the caller's thread, in `handle` and `tick`.
- A block is owed to the broker until its PUBACK, and stays in flash until the service names it durable on the ack
  topic. `Repeats` says which blocks are sent again.
- The device says with its status which blocks are lost: when an ack, or the lack of room, shows that one is missing.
"""

import threading
import time
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
from ingest.wire import CONTENT_MSGPACK, Place, Status, decode_ack, encode, topic
from simulators.device import Device
from simulators.errors import PublishError
from simulators.flash import Flash
from simulators.link import Kept, Key, Sent
from simulators.repeats import Repeats

IN_FLIGHT: Final = 16  # below the 20 that brokers take by default
AHEAD: Final = 256  # blocks ahead of a service that acknowledges
AHEAD_BYTES: Final = 16 * 1024 * 1024
KEEPALIVE_S: Final = 30
RECONNECT_S: Final = (1, 8)
CLOSE_S: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """Where the broker is, and how to get in; with `ca_file` over TLS."""

    host: str
    port: int
    username: str | None = None
    password: str | None = None
    ca_file: Path | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What paho's thread saw: which device, what, and the detail."""

    index: int
    what: Literal["up", "down", "puback", "ack"]
    detail: ReasonCode | bytes | int | None = None
    mid: int = 0


class Uplink:
    """Connects at once; call `handle` with every report of its own, `tick` now and then, and `close` at the end."""

    def __init__(
        self, index: int, device: Device, reports: SimpleQueue[Report], *, broker: Broker, flash: Flash, repeat_s: float
    ) -> None:
        self.device = device
        self.flash = flash
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
        self._repeats = Repeats(flash.places(), now_s=time.monotonic(), pause_s=repeat_s)
        self._highest = flash.newest()  # seq sent, by boot
        self._last: Key | None = None  # kept
        self._now_ns = device.start_ns  # of the simulated device
        self._block_bytes = 1
        self._told: tuple[int | None, Place | None] = (None, None)
        self._told_boot = device.boot
        self._client = self._make_client(broker)
        try:
            if broker.ca_file is not None:
                self._client.tls_set(ca_certs=str(broker.ca_file))
            self._client.connect(broker.host, broker.port, keepalive=KEEPALIVE_S)
        except (OSError, ValueError) as error:
            raise PublishError(f"cannot reach an MQTT broker at {broker.host}:{broker.port}: {error}") from error
        self._client.loop_start()

    @property
    def owed(self) -> int:
        """Messages that the broker has not acknowledged."""
        return len(self._owed)

    @property
    def undurable(self) -> int:
        """Blocks that were sent and that the service has not named durable."""
        return len(self._repeats)

    @property
    def ahead(self) -> bool:
        """Whether these are more than a device runs ahead of the service.

        Newest first there is no telling: no ack comes before the oldest block.
        """
        most = max(min(AHEAD, AHEAD_BYTES // self._block_bytes), 1)
        return self.device.link.order == "oldest" and self.undurable >= most

    def keep(self, step: Kept) -> None:
        """Puts a block into flash."""
        block, self._now_ns = step.block, step.at_ns
        self.boot = block.boot
        payload = encode(block)
        self._block_bytes = len(payload)
        gone = self.flash.keep((block.boot, block.seq), payload)
        self._repeats.gone(gone)
        follows = self._last is not None and (block.boot, block.seq) == (self._last[0], self._last[1] + 1)
        self._last = (block.boot, block.seq)
        if gone or not follows:
            self._tell_losses()

    def send(self, step: Sent) -> None:
        """Hands a block to paho, if flash still holds it; the caller has made sure that there is room."""
        self._now_ns = max(self._now_ns, step.at_ns)
        if self.boot != self._told_boot:
            self._announce(online=True)
        place = self.flash.place(step.key)
        payload = None if place is None else self.flash.payload(place)
        if place is None or payload is None:
            return
        self._repeats.sent(place, now_s=time.monotonic())
        boot, seq = step.key
        self._highest[boot] = max(seq, self._highest.get(boot, 0))
        for _ in range(step.times):
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
            self._repeat()
        elif report.what == "ack" and isinstance(report.detail, bytes):
            self._ack(report.detail)

    def tick(self) -> None:
        """Sends again what the service has been silent about for too long."""
        now_s = time.monotonic()
        if len(self.flash) > self.undurable:
            self._repeats.busy(now_s=now_s)
        elif self.connected and self._repeats.overdue(now_s=now_s):
            self._announce(online=True)
            self._repeat()

    def farewell(self) -> None:
        """Says that the device goes offline."""
        if self.connected:
            self._announce(online=False)

    def close(self) -> None:
        """Disconnects and ends paho's thread, which is left behind if a broker that takes nothing more holds it up."""
        self._client.disconnect()
        ending = threading.Thread(target=self._client.loop_stop, name=f"end {self.device.device}", daemon=True)
        ending.start()
        ending.join(CLOSE_S)

    def _up(self) -> None:
        self.connected = True
        self.connections += 1
        self._client.subscribe(topic(self.device.device, "ack"), qos=1)
        self._announce(online=True)
        self._repeats.connected(now_s=time.monotonic())
        self._repeat()

    def _repeat(self) -> None:
        while self.connected and self.owed < IN_FLIGHT and (place := self._repeats.take()) is not None:
            payload = self.flash.payload(place)
            if payload is not None:
                self._publish(payload, first=False)
                self.resent += 1

    def _ack(self, payload: bytes) -> None:
        try:
            ack = decode_ack(payload)
        except WireError as error:
            raise PublishError(f"the service sent {self.device.device} an unreadable ack: {error}") from error
        if ack.seq > self._highest.get(ack.boot, -1):
            return  # an old word about another life of this device: these blocks were never sent
        self.served = True
        self.durable[ack.boot] = max(ack.seq, self.durable.get(ack.boot, -1))
        places = self.flash.forget(ack.boot, ack.seq)
        if places:
            self._repeats.vouched(places, now_s=time.monotonic())
            self._tell_losses()
            self._repeat()

    def _tell_losses(self) -> None:
        """Publishes the status when the oldest block held is not the one that the service waits for."""
        for key in (self.flash.oldest(self.boot), self.flash.oldest()):
            if key is not None and key[1] > self.durable.get(key[0], -1) + 1 and self._losses() != self._told:
                self._announce(online=True)

    def _losses(self) -> tuple[int | None, Place | None]:
        own, first = self.flash.oldest(self.boot), self.flash.oldest()
        backlog = None if first is None or first[0] == self.boot else Place(boot=first[0], seq=first[1])
        return None if own is None else own[1], backlog

    def _announce(self, *, online: bool) -> None:
        self._told, self._told_boot = self._losses(), self.boot
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
        oldest, backlog = self._losses()
        # What the device simulates may be long past; its clock goes on as wrong as it was.
        reads_ns = device.reads_ns(self._now_ns)
        clock_ns = reads_ns if device.unset(self._now_ns) else time.time_ns() + reads_ns - self._now_ns
        return Status(
            boot=self.boot, online=online, firmware=device.firmware, sites=device.sites, battery=device.battery,
            oldest=oldest, backlog=backlog, clock_ns=max(clock_ns, 0),
        )  # fmt: skip

    def _make_client(self, broker: Broker) -> Client:
        client = Client(CallbackAPIVersion.VERSION2, client_id=self.device.device, protocol=MQTTv5)
        client.will_set(topic(self.device.device, "status"), encode(self._will()), qos=1, retain=True)
        if broker.username is not None:
            client.username_pw_set(broker.username, broker.password)
        client.max_inflight_messages_set(IN_FLIGHT)
        client.reconnect_delay_set(*RECONNECT_S)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.on_message = self._on_message
        return client

    def _will(self) -> Status:
        device = self.device
        return Status(
            boot=self.boot, online=False, firmware=device.firmware, sites=device.sites, battery=device.battery
        )

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
