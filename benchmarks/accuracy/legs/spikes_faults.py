"""What goes wrong between skin and converter: hum, heart, artefact, lifted electrodes, rails, a device on a table."""

import numpy as np

from benchmarks.accuracy.legs.spikes_canvas import Canvas, wander
from benchmarks.accuracy.legs.spikes_person import FloatArray


def heart(canvas: Canvas, start_s: float, end_s: float, *, peak_ratio: float) -> None:
    """Add the heart's QRS and T waves, strongest in one channel."""
    rng, rate = canvas.rng, canvas.person.fs_hz
    seconds = end_s - start_s
    pace = rng.uniform(52, 100) / 60
    beats = np.cumsum((1 + 0.03 * rng.normal(size=int(seconds * pace * 1.3) + 3)) / pace)
    hits = np.zeros(int(seconds * rate))
    np.add.at(hits, (beats[beats < seconds - 0.01] * rate).astype(int), 1.0)
    t = np.arange(int(0.45 * rate)) / rate
    wide = rng.uniform(0.006, 0.012)
    shape = _bell(t, 0.06, wide) - 0.35 * _bell(t, 0.06 + 2.2 * wide, wide) - 0.15 * _bell(t, 0.06 - 2.2 * wide, wide)
    shape += rng.uniform(0.05, 0.2) * _bell(t, 0.30, 0.04)
    wave = canvas.amplified(
        np.fft.irfft(np.fft.rfft(hits, 2 * len(hits)) * np.fft.rfft(shape, 2 * len(hits)))[: len(hits)]
    )
    for channel, rest in enumerate(canvas.person.rest_uv):
        gain = np.float32(peak_ratio * rest * (1 if channel == 0 else rng.uniform(0.3, 1)))
        canvas.add(channel, int(start_s * rate), wave * gain)


def _bell(t: FloatArray, centre: float, width: float) -> FloatArray:
    return np.asarray(np.exp(-0.5 * ((t - centre) / width) ** 2), dtype=np.float64)


def hum(canvas: Canvas, start_s: float, end_s: float, *, ratio: float) -> None:
    """Bring a mains cable near: hum of some resting RMS on every channel, switched on or creeping up."""
    rng, person = canvas.rng, canvas.person
    first, last = int(start_s * 10), int(end_s * 10)
    ramp = np.clip(np.arange(last - first) / rng.choice((2, 50, 300)), 0, 1) * (
        1 + 0.15 * wander(rng, last - first, smooth_s=3, rate_hz=10)
    )
    for channel in range(len(person.sites)):
        factor = ratio * rng.uniform(0.4, 1.2) * person.rest_uv[channel] / person.hum_uv[channel]
        canvas.hum[channel, first:last] += np.maximum(factor * ramp, 0)


def tugging(canvas: Canvas, start_s: float, end_s: float) -> None:
    """Let clothes or bedding pull at the cables again and again."""
    at = start_s
    while at < end_s - 2:
        seconds = min(float(np.exp(canvas.rng.normal(np.log(4), 0.8))), end_s - at)
        canvas.tug(at, seconds, size=canvas.rng.uniform(0.5, 4))
        if canvas.rng.random() < 0.5:
            canvas.shake(at, seconds, size_g=canvas.rng.uniform(0.01, 0.2))
        for tap in canvas.rng.uniform(at, at + seconds, canvas.rng.poisson(1.0)):
            _pop(canvas, float(tap), size=float(canvas.rng.uniform(5, 120)))
        at += seconds + canvas.rng.uniform(1, 25)


def _pop(canvas: Canvas, at_s: float, *, size: float) -> None:
    """Add a step that decays, as when an electrode is touched."""
    rate = canvas.person.fs_hz
    t = np.arange(int(1.5 * rate)) / rate
    channel = int(canvas.rng.integers(len(canvas.person.sites)))
    step = canvas.amplified(np.exp(-t / canvas.rng.uniform(0.02, 0.3)))
    canvas.add(
        channel, int(at_s * rate), step * np.float32(size * canvas.person.rest_uv[channel] * canvas.rng.choice((-1, 1)))
    )


def lift(canvas: Canvas, start_s: float, end_s: float, channel: int) -> None:
    """Let an electrode come off and, at the end, be pressed on again."""
    rng, person = canvas.rng, canvas.person
    first, last = int(start_s * person.fs_hz), min(int(end_s * person.fs_hz), canvas.emg.shape[1])
    rest = person.rest_uv[channel]
    canvas.emg[channel, first:last] *= rng.uniform(0, 0.3)
    hiss = rng.uniform(0.5, 8) * rest * rng.standard_normal(last - first, dtype=np.float32)
    canvas.emg[channel, first:last] += hiss.astype(np.float32)
    knots = wander(rng, max(int((end_s - start_s) * 4), 4), smooth_s=1, rate_hz=4)
    roam = np.interp(np.linspace(0, len(knots) - 1, last - first), np.arange(len(knots)), knots)
    canvas.add(channel, first, canvas.amplified(roam * rest * np.exp(rng.uniform(np.log(5), np.log(400)))))
    canvas.louder_hum(channel, start_s, end_s, float(np.exp(rng.uniform(np.log(5), np.log(400)))))
    for at in (start_s, end_s):
        _pop(canvas, at, size=float(rng.uniform(50, 1500)))
    if rng.random() < 0.3:
        jam(canvas, start_s + 0.3 * (end_s - start_s), start_s + 0.8 * (end_s - start_s), channel)


def jam(canvas: Canvas, start_s: float, end_s: float, channel: int) -> None:
    """Drive the converter to a rail, or freeze it at its last value."""
    rate, rail = canvas.person.fs_hz, canvas.person.rail
    value = (rail, -rail - 1, None)[canvas.rng.integers(3)]
    canvas.stuck.append((channel, slice(int(start_s * rate), int(end_s * rate)), value))


def flicker(canvas: Canvas, start_s: float, end_s: float, channel: int) -> None:
    """Saturate on and off, between the two rails."""
    at, rail = start_s, canvas.person.rail
    while at < end_s - 0.1:
        seconds = min(float(canvas.rng.exponential(0.8)) + 0.01, end_s - at)
        span = slice(int(at * canvas.person.fs_hz), int((at + seconds) * canvas.person.fs_hz))
        canvas.stuck.append((channel, span, int(canvas.rng.choice((rail, -rail - 1)))))
        at += seconds + float(canvas.rng.exponential(0.6))


def take_off(canvas: Canvas, start_s: float, end_s: float) -> None:
    """Lay the device on a table, all its electrodes in the air."""
    rng = canvas.rng
    canvas.shake(start_s - 6, 8, size_g=0.4)
    canvas.tug(start_s - 6, 6, size=6)
    canvas.posture(start_s - 2, pitch=rng.uniform(0, 180), roll=rng.choice((0, 90, 180, 270)), seconds=2)
    for channel in range(len(canvas.person.sites)):
        lift(canvas, start_s, end_s, channel)
    canvas.shake(end_s - 4, 9, size_g=0.4)
    canvas.tug(end_s, 5, size=6)
