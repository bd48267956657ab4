"""What a message that was set aside holds, and what can be done about it."""

import math
from typing import Any, Final

import msgspec

from ingest.errors import WireError
from ingest.quarantine.shelf import Item
from ingest.wire import CONTENT_JSON, decode_block, decode_status, parse_topic

DUMP_BYTES: Final = 512
SHOWN: Final = 40  # bytes, members or characters of one value
DEPTH: Final = 6
_ADVICE: Final = {
    "topic": "The device publishes where it should not. See docs/wire.md, section 3.",
    "device": "The block names another device than its topic: two devices share a name or a password.",
    "content_type": "The sender's MQTT 5 content type must be application/msgpack or application/json, or absent.",
    "encoding": "It is neither MessagePack nor JSON, or cut off: a broken link, or something else's message.",
    "size": "Send shorter blocks: at most 4 MiB.",
    "clock": "Set the device's clock.",
    "detector": "The detector failed on this block: a fault of this software, please report it with this output. "
    "The block itself is kept and is detected again when its session is.",
    "store": "The store refused this record. Mend what the sentence names, then replay it.",
    "unreadable": "Not the sender but this machine is at fault: it took the block and cannot read it any more, because "
    "its journal was damaged or an older release kept it otherwise. Run charley doctor, which looks at disk and files. "
    "Only if show tells of no refusal today are its bytes whole, and may be replayed.",
    "counter": "The device began its numbers again too often to be told apart. Mend it as the sentence says: then it "
    "can send the block under its new id.",
    "declared": "The device's status must name every site that its blocks hold, or none.",
}
_SENDER: Final = "The sender's message breaks the rule that the sentence names (docs/wire.md). Mend the sender."
_REPLAY: Final = "After an update of this software that accepts it: charley quarantine replay {id}"


def advice(item: Item) -> str:
    """What to do about it."""
    text = _ADVICE.get(item.reason, _SENDER)
    if item.cut:
        text = (
            f"{text} Only its first {item.size:,} bytes were kept: it can never be replayed. Look at it, then drop it."
        )
    elif item.reason not in ("counter", "detector", "store", "topic", "unreadable"):
        text = f"{text} {_REPLAY.format(id=item.id)}"
    return text


def refusal(item: Item, payload: bytes) -> str:
    """Why this software, as it is now, would refuse the message again; empty if nothing in it is wrong."""
    try:
        device, leaf = parse_topic(item.topic)
        if leaf == "status":
            decode_status(payload, content_type=item.content_type)
        elif leaf == "blocks":
            block = decode_block(payload, content_type=item.content_type)
            if block.device not in (None, device):
                return f"its member device is {block.device}"
        else:
            return "its topic is for messages to devices"
    except WireError as error:
        return f"{error.reason}: {error}"
    return ""


def decoded(item: Item, payload: bytes) -> Any:
    """The message as a tree of which long values are shortened; None if it is neither MessagePack nor JSON."""
    as_json = item.content_type == CONTENT_JSON or payload[:1] == b"{"
    try:
        tree = msgspec.json.decode(payload) if as_json else msgspec.msgpack.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, OverflowError, ValueError):
        return None
    return _short(tree, depth=0) if isinstance(tree, dict | list) else None


def hex_dump(payload: bytes) -> str:
    """The first bytes, 16 to a line: offset, hex, text."""
    lines = []
    for at in range(0, min(len(payload), DUMP_BYTES), 16):
        row = payload[at : at + 16]
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        lines.append(f"{at:06x}  {row.hex(' '):<47}  {text}")
    if len(payload) > DUMP_BYTES:
        lines.append(f"... {len(payload) - DUMP_BYTES} bytes more")
    return "\n".join(lines)


def _short(value: Any, *, depth: int) -> Any:
    """What can be printed as JSON, of bounded size."""
    if isinstance(value, dict | list) and depth > DEPTH:
        return "..."
    if isinstance(value, dict):
        pairs = list(value.items())[:SHOWN]
        return {str(_short(key, depth=depth + 1)): _short(part, depth=depth + 1) for key, part in pairs}
    if isinstance(value, list):
        return [_short(part, depth=depth + 1) for part in value[:SHOWN]]
    return _leaf(value)


def _leaf(value: Any) -> Any:
    if isinstance(value, bytes):
        return f"{len(value)} bytes: {value[:SHOWN].hex()}"
    if isinstance(value, str):
        return value if len(value) <= SHOWN else f"{len(value)} characters: {value[:SHOWN]}"
    if value is None or isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return f"{value!r:.80}"
