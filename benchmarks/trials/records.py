"""The same cohort as records of a store: epochs of ten seconds and episodes, as the ingester would have written them.

A leg moves a little all the time, so that nights are those of the clock and it never seems to lie on a table. Time that
was not usable was received without good contact; nights without data have no epochs at all.
"""

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np

from benchmarks.trials.cohort import Cohort
from benchmarks.trials.shown import LOAD, grade_of
from ingest.store import Episode, Epoch

SITE: Final = "gastrocnemius_medialis"
EPOCH_NS: Final = 10 * 10**9
NAN: Final = float("nan")


def epochs_of(cohort: Cohort, devices: Mapping[str, str]) -> Iterator[list[Epoch]]:
    """Epochs of every window that has any data, window by window; `devices` by wearer."""
    windows = cohort.windows
    rows = zip(
        windows.wearer.tolist(), windows.start_ns.tolist(), windows.end_ns.tolist(), windows.low_s.tolist(),
        windows.high_s.tolist(), strict=True,
    )  # fmt: skip
    for wearer, start_ns, end_ns, low_s, high_s in rows:
        if high_s > low_s:
            low_ns, high_ns = start_ns + round(low_s) * 10**9, start_ns + round(high_s) * 10**9
            device = devices[cohort.wearers[wearer]]
            yield [
                _epoch(device, at_ns, usable=low_ns <= at_ns < high_ns) for at_ns in range(start_ns, end_ns, EPOCH_NS)
            ]


def episodes_of(cohort: Cohort, devices: Mapping[str, str]) -> list[Episode]:
    """Every cramp that the device saw and every false alarm, of nights and of days."""
    happened = cohort.happened
    wearer = cohort.windows.wearer[happened.window]
    rows = zip(
        wearer[happened.seen].tolist(), happened.onset_ns[happened.seen].tolist(),
        happened.seconds[happened.seen].tolist(), happened.severity[happened.seen].tolist(), strict=True,
    )  # fmt: skip
    return [
        _episode(devices[cohort.wearers[wearer]], onset_ns, seconds=seconds, severity=severity)
        for wearer, onset_ns, seconds, severity in rows
    ]


def last_ns(cohort: Cohort) -> int:
    """When the last window of all is over."""
    return int(np.max(cohort.windows.next_ns))


def _epoch(device: str, start_ns: int, *, usable: bool) -> Epoch:
    return Epoch(
        device=device, site=SITE, start_ns=start_ns, received_s=10.0, worn_s=10.0 if usable else 0.0,
        usable_s=10.0 if usable else 0.0, rms_uv=4.0 if usable else NAN, rest_uv=3.0,
        median_hz=80.0 if usable else NAN, movement_g=0.05, angle_deg=5.0,
        flags=() if usable else ("electrode_off",), updated_ns=start_ns + EPOCH_NS,
    )  # fmt: skip


def _episode(device: str, onset_ns: int, *, seconds: float, severity: float) -> Episode:
    return Episode(
        device=device, site=SITE, onset_ns=onset_ns, end_ns=onset_ns + round(seconds * 1e3) * 10**6, status="final",
        revision=1, severity=severity, severity_amplitude=severity, severity_duration=severity,
        severity_load=severity, severity_recruitment=severity, grade=grade_of(seconds), peak_uv=120.0,
        peak_ratio=20.0, load=seconds * LOAD, confidence=0.9, flags=(), sites=(SITE,), detector="simulated",
        params="simulated", updated_ns=onset_ns + round(seconds * 1e9),
    )  # fmt: skip
