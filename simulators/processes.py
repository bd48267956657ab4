"""Processes and ports of the demo, which runs every role in a process of its own on loopback."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from simulators.errors import SimulatorError


@contextmanager
def child(role: str, environment: dict[str, str], log: Path) -> Iterator[None]:
    """Run a role in a process of its own, which ends with this one however this one ends."""
    command = [sys.executable, "-m", "charley", role, "--tied"]
    with (
        log.open("wb") as file,
        subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stderr=file) as process,  # noqa: S603 our own
    ):
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(20.0)
            except subprocess.TimeoutExpired:
                process.kill()


def check_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise SimulatorError(f"port {port} is taken ({error.strerror}). Choose another: --port 8001") from error


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
