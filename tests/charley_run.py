"""Runs Charley's command line in a process of its own, with settings of the test's and nobody else's."""

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol

import httpx
import servers

from ingest.settings import PREFIX

LIMIT_S: Final = 120.0


class Broker(Protocol):
    """Where a broker is."""

    @property
    def host(self) -> str: ...

    @property
    def port(self) -> int: ...


def environment(settings: Mapping[str, object]) -> dict[str, str]:
    """Ours without any setting, and then these, named as in `Settings`."""
    own = {key: value for key, value in os.environ.items() if not key.startswith(PREFIX)}
    return own | {PREFIX + name.upper(): str(value) for name, value in settings.items()} | {"COLUMNS": "200"}


def command(*arguments: object) -> list[str]:
    """What to run for `charley <arguments>`."""
    return [sys.executable, "-m", "charley", *map(str, arguments)]


def charley(
    *arguments: object, settings: Mapping[str, object] | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        command(*arguments), env=environment(settings or {}), capture_output=True, text=True, timeout=LIMIT_S,
        check=False, stdin=subprocess.DEVNULL, cwd=cwd,
    )  # fmt: skip


@contextmanager
def role(name: str, *, settings: Mapping[str, object], log: Path) -> Iterator[servers.Child]:
    """A role that runs until the block ends; it has to leave with 0 then."""
    pairs = (f"{key}={value}" for key, value in environment(settings).items() if key.startswith(PREFIX))
    unset = (f"--unset={key}" for key in os.environ if key.startswith(PREFIX))
    child = servers.Child(["env", *unset, *pairs, *command(name)], log=log)
    try:
        yield child
    finally:
        child.stop()
    assert child.exit_code == 0, log.read_text(errors="replace")


@contextmanager
def ingester(broker: Broker, settings: Mapping[str, object], *, folder: Path) -> Iterator[None]:
    """`charley ingest` on a broker, subscribed, until the block ends; it delivers what it has before it leaves."""
    port = servers.free_port()
    own = {
        "data_dir": folder, "broker_host": broker.host, "broker_port": broker.port, "metrics_port": port,
        "client_id": f"ingest-{port}",
    }  # fmt: skip

    def subscribed() -> bool:
        try:
            page = httpx.get(f"http://127.0.0.1:{port}/metrics").text
        except httpx.TransportError:
            return False
        return "charley_broker_connected 1.0" in page

    with role("ingest", settings={**own, **settings}, log=folder / "ingest.log") as child:
        child.wait_ready(subscribed)
        yield


@contextmanager
def web(folder: Path) -> Iterator[httpx.Client]:
    """`charley api` over a data folder until the block ends, and a client that is signed in."""
    port = servers.free_port()
    url = f"http://127.0.0.1:{port}"
    with role("api", settings={"data_dir": folder, "api_port": port}, log=folder / "api.log") as child:
        child.wait_ready(lambda: answers(f"{url}/readyz"))
        token = (folder / "admin-token").read_text().strip()
        with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=30.0) as client:
            yield client


def answers(url: str) -> bool:
    """Whether something says there that all is well."""
    try:
        return httpx.get(url, timeout=30.0).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def processes(pids: Iterable[int]) -> set[int]:
    """Which of these processes still live; a zombie does not."""
    return {pid for pid in pids if _state(pid) not in {"", "Z", "X"}}


def descendants(pid: int) -> set[int]:
    """Every process that came from this one."""
    children: dict[int, set[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and (fields := _stat(int(folder.name))):
            children.setdefault(int(fields[1]), set()).add(int(folder.name))
    found: set[int] = set()
    left = {pid}
    while left:
        left = set().union(*(children.get(one, set()) for one in left))
        found |= left
    return found


def _state(pid: int) -> str:
    fields = _stat(pid)
    return fields[0] if fields else ""


def _stat(pid: int) -> list[str]:
    """Fields of /proc/PID/stat from the state on; empty once it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []
