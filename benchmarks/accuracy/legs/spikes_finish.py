"""From a finished canvas to what the device would have stored: rest, hum, drift, noise, converter."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.signal import butter, sosfilt

from benchmarks.accuracy.leg import CountArray, Kind, Leg
from benchmarks.accuracy.legs.spikes_canvas import CURVE_HZ, Canvas
from benchmarks.accuracy.legs.spikes_person import FloatArray

_PIECE = 1 << 18
_DRIFT_HZ = 8.0


def finish(canvas: Canvas, kind: Kind) -> Leg:
    """Add everything that is always there and convert."""
    person = canvas.person
    return Leg(
        kind=kind,
        sites=person.sites,
        emg=_emg(canvas),
        emg_fs_hz=person.fs_hz,
        emg_scale_uv=person.scale_uv,
        acc=_acc(canvas) if person.has_acc else None,
        acc_fs_hz=person.acc_fs_hz,
        acc_scale_g=person.acc_scale_g,
        cramps=tuple(sorted(canvas.cramps, key=lambda cramp: cramp.onset_s)),
    )


def _emg(canvas: Canvas) -> CountArray:
    person = canvas.person
    counts = np.empty(canvas.emg.shape, dtype=np.int16)
    for channel in range(len(person.sites)):
        _channel(canvas, channel, counts[channel])
    for channel, samples, value in canvas.stuck:
        last = int(counts[channel, max(samples.start - 1, 0)])
        counts[channel, samples] = last if value is None else value
    return counts


def _channel(canvas: Canvas, channel: int, out: CountArray) -> None:
    """Convert one channel piece by piece, the tone's filter running through."""
    person, rng = canvas.person, canvas.rng
    tone = butter(1, (35.0, min(170.0, 0.42 * person.fs_hz)), btype="band", fs=person.fs_hz, output="sos")
    impulse = np.zeros(4096)
    impulse[0] = 1
    gain = float(np.sqrt((sosfilt(tone, impulse) ** 2).sum()))
    tone_uv = person.rest_uv[channel] * np.sqrt(1 - person.noise_share[channel]) / gain
    noise_uv = np.float32(person.rest_uv[channel] * np.sqrt(person.noise_share[channel]))
    memory, level = np.zeros((len(tone), 2), dtype=np.float32), 1.0
    drift, phase = _drift(canvas, channel), float(rng.uniform(0, 2 * np.pi))
    for start in range(0, len(out), _PIECE):
        wave = canvas.emg[channel, start : start + _PIECE]
        rest, memory = sosfilt(tone.astype(np.float32), rng.standard_normal(len(wave), dtype=np.float32), zi=memory)
        before, level = level, float(np.clip(level + rng.normal(0, 0.04), 0.9, 1.1))
        wave += rest * np.linspace(before * tone_uv, level * tone_uv, len(wave), dtype=np.float32)
        wave += noise_uv * rng.standard_normal(len(wave), dtype=np.float32)
        seconds = (start + np.arange(len(wave))) / person.fs_hz
        wave += _hum(canvas, channel, seconds, phase)
        if drift is not None:
            wave += np.interp(seconds, np.arange(len(drift)) / _DRIFT_HZ, drift).astype(np.float32)
        rounded = np.rint(wave / np.float32(person.scale_uv)) + person.offset
        out[start : start + _PIECE] = np.clip(rounded, -person.rail - 1, person.rail).astype(np.int16)


def _hum(canvas: Canvas, channel: int, seconds: FloatArray, phase: float) -> NDArray[np.float32]:
    """Give the mains and its third and fifth harmonics where they are below the Nyquist rate."""
    person = canvas.person
    size = person.hum_uv[channel] * np.interp(seconds, np.arange(canvas.hum.shape[1]) / CURVE_HZ, canvas.hum[channel])
    sine = np.sin(2 * np.pi * person.mains_hz * 1.0003 * seconds + phase).astype(np.float32)
    wave = np.float32(1.35) * sine
    if 3 * person.mains_hz < 0.45 * person.fs_hz:
        wave += np.float32(0.35) * (3 * sine - 4 * sine**3)
    if 5 * person.mains_hz < 0.45 * person.fs_hz:
        wave += np.float32(0.15) * (5 * sine - 20 * sine**3 + 16 * sine**5)
    return np.asarray(size.astype(np.float32) * wave, dtype=np.float32)


def _drift(canvas: Canvas, channel: int) -> FloatArray | None:
    """Give the wander of the electrode's potential, which only amplifiers that pass low frequencies show."""
    if canvas.person.highpass_hz > 1:
        return None
    count = int(canvas.duration_s * _DRIFT_HZ) + 2
    size = canvas.rng.uniform(0.5, 6) * canvas.person.rest_uv[channel]
    noise = gaussian_filter1d(canvas.rng.normal(size=count), _DRIFT_HZ)
    return np.asarray(noise * size / noise.std(), dtype=np.float64)


def _acc(canvas: Canvas) -> CountArray:
    """Turn postures and pushes into the sensor's axes, with its bias, noise, range and resolution."""
    person = canvas.person
    leg = np.stack(
        (np.cos(canvas.pitch), np.sin(canvas.pitch) * np.cos(canvas.roll), np.sin(canvas.pitch) * np.sin(canvas.roll))
    )
    sensed = person.mount @ (leg + canvas.push) + person.acc_bias_g[:, None]
    sensed += canvas.rng.normal(0, person.acc_noise_g, sensed.shape)
    limit = round(person.acc_range_g / person.acc_scale_g)
    return np.clip(np.rint(sensed / person.acc_scale_g), -limit, limit - 1).astype(np.int16)
