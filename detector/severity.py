"""How bad a cramp was: severity 0-10 in four published parts, and a grade.

A convention: no study links the size of surface EMG to graded pain. It mirrors the trials' cramp index, duration
times severity (Man-Son-Hing 1995), and load, the physical part, is the integral of relative EMG above rest.
"""

from dataclasses import dataclass
from math import log, log1p
from typing import Final

WEIGHTS: Final = {"amplitude": 0.3, "duration": 0.2, "load": 0.4, "recruitment": 0.1}
TOP_RATIO: Final = 40.0  # peak over rest that scores 10
TOP_DURATION_S: Final = 900.0
TOP_LOAD: Final = 200.0  # reference-seconds


@dataclass(frozen=True, slots=True)
class Severity:
    """Severity and its parts, each 0-10, and the grade 1-3."""

    total: float
    amplitude: float
    duration: float
    load: float
    recruitment: float
    grade: int


def severity(*, peak_ratio: float, duration_s: float, load: float, recruitment: float) -> Severity:
    """Score a cramp.

    Parameters
    ----------
    peak_ratio : float
        Highest 1-s RMS amplitude over rest.
    duration_s : float
        Seconds from onset to end.
    load : float
        Integral of relative EMG above rest, reference-seconds (reference: 20 x rest).
    recruitment : float
        Sustained over RMS amplitude, 0-1: how dense the interference pattern was.

    Returns
    -------
    Severity
        Never falls when any argument rises. The grade is 3 from 180 s or a load of 40, else 1 below 30 s or a
        load of 5, else 2.

    Examples
    --------
    >>> severity(peak_ratio=10, duration_s=60, load=20, recruitment=0.6).grade
    2
    """
    parts = {
        "amplitude": _unit(log(max(peak_ratio, 1.0)) / log(TOP_RATIO)),
        "duration": _unit(log1p(duration_s / 10) / log1p(TOP_DURATION_S / 10)),
        "load": _unit(log1p(load) / log1p(TOP_LOAD)),
        "recruitment": _unit(recruitment),
    }
    total = sum(WEIGHTS[name] * value for name, value in parts.items())
    grade = 2
    if duration_s >= 180 or load >= 40:
        grade = 3
    elif duration_s < 30 or load < 5:
        grade = 1
    return Severity(
        total=round(10 * total, 3),
        grade=grade,
        **{name: round(10 * value, 3) for name, value in parts.items()},
    )


def _unit(value: float) -> float:
    return min(max(value, 0.0), 1.0)
