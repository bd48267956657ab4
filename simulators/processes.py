"""Processes and ports of the demo, which runs every role in a process of its own on loopback."""

import errno
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from simulators.errors import SimulatorError


@contextmanager
def child(role: str, environment: dict[str, str], log: Path, *, ended: Callable[[], None]) -> Iterator[None]:
    """Run a role in a process of its own, which ends with this one however this one ends.

    Should it end before its time, `ended` is called, in a thread, and the end of the block raises.
    """
    command = [sys.executable, "-m", "charley", role, "--tied"]
    with (
        log.open("wb") as file,
        # A session of its own: Ctrl-C reaches the parent alone, which then ends its children in order.
        subprocess.Popen(  # noqa: S603 our own
            command, env=environment, stdin=subprocess.PIPE, stderr=file, start_new_session=True
        ) as process,
    ):
        leaving = threading.Event()

        def watch() -> None:
            process.wait()
            if not leaving.is_set():
                ended()

        watcher = threading.Thread(target=watch, name=f"watch {role}")
        watcher.start()
        try:
            yield
            if process.poll() is not None:
                raise SimulatorError(f"charley {role} has ended by itself ({process.returncode}); see {log}")
        finally:
            leaving.set()
            process.terminate()
            try:
                process.wait(20.0)
            except subprocess.TimeoutExpired:
                process.kill()
            watcher.join()


def check_free(port: int, *, host: str = "127.0.0.1", mend: str = "") -> None:
    """Raise a sentence that ends with `mend` unless one could listen here."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        reason = "is taken" if error.errno == errno.EADDRINUSE else f"cannot be used: {error.strerror}"
        raise SimulatorError(f"port {port} of {host} {reason}. {mend}".rstrip()) from error


def free_pair() -> int:
    """A port that is free together with the next."""
    for port in range(18830, 18930, 2):
        try:
            check_free(port)
            check_free(port + 1)
        except SimulatorError:
            continue
        return port
    raise SimulatorError("no free port between 18830 and 18930 for the embedded broker")


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
