"""Slow twins of the detector's functions, one window, sample or second at a time, in double precision."""

import cmath
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Samples = Sequence[int] | NDArray[np.int16]
QUIET: Final = 256  # counts


@dataclass(frozen=True, slots=True)
class Window:
    """What one window of EMG shows, in counts."""

    power: float
    low: float
    steps: list[float]
    hum: float
    wander: float
    bands: list[float]
    span: float
    clipped: float
    edges_hz: list[float]


def emg_window(samples: Samples, fs_hz: float) -> Window:
    """One second: take off the line that makes its end meet its start, then read a plain Fourier series."""
    x = np.asarray(samples, np.float64)
    n = len(x)
    level = x - np.arange(n) * (x[-1] - x[0]) / n
    hz = fs_hz / n  # of one bin
    top_hz = min(450, int(0.45 * fs_hz))
    first, last = round(20 / hz), round(top_hz / hz)
    series = [sum_of(level, bin_) for bin_ in range(last)]
    mean_square = [2 * abs(c) ** 2 for c in series]
    hum_bins = {
        bin_
        for mains in (50, 60)
        for line in range(mains, top_hz + 2, mains)
        for bin_ in (round(line / hz) - 1, round(line / hz), round(line / hz) + 1)
        if first <= bin_ < last
    }
    clean = {bin_: 0.0 if bin_ in hum_bins else mean_square[bin_] for bin_ in range(first, last)}
    hum = sum(mean_square[bin_] for bin_ in hum_bins)
    edges = sorted({round(float(edge)) for edge in np.geomspace(first, last, 17)})
    steps = _steps(series, n, [bin_ for bin_ in range(first, min(last, first + 128)) if bin_ not in hum_bins])
    return Window(
        power=max(sum(clean.values()) - 0.05 * hum, 1e-6),
        low=max(_sustained(steps), 1e-3),
        steps=steps,
        hum=hum,
        wander=sum(mean_square[max(1, round(3 / hz)) : round(15 / hz)]),
        bands=[sum(clean[bin_] for bin_ in range(a, b)) for a, b in pairwise(edges)],
        span=float(max(x) - min(x)),
        clipped=_clipped(x),
        edges_hz=[edge * hz for edge in edges],
    )


def sum_of(x: Array, bin_: int) -> complex:
    """A coefficient of the Fourier series, by its defining sum."""
    k = np.arange(len(x))
    return complex(np.sum(x * np.exp(-2j * np.pi * ((bin_ * k) % len(x)) / len(x)))) / len(x)


def _steps(series: list[complex], n: int, bins: list[int]) -> list[float]:
    """Mean square in each 32nd of the second, from 4 instants each.

    The detector reads differences of neighbours, so its instants lie half a sample early.
    """
    found = []
    for step in range(32):
        instants = [(4 * step + i) / 128 - 0.5 / n for i in range(4)]
        analytic = [sum(2 * series[f] * cmath.exp(2j * math.pi * f * t) for f in bins) for t in instants]
        found.append(sum(abs(a) ** 2 / 2 for a in analytic) / 4)
    return found


def _sustained(steps: list[float]) -> float:
    """The second smallest of the RMS values of the second's eighths."""
    return math.sqrt(sorted(sum(steps[4 * part : 4 * part + 4]) / 4 for part in range(8))[1])


def _clipped(x: Array) -> float:
    top, bottom = max(x), min(x)
    if top - bottom <= QUIET:  # a quiet converter repeats its extremes
        return 0.0
    return max(sum(1 for value in x if value == top), sum(1 for value in x if value == bottom)) / len(x)


def median_hz(bands: Sequence[float], edges_hz: Sequence[float]) -> float:
    """Walk up the spectrum until half of the power lies below."""
    total = sum(bands)
    if total == 0:
        return math.nan
    below = 0.0
    for power, low_hz, high_hz in zip(bands, edges_hz, edges_hz[1:], strict=False):
        if below + power >= total / 2:
            return low_hz + (total / 2 - below) / power * (high_hz - low_hz)
        below += power
    raise AssertionError("half of the power lies somewhere")


def acc_window(samples: Sequence[Samples], scale: Sequence[float]) -> tuple[float, list[float]]:
    """Mean absolute deviation of the length of the vector, and the mean vector."""
    g = [[float(count) * unit for count in axis] for axis, unit in zip(samples, scale, strict=True)]
    lengths = [math.sqrt(x * x + y * y + z * z) for x, y, z in zip(*g, strict=True)]
    mean = sum(lengths) / len(lengths)
    return sum(abs(r - mean) for r in lengths) / len(lengths), [sum(axis) / len(axis) for axis in g]


