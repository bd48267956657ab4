"""Run every measure, or those that are named; print a table and write `results.json` beside this file.

python -m benchmarks [NAME ...]
"""

import importlib
import json
import os
import platform
import sys
import time
from pathlib import Path
from typing import Any, Final

NAMES: Final = (
    "detector_vs_sosfilt",
    "detector_single_stream",
    "detector_vs_neurokit2",
    "detector_flat_cost",
    "detector_rates",
    "detector_memory",
    "detector_steps",
    "ingest_vs_bare_paho",
)
RESULTS: Final = Path(__file__).with_name("results.json")
ONE_THREAD: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


def run(name: str) -> dict[str, Any]:
    """One measure, with what it took."""
    print(f"== {name} ...", file=sys.stderr, flush=True)
    begun = time.perf_counter()
    result: dict[str, Any] = importlib.import_module(f"benchmarks.{name}").measure()
    took_s = time.perf_counter() - begun
    print(f"== {name}: {result['ratio']:g} in {took_s:.0f} s", file=sys.stderr, flush=True)
    return {**result, "took_s": round(took_s, 1), "python": platform.python_version(), "cores": os.cpu_count()}


def table(results: list[dict[str, Any]]) -> str:
    """One line a measure."""
    width = max(len(result["name"]) for result in results)
    lines = []
    for result in results:
        lines.append(f"{result['name']:<{width}}  {result['ratio']:>8g}  {result['unit']}")
        lines[-1] += f" (goal {result['goal']:g})" if "goal" in result else ""
        for key in ("table", "states", "recordings"):
            lines += [" " * width + "    " + _entry(entry) for entry in result.get(key, [])]
    return "\n".join(lines)


def _entry(entry: dict[str, float | str]) -> str:
    return ", ".join(f"{name} {value if isinstance(value, str) else f'{value:,g}'}" for name, value in entry.items())


def main(names: list[str]) -> int:
    """Run, print, write."""
    unknown = sorted(set(names) - set(NAMES))
    if unknown:
        print(f"no such measure: {', '.join(unknown)}. There are: {', '.join(NAMES)}", file=sys.stderr)
        return 2
    # Before numpy is imported, here or in a child: one thread against one thread.
    os.environ.update(dict.fromkeys(ONE_THREAD, "1"))
    results = [run(name) for name in NAMES if not names or name in names]
    timed = {result["name"]: result.pop("timed") for result in results if "timed" in result}
    if not names:
        RESULTS.write_text(json.dumps(results, indent=1) + "\n")
        importlib.import_module("benchmarks.harness").keep(timed)
        print(f"== wrote {RESULTS} and, for pyperf, runs.json", file=sys.stderr)
    print(table(results))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
