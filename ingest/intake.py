"""A batch of deliveries to ordered blocks: decode, validate, place. Pure: the known comes in, the changed goes out."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from ingest.clock import impossible
from ingest.devices import Device, heard_block, heard_clock, heard_late, heard_status, refused, undated
from ingest.errors import ArchiveError, WireError
from ingest.fair import Patience, device_of
from ingest.marks import Mark, end_of
from ingest.order import (
    ERA,
    ERAS,
    Arrival,
    Gap,
    Horizon,
    Key,
    Order,
    Outcome,
    arrive,
    era_of,
    era_of_undated,
    go_offline,
    lose,
    lose_before,
)
from ingest.quarantined import Quarantined
from ingest.source import Delivery
from ingest.wire import Block, Status, decode_block, decode_status, parse_topic

__all__ = ["Intake", "Quarantined", "Stored", "sort_in"]

SECOND_NS: Final = 1_000_000_000
STRANGERS: Final = 1000  # devices of which nothing was ever taken, and that are remembered all the same
COUNTER_MEND: Final = "have the device count its starts over power cuts and its blocks from 0, and give it another id"

Same = Callable[[str, Key, int], bool]  # whether what was taken under a number is the block with this t0


class Stored(msgspec.Struct, frozen=True):
    """A block for the journal; `key` counts boots across eras."""

    device: str
    block: Block
    disposition: str
    delivery: Delivery
    key: Key
    end_ns: int  # by the device's clock


@dataclass(slots=True)
class Intake:
    """What a batch of deliveries led to, device by device."""

    devices: dict[str, Device] = field(default_factory=dict)  # all that were touched, with tracks as they were
    stored: list[Stored] = field(default_factory=list)
    ready: dict[str, list[Key]] = field(default_factory=dict)  # in the order of processing
    gaps: list[tuple[str, Gap]] = field(default_factory=list)
    quarantined: list[Quarantined] = field(default_factory=list)
    blocks: Counter[str] = field(default_factory=Counter)  # how many, by what became of them
    statuses: int = 0
    flood: Counter[str] = field(default_factory=Counter)  # messages passed over, by device
    unread: dict[str, str] = field(default_factory=dict)  # devices of which blocks were passed over: see `sort_in`
    strangers: int | None = None  # devices of which nothing was ever taken; None until somebody asks
    muted: dict[str, float] = field(default_factory=dict)  # devices passed over from now on, for so many seconds
    seen: set[tuple[str, int]] = field(default_factory=set)  # device and boot of every block, also duplicates
    fresh: dict[tuple[str, Key], Stored] = field(default_factory=dict)


def sort_in(
    known: Mapping[str, Device],
    deliveries: Sequence[Delivery],
    *,
    horizon: Horizon,
    same: Same,
    now_ns: int,
    patience: Patience | None = None,
) -> Intake:
    """Take a batch in. A device that is refused too often is passed over for a while: `patience`.

    So is a block of which nobody can tell whether it was taken before, as the archive cannot be read there. What is
    passed over is not acknowledged to the device, which sends it again.
    """
    intake = Intake()
    patience, now_s = patience or Patience(), now_ns / SECOND_NS
    for delivery in deliveries:
        name = device_of(delivery.topic)
        if not patience.allows(name, now_s):
            intake.flood[name] += 1
            continue
        try:
            _message(intake, known, delivery, horizon=horizon, same=same, now_ns=now_ns)
        except WireError as error:
            intake.blocks["quarantined"] += delivery.topic.endswith("/blocks")
            _refuse(intake, known, delivery, error)
            if mute_s := patience.refused(name, now_s):
                intake.muted[name] = mute_s
        except ArchiveError as error:
            intake.unread[name] = str(error)
    return intake


def _refuse(intake: Intake, known: Mapping[str, Device], delivery: Delivery, error: WireError) -> None:
    intake.quarantined.append(
        Quarantined(
            delivery.topic, delivery.payload, delivery.content_type, error.reason, str(error), delivery.received_ns
        )
    )
    device = device_of(delivery.topic)
    if device in known or device in intake.devices or (device and _room_for_strangers(intake, known)):
        found = _device(intake, known, device)
        intake.devices[device] = refused(found, error.reason, received_ns=delivery.received_ns)


def _room_for_strangers(intake: Intake, known: Mapping[str, Device]) -> bool:
    """Whether one more device may be made by a message that was refused: their names can be made up."""
    if intake.strangers is None:
        intake.strangers = sum(device.strange for device in known.values())
    intake.strangers += 1
    return intake.strangers <= STRANGERS


def _message(
    intake: Intake, known: Mapping[str, Device], delivery: Delivery, *, horizon: Horizon, same: Same, now_ns: int
) -> None:
    device, leaf = parse_topic(delivery.topic)
    if leaf == "blocks":
        block = decode_block(delivery.payload, content_type=delivery.content_type)
        _check_device(device, block.device)
        now = _device(intake, known, device)
        _check_declared(now, block)
        item = Stored(device, block, "", delivery, (block.boot, block.seq), end_of(block))
        _block(intake, now, item, horizon=horizon, same=same, now_ns=now_ns)
    elif leaf == "status":
        status = decode_status(delivery.payload, content_type=delivery.content_type)
        _check_device(device, status.device)
        now = _device(intake, known, device)
        if not delivery.retained:  # else nobody knows when it was sent
            now = heard_clock(now, status, received_ns=delivery.received_ns)
        _status(intake, device, now, status, horizon=horizon)
    else:
        raise WireError("topic", f"topic {delivery.topic} is for messages to devices")


def _check_device(device: str, named: str | None) -> None:
    if named is not None and named != device:
        raise WireError("device", f"the message names device {named}, its topic {device}")


def _check_declared(device: Device, block: Block) -> None:
    """A block must hold what the device said that it wears, if it said so of this boot."""
    view = device.view
    if view.declared != block.boot:
        return
    for signal in block.signals:
        if signal.kind == "emg" and signal.site not in view.sites:
            said = ", ".join(view.sites)
            raise WireError("declared", f"emg {signal.site} is not among the sites of this boot's status: {said}")


def _device(intake: Intake, known: Mapping[str, Device], name: str) -> Device:
    found = intake.devices.get(name) or known.get(name)
    return Device() if found is None else found


def _block(intake: Intake, device: Device, item: Stored, *, horizon: Horizon, same: Same, now_ns: int) -> None:
    name, block, received_ns = item.device, item.block, item.delivery.received_ns
    end_ns = item.end_ns
    dated = not impossible(block.t0, received_ns=received_ns)
    times = (block.t0, end_ns) if dated else (0, 0)

    def copy(key: Key) -> bool:
        here = intake.fresh.get((name, key))
        return here.block.t0 == block.t0 if here else same(name, key, block.t0)

    key = (block.boot, block.seq)
    boot = era_of(device.order, Arrival(*key, *times), copy) if dated else era_of_undated(device.order, key, copy)
    if boot >= ERA * ERAS:
        raise WireError("counter", f"boot {block.boot} and seq {block.seq} began again {ERAS} times: {COUNTER_MEND}")
    order, outcome = arrive(device.order, Arrival(boot, block.seq, *times), horizon=horizon)
    disposition: str = outcome.disposition or "ready"
    intake.seen.add((name, boot))
    _placed(intake, name, outcome)
    device = msgspec.structs.replace(device, order=order)
    if disposition == "duplicate":
        intake.blocks[disposition] += 1
        intake.devices[name] = device
        return
    mark = Mark(block.boot, block.seq, block.t0, end_ns, received_ns)
    if not dated and disposition != "held":
        disposition = "undated"
    if not dated:
        device = undated(device, boot, mark, now_ns=now_ns)
    elif disposition == "late":
        device = heard_late(device, mark, now_ns=now_ns)
    intake.blocks[disposition] += 1
    item = msgspec.structs.replace(item, disposition=disposition, key=(boot, block.seq))
    intake.stored.append(item)
    intake.fresh[name, item.key] = item
    intake.devices[name] = heard_block(device, block, boot=boot, mark=mark, dated=dated, now_ns=now_ns)


def _boot_of_undated(order: Order, boot: int) -> int:
    """A block without a time is of the latest era."""
    return (order.boots[-1].boot // ERA if order.boots else 0) * ERA + boot


def _status(intake: Intake, name: str, device: Device, status: Status, *, horizon: Horizon) -> None:
    intake.statuses += 1
    device = heard_status(device, status)
    boot = _boot_of_undated(device.order, status.boot)
    if status.oldest:
        order, outcome = lose(device.order, boot, status.oldest, horizon=horizon)
        device = msgspec.structs.replace(device, order=order)
        _placed(intake, name, outcome)
        intake.seen.add((name, boot))
    if status.backlog is not None:
        oldest = _boot_of_undated(device.order, status.backlog.boot)
        order, outcome = lose_before(device.order, oldest, status.backlog.seq, horizon=horizon)
        device = msgspec.structs.replace(device, order=order)
        _placed(intake, name, outcome)
        intake.seen.update((name, known.boot) for known in order.boots if known.boot <= oldest and known.lost)
    if not status.online:
        order, outcome = go_offline(device.order, boot)
        device = msgspec.structs.replace(device, order=order)
        _placed(intake, name, outcome)
    intake.devices[name] = device


def _placed(intake: Intake, device: str, outcome: Outcome) -> None:
    if outcome.ready:
        intake.ready.setdefault(device, []).extend(outcome.ready)
    intake.gaps.extend((device, gap) for gap in outcome.gaps)
