"""A leg wearable as `docs/wire.md` asks for one: it keeps a block until the service has named it durable.

Rules
-----
- A block is *pending* from its first sending until an ack covers it; PUBACK only makes room for the next.
- After each connect, and when nothing else is to be sent and no ack has let it forget anything for a pause, what is
  pending is sent again: `REPEATS` blocks, and then no more until an ack comes or the next pause is over. On a connect
  these are the oldest; after a pause, half of them are, and half follow on those sent again before.
  The pause is `resend_s` (not a minute, for nobody wants to wait for a test), and twice as long each time in vain.
- At most `WINDOW` blocks are unanswered by the broker, and at most `flash` are pending.
"""

import asyncio
import random
import ssl
import struct
import time
from collections import Counter, deque
from collections.abc import Sequence
from itertools import islice
from typing import Final, cast

from benchmarks.reliability import packets
from benchmarks.reliability.legs import Key, Sent
from ingest.errors import WireError
from ingest.wire import Status, decode_ack, encode, topic

WINDOW: Final = 20
REPEATS: Final = 256
LONGEST_PAUSE: Final = 60  # times the first one
KEEPALIVE_S: Final = 60
PING_S: Final = 5.0  # after so long without a word from the broker it is asked whether it is there
SILENCE_S: Final = 15.0  # and after so long given up
RETRY_S: Final = (0.1, 0.6)


