#!/usr/bin/env python3
"""A leg wearable in one file: keeps what it measures until Charley has it. For firmware authors to read.

It does what ../wire.md asks of a device, section by section, with the standard library and paho-mqtt 2:

    python charley_device.py --host 127.0.0.1 --device leg-7 --folder leg-7 --blocks 60

measures a minute of noise and ends once the service has vouched for every block. Kill it, the broker or the service
at any moment and start it again with the same folder: nothing is lost, nothing counts twice.
"""

import argparse
import json
import os
import random
import struct
import sys
import time
from collections import deque
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

SECOND_NS = 1_000_000_000
UNANSWERED = 20  # publications without a PUBACK
AGAIN = 256  # blocks sent again until an ack lets us forget some
PAUSE_S = 60.0  # of silence until we send again, and then twice as long, up to
LONGEST_PAUSE_S = 3600.0
SESSION_S = 7 * 24 * 3600

Key = tuple[int, int]  # boot and seq

# --- MessagePack (section 4.1) -------------------------------------------------------------------------------

UNSIGNED = ((1 << 7, b"", ">B"), (1 << 8, b"\xcc", ">B"), (1 << 16, b"\xcd", ">H"), (1 << 32, b"\xce", ">I"))
NUMBERS = {0xCA: ">f", 0xCB: ">d", 0xCC: ">B", 0xCD: ">H", 0xCE: ">I", 0xCF: ">Q",
           0xD0: ">b", 0xD1: ">h", 0xD2: ">i", 0xD3: ">q"}  # fmt: skip
SIZES = {0xC4: ">B", 0xC5: ">H", 0xC6: ">I", 0xD9: ">B", 0xDA: ">H", 0xDB: ">I",
         0xDC: ">H", 0xDD: ">I", 0xDE: ">H", 0xDF: ">I"}  # fmt: skip
WORDS = {0xC0: None, 0xC2: False, 0xC3: True}


def pack(value: Any) -> bytes:
    """Bytes of a block or a status: maps and lists of up to 15, text of up to 255."""
    if isinstance(value, bool):
        packed = b"\xc3" if value else b"\xc2"
    elif isinstance(value, int):
        head, form = next(((head, form) for limit, head, form in UNSIGNED if value < limit), (b"\xcf", ">Q"))
        packed = head + struct.pack(form, value)
    elif isinstance(value, float):
        packed = struct.pack(">Bd", 0xCB, value)
    elif isinstance(value, str):
        size = len(value.encode())
        packed = (struct.pack("B", 0xA0 | size) if size < 32 else struct.pack("BB", 0xD9, size)) + value.encode()
    elif isinstance(value, bytes):
        packed = struct.pack(">BI", 0xC6, len(value)) + value
    elif isinstance(value, dict):
        packed = bytes([0x80 | len(value)]) + b"".join(pack(name) + pack(item) for name, item in value.items())
    else:
        packed = bytes([0x90 | len(value)]) + b"".join(map(pack, value))
    return packed


def unpack(data: bytes, at: int = 0) -> tuple[Any, int]:
    """A value, and where the next one begins. A device reads acks only, but a later service may add to them."""
    head = data[at]
    at += 1
    if head < 0x80 or head >= 0xE0:
        return (head if head < 0x80 else head - 0x100), at
    if head in WORDS:
        return WORDS[head], at
    form = NUMBERS.get(head) or SIZES.get(head)
    size = head & (0x1F if head >= 0xA0 else 0x0F)
    if form:
        size = struct.unpack_from(form, data, at)[0]
        at += struct.calcsize(form)
    if head in NUMBERS:
        return size, at
    if 0xA0 <= head <= 0xDB:  # text or bytes
        if at + size > len(data):
            raise ValueError("cut off")
        part = bytes(data[at : at + size])
        return (part if 0xC4 <= head <= 0xC6 else part.decode()), at + size
    is_map, items = head < 0x90 or head >= 0xDE, []
    for _ in range(2 * size if is_map else size):
        item, at = unpack(data, at)
        items.append(item)
    return (dict(zip(items[::2], items[1::2], strict=True)) if is_map else items), at


def read_ack(payload: bytes) -> Key | None:
    """Boot and seq of an ack, or none if it is not one: what a device cannot read it passes over."""
    try:
        ack = json.loads(payload) if payload[:1] == b"{" else unpack(payload)[0]
        return (ack["boot"], ack["seq"]) if type(ack["boot"]) is type(ack["seq"]) is int else None
    except (ValueError, TypeError, KeyError, IndexError, struct.error, RecursionError):
        return None


