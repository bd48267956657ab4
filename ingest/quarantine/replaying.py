"""Sends what was set aside on its way once more, and drops it only when it has arrived.

Rules
-----
- A message goes to the broker on its own topic, so it takes the normal way and is judged as if it came now. It is not
  sent if this software would refuse its bytes again: that would only move it to another number.
- A record that the store refused is written to the store, unless the store has meanwhile got a later one in its place.
- What the broker or the store has not taken stays where it is.
"""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from ingest.errors import StoreError
from ingest.fair import REFUSALS
from ingest.mqtt import MqttSettings
from ingest.mqtt_replay import Message, send
from ingest.quarantine.explain import refusal
from ingest.quarantine.shelf import Item, Shelf
from ingest.store import Episode, Epoch, Record, Store

AT_ONCE: Final = 50  # messages in memory; each may have 256 KiB
OF_DEVICE: Final = REFUSALS * 9 // 10  # in one go: were all refused again, the device would not be listened to
_KINDS: Final[dict[str, type[Episode] | type[Epoch]]] = {"store/episode": Episode, "store/epoch": Epoch}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one."""

    id: int
    done: bool
    said: str


def replay(shelf: Shelf, items: Sequence[Item], mqtt: MqttSettings, open_store: Callable[[], Store]) -> list[Outcome]:
    """Send all of them; what became of each, in their order."""
    outcomes: dict[int, Outcome] = {}
    records = [item for item in items if item.topic.startswith("store/")]
    if records:
        with closing(open_store()) as store:
            for item in records:
                outcomes[item.id] = _put_back(store, item, shelf.payload(item))
    messages = _chosen([item for item in items if item.id not in outcomes], outcomes)
    for at in range(0, len(messages), AT_ONCE):
        outcomes |= _publish(shelf, messages[at : at + AT_ONCE], mqtt)
    shelf.drop([outcome.id for outcome in outcomes.values() if outcome.done])
    return [outcomes[item.id] for item in items]


def _chosen(items: Sequence[Item], outcomes: dict[int, Outcome]) -> list[Item]:
    """Those that may be sent; what keeps the others is noted."""
    chosen: list[Item] = []
    count: Counter[str] = Counter()
    for item in items:
        why = ""
        if item.reason == "detector":
            why = "a note on a block that is kept: it is detected again when its session is"
        elif item.cut:
            why = f"only its first {item.size:,} bytes were kept"
        elif count[item.device] >= OF_DEVICE:
            why = f"{OF_DEVICE} of this device have been sent: the others in a minute"
        if why:
            outcomes[item.id] = Outcome(item.id, False, why)
        else:
            count[item.device] += 1
            chosen.append(item)
    return chosen


def _publish(shelf: Shelf, items: Sequence[Item], mqtt: MqttSettings) -> dict[int, Outcome]:
    outcomes = {}
    messages: dict[int, Message] = {}
    for item in items:
        payload = shelf.payload(item)
        if why := refusal(item, payload):
            outcomes[item.id] = Outcome(item.id, False, f"it would be refused again: {why}")
        else:
            messages[item.id] = (item.topic, payload, item.content_type)
    answers = send(mqtt, list(messages.values())) if messages else []
    for number, why in zip(messages, answers, strict=True):
        outcomes[number] = Outcome(number, not why, why or "sent")
    shelf.drop([number for number, outcome in outcomes.items() if outcome.done])
    return outcomes


def _put_back(store: Store, item: Item, payload: bytes) -> Outcome:
    kind = _KINDS.get(item.topic)
    if kind is None:
        return Outcome(item.id, False, "a later one has long taken its place: drop it")
    try:
        record = _record(kind, payload)
        if _replaced(store, record):
            return Outcome(item.id, False, "the store has a later one in its place: drop it")
        store.write([record])
    except (StoreError, msgspec.MsgspecError) as error:
        return Outcome(item.id, False, str(error))
    return Outcome(item.id, True, "written to the store")


def _record(kind: type[Episode] | type[Epoch], payload: bytes) -> Episode | Epoch:
    """A record out of JSON, where what was not a number is null."""
    values = msgspec.json.decode(payload, type=dict[str, Any])
    for part in msgspec.structs.fields(kind):
        if part.type is float and values.get(part.encode_name, 0) is None:
            values[part.encode_name] = math.nan
    return msgspec.convert(values, kind)


def _replaced(store: Store, record: Record) -> bool:
    """Whether the store has one of this key that is as new or newer; withdrawn and void ones count."""
    if isinstance(record, Episode):
        at_ns = record.onset_ns
        found = store.episodes([record.device], start_ns=at_ns, end_ns=at_ns + 1, withdrawn=True)
        return any(one.site == record.site and one.revision >= record.revision for one in found)
    if isinstance(record, Epoch):
        at_ns = record.start_ns
        epochs = store.epochs(record.device, start_ns=at_ns, end_ns=at_ns + 1, void=True)
        return any(one.site == record.site for one in epochs)
    return True
