"""What a researcher would use today: onset detectors of NeuroKit2 and BioSPPy, then a rule on duration.

None of them was made for cramps; each gets what it could ask for. They are told ten quiet seconds of the
recording to learn rest from, each channel is cleaned as its own package does, and threshold and rule are those that
did best on development seeds (`choice.py`). None can use the accelerometer, and all see the recording at once.
"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import pairwise
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.leg import Leg

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
Span = tuple[float, float]
REST_S: Final = 10
STEP_S: Final = 0.1  # of the grid on which activity is laid before the rule
HOLD_S: Final = 12
GAP_S: Final = 8
DENSE: Final = 0.8
COARSE_HZ: Final = 20
PACKAGES: Final = ("neurokit2", "biosppy")


class CannotRunError(Exception):
    """The package refuses a recording."""


@dataclass(frozen=True, slots=True)
class Rival:
    """One detector with what was chosen for it."""

    package: str
    method: str
    threshold: float | None  # in the method's own terms; None: its default
    dense: bool  # the rule: at least 80 % of some 12 s; else 12 s with gaps of up to 8 s closed

    @property
    def name(self) -> str:
        rule = "80 % of 12 s" if self.dense else "12 s, gaps ≤ 8 s closed"
        level = "default" if self.threshold is None else f"{self.threshold:g}"
        return f"{self.package} {self.method} ({level}); {rule}"


# Thresholds to choose from; `choice.py` names those that do best on development seeds.
GRID: Final = MappingProxyType(
    {
        ("NeuroKit2", "threshold"): (None, 2.0, 3.0, 4.0, 6.0),  # times mean amplitude at rest; its default: 0.1 SD
        ("NeuroKit2", "mixture"): (None, 0.9, 0.99),  # probability; its default: 0.33
        ("BioSPPy", "find_onsets"): (None, 2.0, 3.0),  # times mean amplitude at rest; its default: 1.2 mean + 2 SD
        ("BioSPPy", "hodges_bui"): (1.0, 2.0, 3.0),  # SD of the rectified rest
        ("BioSPPy", "bonato"): (6.0, 15.0, 30.0, 60.0, 120.0),  # variances of the rest
        ("BioSPPy", "solnik"): (3.0, 7.0, 15.0),  # SD of the energy at rest; 15 is the authors'
    }
)


def available() -> bool:
    """Whether both packages are installed."""
    return all(find_spec(name) is not None for name in PACKAGES)


def spans(rival: Rival, leg: Leg) -> list[Span]:
    """Episodes of a rival: of any channel, in seconds."""
    return together([span for one in active(rival, leg) for span in rule(one, dense=rival.dense)])


def active(rival: Rival, leg: Leg) -> list[BoolArray]:
    """Where each channel is active, on a grid of `STEP_S`."""
    work = _METHODS[rival.package, rival.method]
    grid = int(leg.duration_s / STEP_S)
    found = []
    for counts in leg.emg:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # their own
            try:
                onsets = work(counts * leg.emg_scale_uv, leg.emg_fs_hz, rival.threshold)
            except (ValueError, IndexError, TypeError) as error:
                raise CannotRunError(str(error)) from error
        found.append(lay(onsets, grid))
    return found


def lay(onsets: Sequence[Span], grid: int) -> BoolArray:
    """Activity on a grid: a cell counts if half of it is active."""
    filled = np.zeros(grid + 1)
    for begin, end in onsets:
        first, last = min(int(begin / STEP_S), grid), min(int(end / STEP_S), grid)
        if first == last:
            filled[first] += end - begin
            continue
        filled[first] += (first + 1) * STEP_S - begin
        filled[first + 1 : last] += STEP_S
        filled[last] += end - last * STEP_S
    result: BoolArray = filled[:grid] >= STEP_S / 2
    return result


def rule(on: BoolArray, *, dense: bool) -> list[Span]:
    """Stretches that last: the literal rule, or the fair one that does not take a row of steps for a hold."""
    if not dense:
        return [(a, b) for a, b in together(runs(on), gap_s=GAP_S) if b - a >= HOLD_S]
    hold = round(HOLD_S / STEP_S)
    if on.size < hold:
        return []
    often = np.convolve(on, np.ones(hold), mode="valid") >= DENSE * hold
    held = [(a, b + HOLD_S - STEP_S) for a, b in runs(often)]
    return together(held, gap_s=GAP_S)


def runs(on: BoolArray, *, step_s: float = STEP_S) -> list[Span]:
    """Stretches of a grid that are true, in seconds."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], on, [False]]).astype(int)))
    return [(float(a * step_s), float(b * step_s)) for a, b in edges.reshape(-1, 2)]


def together(spans_s: Sequence[Span], *, gap_s: float = 0.0) -> list[Span]:
    """Spans in order, joined where they overlap or lie no further apart than `gap_s`."""
    joined: list[Span] = []
    for begin, end in sorted(spans_s):
        if joined and begin - joined[-1][1] <= gap_s:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((begin, end))
    return joined


Method = Callable[[FloatArray, float, float | None], list[Span]]


