"""From a drawn canvas to counts: coloured Gaussian noise under the envelopes, hum, faults, converter; in pieces."""

from bisect import bisect_left
from collections.abc import Iterator
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray
from scipy.signal import bilinear_zpk, butter, sosfilt, sosfreqz, zpk2sos

from benchmarks.accuracy.leg import CountArray, Kind, Leg
from benchmarks.accuracy.legs.shaped_canvas import GRID_HZ, Canvas, Spike, Turn
from benchmarks.accuracy.legs.shaped_person import FloatArray

PIECE = 1 << 17  # samples


class Colour:
    """White noise in, unit-variance noise of one spectral shape out; remembers its filter between pieces."""

    __slots__ = ("_rng", "_sos", "_zi")

    def __init__(self, rng: np.random.Generator, sos: NDArray[np.float64]) -> None:
        _, response = sosfreqz(sos, 4096)
        sos = sos.copy()
        sos[0, :3] /= np.sqrt(np.mean(np.abs(response) ** 2))
        self._rng = rng
        self._sos = sos.astype(np.float32)
        self._zi = np.zeros((len(sos), 2), np.float32)

    def take(self, n: int) -> FloatArray:
        white = self._rng.standard_normal(n, np.float32)
        coloured, self._zi = sosfilt(self._sos, white, zi=self._zi)
        return np.asarray(coloured, np.float32)


def muscle_sos(corners_hz: FloatArray, fs_hz: float) -> NDArray[np.float64]:
    """Design f / sqrt((f^2 + low^2)) / (f^2 + high^2), the amplitude spectrum of surface EMG, as a filter."""
    low, high = 2 * np.pi * np.minimum(corners_hz.astype(float), 0.4 * fs_hz)
    return np.asarray(zpk2sos(*bilinear_zpk([0.0], [-low, -high, -high], 1.0, fs_hz)))


def amplifier_sos(fs_hz: float) -> NDArray[np.float64]:
    return np.asarray(butter(2, min(0.42 * fs_hz, 500.0), fs=fs_hz, output="sos"))


class Grid:
    """Where the samples of a piece lie between the points of the canvas' grid."""

    __slots__ = ("_index", "_part", "_span")

    def __init__(self, first: int, n: int, fs_hz: float) -> None:
        at = (first + np.arange(n)) * (GRID_HZ / fs_hz)
        start = int(at[0])
        self._index = at.astype(np.int64) - start
        self._part = (at - self._index - start).astype(np.float32)
        self._span = slice(start, int(at[-1]) + 2)

    def cut(self, track: FloatArray) -> FloatArray:
        return track[self._span]

    def stretch(self, points: FloatArray) -> FloatArray:
        left, right = points[self._index], points[self._index + 1]
        return np.asarray(left + (right - left) * self._part, np.float32)


def render(canvas: Canvas, kind: Kind) -> Leg:
    """Record what was drawn, from the first to the last second of it."""
    device = canvas.device
    emg = np.empty((len(device.sites), int(canvas.duration_s * device.emg_fs_hz)), np.int16)
    render_emg(canvas, emg)
    return Leg(
        kind=kind,
        sites=device.sites,
        emg=emg,
        emg_fs_hz=device.emg_fs_hz,
        emg_scale_uv=device.emg_scale_uv,
        acc=render_acc(canvas),
        acc_fs_hz=device.acc_fs_hz or 0.0,
        acc_scale_g=device.acc_scale_g if device.acc_fs_hz else 0.0,
        cramps=tuple(sorted(canvas.cramps, key=lambda cramp: cramp.onset_s)),
    )


