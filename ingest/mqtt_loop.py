"""The network thread: paho's own functions for reading, writing and keeping alive, called by us.

paho's own thread (`loop_start`) cannot stop reading: its only ways to deal with too much are to lose messages or to
block in a callback, and then neither acknowledgements nor pings go out. Here reading pauses while there is no room,
and TCP holds the broker back. That bound is needed besides Receive Maximum, which Mosquitto 2.0.11 heeds only
until the first acknowledgement when it has a backlog. Also, one wake-up serves a whole batch of acknowledgements.
"""

import select
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final, cast

import paho.mqtt.client as paho

from ingest.log import Log

READS: Final = 64  # messages read before looking whether something is to be written
TICK_S: Final = 0.5
LEAVE_S: Final = 5.0  # how long leaving may take
FIRST_WAIT_S: Final = 0.5


class Network:
    """Connects, serves the connection, and connects again, for ever, on a thread of its own."""

    def __init__(
        self,
        client: paho.Client,
        *,
        has_room: Callable[[], bool],
        received: Callable[[], int],
        now_and_then: Callable[[], None],
        longest_wait_s: float,
        log: Log,
    ) -> None:
        self._client = client
        self._has_room = has_room
        self._received = received
        self._now_and_then = now_and_then
        self._longest_wait_s = longest_wait_s
        self._log = log
        self._leaving = threading.Event()
        self._woken, self._waker = socket.socketpair()
        self._woken.setblocking(False)
        self._waker.setblocking(False)
        self._thread = threading.Thread(target=self._run, name="mqtt", daemon=True)
        client.on_socket_register_write = lambda *_: self.wake()

    def start(self) -> None:
        """Begin to connect."""
        self._thread.start()

    def wake(self) -> None:
        """There is something to write, or room to read into."""
        with suppress(BlockingIOError):  # then it has been woken often enough
            self._waker.send(b"\0")

    def stop(self) -> None:
        """Send what is queued, leave, and end the thread."""
        self._leaving.set()
        self.wake()
        self._thread.join()
        self._woken.close()
        self._waker.close()

    @property
    def leaving(self) -> bool:
        """Whether `stop` was called."""
        return self._leaving.is_set()

    def _run(self) -> None:
        wait_s = FIRST_WAIT_S
        while not self._leaving.is_set():
            try:
                self._client.reconnect()
                if self._serve():
                    wait_s = FIRST_WAIT_S
            except OSError as error:
                if wait_s == FIRST_WAIT_S:
                    self._log.warning("broker_unreachable", reason=str(error))
            except Exception:  # noqa: BLE001 - whatever paho trips over, to hear nothing any more is worse
                self._log.exception("connection_failed")
            self._leaving.wait(wait_s)
            wait_s = min(2 * wait_s, self._longest_wait_s)

    def _serve(self) -> bool:
        """Serve one connection to its end; whether the broker ever accepted it."""
        accepted = False
        deadline: float | None = None
        while (sock := cast("socket.socket | None", self._client.socket())) is not None:
            accepted = accepted or self._client.is_connected()
            if self._leaving.is_set():
                if deadline is None:
                    deadline = time.monotonic() + LEAVE_S
                    self._client.disconnect()
                elif time.monotonic() > deadline:
                    return accepted  # the broker does not take what we have to say
            self._now_and_then()
            self._turn(sock, may_read=not accepted or deadline is not None or self._has_room())
        return accepted

    def _turn(self, sock: socket.socket, *, may_read: bool) -> None:
        """Wait until something can be done, and do it."""
        buffered = may_read and getattr(sock, "pending", int)() > 0  # within TLS, where select cannot see it
        reads = [self._woken, sock] if may_read else [self._woken]
        writes = [sock] if self._client.want_write() else []
        readable, writable, _ = select.select(reads, writes, [], 0 if buffered else TICK_S)
        if self._woken in readable:
            self._woken.recv(4096)
        if buffered or sock in readable:
            self._read()
        if writable or self._client.want_write():
            self._client.loop_write()
        self._client.loop_misc()

    def _read(self) -> None:
        """Read messages for as long as they are there and there is room."""
        for _ in range(READS):
            before = self._received()
            if self._client.loop_read() != paho.MQTT_ERR_SUCCESS or self._received() == before:
                return
            if not self._has_room():
                return
