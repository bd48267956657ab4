"""A million hostile messages, in a process of its own: `benchmarks/fuzz.py`."""

import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from benchmarks.reliability.outcome import ROOT, Outcome

CASES: Final = (20_000, 1_000_000)  # quick, full
LIMIT_S: Final = 4 * 3600.0


def run(*, quick: bool, folder: Path, cases: int = 0) -> Outcome:  # noqa: ARG001 - every program has a folder
    """All cases; the printed sentences become figures."""
    cases = cases or CASES[0 if quick else 1]
    begun = time.monotonic()
    command = [sys.executable, "-m", "benchmarks.fuzz", "--cases", str(cases)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False, timeout=LIMIT_S)
    outcome = Outcome("hostile", took_s=time.monotonic() - begun)
    lines = done.stdout.splitlines()
    for line in lines:
        what, _, counted = line.partition(": ")
        if what in ("accepted", "refused"):
            pairs = re.findall(r"(\S+) ([\d,]+)(?:, |$)", counted)
            outcome.figures |= {f"{what}, {name}": int(count.replace(",", "")) for name, count in pairs}
    counted_all = sum(value for value in outcome.figures.values() if isinstance(value, int))
    outcome.figures["cases"] = cases
    outcome.check("it ran to its end without a crash", done.returncode == 0, lines[-20:])
    outcome.check("every case was accepted, or refused with a reason", counted_all >= cases, [f"{counted_all} counted"])
    return outcome
