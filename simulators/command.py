"""What the commands `simulate`, `compare` and `demo` share: truths on disk, and episodes held against them."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from simulators.scenarios import build
from simulators.stage import Api, compare, summary
from simulators.truth import Truth, write_truth


def write_truths(folder: Path, truths: Sequence[Truth]) -> None:
    """A file for each device."""
    folder.mkdir(parents=True, exist_ok=True)
    for truth in truths:
        write_truth(folder / f"{truth.device}.truth.json", truth)


def start_ns(scenario: str, seed: int, speed: float) -> int:
    """Now, or so long ago that a scenario sent at once ends now."""
    now_ns = time.time_ns()
    if scenario == "demo" or speed > 0:
        return now_ns
    longest_s = max(device.leg.duration_s for device in build(scenario, seed=seed, start_ns=now_ns))
    return now_ns - round(longest_s * 1e9)


def print_comparison(client: Api, truths: Sequence[Truth], *, detail: bool, out: Console) -> None:
    """A line for each device and, with `detail`, a table of every cramp."""
    table = Table("device", "onset (UTC)", "true (s)", "found (s)", "onset error (s)", "severity", "outcome")
    for truth in truths:
        spans = [(interval.start_ns, interval.end_ns) for interval in truth.recorded]
        found = client.episodes(truth.device, start_ns=min(s for s, _ in spans), end_ns=max(e for _, e in spans))
        matches = compare(truth, found)
        for m in matches if detail else ():
            onset = datetime.fromtimestamp(m.onset_ns / 1e9, tz=UTC)
            figures = [f"{x:.1f}" if x is not None else "" for x in (m.true_s, m.found_s, m.onset_error_s, m.severity)]
            table.add_row(m.device, f"{onset:%Y-%m-%d %H:%M:%S}", *figures, m.outcome)
        out.print(f"{truth.device}: {summary(matches)}")
    if detail:
        out.print(table)
