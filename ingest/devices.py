"""What the service knows of one device: where its blocks stand, what it last said of itself, its detector state."""

import msgspec

from ingest.order import Order
from ingest.pipeline import Track
from ingest.store import DeviceStatus
from ingest.wire import Block, Status


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


class Device(msgspec.Struct, frozen=True, array_like=True):
    """All that is remembered of a device, as the journal keeps it."""

    order: Order = Order()
    view: View = View()
    track: Track | None = None


def heard_block(view: View, block: Block, *, end_ns: int, received_ns: int) -> View:
    """A new block came. It shows that a device that never sends a status is there."""
    sites = view.sites
    if not view.spoke and block.boot >= view.boot:
        sites = tuple(signal.site for signal in block.signals if signal.kind == "emg")
    return View(
        max(view.boot, block.boot),
        view.online or not view.spoke,
        view.firmware,
        sites,
        view.battery,
        max(view.last_received_ns, received_ns),
        max(view.last_sample_ns, end_ns),
        view.spoke,
    )


def heard_status(view: View, status: Status) -> View:
    """A device was born or has died. The last will of an earlier boot says nothing about this one."""
    if status.boot < view.boot and view.spoke:
        return view
    return msgspec.structs.replace(
        view,
        boot=max(view.boot, status.boot),
        online=status.online,
        # A last will may leave out what the birth message said.
        firmware=status.firmware or view.firmware,
        sites=status.sites or view.sites,
        battery=view.battery if status.battery is None else status.battery,
        spoke=True,
    )


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
        missing_blocks=device.order.missing_blocks,
    )
