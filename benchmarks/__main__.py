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

NAMES: Final = ("detector_vs_sosfilt", "detector_vs_neurokit2", "ingest_vs_bare_paho")
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
    return "\n".join(f"{result['name']:<{width}}  {result['ratio']:>10g}  {result['unit']}" for result in results)


def main(names: list[str]) -> int:
    """Run, print, write."""
    unknown = sorted(set(names) - set(NAMES))
    if unknown:
        print(f"no such measure: {', '.join(unknown)}. There are: {', '.join(NAMES)}", file=sys.stderr)
        return 2
    # Before numpy is imported, here or in a child: one thread against one thread.
    os.environ.update(dict.fromkeys(ONE_THREAD, "1"))
    results = [run(name) for name in NAMES if not names or name in names]
    if not names:
        RESULTS.write_text(json.dumps(results, indent=2) + "\n")
        print(f"== wrote {RESULTS}", file=sys.stderr)
    print(table(results))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
