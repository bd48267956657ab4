"""Looks at the ingester twice a second: memory, lag, and counts that go on over restarts."""

import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from benchmarks.reliability.world import World

EVERY_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Look:
    """One look: seconds since the first one, memory in use, lag and what waits for the store."""

    at_s: float
    rss_mib: float
    lag_s: float
    outbox: float


class Watch:
    """A thread that looks until the block ends."""

    def __init__(self, world: World) -> None:
        self.looks: list[Look] = []
        self.peak_mib = 0.0
        self.errors: list[str] = []
        self._world = world
        self._last: dict[tuple[str, str], float] = {}
        self._totals: Counter[tuple[str, str]] = Counter()
        self._begun = time.monotonic()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self._thread.start()

    def total(self, name: str, label: str = "") -> int:
        """A counter over all restarts; what was counted within half a second before a kill is not in it."""
        return round(
            sum(value for (counter, having), value in self._totals.items() if counter == name and label in having)
        )

    def lag(self, *, since_s: float = 0.0) -> float:
        """The longest lag since then."""
        return max((look.lag_s for look in self.looks if look.at_s >= since_s), default=0.0)

    def rss(self, first: float, last: float) -> float:
        """Mean memory in use over a part of the time, both as shares of it."""
        chosen = self.looks[int(first * len(self.looks)) : max(1, int(last * len(self.looks)))]
        return sum(look.rss_mib for look in chosen) / max(1, len(chosen))

    @property
    def now_s(self) -> float:
        """Seconds since it began."""
        return time.monotonic() - self._begun

    def _run(self) -> None:
        while not self._ended.wait(EVERY_S):
            try:
                self._look()
            except Exception as error:  # noqa: BLE001 - told in the end; a thread has nobody to raise it to
                self.errors.append(repr(error))

    def _look(self) -> None:
        memory = _memory(self._world.ingest.pid)
        self.peak_mib = max(self.peak_mib, memory.get("VmHWM", 0.0))
        found = self._world.metrics()
        if not found:
            return
        for (name, labels), value in found.items():
            if name.endswith("_total"):
                key = (name, str(dict(labels)))
                before = self._last.get(key, 0.0)
                self._totals[key] += round(value - before if value >= before else value)
                self._last[key] = value
        lag, outbox = (found.get((name, ()), 0.0) for name in ("charley_ingest_lag_seconds", "charley_journal_outbox"))
        self.looks.append(Look(self.now_s, memory.get("VmRSS", 0.0), lag, outbox))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join(10.0)


def _memory(pid: int | None) -> dict[str, float]:
    """MiB by what /proc calls it; nothing where there is no such process, or no /proc."""
    if pid is None:
        return {}
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return {}
    return {line.split(":")[0]: int(line.split()[1]) / 1024 for line in lines if line.startswith(("VmHWM", "VmRSS"))}
