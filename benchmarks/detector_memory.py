"""What the detector remembers of a stream, by rate and channels, and the memory `charley detect` takes by length.

A stream is one signal of a device: an EMG channel or the accelerometer. The ratio is that of what is allocated at most
over a recording of a day to that over an hour.
"""

import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.streams import EMG_FS_HZ, SCALE_UV, layout_of, make_legs
from detector import pack, start

ROOT: Final = Path(__file__).parent.parent
RATES_HZ: Final = (250.0, 500.0, 1000.0, 1259.26, 2000.0, 4000.0)
CHANNELS: Final = (1, 2, 8)
HOURS: Final = (1, 24)
GOAL_BYTES: Final = 4096
LOOK_S: Final = 0.02
QUIET: Final[dict[str, Any]] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def state_bytes(fs_hz: float, channels: int) -> int:
    """Bytes that are kept between two blocks of one leg with EMG and acceleration."""
    return int(pack(start(layout_of(fs_hz, channels), 1)).shape[1])


def write_edf(path: Path, *, hours: int) -> None:
    """A recording as long as that, without holding it: one minute of a leg over and over."""
    legs = make_legs(1, seconds=60, active_share=0)
    signals = [("EMG gastroc_med", "uV", SCALE_UV, legs.emg[0, 0])]
    signals += [(f"ACC {axis}", "g", 1 / 4096, legs.samples[1][0, i]) for i, axis in enumerate("xyz")]
    records = np.concatenate([x.reshape(60, -1) for *_, x in signals], axis=1).astype("<i2").tobytes()

    def column(width: int, values: list[str]) -> str:
        return "".join(value.ljust(width)[:width] for value in values)

    count, begun = len(signals), datetime(2026, 1, 1, 22).strftime("%d.%m.%y%H.%M.%S")  # noqa: DTZ001 - EDF has no zone
    header = column(8, ["0"]) + column(80, ["X X X X", "Startdate 01-JAN-2026 X X X"]) + begun
    header += column(8, [str(256 * (count + 1))]) + column(44, [""]) + column(8, [str(hours * 3600), "1"])
    header += column(4, [str(count)]) + column(16, [label for label, *_ in signals]) + column(80, [""] * count)
    header += column(8, [unit for _, unit, *_ in signals])
    header += column(8, [f"{-32768 * scale:.6g}" for *_, scale, _ in signals])
    header += column(8, [f"{32767 * scale:.6g}" for *_, scale, _ in signals])
    header += column(8, ["-32768"] * count) + column(8, ["32767"] * count) + column(80, [""] * count)
    header += column(8, [str(len(x) // 60) for *_, x in signals]) + column(32, [""] * count)
    with path.open("wb") as file:
        file.write(header.encode("ascii"))
        for _ in range(hours * 60):
            file.write(records)


@dataclass(frozen=True, slots=True)
class Run:
    """A run of `charley`: memory in MB."""

    peak_mb: float  # resident, pages of the mapped file included, which the system takes back when it needs them
    own_mb: float  # resident and its own: what it allocated
    took_s: float


def run(*arguments: str) -> Run:
    """Run `charley`, looking at its memory all the while."""
    begun, own_kb, peak_kb = time.perf_counter(), 0, 0
    process = subprocess.Popen([sys.executable, "-m", "charley", *arguments], cwd=ROOT, **QUIET)
    while True:
        memory = Path(f"/proc/{process.pid}/status").read_text()
        own_kb, peak_kb = max(own_kb, _kb(memory, "RssAnon")), max(peak_kb, _kb(memory, "VmHWM"))
        if process.poll() is not None:
            break
        time.sleep(LOOK_S)
    if process.returncode:
        raise RuntimeError(f"charley {' '.join(arguments)} ended with {process.returncode}")
    return Run(peak_kb / 1024, own_kb / 1024, time.perf_counter() - begun)


def _kb(memory: str, name: str) -> int:
    """A figure of `/proc/*/status`; 0 once the process has ended."""
    found = re.search(rf"^{name}:\s+(\d+) kB", memory, re.MULTILINE)
    return int(found[1]) if found else 0


def measure() -> dict[str, Any]:
    """Count bytes; run `charley detect` on recordings of different length."""
    states: list[dict[str, float]] = []
    for fs_hz in RATES_HZ:
        for channels in CHANNELS:
            leg = state_bytes(fs_hz, channels)
            states.append({"fs_hz": fs_hz, "channels": channels, "bytes_a_leg": leg})
            states[-1]["bytes_a_stream"] = round(leg / (channels + 1))
    lengths: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        for hours in HOURS:
            path = Path(folder) / "leg.edf"
            write_edf(path, hours=hours)
            found = run("detect", str(path), "--json")
            lengths.append({"hours": hours, "file_mb": round(path.stat().st_size / 2**20)})
            lengths[-1] |= {"own_mb": round(found.own_mb), "peak_mb": round(found.peak_mb)}
            lengths[-1] |= {"took_s": round(found.took_s, 1)}
    return {
        "name": "detector_memory",
        "ratio": round(lengths[-1]["own_mb"] / lengths[0]["own_mb"], 2),
        "unit": f"memory that `charley detect` allocates for a day over that for an hour, EDF at {EMG_FS_HZ} Hz",
        "states": states,
        "recordings": lengths,
        "goal_bytes_a_stream": GOAL_BYTES,
    }