def signal(kind: str, site: str, *, fs_hz: float, scale: float, channels: list[list[int]]) -> dict[str, Any]:
    """One signal of a block (section 4.3)."""
    samples = b"".join(struct.pack(f"<{len(counts)}h", *counts) for counts in channels)
    return {"kind": kind, "site": site, "fs_hz": float(fs_hz), "scale": float(scale), "channels": len(channels),
            "samples": samples}  # fmt: skip


# --- Memory that outlives a restart (section 6.3, rules 1 and 4) -----------------------------------------------


class Memory:
    """Blocks in a folder, one file each, and the boot counter beside them. The oldest make room for the newest."""

    def __init__(self, folder: Path, capacity_bytes: int) -> None:
        self.folder, self.capacity_bytes = folder, capacity_bytes
        folder.mkdir(parents=True, exist_ok=True)
        for half in folder.glob("*.new"):
            half.unlink()
        # By boot and seq, which is the order in which they were kept.
        found = sorted(folder.glob("*.block"))
        self.sizes = {(int(path.stem[:16]), int(path.stem[17:])): path.stat().st_size for path in found}
        self.used_bytes = sum(self.sizes.values())

    def next_boot(self) -> int:
        """Raise the boot counter; on disk before it is used."""
        counter = self.folder / "boot"
        boot = int(counter.read_text()) + 1 if counter.exists() else int(time.time())
        self._write(counter, str(boot).encode())
        return boot

    def keep(self, key: Key, payload: bytes) -> list[Key]:
        """Keep a block; which older ones had to go for it, several at once."""
        gone = []
        if self.used_bytes + len(payload) > self.capacity_bytes:
            enough = self.capacity_bytes - self.capacity_bytes // 64 - len(payload)
            while self.sizes and self.used_bytes > enough:
                gone.append(next(iter(self.sizes)))
                self._drop(gone[-1])
        self._write(self.path(key), payload)
        self.sizes[key] = len(payload)
        self.used_bytes += len(payload)
        return gone

    def forget(self, boot: int, seq: int) -> list[Key]:
        """Others have the blocks of a boot up to here."""
        gone = [key for key in self.sizes if key[0] == boot and key[1] <= seq]
        for key in gone:
            self._drop(key)
        return gone

    def oldest(self, boot: int | None = None) -> Key | None:
        """The oldest block, or the oldest of a boot."""
        return next((key for key in self.sizes if boot in (None, key[0])), None)

    def _drop(self, key: Key) -> None:
        self.path(key).unlink()
        self.used_bytes -= self.sizes.pop(key)

    def path(self, key: Key) -> Path:
        """Where a block is."""
        return self.folder / f"{key[0]:016d}-{key[1]:016d}.block"

    def _write(self, path: Path, data: bytes) -> None:
        """Whole or not at all, also when power fails."""
        half = path.with_name(f"{path.name}.new")
        with half.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        half.replace(path)
        folder = os.open(self.folder, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)


# --- The device (section 11) -----------------------------------------------------------------------------------


