"""The whole of Charley as processes on loopback, each of which can be killed, stopped and started by itself.

Rules
-----
- Only children of ours are ended, by their pid; they end with us in any case.
- What dies without having been killed is noted (`fallen`): nobody may restart it quietly.
- The part of a supervisor (systemd, Docker) is played by `mend`: whatever is down is started again.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

import httpx
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.influxdb import InfluxDB, open_influxdb
from benchmarks.reliability import records
from benchmarks.servers import Child, Mosquitto, accepts, free_port
from ingest.settings import PREFIX
from ingest.store.influx import InfluxStore

ROLES: Final = ("ingest", "broker", "store", "api")
AUTOSAVE_S: Final = 60  # as in deploy/mosquitto
ARCHIVE_AFTER_S: Final = 2  # not an hour, so that blocks go to the archive while it all happens
POLL_S: Final = 0.05
LOG_TAIL: Final = 2000
COMMAND_S: Final = 600.0


class Role:
    """`charley ingest` or `charley api` as a child that can be ended and started again."""

    def __init__(self, name: str, settings: Mapping[str, object], *, log: Path) -> None:
        self.name = name
        self.log = log
        self._settings = settings
        self._child: Child | None = None

    def command(self, *arguments: str) -> list[str]:
        """What to run for `charley <arguments>` with the settings of this role and nobody else's."""
        pairs = (f"{PREFIX}{key.upper()}={value}" for key, value in self._settings.items())
        unset = (f"--unset={key}" for key in os.environ if key.startswith(PREFIX))
        return ["env", *unset, *pairs, sys.executable, "-m", "charley", *arguments]

    @property
    def pid(self) -> int | None:
        """Its process, while there is one."""
        return self._child.pid if self._child and self._child.exit_code is None else None

    @property
    def fallen(self) -> int | None:
        """With what it left, if it did so by itself."""
        return self._child.exit_code if self._child else None

    def start(self) -> None:
        """Start it, if it is not running; returns at once."""
        if self._child is None or self._child.exit_code is not None:
            self._child = Child(self.command(self.name), log=self.log)

    def kill(self) -> None:
        """End it at once."""
        if self._child is not None:
            self._child.kill()
            self._child = None

    def stop(self) -> int | None:
        """Ask it to end; what it left with."""
        if self._child is None:
            return None
        self._child.stop()
        code, self._child = self._child.exit_code, None
        return code


