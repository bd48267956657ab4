"""What the service knows of one device: where its blocks stand, what it last said of itself, its detector state."""

from collections.abc import Iterable
from typing import Final
from zlib import crc32

import msgspec

from ingest.clock import impossible
from ingest.frontier import Frontier
from ingest.marks import Mark, end_of
from ingest.offset import Clock, heard
from ingest.order import ERA, Order
from ingest.pipeline import SESSION_GAP_NS, Track
from ingest.store import DeviceStatus
from ingest.wire import Block, Status

FORCED: Final = 64
NEAR_NS: Final = 2 * 60 * 1_000_000_000  # begin of one block to that of the next, if there is no pause
UNDATED: Final = 64  # boots of which it is remembered
ANY: Final = -1
CHECK_BYTES: Final = 4
BACK_NS: Final = 30 * 1_000_000_000  # device time that goes back by more is not left to the detector
Identity = tuple[int, int, int]  # boot, seq, t0_ns of a block
Waiting = tuple[int, int, int]  # boot or `ANY`, how many of its blocks have no time yet; latest receipt


class View(msgspec.Struct, frozen=True, array_like=True):
    """What a device last said, and when it was last heard."""

    boot: int = 0
    online: bool = False
    firmware: str = ""
    sites: tuple[str, ...] = ()
    battery: float | None = None
    last_received_ns: int = 0
    last_sample_ns: int = 0
    spoke: bool = False  # whether it ever sent a status
    declared: int = -1  # the boot of which its status named `sites`; -1 if it never named any


class Dirty(msgspec.Struct, frozen=True, array_like=True):
    """Device time of which the results are not, or may not be, what its blocks say; and since when that is known."""

    start_ns: int
    end_ns: int
    first_ns: int  # service time
    last_ns: int
    late: int = 0  # blocks that wait
    forced: tuple[Identity, ...] = ()  # blocks whose sessions were not detected in the order of time
    touched: int = 0  # how often; tells what came while it was being looked at

    def with_span(self, start_ns: int, end_ns: int, *, now_ns: int, late: int = 0) -> "Dirty":
        """This and another stretch."""
        low_ns, high_ns = min(self.start_ns, start_ns), max(self.end_ns, end_ns)
        return Dirty(low_ns, high_ns, self.first_ns, now_ns, self.late + late, self.forced, self.touched + 1)


class Device(msgspec.Struct, frozen=True, array_like=True):
    """All that is remembered of a device, as the journal keeps it."""

    order: Order = Order()
    view: View = View()
    track: Track | None = None
    dirty: Dirty | None = None
    clock: Clock = Clock()
    closed: bool = False  # the session was ended for want of blocks
    undated: tuple[Waiting, ...] = ()
    refused: int = 0
    refused_reason: str = ""
    ahead: tuple[int, int] = (0, 0)  # device time around sessions that were detected again beyond the running one
    frontier: Frontier = Frontier()
    refused_ns: int = 0  # receipt of the latest that was refused
    unreadable: bool = False  # it cannot be detected again: a part of its archive cannot be read
    dated_before: tuple[int, ...] = ()  # boots whose newest block has its time from those before: the next may say more

    @property
    def strange(self) -> bool:
        """Whether all that ever came from it was refused."""
        return not self.view.spoke and not self.view.last_received_ns


_decode = msgspec.msgpack.Decoder(Device).decode
_encode = msgspec.msgpack.Encoder().encode


def packed(device: Device) -> bytes:
    """A device as the journal keeps it, with a checksum: a bit that is not what was written may be in its samples."""
    body = _encode(device)
    return body + crc32(body).to_bytes(CHECK_BYTES)


def unpacked(state: bytes) -> Device:
    """The device, or `msgspec.MsgspecError` where that is not what was written."""
    body, check = state[:-CHECK_BYTES], state[-CHECK_BYTES:]
    # What an older release kept ends with the device itself; what has a checksum that is wrong is nothing of the kind.
    try:
        return _decode(body if crc32(body).to_bytes(CHECK_BYTES) == check else state)
    except UnicodeDecodeError as error:
        raise msgspec.DecodeError(str(error)) from error


def heard_block(device: Device, block: Block, *, boot: int, mark: Mark, dated: bool, now_ns: int) -> Device:
    """A new block came. It shows that a device that never sends a status is there."""
    view = device.view
    sites = view.sites
    if view.declared < 0 and block.boot >= view.boot:
        sites = tuple(signal.site for signal in block.signals if signal.kind == "emg")
    view = View(
        block.boot if boot >= device.order.current else view.boot,
        view.online or not view.spoke,
        view.firmware,
        sites,
        view.battery,
        _heard_ns(view.last_received_ns, mark.received_ns),
        max(view.last_sample_ns, mark.end_ns) if dated else view.last_sample_ns,
        view.spoke,
        view.declared,
    )
    clock = heard(device.clock, mark) if dated else device.clock
    device = msgspec.structs.replace(device, view=view, clock=clock)
    waits = any(of == ANY or of % ERA == block.boot for of, _, _ in device.undated) if device.undated else False
    if dated and (waits or block.boot in device.dated_before):
        # Now that this boot's clock is known, its earlier blocks may be dated.
        return _soiled(device, mark.t0_ns, mark.end_ns, now_ns=now_ns, late=0)
    return device


def _heard_ns(last_ns: int, now_ns: int) -> int:
    """The later of two receipts; where our clock was set back between them, the one by the clock as it is now."""
    return now_ns if last_ns - now_ns > BACK_NS else max(last_ns, now_ns)


def heard_late(device: Device, mark: Mark, *, now_ns: int) -> Device:
    """A block came after its place had been passed: what it belongs to is to be detected again."""
    return _soiled(device, mark.t0_ns, mark.end_ns, now_ns=now_ns, late=1)


def undated(device: Device, boot: int, mark: Mark, *, now_ns: int) -> Device:
    """A block came whose clock cannot be believed."""
    others = tuple(item for item in device.undated if item[0] != boot)
    count = sum(number for of, number, _ in device.undated if of == boot) + 1
    device = msgspec.structs.replace(device, undated=bounded((*others, (boot, count, mark.received_ns))))
    for known in device.order.boots:
        if known.end_ns and known.boot % ERA == mark.boot:
            device = _soiled(device, known.start_ns, known.end_ns, now_ns=now_ns, late=0)
    return device


def bounded(undated: tuple[Waiting, ...]) -> tuple[Waiting, ...]:
    """Of no more boots than are remembered: the oldest are taken together, as of any boot."""
    more = undated[: max(0, len(undated) - UNDATED + 1)]
    if len(more) < 2:
        return undated
    return ((ANY, sum(count for _, count, _ in more), max(ns for _, _, ns in more)), *undated[len(more) :])


def irregular(device: Device, start_ns: int, end_ns: int, *, now_ns: int) -> Device:
    """What was detected in this stretch is to be looked at again."""
    return _soiled(device, start_ns, end_ns, now_ns=now_ns, late=0)


def went_on(device: Device, run: Iterable[Block], *, session_ns: int, reach_ns: int, now_ns: int) -> Device:
    """These live blocks were detected in; some of them perhaps after later ones, or apart from others of their session.

    Before them the running session had been detected in up to `session_ns`, and live blocks up to `reach_ns`.
    """
    before_ns, reach_ns = session_ns, max(reach_ns, session_ns)  # late blocks may lie beyond
    frontier = device.frontier
    for block in run:
        end_ns = end_of(block)
        back = reach_ns and min(block.t0, before_ns or reach_ns) < reach_ns - BACK_NS
        back = back or (block.boot != frontier.boot and block.t0 < reach_ns)
        frontier = frontier.passed(block.boot, block.t0, end_ns)
        if back or frontier.behind or meets_ahead(device, block.t0, end_ns):
            device = _out_of_time(device, block, until_ns=max(reach_ns, end_ns), now_ns=now_ns)
        before_ns, reach_ns = end_ns, max(reach_ns, end_ns)
    return msgspec.structs.replace(device, frontier=frontier)


def came_beside(device: Device, run: Iterable[Block], *, session: tuple[int, int], now_ns: int) -> Device:
    """These live blocks came while another session than theirs was detected again: it is theirs if they are near it."""
    for block in run:
        end_ns = end_of(block)
        if _near(session, block.t0, end_ns):
            device = _out_of_time(device, block, until_ns=max(session[1], end_ns), now_ns=now_ns)
    return device