def angle_deg(gravity: Sequence[float]) -> float:
    """Angle of axis x to the horizontal."""
    x, y, z = gravity
    length = math.sqrt(x * x + y * y + z * z)
    return math.degrees(math.asin(x / length)) if length else math.nan


def turn_deg(before: Sequence[float], after: Sequence[float]) -> float:
    """Angle between two vectors."""
    a, b = np.array(before), np.array(after)
    return math.degrees(math.atan2(float(np.linalg.norm(np.cross(a, b))), float(a @ b)))


def quiet(amplitudes: Sequence[float], usable: Sequence[bool]) -> float:
    """The value below which 30 % of the usable windows lie."""
    return percentile(amplitudes, usable, 0.3)


def track(rest: float, level: float, *, warm: bool, frozen: bool) -> float:
    """The rest level (logarithm) after an epoch whose quiet amplitude is `level`, with default parameters."""
    if math.isnan(level):
        return rest
    if math.isnan(rest):
        return math.log(max(level, 1e-6))
    target = math.log(level)
    if target <= rest:
        return max(target, rest - 0.3)
    if frozen:
        return rest
    step = 0.1 if warm else 0.01 if target - rest < math.log(2) else 0.002
    return min(target, rest + step)


def rhythm(steps: Sequence[float]) -> tuple[float, float, list[float]]:
    """Wobble of amplitude at 1-2 and 3-4 Hz; beat of power from 3 to 14 Hz."""
    amplitude = [math.sqrt(step) for step in steps]
    slow, fast = (sum(_line(amplitude, hz) for hz in pair) for pair in ((1, 2), (3, 4)))
    return slow, fast, [_line(steps, hz) for hz in range(3, 15)]


def _line(course: Sequence[float], hz: int) -> float:
    """Square of what a wave of so many turns contributes, relative to the mean."""
    n = len(course)
    wave = sum(value * cmath.exp(-2j * math.pi * hz * i / n) for i, value in enumerate(course))
    return (2 * abs(wave) / max(sum(course), 1e-9)) ** 2