def _neurokit(method: str) -> Method:
    def work(signal: FloatArray, fs_hz: float, threshold: float | None) -> list[Span]:
        import neurokit2  # noqa: PLC0415 - only the benchmarks' own environment has it

        cleaned = neurokit2.emg_clean(signal, sampling_rate=fs_hz)
        amplitude = _smooth(np.asarray(neurokit2.emg_amplitude(cleaned)), int(fs_hz / COARSE_HZ))
        # `emg_activation` loops over samples in pandas: at 20 Hz it takes seconds, at 1 kHz an hour.
        at_s = np.arange(int(len(amplitude) / fs_hz * COARSE_HZ)) / COARSE_HZ
        coarse = np.interp(at_s, np.arange(len(amplitude)) / fs_hz, amplitude)
        level: Any = "default" if threshold is None else threshold
        if method == "threshold" and threshold is not None:
            level = threshold * float(_quietest(coarse, REST_S * COARSE_HZ).mean())
        _, info = neurokit2.emg_activation(
            emg_amplitude=coarse, sampling_rate=COARSE_HZ, method=method, threshold=level
        )
        return list(zip(info["EMG_Onsets"] / COARSE_HZ, info["EMG_Offsets"] / COARSE_HZ, strict=False))

    return work


def _biosppy(method: str) -> Method:
    def work(signal: FloatArray, fs_hz: float, threshold: float | None) -> list[Span]:
        from biosppy.signals import emg, tools  # noqa: PLC0415 - only the benchmarks' own environment has it

        # As its `emg.emg` does, with the 100 Hz high-pass lowered where the rate leaves no muscle above it.
        cleaned, _, _ = tools.filter_signal(
            signal=signal, ftype="butter", band="highpass", order=4, frequency=min(100.0, 0.1 * fs_hz),
            sampling_rate=fs_hz,
        )  # fmt: skip
        rest = _quietest(cleaned, int(REST_S * fs_hz))
        return _BIOSPPY[method](emg, cleaned, rest, fs_hz, threshold)

    return work


def _find_onsets(emg: Any, x: FloatArray, rest: FloatArray, fs_hz: float, threshold: float | None) -> list[Span]:
    level = 1.2 * np.abs(x).mean() if threshold is None else threshold * np.abs(rest).mean()
    given = None if threshold is None else level
    edges = emg.find_onsets(signal=x, sampling_rate=fs_hz, threshold=given)["onsets"]
    # Its edges do not say whether they rise or fall, and one pause of a sample is one edge: ask the signal.
    marks = np.unique(np.concatenate([[0], edges, [len(x)]])).astype(int)
    sums = np.concatenate([[0.0], np.cumsum(np.abs(x))])
    loud = np.diff(sums[marks]) / np.diff(marks) > level
    return [(a / fs_hz, b / fs_hz) for (a, b), on in zip(pairwise(marks.tolist()), loud, strict=True) if on]


def _hodges_bui(emg: Any, x: FloatArray, rest: FloatArray, fs_hz: float, threshold: float | None) -> list[Span]:
    # Hodges and Bui compare the rectified signal with the rectified rest; given samples, biosppy takes the raw ones.
    about = {"mean": float(np.abs(rest).mean()), "std_dev": float(np.abs(rest).std())}
    size = int(0.05 * fs_hz)
    found = emg.hodges_bui_onset_detector(signal=x, rest=about, sampling_rate=fs_hz, size=size, threshold=threshold)
    on = np.concatenate([np.zeros(size // 2, bool), np.asarray(found["processed"]) >= threshold])
    return runs(on, step_s=1 / fs_hz)


def _bonato(emg: Any, x: FloatArray, rest: FloatArray, fs_hz: float, threshold: float | None) -> list[Span]:
    found = emg.bonato_onset_detector(
        signal=x, rest=rest, sampling_rate=fs_hz, threshold=threshold, active_state_duration=int(0.03 * fs_hz / 2),
        samples_above_fail=3, fail_size=6,
    )  # fmt: skip
    return _in_turn(found["onsets"] / fs_hz, len(x) / fs_hz)


def _solnik(emg: Any, x: FloatArray, rest: FloatArray, fs_hz: float, threshold: float | None) -> list[Span]:
    # The threshold is on the energy operator, so its rest must be too; biosppy would take the raw samples' rest.
    energy = np.abs(rest[1:-1] ** 2 - rest[2:] * rest[:-2])
    about = {"mean": float(energy.mean()), "std_dev": float(energy.std())}
    found = emg.solnik_onset_detector(
        signal=x, rest=about, sampling_rate=fs_hz, threshold=threshold, active_state_duration=int(0.025 * fs_hz)
    )
    return _in_turn(found["onsets"] / fs_hz, len(x) / fs_hz)


_BIOSPPY: Final = MappingProxyType(
    {"find_onsets": _find_onsets, "hodges_bui": _hodges_bui, "bonato": _bonato, "solnik": _solnik}
)
_METHODS: Final[MappingProxyType[tuple[str, str], Method]] = MappingProxyType(
    {(package, method): (_neurokit if package == "NeuroKit2" else _biosppy)(method) for package, method in GRID}
)


def _smooth(x: FloatArray, n: int) -> FloatArray:
    result: FloatArray = np.convolve(x, np.ones(n) / n, mode="same")
    return result


def _quietest(x: FloatArray, n: int) -> FloatArray:
    """The stretch of `n` samples that a tenth of all stretches lies below in power: quiet, and no dead signal."""
    starts = np.arange(0, max(1, len(x) - n), n)
    power = np.array([float(np.mean(x[a : a + n] ** 2)) for a in starts])
    best = starts[np.argsort(power)[len(starts) // 10]]
    return x[best : best + n]


def _in_turn(edges_s: FloatArray, end_s: float) -> list[Span]:
    """Spans of edges that rise and fall in turn, the first of them rising."""
    edges = [*edges_s.tolist(), end_s]
    return list(zip(edges[0:-1:2], edges[1::2], strict=False))