def _out_of_time(device: Device, block: Block, *, until_ns: int, now_ns: int) -> Device:
    """The session of this block is to be detected again in the order of time."""
    device = _soiled(device, block.t0, until_ns, now_ns=now_ns, late=0)
    place = (block.boot % ERA, block.seq, block.t0)
    known = device.dirty.forced if device.dirty else ()
    if device.dirty is None or place in known:
        return device
    if known and known[-1][:2] == (place[0], place[1] - 1) and abs(place[2] - known[-1][2]) < NEAR_NS:
        known = known[:-1]  # one of a session is enough: others are not to be pushed out by many of it
    forced = (*known, place)[-FORCED:]
    return msgspec.structs.replace(device, dirty=msgspec.structs.replace(device.dirty, forced=forced))


def meets_ahead(device: Device, start_ns: int, end_ns: int) -> bool:
    """Whether a live block is of a session of which something was detected again already, beside the running one."""
    return device.ahead[1] > 0 and _near(device.ahead, start_ns, end_ns)


def _near(span: tuple[int, int], start_ns: int, end_ns: int) -> bool:
    """Whether a stretch and a session are near enough to be one session."""
    return span[0] - end_ns < SESSION_GAP_NS and start_ns - span[1] < SESSION_GAP_NS


def detected_again(device: Device, start_ns: int, end_ns: int, *, live: bool) -> Device:
    """A session was detected again, the running one or another; what lies behind the running one is no longer ahead."""
    first_ns, last_ns = device.ahead
    reach_ns = device.track.end_ns if device.track else 0
    if live:
        ahead = (first_ns, last_ns) if last_ns > max(end_ns, reach_ns) else (0, 0)
    elif end_ns > reach_ns:
        ahead = (min(first_ns, start_ns) if last_ns else start_ns, max(last_ns, end_ns))
    else:
        ahead = device.ahead
    return device if ahead == device.ahead else msgspec.structs.replace(device, ahead=ahead)


def _soiled(device: Device, start_ns: int, end_ns: int, *, now_ns: int, late: int) -> Device:
    dirty = device.dirty or Dirty(start_ns, end_ns, now_ns, now_ns)
    return msgspec.structs.replace(device, dirty=dirty.with_span(start_ns, end_ns, now_ns=now_ns, late=late))


def heard_status(device: Device, status: Status) -> Device:
    """A device was born or has died. The last will of an earlier boot says nothing about this one."""
    view = device.view
    if status.boot < view.boot and view.spoke and not status.online:
        return device
    view = msgspec.structs.replace(
        view,
        boot=status.boot if status.online else max(view.boot, status.boot),
        online=status.online,
        # A last will may leave out what the birth message said.
        firmware=status.firmware or view.firmware,
        sites=status.sites or view.sites,
        battery=view.battery if status.battery is None else status.battery,
        spoke=True,
        declared=status.boot if status.sites else view.declared,
    )
    return msgspec.structs.replace(device, view=view)


def heard_clock(device: Device, status: Status, *, received_ns: int) -> Device:
    """The device said what its clock read when it sent this."""
    if status.clock_ns is None or impossible(status.clock_ns, received_ns=received_ns):
        return device
    mark = Mark(status.boot, -1, status.clock_ns, status.clock_ns, received_ns)  # as a block that ends now
    return msgspec.structs.replace(device, clock=heard(device.clock, mark))


def refused(device: Device, reason: str, *, received_ns: int) -> Device:
    """A message of the device could not be used."""
    count = device.refused + 1
    return msgspec.structs.replace(device, refused=count, refused_reason=reason, refused_ns=received_ns)


def to_status(name: str, device: Device) -> DeviceStatus:
    """The record of a device as it stands."""
    view = device.view
    return DeviceStatus(
        device=name,
        boot=view.boot,
        online=view.online,
        firmware=view.firmware,
        sites=view.sites,
        battery=view.battery,
        last_received_ns=view.last_received_ns,
        last_sample_ns=view.last_sample_ns,
        missing_blocks=device.order.missing,
        clock_offset_s=device.clock.offset_s,
        clock_drift_ppm=device.clock.drift_ppm,
        late_blocks=device.dirty.late if device.dirty else 0,
        undated_blocks=sum(count for _, count, _ in device.undated),
        undated_ns=max((ns for _, _, ns in device.undated), default=0),
        refused_blocks=device.refused,
        refused_reason=device.refused_reason,
        refused_ns=device.refused_ns,
        archive_unreadable=device.unreadable,
    )
