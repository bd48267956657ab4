"""Messages to spoil, and ways of spoiling them: by structure, by bytes, by topic. The same seed, the same cases."""

import base64
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any, Final

import msgspec

from ingest.wire import CONTENT_JSON, CONTENT_MSGPACK

AT_ONCE: Final = 16  # devices
LIFE: Final = 60  # messages of one device; one number gone wrong may make all that follow late
T0_NS: Final = 1_767_225_600_000_000_000  # 2026-01-01T00:00:00Z
SECOND_NS: Final = 1_000_000_000
HOSTILE: Final[tuple[Any, ...]] = (
    None, True, False, 0, -1, 1, 8, 9, 2**31, 2**53 - 1, 2**53, 2**63 - 1, 2**63, 2**64 - 1, -(2**63), 0.5, -0.0,
    1e-320, 1e308, math.nan, math.inf, -math.inf, "", "emg", "acc", "soleus", "\x00", "ä", "\U0001f9b5", "a" * 41,
    "soleus\n", "../..", "A" * 5000, b"", b"\x00", b"\x00\x80" * 20, b"\xff" * 63, [], [[]], {}, {"boot": 1},
    [None] * 10, {"": ""},
)  # fmt: skip
CONTENT_TYPES: Final = (None, "", CONTENT_MSGPACK, CONTENT_JSON, "text/plain", "application/json; q=1", "x" * 9000)
TOPICS: Final = (
    "", "/", "charley", "charley/v1", "charley/v1//blocks", "charley/v1/fuzz-0", "charley/v1/fuzz-0/",
    "charley/v1/fuzz-0/blocks/", "charley/v1/fuzz-0/blocks\n", "charley/v2/fuzz-0/blocks", "/charley/v1/fuzz-0/blocks",
    "charley/v1/fuzz 0/blocks", "charley/v1/+/blocks", "charley/v1/#", "$SYS/broker", "charley/v1/ä/blocks", "\ufffd",
    "charley/v1/a\x00b/blocks", "CHARLEY/V1/FUZZ-0/BLOCKS", "charley/v1/" + "x" * 65 + "/blocks",
    "charley/v1/" + "x" * 60_000 + "/blocks", "store/episode",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Case:
    """One message as the broker would hand it over."""

    topic: str
    payload: bytes
    content_type: str | None


def make(rng: Random, number: int) -> Case:
    """One case: a message that was valid, spoiled in none, one or several ways; or nothing of the kind.

    By their numbers the cases of a device follow each other, so that what is still valid reaches the detector.
    """
    life, place = divmod(number, AT_ONCE * LIFE)
    device = f"fuzz-{life}-{place % AT_ONCE}"
    leaf = rng.choices(("blocks", "status", "ack", "events"), (80, 15, 3, 2))[0]
    message: Any = _block(rng, device, place // AT_ONCE) if leaf == "blocks" else _status(rng)
    for _ in range(rng.choice((0, 0, 1, 1, 1, 2, 3))):
        message = _spoil(rng, message)
    as_json = rng.random() < 0.3
    payload = _json(message) if as_json else _msgpack(rng, message)
    if rng.random() < 0.25:
        payload = _spoil_bytes(rng, payload)
    content_type = (CONTENT_JSON if as_json else CONTENT_MSGPACK) if rng.random() < 0.5 else None
    if rng.random() < 0.05:
        content_type = rng.choice(CONTENT_TYPES)
    topic = f"charley/v1/{device}/{leaf}"
    if rng.random() < 0.05:
        topic = rng.choice(TOPICS) if rng.random() < 0.7 else _text(rng)
    return Case(topic, payload, content_type)


def _block(rng: Random, device: str, seq: int) -> dict[str, Any]:
    fs_hz = rng.choices((200.0, 250.0, 1000.0), (8, 1, 1))[0]
    seconds = rng.choices((0.5, 0.1, 0.2), (8, 1, 1))[0]
    signals = [_emg(rng, rng.choice(("soleus", "tibialis")), fs_hz, seconds)]
    if rng.random() < 0.3:
        signals.append(_emg(rng, "gastrocnemius", fs_hz, seconds, channels=rng.randint(1, 3)))
    if rng.random() < 0.6:
        signals.append(
            {"kind": "acc", "site": "shank", "fs_hz": 50.0, "scale": 1 / 4096, "channels": 3,
             "samples": rng.randbytes(6 * max(1, round(50 * seconds)))}
        )  # fmt: skip
    if rng.random() < 0.05:
        seq = rng.randrange(seq + 1)
    block: dict[str, Any] = {
        "boot": 1, "seq": seq, "t0": T0_NS + seq * SECOND_NS // 2,
        "signals": signals,
    }  # fmt: skip
    if rng.random() < 0.2:
        block["device"] = device
    return block


def _emg(rng: Random, site: str, fs_hz: float, seconds: float, *, channels: int = 1) -> dict[str, Any]:
    return {
        "kind": "emg", "site": site, "fs_hz": fs_hz, "scale": rng.choice((0.1, 0.5)), "channels": channels,
        "samples": rng.randbytes(2 * channels * round(fs_hz * seconds)),
    }  # fmt: skip


def _status(rng: Random) -> dict[str, Any]:
    return {
        "boot": 1, "online": rng.random() < 0.7, "firmware": "1.0",
        "sites": ["soleus", "tibialis", "gastrocnemius"][: rng.choice((1, 3, 3, 3))],
        "battery": 0.5, "oldest": rng.randrange(30),
    }  # fmt: skip


def _spoil(rng: Random, value: Any) -> Any:
    """Change one place of a tree, chosen by walking down."""
    if isinstance(value, dict) and value and rng.random() < 0.95:
        return _spoil_map(rng, value)
    if isinstance(value, list) and value and rng.random() < 0.9:
        return _spoil_list(rng, value)
    if isinstance(value, bytes) and rng.random() < 0.6:
        return value[: rng.randrange(len(value) + 1)] if rng.random() < 0.5 else value * rng.choice((2, 40))
    if isinstance(value, int | float) and not isinstance(value, bool) and rng.random() < 0.7:
        return _near(rng, value)
    return _hostile(rng)


def _spoil_map(rng: Random, value: dict[str, Any]) -> dict[str, Any]:
    key = rng.choice(list(value))
    what = rng.random()
    if what < 0.05:
        return {name: part for name, part in value.items() if name != key}
    if what < 0.1:
        return {**value, rng.choice(("x", "", "device", _text(rng))): _hostile(rng)}
    return {**value, key: _spoil(rng, value[key])}


def _spoil_list(rng: Random, value: list[Any]) -> list[Any]:
    at = rng.randrange(len(value))
    what = rng.random()
    if what < 0.1:
        return value[:at] + value[at + 1 :]
    if what < 0.2:
        return value + [value[at]] * rng.choice((1, 8, 300))
    return [*value[:at], _spoil(rng, value[at]), *value[at + 1 :]]


def _near(rng: Random, value: float) -> Any:
    """A number that may still be believed."""
    factor = rng.choice((-1, 0, 0.5, 2, 10, 1000, 1e-3))
    if isinstance(value, int):
        day_ns = 86_400 * SECOND_NS
        step = rng.choice((1, -1, 70, 5000, day_ns, -day_ns, 20_000 * day_ns, -10_000 * day_ns))
        return max(-(2**63), min(2**64 - 1, value + step if rng.random() < 0.5 else int(value * factor)))
    return value * factor


def _hostile(rng: Random) -> Any:
    if rng.random() < 0.02:
        deep: Any = 1
        for _ in range(rng.choice((50, 900, 5000))):
            deep = [deep]
        return deep
    return rng.choice(HOSTILE)


def _text(rng: Random) -> str:
    return "".join(chr(rng.choice((rng.randrange(0x80), rng.randrange(0xD800)))) for _ in range(rng.randrange(40)))


def _json(value: Any) -> bytes:
    try:
        return json.dumps(value, default=lambda part: base64.b64encode(part).decode()).encode("utf-8", "surrogatepass")
    except RecursionError:
        return b"[" * 100_000


def _msgpack(rng: Random, value: Any) -> bytes:
    try:
        if isinstance(value, dict) and value and rng.random() < 0.03:
            return _twice(rng, value)
        return msgspec.msgpack.encode(value)
    except RecursionError:
        return b"\x91" * 100_000


def _twice(rng: Random, value: dict[str, Any]) -> bytes:
    """A map that has one key twice."""
    pairs = [*value.items(), (rng.choice(list(value)), _hostile(rng))]
    encoded = b"".join(msgspec.msgpack.encode(key) + msgspec.msgpack.encode(part) for key, part in pairs)
    return b"\xde" + len(pairs).to_bytes(2, "big") + encoded


def _flip(rng: Random, payload: bytes) -> bytes:
    spoiled = bytearray(payload)
    for _ in range(rng.choice((1, 1, 3, 20)) if spoiled else 0):
        spoiled[rng.randrange(len(spoiled))] ^= 1 << rng.randrange(8)
    return bytes(spoiled)


def _put(rng: Random, payload: bytes, what: bytes) -> bytes:
    at = rng.randrange(len(payload) + 1)
    return payload[:at] + what + payload[at:]


_LYING_LENGTHS: Final = tuple(bytes([kind]) + b"\xff" * 4 for kind in (0xDD, 0xDF, 0xC6, 0xDB, 0xC9))
_NO_TEXT: Final = (b"\xa2\xc3\x28", b"\xd6\xff\0\0\0\0", b"\xc1", b"\xed\xa0\x80")  # and extensions
_NESTS: Final = (b"\x91", b"[", b'{"a":', b"\x81\xa1a")
_BYTES: Final[tuple[Callable[[Random, bytes], bytes], ...]] = (
    _flip,
    _flip,
    lambda rng, payload: payload[: rng.randrange(len(payload) + 1)],
    lambda rng, payload: payload[rng.randrange(len(payload) + 1) :],
    lambda rng, payload: payload + rng.choice((b"\x00", b"\xc0", b"}", payload[:9])),
    lambda rng, payload: _put(rng, payload, rng.randbytes(rng.choice((1, 2, 9)))),
    lambda rng, payload: _put(rng, payload, rng.choice(_LYING_LENGTHS)),
    lambda rng, payload: _put(rng, payload, rng.choice(_NO_TEXT)),
    lambda rng, payload: _put(rng, payload, payload[rng.randrange(len(payload) + 1) :]),
    lambda rng, _: rng.randbytes(rng.randrange(200)),
    lambda rng, _: rng.choice(_NESTS) * rng.choice((10, 2000, 2000, 100_000)),
)


def _spoil_bytes(rng: Random, payload: bytes) -> bytes:
    return rng.choice(_BYTES)(rng, payload)