def seconds_of(anchor_ns: int, received: int, fs_hz: float) -> dict[int, list[int]]:
    """For each whole UTC second of a run, the samples that belong to it; sample i lies at ``anchor + i / fs``.

    A second begins with the sample nearest to it, the later of two equally near, and holds as many as fit into it,
    or an eighth of a percent fewer where that many make a slow Fourier transform.
    """
    n = 1258 if fs_hz == 1259.26 else math.floor(fs_hz)
    found: dict[int, list[int]] = {}
    first_s = -(-anchor_ns // 10**9)
    for second in range(first_s, first_s + int(received / fs_hz) + 2):
        exact = (second * 10**9 - anchor_ns) / 1e9 * fs_hz
        start = min(range(received), key=lambda i, at=exact: (round(abs(i - at), 6), -i))
        if abs(start - exact) < 0.51 and start + n <= received:
            found[second] = list(range(start, start + n))
    return found


def mates(muscles: Sequence[str], synergists: Mapping[str, str]) -> list[list[bool]]:
    """Which other channels a willed act would work too."""
    bare = [re.sub(r"_[0-9]+$", "", muscle) for muscle in muscles]
    groups = [[group for muscle, group in synergists.items() if muscle in name] for name in bare]
    found = []
    for a, of_a in enumerate(groups):
        row = []
        for b, of_b in enumerate(groups):
            if a == b:
                row.append(False)
            elif not of_a or not of_b:
                row.append(True)  # on no known muscle
            else:
                row.append(of_a[0] == of_b[0] and bare[a] != bare[b])
        found.append(row)
    return found


def percentile(values: Sequence[float], usable: Sequence[bool], share: float) -> float:
    """The value below which a share of the usable windows lie."""
    found = sorted(a for a, use in zip(values, usable, strict=True) if use)
    return found[int(share * (len(found) - 1))] if len(found) >= 5 else math.nan


def accustom(custom: float, ratios: Sequence[float], ok: Sequence[bool], *, opened: bool) -> float:
    """What is customary (logarithm) after an epoch of sustained amplitudes over rest."""
    level = percentile(ratios, [use and math.isfinite(r) for r, use in zip(ratios, ok, strict=True)], 0.7)
    if math.isnan(level):
        return custom
    target = math.log(max(level, 1))
    return max(target, custom - 0.005) if target < custom else min(target, custom + (0.03 if opened else 0.1))


def learn_up(
    up: Sequence[float], walked: int, *, mad: Sequence[float], gravity: Sequence[Sequence[float]], have: Sequence[bool]
) -> tuple[list[float], int]:
    """Which way is up after an epoch, and how many epochs have told."""
    there = [i for i, received in enumerate(have) if received]
    direction, agreement = _mean_direction([gravity[i] for i in there])
    brisk = [i for i in there if mad[i] > 0.08]
    if len(brisk) < 0.8 * max(len(there), 5) or agreement <= 0.85:
        return list(up), walked
    if walked:
        direction = _unit([u + 0.2 * (d - u) for u, d in zip(up, direction, strict=True)])
    return direction, min(walked + 1, 2)


def learn_home(
    home: Sequence[float], rested: int, *, gravity: Sequence[Sequence[float]], calm: Sequence[bool]
) -> tuple[list[float], int]:
    """In which posture the leg rests after an epoch, and how much speaks for it."""
    still = [g for g, use in zip(gravity, calm, strict=True) if use]
    direction, _ = _mean_direction(still)
    if len(still) < 5 or direction == [0.0, 0.0, 0.0]:
        return list(home), rested
    if _apart_deg(home, direction) < 35:
        return direction, min(rested + 1, 30)
    if rested > 3:
        return list(home), rested - 3
    return direction, 1


def _mean_direction(vectors: Sequence[Sequence[float]]) -> tuple[list[float], float]:
    """Direction of the sum of unit vectors, and its length for each of them."""
    units = [_unit(v) for v in vectors]
    total = [sum(u[axis] for u in units) for axis in range(3)]
    return _unit(total), math.sqrt(sum(t * t for t in total)) / max(len(vectors), 1)


def _unit(vector: Sequence[float]) -> list[float]:
    length = math.sqrt(sum(x * x for x in vector))
    return [x / length for x in vector] if length > 1e-6 else [0.0, 0.0, 0.0]


def _apart_deg(one: Sequence[float], other: Sequence[float]) -> float:
    """Angle; 0 where one of them is not known."""
    return turn_deg(one, other) if any(one) and any(other) else 0.0


def severity(*, peak_ratio: float, duration_s: float, load: float, recruitment: float) -> tuple[float, int]:
    """Severity and grade, written out."""
    amplitude = 10 * min(math.log(max(peak_ratio, 1)) / math.log(40), 1)
    duration = 10 * min(math.log(1 + duration_s / 10) / math.log(91), 1)
    loaded = 10 * min(math.log(1 + load) / math.log(201), 1)
    recruited = 10 * min(max(recruitment, 0), 1)
    total = 0.3 * amplitude + 0.2 * duration + 0.4 * loaded + 0.1 * recruited
    if duration_s >= 180 or load >= 40:
        return total, 3
    if duration_s < 30 or load < 5:
        return total, 1
    return total, 2


def confidence(signs: Mapping[str, float], *, weights: Mapping[str, float]) -> float:
    """What each sign of one candidate adds, written out."""
    upright, seated = signs["upright"] > 0.5, signs["seated"] > 0.5
    unseen = math.isnan(signs["coactive"])
    both = 0.0 if unseen else _between((signs["coactive"] - 0.1) / 0.4, 0, 1)
    unusual = math.log(max(signs["crest"], 1)) - signs["usual"]
    wobble = math.log(max(signs["wobble"], 0.1) / 1.45)
    z = weights["base"]
    z += weights["watched"] * signs["acc"]
    if upright:
        z += weights["upright"] * _between(math.log(18 / max(signs["crest"], 1)) / math.log(3), 0, 1)
        z += weights["upright_unseen"] if unseen else 0
        z += weights["upright_cold"] if signs["cold"] else 0
    if seated:
        z += weights["seated"]
    z += weights["unseen"] if unseen else weights["both"] * both
    if upright or seated:
        z += weights["both_upright"] * both
    hard = _between(math.log(max(signs["crest"], 1) / 6) / math.log(3), 0, 1)
    z += 0 if unseen else weights["alone"] * _between((0.2 - signs["coactive"]) / 0.1, 0, 1) * hard
    z += weights["moved"] if signs["moved"] else 0
    z += weights["stirred"] * signs["stirred"]
    if signs["active_s"] > 65 and (not (upright or seated) or unusual > 2):
        z += weights["minute"]
    z += weights["quiet"] * math.log(1 + signs["quiet_s"] / 60)
    z += weights["unusual"] * _between(unusual, 0, 2)
    z += weights["wobble"] * _between(wobble, -0.5, 0.7)
    z += weights["bursts"] * _between(wobble - 1, 0, 1)
    z += weights["beat"] * _between((signs["beat"] - 0.1) / 0.1, 0, 3)
    z += weights["gradual"] * (1 - _between(math.log(max(signs["abrupt"], 1)) / math.log(4), 0, 1))
    if not math.isnan(signs["fall_s"]):
        z += weights["fall"] * math.log(1 + _between(signs["fall_s"] - 1, 0, 10))
    return 1 / (1 + math.exp(-z))


def _between(value: float, least: float, most: float) -> float:
    return min(max(value, least), most)
