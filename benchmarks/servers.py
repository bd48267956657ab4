"""Real servers as child processes for tests and benchmarks: free loopback ports, the caller's folder, ended by pid.

`Mosquitto(folder)` starts at once and is a context manager, like what `open_influxdb(folder)` of `influxdb.py` gives;
the fixtures in `tests/conftest.py` share one of each per session. A child dies with the thread that started it, even
when that is killed (`setpriv --pdeathsig`).
"""

import os
import shutil
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

START_S: Final = 30.0
STOP_S: Final = 10.0
MEMORY_BYTES: Final = 8 << 30
_HIDDEN: Final = ("usr/sbin", "usr/local/sbin", "sbin", "usr/lib/postgresql/*/bin")  # where a user's PATH does not look


def find(*names: str) -> str | None:
    """Path of the first of these programs that is installed."""
    hidden = (str(folder) for place in _HIDDEN for folder in sorted(Path("/").glob(place)))
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), *hidden))
    return next((found for name in names if (found := shutil.which(name, path=path))), None)


def free_port() -> int:
    """A loopback TCP port that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(condition: Callable[[], object], *, timeout_s: float = 10.0, what: str = "condition") -> None:
    """Return as soon as `condition()` is true; fail with `what` when that takes longer than `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {timeout_s:g} s")
        time.sleep(0.01)


class Child:
    """One child process with its output in a file; ends with its parent."""

    def __init__(self, command: Sequence[str], *, log: Path) -> None:
        setpriv = find("setpriv")
        prefix = [setpriv, "--pdeathsig", "KILL", "--"] if setpriv else []
        self.log = log
        self._name = " ".join(command)
        with log.open("ab") as out:
            # A session of its own: Ctrl-C reaches pytest alone, which then ends its children in order.
            self._process = subprocess.Popen(
                [*prefix, *command], stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
            )
        self.pid = self._process.pid

    def wait_ready(self, ready: Callable[[], object]) -> None:
        """Wait until `ready()`; if the child ends before that, say what it printed."""

        def started() -> bool:
            if self._process.poll() is not None:
                raise RuntimeError(f"{self._name} ended: {self.log.read_text(errors='replace')[-2000:]}")
            return bool(ready())

        try:
            wait_for(started, timeout_s=START_S, what=f"start of {self._name}")
        except BaseException:
            self.kill()
            raise

    def stop(self) -> None:
        """Ask it to end (it may save its state), and insist when it does not."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._process.wait()

    @property
    def exit_code(self) -> int | None:
        """What it left with; negative for a signal, none while it runs."""
        return self._process.poll()

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()


def accepts(port: int) -> bool:
    """Whether something listens on this loopback port."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


class Server(ABC):
    """A child process that listens on a port, and can be ended and started again with what it had saved."""

    def __init__(self, *, port: int, log: Path) -> None:
        self.port = port
        self.log = log  # what it printed
        self._child: Child | None = None

    @abstractmethod
    def _command(self) -> list[str]: ...

    @property
    def pid(self) -> int | None:
        """Its process, while there is one."""
        return self._child.pid if self._child else None

    @property
    def fallen(self) -> int | None:
        """With what it left, if it did so by itself."""
        return self._child.exit_code if self._child else None

    def start(self, *, wait: bool = True) -> None:
        """Start it, if it is not running."""
        if self._child is None:
            self._child = Child(self._command(), log=self.log)
            if wait:
                self._child.wait_ready(lambda: accepts(self.port))

    def halt(self) -> None:
        """End it in order; it saves what it has."""
        if self._child is not None:
            self._child.stop()
            self._child = None

    def kill(self) -> None:
        """End it without letting it save anything since its last save."""
        if self._child is not None:
            self._child.kill()
            self._child = None

    def restart(self) -> None:
        """End it in order, then start it on the same port with what it had saved."""
        self.halt()
        self.start()

    def stop(self) -> None:
        """End it, with all that was started for it."""
        self.halt()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class Mosquitto(Server):
    """A Mosquitto broker with persistence and without queue limits; `extra` goes into its configuration."""

    def __init__(self, folder: Path, *, extra: str = "", memory_bytes: int = MEMORY_BYTES) -> None:
        super().__init__(port=free_port(), log=folder / "mosquitto.log")
        self.host = "127.0.0.1"
        self._conf = folder / "mosquitto.conf"
        self._memory_bytes = memory_bytes
        self._conf.write_text(
            f"listener {self.port} {self.host}\n"
            "allow_anonymous true\n"
            "persistence true\n"
            f"persistence_location {folder}/\n"
            "max_queued_messages 0\n"
            "max_inflight_messages 0\n"
            f"{self._user()}{extra}"
        )
        self.start()

    @staticmethod
    def _user() -> str:
        # Started as root it would become user mosquitto, who may not write to a temporary folder.
        return "user root\n" if os.geteuid() == 0 else ""

    def _command(self) -> list[str]:
        # Without a limit to its queues the machine is the limit, and others live there too.
        prlimit = find("prlimit")
        limit = [prlimit, f"--as={self._memory_bytes}", "--"] if prlimit else []
        return [*limit, str(find("mosquitto")), "-c", str(self._conf)]
