"""Many devices in one thread: an event loop of their own, steered and watched from outside.

Rules
-----
- Everything of a device happens in the fleet's thread; the outside reads counts, which only grow coarse by that.
- A fleet sends no more than it is allowed to (`allow`), so that who steers decides what is under way.
"""

import asyncio
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, Final, Self

from benchmarks.reliability.device import Device
from benchmarks.reliability.legs import Sent

TICK_S: Final = 0.05
FLASH: Final = 4096
RESEND_S: Final = 6.0  # a service acknowledges every two seconds
LEAVE_S: Final = 5.0


class Fleet:
    """Devices that are connected from `connect` on; a context manager that ends the thread."""

    def __init__(
        self,
        tapes: Mapping[str, Sequence[Sent]],
        *,
        host: str,
        port: int,
        flash: int = FLASH,
        resend_s: float = RESEND_S,
        tick_s: float = TICK_S,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self.counts: Counter[str] = Counter()
        self.devices = {
            name: Device(name, tape, counts=self.counts, flash=flash, resend_s=resend_s) for name, tape in tapes.items()
        }
        self._address = (host, port)
        self._tick_s = tick_s
        self._context = context
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._loop = asyncio.new_event_loop()
        self._ended = threading.Event()
        self._failures: list[str] = []
        self._loop.set_exception_handler(self._failed)
        self._thread = threading.Thread(target=self._run, name="fleet", daemon=True)
        self._thread.start()

    @property
    def blocks(self) -> int:
        """How many blocks there are, however often each is sent."""
        return sum(len({sent.key for sent in device.sendings}) for device in self.devices.values())

    @property
    def in_flight(self) -> int:
        """Blocks sent and not yet named durable."""
        return self.counts["pending"]

    @property
    def held(self) -> int:
        """Blocks that devices have and the service has not named durable, sent or not."""
        return self.in_flight + sum(max(0, device.limit - device.next) for device in self.devices.values())

    @property
    def online(self) -> int:
        """How many devices are connected."""
        return sum(device.online for device in self.devices.values())

    @property
    def finished(self) -> bool:
        """Whether every block has been named durable."""
        return all(device.finished for device in self.devices.values())

    def reached(self, name: str, place: int) -> bool:
        """Whether a device has sent so many of its blocks."""
        return self.devices[name].next >= place

    @property
    def wrong(self) -> list[str]:
        """What should not have happened: acks for what was never sent, errors in the fleet itself."""
        return [*self._failures, *(sentence for device in self.devices.values() for sentence in device.wrong)]

    def connect(self, names: Iterable[str] | None = None, *, within_s: float = 0.0) -> None:
        """Connect these devices, or all, evenly within so long."""
        chosen = [self.devices[name] for name in names] if names is not None else list(self.devices.values())

        async def one(device: Device, after_s: float) -> None:
            await asyncio.sleep(after_s)
            device.wanted = True

        async def every() -> None:
            await asyncio.gather(*(one(device, within_s * i / len(chosen)) for i, device in enumerate(chosen)))

        self._do(every())

    def allow(self, share: float) -> None:
        """Let each device send this share of its blocks."""
        for device in self.devices.values():
            device.limit = max(device.limit, min(len(device.sendings), round(share * len(device.sendings))))

    def allow_each(self, blocks: int) -> None:
        """Let each device send so many of its blocks."""
        for device in self.devices.values():
            device.limit = max(device.limit, min(len(device.sendings), blocks))

    def extend(self, tapes: Mapping[str, Sequence[Sent]]) -> None:
        """More to send, behind what there is."""
        for name, tape in tapes.items():
            self.devices[name].sendings = [*self.devices[name].sendings, *tape]

    def cut(self, names: Iterable[str] | None = None, *, for_good: bool = False) -> None:
        """Lose the connections of these devices, or all; those that are not cut for good come back."""
        chosen = [self.devices[name] for name in names] if names is not None else list(self.devices.values())

        async def every() -> None:
            for device in chosen:
                device.wanted = device.wanted and not for_good
                device.cut()

        self._do(every())

    def leave(self) -> None:
        """All say goodbye."""

        async def every() -> None:
            for device in self.devices.values():
                device.leave()

        self._do(every())

    def wait(self, condition: Callable[[], bool], *, within_s: float, what: str) -> float:
        """How long it took until something held; an error when it took longer than `within_s`."""
        begun = time.monotonic()
        while not condition():
            if time.monotonic() - begun > within_s:
                raise TimeoutError(f"{what}: not within {within_s:g} s; {dict(self.counts)}")
            time.sleep(0.02)
        return time.monotonic() - begun

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.leave()
        self._ended.set()
        self._thread.join(LEAVE_S)
        if self._thread.is_alive():
            raise RuntimeError("the fleet's thread does not end")

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _failed(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if not isinstance(error, OSError):  # a lost connection is what this is about
            self._failures.append(f"{context.get('message')}: {error!r}")

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._turn())
        finally:
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()

    async def _turn(self) -> None:
        while not self._ended.is_set():
            now = time.monotonic()
            for name, device in self.devices.items():
                if device.connected:
                    device.tick(now)
                elif device.wanted and name not in self._tasks:
                    self._tasks[name] = asyncio.ensure_future(self._connect(device))
            await asyncio.sleep(self._tick_s)
        for device in self.devices.values():
            device.wanted = False
        await asyncio.gather(*self._tasks.values())

    async def _connect(self, device: Device) -> None:
        try:
            await device.keep_connected(*self._address, context=self._context)
        finally:
            del self._tasks[device.name]
