"""Publishes simulated devices to a broker, each over its own connection, as fast as asked and as it is taken."""

import heapq
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Final

from simulators.device import Device
from simulators.errors import PublishError
from simulators.flash import CAPACITY_BYTES, Flash
from simulators.link import Kept, Step
from simulators.repeats import PAUSE_S
from simulators.uplink import IN_FLIGHT, Broker, Report, Uplink

PATIENCE_S: Final = 60.0  # without any progress, connected or not
CONNECT_S: Final = 10.0  # for the first word of a broker
SERVICE_STALL_S: Final = 3.0  # a service that has stopped acknowledging holds nobody up for longer
FAREWELL_S: Final = 5.0
TICK_S: Final = 0.1

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishReport:
    """What was sent. `durable` is, by device and boot, the highest seq the service named durable.

    `dropped` blocks had no room in flash; `held` ones are still there, for the service has not vouched for them.
    """

    sent: int
    acknowledged: int
    resent: int
    dropped: int
    held: int
    reconnects: int
    stopped: bool
    elapsed_s: float
    durable: Mapping[str, Mapping[int, int]]


def publish(
    devices: Iterable[Device],
    *,
    host: str,
    port: int,
    username: str | None = None,
    password: str | None = None,
    ca_file: Path | None = None,
    speed: float = 0.0,
    progress: Progress | None = None,
    stop: threading.Event | None = None,
    patience_s: float = PATIENCE_S,
    connect_s: float = CONNECT_S,
    durable_within_s: float = 0.0,
    repeat_s: float = PAUSE_S,
    flash_dir: Path | None = None,
) -> PublishReport:
    """Sends all blocks of all devices, at `speed` times real time or, with 0, as fast as broker and service take them.

    Returns when the broker has acknowledged everything, or soon after `stop` is set. With `durable_within_s` it then
    waits up to so long for the service to name everything durable, and goes on sending again what it does not: after
    each reconnect, and whenever the service has been silent for `repeat_s` (at first). Raises `PublishError` when
    nothing moves for `patience_s`, or at the start for `connect_s`, or when the broker refuses. With `ca_file`, the
    file of a certificate authority, it speaks TLS. With `flash_dir` the devices' memories are files there, and what
    they hold is sent by the next call.
    """
    fleet = tuple(devices)
    if speed < 0:
        raise PublishError(f"speed {speed:g} is negative; 0 means as fast as possible")
    if len({device.device for device in fleet}) != len(fleet) or not fleet:
        raise PublishError("publishing needs one or more devices, each id once")
    started_s = time.monotonic()
    broker = Broker(host=host, port=port, username=username, password=password, ca_file=ca_file)
    with ExitStack() as stack:
        reports: SimpleQueue[Report] = SimpleQueue()
        uplinks = []
        for index, device in enumerate(fleet):
            flash = _flash(device, flash_dir)
            stack.callback(flash.close)
            uplink = Uplink(index, device, reports, broker=broker, flash=flash, repeat_s=repeat_s)
            stack.callback(uplink.close)
            uplinks.append(uplink)
        run = _Run(uplinks, reports, stop or threading.Event(), progress=progress, patience_s=patience_s)
        run.until(lambda: any(uplink.connections for uplink in uplinks), within_s=min(connect_s, patience_s))
        run.until(lambda: all(uplink.connections for uplink in uplinks), within_s=patience_s)
        run.send_all(_merged(fleet), speed=speed)
        run.finish(durable_within_s=durable_within_s)
        return run.report(time.monotonic() - started_s)


def _flash(device: Device, folder: Path | None) -> Flash:
    path = None if folder is None else folder / f"{device.device}.flash"
    return Flash(path, capacity_bytes=CAPACITY_BYTES if device.flash_bytes is None else device.flash_bytes)


def _merged(fleet: tuple[Device, ...]) -> Iterator[tuple[int, Step]]:
    """What all devices do, in order of time; devices that sync at one time take turns."""

    def keyed(index: int, device: Device) -> Iterator[tuple[int, int, int, Step]]:
        return ((step.at_ns, turn, index, step) for turn, step in enumerate(device.steps()))

    merged = heapq.merge(*(keyed(index, device) for index, device in enumerate(fleet)), key=lambda item: item[:3])
    return ((index, step) for _, _, index, step in merged)


