"""Time rivals in turn, so that whatever else the machine does hits them alike; keep every time in pyperf's format.

All are of one thread and are given in seconds of the processor, not of the wall: a neighbour costs them little.
"""

import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

RUNS: Final = Path(__file__).with_name("runs.json")


@dataclass(frozen=True, slots=True)
class Timed:
    """How long each rival took, round by round, for `samples` samples."""

    samples: int
    seconds: Mapping[str, tuple[float, ...]]

    def per_s(self, name: str) -> float:
        """Median of samples a second."""
        return self.samples / statistics.median(self.seconds[name])

    def ratio(self, name: str, other: str) -> float:
        """How many times as fast as the other: median of the ratios within each round."""
        return statistics.median(b / a for a, b in zip(self.seconds[name], self.seconds[other], strict=True))

    def rates(self) -> dict[str, list[int]]:
        """Samples a second in every round."""
        return {name: [round(self.samples / one) for one in took] for name, took in self.seconds.items()}


def in_turn(rivals: Mapping[str, Callable[[], float]], *, samples: int, rounds: int) -> Timed:
    """Run each once to warm up and then `rounds` times, taking turns; each tells the seconds it took."""
    for run in rivals.values():
        run()
    seconds: dict[str, list[float]] = {name: [] for name in rivals}
    for _ in range(rounds):
        for name, run in rivals.items():
            seconds[name].append(run())
    return Timed(samples, {name: tuple(took) for name, took in seconds.items()})


def keep(timed: Mapping[str, Timed], path: Path = RUNS) -> None:
    """Write what was timed, in seconds a sample, for `python -m pyperf stats` and `compare_to`."""
    import pyperf  # noqa: PLC0415 - only the benchmark's own environment has it

    benchmarks = [
        pyperf.Benchmark(
            [
                pyperf.Run(
                    [took / one.samples for took in seconds],
                    metadata={"name": f"{measure}: {rival}", "unit": "second"},
                    collect_metadata=False,
                )
            ]
        )
        for measure, one in timed.items()
        for rival, seconds in one.seconds.items()
    ]
    pyperf.BenchmarkSuite(benchmarks).dump(str(path), replace=True)