class Device:
    """One boot of a device. Hand it every block with `measured`, and call `work` all the time."""

    def __init__(self, name: str, memory: Memory, *, sites: tuple[str, ...], pause_s: float = PAUSE_S) -> None:
        self.name, self.memory, self.sites, self.shortest_pause_s = name, memory, sites, pause_s
        self.boot, self.seq = memory.next_boot(), 0
        now_s = time.monotonic()
        self.new: deque[Key] = deque()  # never sent
        self.sent = dict.fromkeys(memory.sizes, now_s)  # held, and sent: since when
        self.again: deque[Key] = deque()  # of these, what is to be sent again
        self.repeated = 0  # since an ack last let us forget something
        self.pause_s, self.quiet_s = pause_s, now_s
        self.acked: dict[int, int] = {}  # by boot
        self.unanswered: set[int] = set()
        self.online = False
        self.wait_s, self.next_try_s = 1.0, now_s

    def connect(self, host: str, port: int, *, user: str | None, password: str | None, ca_file: str | None) -> None:
        """Name the broker; `work` reaches it."""
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=self.name, protocol=mqtt.MQTTv5)
        self.client.on_connect, self.client.on_disconnect = self._on_connect, self._on_disconnect
        self.client.on_publish, self.client.on_message = self._on_publish, self._on_message
        self.client.will_set(self._topic("status"), pack({"boot": self.boot, "online": False}), qos=1, retain=True)
        if user is not None:
            self.client.username_pw_set(user, password)
        if ca_file is not None:
            self.client.tls_set(ca_certs=ca_file)
        session = Properties(PacketTypes.CONNECT)
        session.SessionExpiryInterval = SESSION_S
        self.client.connect_async(host, port, keepalive=60, clean_start=False, properties=session)

    def measured(self, t0_ns: int, signals: list[dict[str, Any]]) -> None:
        """A block is full: keep it first; then it may be sent."""
        key = (self.boot, self.seq)
        self.seq += 1
        gone = self.memory.keep(key, pack({"boot": key[0], "seq": key[1], "t0": t0_ns, "signals": signals}))
        self.new.append(key)
        if gone:
            self._no_longer_held(gone)
            self._publish_status()

    def work(self, seconds: float) -> None:
        """Send, receive, send again, connect again, for so long."""
        until_s = time.monotonic() + seconds
        while True:
            self._send()
            left_s = until_s - time.monotonic()
            if self.client.loop(timeout=min(max(left_s, 0.0), 0.1)) != mqtt.MQTT_ERR_SUCCESS:
                self._reconnect(left_s)
            if left_s <= 0:
                return

    def close(self) -> None:
        """Say goodbye."""
        self._publish_status(online=False)
        for _ in range(50):
            if self.online and self.unanswered:
                self.client.loop(timeout=0.1)
        self.client.disconnect()

    def _send(self) -> None:
        self._heed_silence()
        while self.online and len(self.unanswered) < UNANSWERED:
            if self.again and self.repeated < AGAIN:
                key = self.again.popleft()
                self.repeated += key in self.sent
            elif self.new:
                key = self.new.popleft()
            else:
                return
            if key in self.memory.sizes:  # else it is vouched for by now, or had to make room
                self.sent.setdefault(key, time.monotonic())
                form = Properties(PacketTypes.PUBLISH)
                form.ContentType = "application/msgpack"
                self._publish("blocks", self.memory.path(key).read_bytes(), properties=form)

    def _heed_silence(self) -> None:
        """Nothing new to send, and no ack for too long: somebody has lost what we sent (section 6.3, rule 3)."""
        now_s = time.monotonic()
        if self.new:
            self.quiet_s = now_s
        first_s = next(iter(self.sent.values()), now_s)
        if self.online and now_s - max(self.quiet_s, first_s) >= self.pause_s:
            self.pause_s = min(2 * self.pause_s, LONGEST_PAUSE_S)
            self._publish_status()
            oldest = sorted(self.sent)[: AGAIN // 2]  # lost once more, perhaps; yet a refused block bars no other
            self.again = deque(dict.fromkeys([*oldest, *(self.again or sorted(self.sent))]))
            self.repeated, self.quiet_s = 0, now_s

    def _no_longer_held(self, keys: list[Key]) -> None:
        for key in keys:
            self.sent.pop(key, None)

    def _reconnect(self, left_s: float) -> None:
        self.online = False
        wait_s = self.next_try_s - time.monotonic()
        if wait_s > 0:
            time.sleep(max(min(wait_s, left_s, 0.1), 0.0))
            return
        self.next_try_s = time.monotonic() + self.wait_s * random.uniform(0.5, 1.0)
        self.wait_s = min(2 * self.wait_s, 60.0)
        try:
            self.client.reconnect()
        except OSError as error:
            print(f"no connection: {error}", flush=True)

    def _publish_status(self, *, online: bool = True) -> None:
        """The birth, and again whenever it changes: what we still hold says what is lost (section 7)."""
        if not self.online:
            return  # the next connect says it
        status: dict[str, Any] = {"boot": self.boot, "online": online, "firmware": "python-1", "sites": self.sites}
        status["clock_ns"] = time.time_ns()
        own, first = self.memory.oldest(self.boot), self.memory.oldest()
        if own is not None:
            status["oldest"] = own[1]
        if first is not None and first[0] != self.boot:
            status["backlog"] = {"boot": first[0], "seq": first[1]}
        self._publish("status", pack(status), retain=True)

    def _publish(self, leaf: str, payload: bytes, **options: Any) -> None:
        self.unanswered.add(self.client.publish(self._topic(leaf), payload, qos=1, **options).mid)

    def _topic(self, leaf: str) -> str:
        return f"charley/v1/{self.name}/{leaf}"

    def _on_connect(self, client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            print(f"the broker refuses: {reason}", flush=True)
            return
        self.online, self.wait_s = True, 1.0
        client.subscribe(self._topic("ack"), qos=1)
        self._publish_status()
        self.again = deque(sorted(self.sent))  # nothing that went over the last connection can be relied on
        self.repeated, self.pause_s, self.quiet_s = 0, self.shortest_pause_s, time.monotonic()

    def _on_disconnect(self, *_: Any) -> None:
        self.online = False

    def _on_publish(self, _client: mqtt.Client, _data: Any, mid: int, _reason: Any, _properties: Any) -> None:
        self.unanswered.discard(mid)

    def _on_message(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        ack = read_ack(bytes(message.payload))
        if ack is None:
            return
        boot, seq = ack
        if seq < self.acked.get(boot, 0) or seq > max((key[1] for key in self.sent if key[0] == boot), default=-1):
            return  # an old copy, or about an earlier life of this device
        self.acked[boot] = seq
        gone = self.memory.forget(boot, seq)
        if gone:
            self._no_longer_held(gone)
            self.repeated, self.pause_s, self.quiet_s = 0, self.shortest_pause_s, time.monotonic()
            print(f"ack boot {boot} seq {seq}", flush=True)
        oldest = self.memory.oldest(boot)
        if oldest is not None and oldest[1] > seq + 1:
            self._publish_status()  # a hole that we cannot fill


# --- A leg that only makes noise ---------------------------------------------------------------------------------


def noise(rng: random.Random) -> list[dict[str, Any]]:
    """A second of EMG and acceleration of a wearer who stands still."""

    def counts(n: int, size: int, mean: int = 0) -> list[int]:
        return [mean + rng.randint(-size, size) for _ in range(n)]

    muscle, axes = [counts(1000, 12)], [counts(50, 4, 4096), counts(50, 4), counts(50, 4)]
    return [
        signal("emg", "gastrocnemius_medialis", fs_hz=1000, scale=0.5, channels=muscle),
        signal("acc", "shank", fs_hz=50, scale=1 / 4096, channels=axes),
    ]


def read_options() -> argparse.Namespace:
    """What to do, from the command line."""
    parser = argparse.ArgumentParser(description="A leg wearable that measures noise.")
    for name, kind, default, text in (
        ("host", str, "127.0.0.1", "of the broker"),
        ("port", int, 1883, "of the broker"),
        ("user", str, None, "as whom it connects"),
        ("password", str, None, "of that user"),
        ("ca-file", str, None, "certificate authority of the broker: then TLS"),
        ("device", str, "leg-7", "its id"),
        ("folder", Path, "leg-7", "its flash"),
        ("flash-bytes", int, 64 * 1024 * 1024, "and how much that holds"),
        ("blocks", int, 60, "seconds to measure; 0: only send what is held"),
        ("every", float, 1.0, "seconds between blocks; fewer run ahead"),
        ("t0", int, time.time_ns(), "time of the first sample in ns; now"),
        ("pause", float, PAUSE_S, "seconds of silence until it sends again"),
        ("timeout", float, 3600.0, "seconds to wait for the last ack"),
    ):
        parser.add_argument(f"--{name}", type=kind, default=default, help=text)
    return parser.parse_args()


def main() -> int:
    """Measure, send, and wait until all is vouched for."""
    options = read_options()
    memory = Memory(options.folder, options.flash_bytes)
    device = Device(options.device, memory, sites=("gastrocnemius_medialis", "shank"), pause_s=options.pause)
    device.connect(options.host, options.port, user=options.user, password=options.password, ca_file=options.ca_file)
    print(f"boot {device.boot} with {len(memory.sizes)} block(s) from before", flush=True)
    rng = random.Random(device.boot)
    for second in range(options.blocks):
        device.measured(options.t0 + second * SECOND_NS, noise(rng))
        device.work(options.every)
    until_s = time.monotonic() + options.timeout
    while memory.sizes and time.monotonic() < until_s:
        device.work(0.1)
    device.close()
    print(f"{len(memory.sizes)} block(s) held", flush=True)
    return 1 if memory.sizes else 0


if __name__ == "__main__":
    sys.exit(main())