def render_emg(canvas: Canvas, out: CountArray) -> None:
    fs_hz, channels, wearer = canvas.device.emg_fs_hz, range(len(out)), canvas.wearer
    cramp_corners = wearer.corners_hz * cramp_shift(canvas)
    effort = [Colour(canvas.rng, muscle_sos(wearer.corners_hz[c], fs_hz)) for c in channels]
    cramp = [Colour(canvas.rng, muscle_sos(cramp_corners[c], fs_hz)) for c in channels]
    hiss = [Colour(canvas.rng, amplifier_sos(fs_hz)) for c in channels]
    highpass = butter(1, canvas.device.highpass_hz, "highpass", fs=fs_hz, output="sos").astype(np.float32)
    memory = np.zeros((len(highpass), len(out), 2), np.float32)
    wander = Colour(canvas.rng, butter(1, 0.5, fs=fs_hz, output="sos"))
    spikes = sorted(canvas.spikes, key=attrgetter("at_s"))
    for first, n in pieces(out.shape[-1]):
        grid = Grid(first, n, fs_hz)
        source = np.stack([muscle_piece(canvas, grid, c, n, effort=effort[c], cramp=cramp[c]) for c in channels])
        mixed = wearer.crosstalk @ source
        for c in channels:
            mixed[c] += fault_piece(canvas, grid, mixed[c], c, hiss=hiss[c], first=first)
            mixed[c] += canvas.device.wander_uv * wander.take(n)
        add_spikes(spikes, mixed, first=first, fs_hz=fs_hz)
        mixed, memory = sosfilt(highpass, mixed, axis=-1, zi=memory)
        quantise(canvas, mixed, out[:, first : first + n], first=first)


def pieces(n: int) -> Iterator[tuple[int, int]]:
    for first in range(0, n, PIECE):
        yield first, min(PIECE, n - first)


def cramp_shift(canvas: Canvas) -> float:
    """Give how far cramps shift the spectrum: up by a third when small (Serrao 2007), not at all when large."""
    peak = max((cramp.peak_ratio for cramp in canvas.cramps), default=1.0)
    return float(1.35 - 0.4 * min(peak / canvas.wearer.mvc, 1.0) ** 0.5)


def muscle_piece(canvas: Canvas, grid: Grid, c: int, n: int, *, effort: Colour, cramp: Colour) -> FloatArray:
    """Give one muscle's own EMG in µV, without what others add."""
    wearer = canvas.wearer
    power = grid.cut(canvas.effort[c])
    level = grid.stretch(np.sqrt(power + wearer.tone**2)) if power.any() else np.float32(wearer.tone)
    emg = effort.take(n) * level
    power = grid.cut(canvas.cramp[c])
    if power.any():
        emg += cramp.take(n) * grid.stretch(np.sqrt(power))
    return np.asarray(emg * wearer.rest_uv[c], np.float32)


def fault_piece(canvas: Canvas, grid: Grid, emg: FloatArray, c: int, *, hiss: Colour, first: int) -> FloatArray:
    """Give what electrodes, amplifier and surroundings add to a channel, including the loss of contact."""
    device, n = canvas.device, len(emg)
    level = np.float32(canvas.wearer.rest_uv[c] * np.sqrt(1 - canvas.wearer.tone**2))
    extra = grid.cut(canvas.hiss_uv[c])
    added = hiss.take(n) * (np.hypot(grid.stretch(extra), level) if extra.any() else level)
    more_hum = grid.cut(canvas.hum_uv[c])
    hum_uv = device.hum_uv + (grid.stretch(more_hum) if more_hum.any() else np.float32(0))
    added += hum_uv * mains(canvas, first=first, n=n)
    artefact = grid.cut(canvas.artefact_uv[c])
    if artefact.any():
        added += grid.stretch(artefact)
    lifted = grid.cut(canvas.lifted[c])
    if lifted.any():
        added -= emg * grid.stretch(lifted)
    return np.asarray(added, np.float32)