class _Run:
    """One call of `publish`: the only thread that touches uplinks."""

    def __init__(
        self, uplinks: list[Uplink], reports: SimpleQueue[Report], stop: threading.Event, *,
        progress: Progress | None, patience_s: float,
    ) -> None:  # fmt: skip
        self._uplinks = uplinks
        self._reports = reports
        self._stop = stop
        self._progress = progress
        self._patience_s = patience_s
        self._total = sum(uplink.device.count() for uplink in uplinks)
        self._moved_s = time.monotonic()
        self._shown_s = 0.0
        self._ticked_s = 0.0

    def send_all(self, steps: Iterator[tuple[int, Step]], *, speed: float) -> None:
        """Paces, keeps, waits for room, sends."""
        started_s, first_ns = time.monotonic(), None
        for index, step in steps:
            if speed:
                first_ns = step.at_ns if first_ns is None else first_ns
                self._sleep_until(started_s + (step.at_ns - first_ns) / 1e9 / speed)
            if isinstance(step, Kept):
                self._uplinks[index].keep(step)
            else:
                self._make_room(self._uplinks[index])
                if self._stop.is_set():
                    return
                self._uplinks[index].send(step)
            self._drain()

    def finish(self, *, durable_within_s: float) -> None:
        """Waits for what the broker still owes, then says goodbye."""
        self.until(lambda: not any(uplink.owed for uplink in self._uplinks), within_s=self._patience_s)
        if durable_within_s and not self._stop.is_set():
            give_up_s = time.monotonic() + durable_within_s
            while any(len(uplink.flash) for uplink in self._uplinks) and time.monotonic() < give_up_s:
                self._pump(TICK_S)
        for uplink in self._uplinks:
            uplink.farewell()
        give_up_s = time.monotonic() + FAREWELL_S
        while any(uplink.owed and uplink.connected for uplink in self._uplinks) and time.monotonic() < give_up_s:
            self._pump(TICK_S)
        self._show(force=True)

    def until(self, condition: Callable[[], bool], *, within_s: float) -> None:
        """Pumps until a condition holds or all is stopped; an error when nothing moves for `within_s`."""
        self._moved_s = time.monotonic()
        while not condition() and not self._stop.is_set():
            self._pump(TICK_S)
            if time.monotonic() - self._moved_s > within_s:
                silent = [uplink.device.device for uplink in self._uplinks if uplink.owed or not uplink.connected]
                raise PublishError(f"the broker has not answered {', '.join(silent)} for {within_s:g} s")

    def report(self, elapsed_s: float) -> PublishReport:
        """Sums it up."""
        return PublishReport(
            sent=sum(uplink.sent for uplink in self._uplinks),
            acknowledged=sum(uplink.acknowledged for uplink in self._uplinks),
            resent=sum(uplink.resent for uplink in self._uplinks),
            dropped=sum(uplink.flash.dropped for uplink in self._uplinks),
            held=sum(len(uplink.flash) for uplink in self._uplinks),
            reconnects=sum(max(uplink.connections - 1, 0) for uplink in self._uplinks),
            stopped=self._stop.is_set(),
            elapsed_s=elapsed_s,
            durable={uplink.device.device: dict(uplink.durable) for uplink in self._uplinks},
        )

    def _make_room(self, uplink: Uplink) -> None:
        self.until(lambda: uplink.owed < IN_FLIGHT, within_s=self._patience_s)
        if not uplink.served:
            return  # no service, or one that has stopped acknowledging: the broker alone sets the pace
        stalled_s = time.monotonic() + SERVICE_STALL_S
        left = uplink.undurable
        while uplink.ahead and time.monotonic() < stalled_s and not self._stop.is_set():
            self._pump(TICK_S)
            if uplink.undurable < left:
                stalled_s, left = time.monotonic() + SERVICE_STALL_S, uplink.undurable
        uplink.served = not uplink.ahead

    def _sleep_until(self, moment_s: float) -> None:
        while (left_s := moment_s - time.monotonic()) > 0 and not self._stop.is_set():
            self._pump(min(left_s, TICK_S))

    def _pump(self, timeout_s: float) -> None:
        """Handles at least one report, or none within `timeout_s`, and all that wait behind it."""
        try:
            self._handle(self._reports.get(timeout=timeout_s))
        except Empty:
            self._show()
        else:
            self._drain()
        self._tick()

    def _drain(self) -> None:
        while not self._reports.empty():
            self._handle(self._reports.get())
        self._show()

    def _tick(self) -> None:
        if time.monotonic() - self._ticked_s > TICK_S:
            self._ticked_s = time.monotonic()
            for uplink in self._uplinks:
                uplink.tick()

    def _handle(self, report: Report) -> None:
        if report.what != "down":  # whoever only hangs up gets nothing done
            self._moved_s = time.monotonic()
        self._uplinks[report.index].handle(report)

    def _show(self, *, force: bool = False) -> None:
        if self._progress and (force or time.monotonic() - self._shown_s > TICK_S):
            self._shown_s = time.monotonic()
            done = sum(uplink.acknowledged for uplink in self._uplinks)
            self._progress(min(done, self._total), self._total)
