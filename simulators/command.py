"""What the commands `simulate`, `compare` and `demo` share: truths on disk, and episodes held against them."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol

from rich.box import SIMPLE
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column, Table

from simulators.device import Device
from simulators.errors import SimulatorError
from simulators.fleet import Fleet
from simulators.processes import child, when_written
from simulators.publish import PublishReport, publish
from simulators.recording import write_edf
from simulators.scenarios import SCENARIOS, build, ending, live
from simulators.scenarios import demo as build_demo
from simulators.stage import Api, compare, summary, wait_for_samples
from simulators.truth import Truth, read_truth, write_truth

INTERRUPTED: Final = 130
NOTICE: Final = "Charley is not a medical device. Simulated wearers; grades are conventions."


class Stoppable(Protocol):
    """A broker that runs."""

    def stop(self) -> None:
        """End it."""


@dataclass(frozen=True, slots=True)
class Broker:
    """Where and as whom to publish."""

    host: str
    port: int
    username: str | None = None
    password: str | None = None
    ca_file: Path | None = None


def write_truths(folder: Path, truths: Sequence[Truth]) -> None:
    """A file for each device."""
    folder.mkdir(parents=True, exist_ok=True)
    for truth in truths:
        write_truth(folder / f"{truth.device}.truth.json", truth)


def run_simulate(
    scenario: str,
    *,
    seed: int,
    speed: float,
    edf: Path | None,
    truth: Path | None,
    broker: Callable[[], Broker],
    stop: Callable[[], threading.Event],
    out: Console,
    err: Console,
) -> int:
    """Publish a scenario, write it as recordings, or without a name list what there is; the exit code."""
    if not scenario:
        _list(out)
        return 0
    fleet = build(scenario, seed=seed, start_ns=start_ns(scenario, seed=seed, speed=speed, now_ns=time.time_ns()))
    if edf is not None:
        edf.mkdir(parents=True, exist_ok=True)
        for device in fleet:
            for path in write_edf(device, edf / f"{device.device}.edf"):
                out.print(str(path), soft_wrap=True)
        return 0
    to, ended = broker(), stop()
    if truth is not None:
        write_truths(truth, fleet.truths())
    err.print(f"connecting to the broker at {to.host}:{to.port}", soft_wrap=True, highlight=False)
    report = publish_shown(list(fleet), to, speed=speed, stop=ended, label=scenario, err=err)
    if report.stopped:
        return INTERRUPTED
    if scenario == "demo":
        go_live(to, seed=seed, stop=ended, err=err)
    return 0


def run_compare(truths: Path, *, url: str, token_file: Path, out: Console) -> None:
    """Hold the episodes that the API gives against truths in a folder, or in one file."""
    files = sorted(truths.glob("*.truth.json")) if truths.is_dir() else [truths]
    if not files or not token_file.exists():
        raise SimulatorError(f"no *.truth.json in {truths}, or no token at {token_file}: is the demo running here?")
    with Api(url, token_file.read_text().strip()) as client:
        print_comparison(client, [read_truth(file) for file in files], detail=True, out=out)


def start_ns(scenario: str, *, seed: int, speed: float, now_ns: int) -> int:
    """When a scenario begins, so that nothing is sent before it was lived.

    What is sent at once has ended by now. What is sent as it is lived begins now, a block ago: the first is sent at
    once. What is sent faster than it is lived catches up with the clock at its end.
    """
    if scenario == "demo":
        return now_ns

    def make(at_ns: int) -> Fleet:
        return build(scenario, seed=seed, start_ns=at_ns)

    devices = list(make(now_ns))
    if speed <= 0 or any(device.link.sent_s(0.0) != 0.0 for device in devices):
        return ending(make, now_ns=now_ns)
    ahead_s = max(device.leg.duration_s for device in devices) * max(0.0, 1.0 - 1.0 / speed)
    return now_ns - round((max(device.block_s for device in devices) + ahead_s) * 1e9)


def print_comparison(client: Api, truths: Sequence[Truth], *, detail: bool, out: Console) -> None:
    """A line for each device and, with `detail`, a table of every cramp."""
    device, onset, outcome = (Column(name, no_wrap=True) for name in ("device", "onset (UTC)", "outcome"))
    table = Table(
        device, onset, "true (s)", "found (s)", "off (s)", "severity", outcome, box=SIMPLE, padding=(0, 1, 0, 0)
    )
    for truth in truths:
        spans = [(interval.start_ns, interval.end_ns) for interval in truth.recorded]
        found = client.episodes(truth.device, start_ns=min(s for s, _ in spans), end_ns=max(e for _, e in spans))
        matches = compare(truth, found)
        for m in matches if detail else ():
            instant = datetime.fromtimestamp(m.onset_ns / 1e9, tz=UTC)
            values = [f"{x:.1f}" if x is not None else "" for x in (m.true_s, m.found_s, m.onset_error_s, m.severity)]
            table.add_row(m.device, f"{instant:%Y-%m-%d %H:%M:%S}", *values, m.outcome)
        out.print(f"{truth.device}: {summary(matches)}")
    if detail:
        out.print(table)


def publish_shown(
    devices: Sequence[Device],
    broker: Broker,
    *,
    speed: float,
    stop: threading.Event,
    label: str,
    err: Console,
    endless: bool = False,
) -> PublishReport:
    """Publish with a progress bar; every device starts now, with a boot of its own."""
    now_ms = time.time_ns() // 1_000_000  # a device raises its boot at each start
    devices = [replace(device, first_boot=now_ms + device.first_boot) for device in devices]
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("blocks"))
    with Progress(*columns, TimeRemainingColumn(), console=err) as bar:
        total = sum(device.count() for device in devices)
        task = bar.add_task(label, total=total)
        report = publish(
            devices,
            **asdict(broker),
            speed=speed,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
            stop=stop,
        )
    if report.stopped and not endless:
        label, sent = f"{label} interrupted", f"{report.acknowledged} of {total}"
    else:
        sent = str(report.acknowledged)
    err.print(f"{label}: {sent} blocks in {report.elapsed_s:.0f} s")
    return report


def go_live(broker: Broker, *, seed: int, stop: threading.Event, err: Console) -> None:
    """Publish simulated wearers as they live, until asked to stop."""
    fleet = live(seed=seed, start_ns=time.time_ns())
    publish_shown(list(fleet), broker, speed=1.0, stop=stop, label="live", err=err, endless=True)


def run_demo(
    folder: Path,
    *,
    port: int,
    broker_port: int,
    seed: int,
    nights: int,
    environment: Mapping[str, str],
    start_broker: Callable[[], Stoppable],
    stop: threading.Event,
    out: Console,
    err: Console,
) -> None:
    """Broker, ingester, API and three simulated wearers, until asked to stop; all of them end with it."""
    broker = Broker("127.0.0.1", broker_port)
    with ExitStack() as stack:
        stack.callback(start_broker().stop)
        for role in ("ingest", "api"):
            stack.enter_context(child(role, dict(environment), folder / f"{role}.log", ended=stop.set))
        token = folder / "admin-token"
        fleet = build_demo(seed=seed, start_ns=time.time_ns(), nights=nights)
        truths = fleet.truths()
        write_truths(folder / "truth", truths)
        url = f"http://127.0.0.1:{port}"
        with Api(url, when_written(token)) as client:
            client.wait_ready(30.0)
            client.register(truths)
            out.print(f"\n[bold]Open {url}/signin?token={token.read_text().strip()}[/bold]\n", soft_wrap=True)
            out.print(f"MQTT 5 at 127.0.0.1:{broker_port}, MQTT 3.1.1 at {broker_port + 1}. {NOTICE}\n")
            publish_shown(list(fleet), broker, speed=0.0, stop=stop, label="a week comes in", err=err)
            if wait_for_samples(client, truths, deadline_s=300.0, stopped=stop.is_set):
                print_comparison(client, list(truths), detail=False, out=out)
                out.print("`charley compare` prints each cramp. Now live, at 1 kHz. Ctrl-C ends the demo.")
        if not stop.is_set():
            go_live(broker, seed=seed, stop=stop, err=err)


def _list(out: Console) -> None:
    table = Table("scenario", "shows")
    for known in SCENARIOS.values():
        table.add_row(known.name, known.shows)
    out.print(table)