def mains(canvas: Canvas, *, first: int, n: int) -> FloatArray:
    """Give hum with an RMS near one; harmonics beyond the anti-aliasing filter are absent."""
    device = canvas.device
    phase = 2 * np.pi * device.mains_hz / device.emg_fs_hz * (first + np.arange(n))
    hum = np.sqrt(2) * np.sin(phase)
    for order, gain in enumerate(device.harmonics, start=2):
        if order * device.mains_hz < 0.45 * device.emg_fs_hz:
            hum += gain * np.sqrt(2) * np.sin(order * phase + order)
    return np.asarray(hum, np.float32)


def add_spikes(spikes: list[Spike], mixed: FloatArray, *, first: int, fs_hz: float) -> None:
    n = mixed.shape[-1]
    low_s, high_s = first / fs_hz - 0.1, (first + n) / fs_hz + 0.1  # no spike is wider than this
    begin, end = (bisect_left(spikes, at_s, key=attrgetter("at_s")) for at_s in (low_s, high_s))
    for spike in spikes[begin:end]:
        low = max(int((spike.at_s - 5 * spike.width_s) * fs_hz) - first, 0)
        high = min(int((spike.at_s + 5 * spike.width_s) * fs_hz) + 2 - first, n)
        if low < high:
            u = np.square(((first + np.arange(low, high)) / fs_hz - spike.at_s) / spike.width_s)
            mixed[:, low:high] += np.outer(spike.gain_uv, (1 - u) * np.exp(-u / 2)).astype(np.float32)


def quantise(canvas: Canvas, mixed: FloatArray, out: CountArray, *, first: int) -> None:
    device = canvas.device
    counts = np.rint(mixed / np.float32(device.emg_scale_uv))
    out[:] = np.clip(counts, -device.rail_counts - 1, device.rail_counts).astype(np.int16)
    for stuck in canvas.stuck:
        low, high = (int(s * device.emg_fs_hz) - first for s in (stuck.start_s, stuck.end_s))
        out[stuck.channel, max(low, 0) : max(high, 0)] = int(stuck.value * device.rail_counts)


def render_acc(canvas: Canvas) -> CountArray | None:
    device = canvas.device
    if device.acc_fs_hz is None:
        return None
    m = int(canvas.duration_s * device.acc_fs_hz)
    t = np.arange(m) / device.acc_fs_hz
    up = gravity(canvas.turns, t)
    smooth = smooth_for(canvas.linear_g, device.acc_fs_hz)
    up += np.stack([Grid(0, m, device.acc_fs_hz).stretch(axis) for axis in smooth])
    felt = device.mount @ up + device.acc_bias_g[:, None]
    felt += device.acc_noise_g * canvas.rng.standard_normal(felt.shape, np.float32)
    limit = int(min(32767, 16 / device.acc_scale_g))
    return np.asarray(np.clip(np.rint(felt / device.acc_scale_g), -limit, limit), np.int16)


def smooth_for(linear_g: FloatArray, fs_hz: float) -> FloatArray:
    """Filter as the accelerometer does before it samples."""
    sos = butter(2, 0.4 * fs_hz, fs=GRID_HZ, output="sos").astype(np.float32)
    return np.asarray(sosfilt(sos, linear_g, axis=-1), np.float32)


def gravity(turns: list[Turn], t: NDArray[np.float64]) -> FloatArray:
    """Give the direction of up over time: still between turns, along a smooth arc within one."""
    knots, ups = [0.0], [np.asarray(turns[0].up, float)]
    for turn in sorted(turns, key=lambda turn: turn.start_s):
        before, after = ups[-1], np.asarray(turn.up, float)
        for part in np.linspace(0, 1, 13):
            ease = part * part * (3 - 2 * part)
            between = (1 - ease) * before + ease * after + 1e-3 * np.sin(np.pi * ease)
            knots.append(max(turn.start_s + part * turn.span_s, knots[-1] + 1e-6))
            ups.append(between / np.linalg.norm(between))
    lines = np.asarray(ups)
    return np.stack([np.interp(t, knots, lines[:, axis]) for axis in range(3)]).astype(np.float32)
