"""A batch of deliveries to ordered blocks: decode, validate, place. Pure: the known comes in, the changed goes out."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from ingest.devices import Device, View, heard_block, heard_status
from ingest.errors import WireError
from ingest.order import Arrival, Gap, Horizon, Key, Order, Outcome, arrive, go_offline, lose
from ingest.source import Delivery
from ingest.wire import T0_NS, Block, Status, decode_block, decode_status, parse_topic

SECOND_NS: Final = 1_000_000_000
AHEAD_NS: Final = 24 * 3600 * SECOND_NS  # samples from further in the future are not believed


class Stored(msgspec.Struct, frozen=True):
    """A block for the journal."""

    device: str
    block: Block
    disposition: str
    delivery: Delivery


class Quarantined(msgspec.Struct, frozen=True):
    """A message, or a record, that cannot be used, and why."""

    topic: str
    payload: bytes
    content_type: str | None
    reason: str
    sentence: str
    received_ns: int


@dataclass(slots=True)
class Intake:
    """What a batch of deliveries led to, device by device."""

    orders: dict[str, Order] = field(default_factory=dict)
    views: dict[str, View] = field(default_factory=dict)
    stored: list[Stored] = field(default_factory=list)
    ready: dict[str, list[Key]] = field(default_factory=dict)  # in the order of processing
    gaps: list[tuple[str, Gap]] = field(default_factory=list)
    quarantined: list[Quarantined] = field(default_factory=list)
    blocks: Counter[str] = field(default_factory=Counter)  # how many, by what became of them
    statuses: int = 0
    seen: set[tuple[str, int]] = field(default_factory=set)  # device and boot of every block, also duplicates


def sort_in(known: Mapping[str, Device], deliveries: Sequence[Delivery], *, horizon: Horizon) -> Intake:
    """Take a batch in."""
    intake = Intake()
    for delivery in deliveries:
        try:
            _message(intake, known, delivery, horizon)
        except WireError as error:
            intake.blocks["quarantined"] += delivery.topic.endswith("/blocks")
            intake.quarantined.append(
                Quarantined(
                    delivery.topic,
                    delivery.payload,
                    delivery.content_type,
                    error.reason,
                    str(error),
                    delivery.received_ns,
                )
            )
    return intake


def _message(intake: Intake, known: Mapping[str, Device], delivery: Delivery, horizon: Horizon) -> None:
    device, leaf = parse_topic(delivery.topic)
    if leaf == "blocks":
        block = decode_block(delivery.payload, content_type=delivery.content_type)
        _check_clock(block, delivery)
        _open(intake, known, device)
        _block(intake, device, delivery, block, horizon=horizon)
    elif leaf == "status":
        status = decode_status(delivery.payload, content_type=delivery.content_type)
        _open(intake, known, device)
        _status(intake, device, status, horizon=horizon)
    else:
        raise WireError("topic", f"topic {delivery.topic} is for messages to devices")


def _check_clock(block: Block, delivery: Delivery) -> None:
    if not T0_NS[0] <= block.t0 < T0_NS[1]:
        raise WireError("clock", f"t0 {block.t0} ns is not between 2020 and 2100: is the device's clock set?")
    ahead_ns = block.t0 - delivery.received_ns
    if ahead_ns > AHEAD_NS:
        hours = ahead_ns / (3600 * SECOND_NS)
        raise WireError("clock", f"t0 {block.t0} ns lies {hours:.0f} h after the arrival: is the clock right?")


def _open(intake: Intake, known: Mapping[str, Device], device: str) -> None:
    if device not in intake.orders:
        was = known.get(device) or Device()
        intake.orders[device], intake.views[device] = was.order, was.view


def _block(intake: Intake, device: str, delivery: Delivery, block: Block, *, horizon: Horizon) -> None:
    end_ns = block.t0 + round(block.duration_s * SECOND_NS)
    arrival = Arrival(block.boot, block.seq, block.t0, end_ns)
    order, outcome = arrive(intake.orders[device], arrival, horizon=horizon)
    disposition = outcome.disposition or "ready"
    intake.blocks[disposition] += 1
    intake.seen.add((device, block.boot))
    _placed(intake, device, order, outcome)
    if disposition == "duplicate":
        return
    intake.stored.append(Stored(device, block, disposition, delivery))
    intake.views[device] = heard_block(intake.views[device], block, end_ns=end_ns, received_ns=delivery.received_ns)


def _status(intake: Intake, device: str, status: Status, *, horizon: Horizon) -> None:
    intake.statuses += 1
    intake.views[device] = heard_status(intake.views[device], status)
    if status.oldest:
        _placed(intake, device, *lose(intake.orders[device], status.boot, status.oldest, horizon=horizon))
        intake.seen.add((device, status.boot))
    if not status.online:
        _placed(intake, device, *go_offline(intake.orders[device], status.boot))


def _placed(intake: Intake, device: str, order: Order, outcome: Outcome) -> None:
    intake.orders[device] = order
    if outcome.ready:
        intake.ready.setdefault(device, []).extend(outcome.ready)
    intake.gaps.extend((device, gap) for gap in outcome.gaps)
