"""Processes and ports of the demo, which runs every role in a process of its own on loopback."""

import errno
import random
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from simulators.errors import SimulatorError

END_S: Final = 20.0  # for a child to end in order
KILL_S: Final = 5.0
BROKER_PORTS: Final = range(18830, 19830, 2)


@contextmanager
def child(role: str, environment: dict[str, str], log: Path, *, ended: Callable[[], None]) -> Iterator[None]:
    """Run a role in a process of its own, which ends with this one however this one ends.

    Should it end before its time, `ended` is called, in a thread, and the end of the block raises.
    """
    command = [sys.executable, "-m", "charley", role, "--tied"]
    with log.open("wb") as file:
        # A session of its own: Ctrl-C reaches the parent alone, which then ends its children in order.
        process = subprocess.Popen(  # noqa: S603 our own
            command, env=environment, stdin=subprocess.PIPE, stderr=file, start_new_session=True
        )
        leaving = threading.Event()

        def watch() -> None:
            process.wait()
            if not leaving.is_set():
                ended()

        watcher = threading.Thread(target=watch, name=f"watch {role}", daemon=True)
        watcher.start()
        try:
            yield
            if process.poll() is not None:
                raise SimulatorError(f"charley {role} has ended by itself ({process.returncode}); see {log}")
        finally:
            leaving.set()
            _end(process)
            watcher.join(KILL_S)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Asked, by the end of its input too, and killed if it does not; not waited for any longer than that takes."""
    process.terminate()
    if process.stdin is not None:
        process.stdin.close()
    try:
        process.wait(END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        with suppress(subprocess.TimeoutExpired):
            process.wait(KILL_S)


def check_free(port: int, *, host: str = "127.0.0.1", mend: str = "") -> None:
    """Raise a sentence that ends with `mend` unless one could listen here."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        reason = "is taken" if error.errno == errno.EADDRINUSE else f"cannot be used: {error.strerror}"
        raise SimulatorError(f"port {port} of {host} {reason}. {mend}".rstrip()) from error


def free_pair() -> int:
    """A port that is free together with the next; any of many, for who has lost its broker may still look for it."""
    for port in random.sample(BROKER_PORTS, k=len(BROKER_PORTS)):
        try:
            check_free(port)
            check_free(port + 1)
        except SimulatorError:
            continue
        return port
    raise SimulatorError(f"no free port between {BROKER_PORTS.start} and {BROKER_PORTS.stop} for the embedded broker")


def empty(folder: Path, *, port: int) -> None:
    """Empty a demo's folder and note the demo's port in it; one that is not a demo's, or in use, is left alone."""
    mark = folder / "demo"
    if folder.exists() and not folder.is_dir():
        raise SimulatorError(f"{folder} is a file. Name a folder: --data-dir")
    if folder.exists() and any(folder.iterdir()) and not mark.exists():
        raise SimulatorError(f"{folder} is not empty and not a demo's. Name another: --data-dir")
    if mark.exists() and (other := mark.read_text()):
        check_free(int(other), mend=f"A demo seems to run in {folder}. End it, or name another folder: --data-dir")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    mark.write_text(str(port))


def when_written(path: Path) -> str:
    """The text of a file that another process is about to write."""
    deadline = time.monotonic() + 30.0
    while not (path.exists() and (text := path.read_text().strip())):
        if time.monotonic() > deadline:
            raise SimulatorError(f"the API did not start; see {path.parent / 'api.log'}")
        time.sleep(0.05)
    return text