class Device(asyncio.Protocol):
    """One device: what it is to send, what it waits for, and its connection. Lives in the fleet's thread."""

    def __init__(
        self, name: str, sendings: Sequence[Sent], *, counts: Counter[str], flash: int, resend_s: float
    ) -> None:
        self.name = name
        self.sendings = sendings
        self.limit = 0  # how many of them may be sent by now
        self.next = 0
        self.pending: dict[Key, int] = {}
        self.wrong: list[str] = []  # acks that no service should send
        self.wanted = False  # whether it is to be connected
        self.online = False
        self._counts = counts
        self._flash = flash
        self._resend_s = self._pause_s = resend_s
        self._repeats = REPEATS
        self._whole: dict[int, int] = {}  # by boot: all up to this seq has been sent
        self._ahead: set[Key] = set()  # sent beyond that
        self._again: deque[int] = deque()
        self._unanswered: set[int] = set()
        self._mid = 0
        self._boot = sendings[0].key[0] if sendings else 0
        self._moved_s = 0.0
        self._heard_s = self._asked_s = self._answered_s = 0.0
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None
        self._blocks = topic(name, "blocks").encode()
        self._status_topic = topic(name, "status")

    @property
    def finished(self) -> bool:
        """Whether all has been sent and named durable."""
        return self.next == len(self.sendings) and not self.pending

    @property
    def connected(self) -> bool:
        """Whether there is a connection, accepted by the broker or not yet."""
        return self._transport is not None

    async def keep_connected(self, host: str, port: int, *, context: ssl.SSLContext | None) -> None:
        """Connect, and try again for as long as it is wanted."""
        loop = asyncio.get_running_loop()
        while self.wanted and self._transport is None:
            try:
                await loop.create_connection(lambda: self, host, port, ssl=context)
            except OSError:
                self._counts["refused connections"] += 1
                await asyncio.sleep(random.uniform(*RETRY_S))  # noqa: S311 - no secret

    def cut(self) -> None:
        """Lose the connection, as by a reboot or out of range."""
        if self._transport is not None:
            self._transport.abort()

    def leave(self) -> None:
        """Say goodbye, and do not come back."""
        self.wanted = False
        if self._transport is not None and self.online:
            self._announce(online=False)
            self._transport.write(packets.DISCONNECT)
            self._transport.close()

    def tick(self, now: float) -> None:
        """Now and then: send what may be sent by now, send again what nobody has vouched for, stay alive."""
        if self._transport is None or self._transport.is_closing():
            return
        unanswered_s = now - self._answered_s if self._unanswered else 0.0
        if now - self._heard_s > SILENCE_S or unanswered_s > SILENCE_S:
            self._counts["silent connections"] += 1
            self.cut()
            return
        if not self.online:
            return
        if self._idle and now - self._moved_s > self._pause_s:
            self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE * self._resend_s)
            self._announce(online=True)
            self._send_again(now)
        if now - max(self._heard_s, self._asked_s) > PING_S:
            self._asked_s = now
            self._transport.write(packets.PING)
        self.pump()

    def pump(self) -> None:
        """Send for as long as broker and flash have room."""
        transport = self._transport
        if not self.online or transport is None or transport.is_closing():
            return
        out = []
        while len(self._unanswered) < WINDOW:
            index = self._take()
            if index is None:
                break
            self._mid = self._mid % 65535 + 1
            self._answered_s = self._answered_s if self._unanswered else time.monotonic()
            self._unanswered.add(self._mid)
            out.append(packets.publish(self._mid, self._blocks, self.sendings[index].payload))
        if out:
            transport.write(b"".join(out))

    def _take(self) -> int | None:
        """The next block to send: what has to be repeated first."""
        while self._again and self._repeats:
            index = self._again.popleft()
            if self.sendings[index].key in self.pending:
                self._counts["sent again"] += 1
                self._repeats -= 1
                return index
        if not self._has_new:
            return None
        index = self.next
        self.next += 1
        sent = self.sendings[index]
        self._counts["sent"] += 1
        if sent.key not in self._ahead and sent.key[1] > self._whole.get(sent.key[0], -1):  # for the first time
            self._counts["pending"] += 1
            self.pending[sent.key] = index
            self._note(sent.key)
        if sent.key[0] > self._boot:
            self._boot = sent.key[0]
            self._announce(online=True)
        return index

    def _note(self, key: Key) -> None:
        boot = key[0]
        self._ahead.add(key)
        whole = self._whole.get(boot, -1)
        while (boot, whole + 1) in self._ahead:
            whole += 1
            self._ahead.discard((boot, whole))
        self._whole[boot] = whole

    @property
    def _idle(self) -> bool:
        """Whether something is pending, and there is nothing to do but to wait."""
        waits = not self._again or not self._repeats
        return bool(self.pending) and not self._unanswered and waits and not self._has_new

    @property
    def _has_new(self) -> bool:
        return self.next < min(self.limit, len(self.sendings)) and len(self.pending) < self._flash

    def _send_again(self, now: float) -> None:
        oldest = islice(self.pending.values(), REPEATS // 2)
        self._again = deque(dict.fromkeys([*oldest, *(self._again or self.pending.values())]))
        self._repeats = REPEATS
        self._moved_s = now

    def _announce(self, *, online: bool) -> None:
        if self._transport is not None:
            self._mid = self._mid % 65535 + 1
            status = self._status(online=online)
            self._transport.write(packets.publish(self._mid, self._status_topic.encode(), status, retain=True))

    def _status(self, *, online: bool) -> bytes:
        return encode(Status(boot=self._boot, online=online, firmware="bench", sites=("soleus",)))

    # What follows is called by asyncio.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Introduce itself."""
        self._transport = cast(asyncio.Transport, transport)
        self._buffer.clear()
        self._unanswered.clear()
        self._heard_s = time.monotonic()
        will = (self._status_topic, self._status(online=False))
        self._transport.write(packets.connect(self.name, keepalive_s=KEEPALIVE_S, will=will))

    def data_received(self, data: bytes) -> None:
        """Take packets as they come; whatever is none ends the connection."""
        self._buffer += data
        self._heard_s = time.monotonic()
        try:
            for kind, flags, body in packets.split(self._buffer):
                self._packet(kind, flags, body)
        except (ConnectionError, ValueError, IndexError, struct.error, WireError):
            self._counts["unreadable answers"] += 1
            self.cut()

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Begin anew; the fleet sees to it that it connects again."""
        self.online = False
        self._transport = None
        self._counts["lost connections"] += self.wanted

    def _packet(self, kind: int, flags: int, body: bytes) -> None:
        if kind == packets.PUBACK:
            self._unanswered.discard(packets.number(body))
            self._answered_s = self._heard_s
            self._counts["pubacks"] += 1
            self.pump()
        elif kind == packets.PUBLISH:
            _, mid, payload = packets.received(flags, body)
            if mid and self._transport is not None:
                self._transport.write(packets.puback(mid))
            self._acked(payload)
        elif kind == packets.CONNACK:
            if body[1]:
                raise ConnectionError(f"refused with {body[1]}")
            self._accepted()

    def _accepted(self) -> None:
        if self._transport is None:
            return
        self._mid = self._mid % 65535 + 1
        self._transport.write(packets.subscribe(self._mid, topic(self.name, "ack")))
        self.online = True
        self._pause_s = self._resend_s
        self._counts["connections"] += 1
        self._announce(online=True)
        self._again.clear()
        self._send_again(time.monotonic())
        self.pump()

    def _acked(self, payload: bytes) -> None:
        ack = decode_ack(payload)
        self._counts["acks"] += 1
        if ack.seq > self._whole.get(ack.boot, -1):
            self.wrong.append(f"{self.name}: ack {ack.boot}/{ack.seq}, but blocks before that were never sent")
        known = len(self.pending)
        self.pending = {key: i for key, i in self.pending.items() if key[0] != ack.boot or key[1] > ack.seq}
        self._counts["durable"] += known - len(self.pending)
        self._counts["pending"] -= known - len(self.pending)
        if len(self.pending) < known:
            self._moved_s = time.monotonic()
            self._pause_s, self._repeats = self._resend_s, REPEATS
            self.pump()