@dataclass(slots=True)
class World:
    """Broker, store, ingester and API with one folder; `start` before use."""

    folder: Path
    broker: Mosquitto
    store: InfluxDB
    ingest: Role
    api: Role
    metrics_url: str
    ready_url: str
    api_url: str
    data: Path
    fallen: list[str] = field(default_factory=list)

    @classmethod
    @contextmanager
    def make(
        cls, folder: Path, *, data: Path | None = None, extra: str = "", settings: Mapping[str, object] | None = None,
        broker_port: int | None = None, autosave_s: int = AUTOSAVE_S, restored: Path | None = None,
    ) -> Iterator[Self]:  # fmt: skip
        """Everything runs until the block ends.

        The ingester may reach the broker by another port: a proxy's. Before anything else a backup may be restored.
        """
        data = data or folder / "data"
        quick_archive = {"archive_after_s": ARCHIVE_AFTER_S, "min_free_mb": 0}
        with ExitStack() as stack:
            for name in ("broker", "store", "data"):
                (folder / name).mkdir(parents=True, exist_ok=True)
            broker = stack.enter_context(Mosquitto(folder / "broker", extra=f"autosave_interval {autosave_s}\n{extra}"))
            store = stack.enter_context(open_influxdb(folder / "store"))
            metrics, api = free_port(), free_port()
            common = {
                "data_dir": data, "store": "influxdb", "influxdb_url": store.url, "influxdb_token": store.token,
                "influxdb_org": store.org, "influxdb_bucket": store.bucket,
            }  # fmt: skip
            ours = {"broker_port": broker_port or broker.port, "metrics_port": metrics, "client_id": "ingest"}
            world = cls(
                folder=folder, broker=broker, store=store, data=data,
                ingest=Role("ingest", common | ours | quick_archive | dict(settings or {}), log=folder / "ingest.log"),
                api=Role("api", common | {"api_port": api}, log=folder / "api.log"),
                metrics_url=f"http://127.0.0.1:{metrics}/metrics", ready_url=f"http://127.0.0.1:{metrics}/readyz",
                api_url=f"http://127.0.0.1:{api}",
            )  # fmt: skip
            if restored is not None:
                world.run("restore", str(restored))
            for role in (world.ingest, world.api):
                stack.callback(role.kill)
                role.start()
            world.wait(world.up, within_s=60.0, what="start of all processes")
            yield world

    @property
    def roles(self) -> dict[str, Role | Mosquitto | InfluxDB]:
        """Every process of it, named as in ROLES."""
        return {"ingest": self.ingest, "broker": self.broker, "store": self.store, "api": self.api}

    def run(self, *arguments: str) -> str:
        """Run `charley <arguments>` on this world to its end; what it printed."""
        done = subprocess.run(
            self.ingest.command(*arguments), check=False, capture_output=True, text=True, timeout=COMMAND_S
        )
        if done.returncode:
            raise RuntimeError(f"charley {' '.join(arguments)} left with {done.returncode}: {done.stderr[-LOG_TAIL:]}")
        return done.stdout

    def pid(self, role: str) -> int | None:
        """The process of a role, while there is one."""
        return self.roles[role].pid

    def kill(self, role: str) -> None:
        """End the process of a role at once."""
        self._note_fallen()
        self.roles[role].kill()

    def mend(self) -> None:
        """Start whatever is down, without waiting for it."""
        self._note_fallen()
        self.broker.start(wait=False)
        self.store.start(wait=False)
        self.ingest.start()
        self.api.start()

    def up(self) -> bool:
        """Whether all do their work."""
        self._note_fallen()
        return (
            accepts(self.broker.port)
            and self.metric("charley_broker_connected") == 1
            and _answers(f"{self.store.url}/ping", headers={"Authorization": f"Token {self.store.token}"})
            and _answers(f"{self.api_url}/readyz")
        )

    def metric(self, name: str, *, labels: Mapping[str, str] | None = None) -> float | None:
        """A figure of the ingester now; the sum where it has labels that were not asked for."""
        wanted = dict(labels or {}).items()
        values = [
            value
            for (sample, having), value in self.metrics().items()
            if sample == name and wanted <= dict(having).items()
        ]
        return sum(values) if values else None

    def metrics(self) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
        """All figures of the ingester; none while it does not answer."""
        try:
            text = httpx.get(self.metrics_url, timeout=5.0).text
        except httpx.TransportError:
            return {}
        return {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def read(self, devices: list[str]) -> records.Kept:
        """What the store has."""
        store = InfluxStore(self.store.url, token=self.store.token, org=self.store.org, bucket=self.store.bucket)
        try:
            return records.read(store, devices)
        finally:
            store.close()

    def wait(self, condition: Callable[[], bool], *, within_s: float, what: str) -> float:
        """How long it took until something held; an error when it took longer."""
        begun = time.monotonic()
        while not condition():
            self._note_fallen()
            if self.fallen:
                raise RuntimeError(f"{what}: {self.fallen[-1]}")
            if time.monotonic() - begun > within_s:
                raise TimeoutError(f"{what}: not within {within_s:g} s. {_tail(self.ingest.log)}")
            time.sleep(POLL_S)
        return time.monotonic() - begun

    def _note_fallen(self) -> None:
        for name, role in self.roles.items():
            if role.fallen is not None:
                self.fallen.append(f"{name} ended by itself with {role.fallen}: {_tail(role.log)}")
                role.kill()


def _tail(log: Path) -> str:
    return log.read_text(errors="replace")[-LOG_TAIL:] if log.exists() else ""


def _answers(url: str, *, headers: Mapping[str, str] | None = None) -> bool:
    try:
        return httpx.get(url, timeout=5.0, headers=dict(headers or {})).is_success
    except httpx.TransportError:
        return False
