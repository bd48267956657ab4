"""A bad network between a client and the broker: a TCP proxy that delays, cuts, is silent, flips bits and drops bytes.

TCP itself repairs what is lost or flipped on the way; what arrives late, is cut off or never answered is what programs
see of a bad network. Flipped and dropped bytes reach them only past TCP's checksum, through a broken box in between;
TLS notices these, plain MQTT cannot.
"""

import asyncio
import threading
from collections import Counter
from dataclasses import dataclass
from random import Random
from types import TracebackType
from typing import Final, Self

from benchmarks.servers import free_port

CHUNK: Final = 16_384
JOIN_S: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """How likely each fault is for each chunk of bytes that passes."""

    delay: float = 0.0
    delay_s: float = 0.3  # at most
    cut: float = 0.0  # both ways at once, as a reset
    silence: float = 0.0  # the connection stays and nothing passes any more
    flip: float = 0.0  # one bit
    drop: float = 0.0  # the chunk

    def more(self, times: float) -> "Faults":
        """The same, but so many times as likely."""
        return Faults(
            delay=self.delay, delay_s=self.delay_s, cut=times * self.cut, silence=times * self.silence,
            flip=times * self.flip, drop=times * self.drop,
        )  # fmt: skip


NONE: Final = Faults()
ROUGH: Final = Faults(delay=0.2, cut=0.004, silence=0.001)
CORRUPT: Final = Faults(delay=0.1, cut=0.002, flip=0.004, drop=0.002)


class Proxy:
    """Listens on a port of its own until the block ends; `faults` may be changed at any time."""

    def __init__(self, port: int, *, seed: int) -> None:
        self.port = free_port()
        self.faults = NONE
        self.done: Counter[str] = Counter()
        self._target = port
        self._rng = Random(seed)  # noqa: S311 - no secret
        self._loop = asyncio.new_event_loop()
        self._ended = asyncio.Event()
        self._open: set[asyncio.StreamWriter] = set()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)
        self._thread.start()
        self._ready.wait(JOIN_S)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()

    def cut_all(self) -> None:
        """Every connection at once."""

        def cut() -> None:
            for writer in self._open:
                self.done["cut"] += 1
                writer.transport.abort()

        self._loop.call_soon_threadsafe(cut)

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._pass, "127.0.0.1", self.port)
        self._ready.set()
        await self._ended.wait()
        server.close()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)  # what was aborted is closed at the loop's next turn

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.done["connections"] += 1
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        ways = [
            asyncio.ensure_future(self._way(reader, far_writer)),
            asyncio.ensure_future(self._way(far_reader, writer)),
        ]
        self._open.add(writer)
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._open.discard(writer)
            for end in (writer, far_writer):  # before anything is awaited: the proxy's end may cancel that
                end.transport.abort()
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _way(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(CHUNK):
            faults = self.faults
            if self._happens("delayed", faults.delay):
                await asyncio.sleep(self._rng.uniform(0, faults.delay_s))
            if self._happens("silent", faults.silence):
                await asyncio.sleep(3600)  # until one of both ends has had enough
            if self._happens("cut", faults.cut):
                return
            if self._happens("dropped", faults.drop):
                continue
            if self._happens("flipped", faults.flip):
                place = self._rng.randrange(len(chunk))
                chunk = chunk[:place] + bytes((chunk[place] ^ 1 << self._rng.randrange(8),)) + chunk[place + 1 :]
            self.done["passed"] += 1
            writer.write(chunk)
            await writer.drain()

    def _happens(self, what: str, likely: float) -> bool:
        if likely and self._rng.random() < likely:
            self.done[what] += 1
            return True
        return False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(JOIN_S)
