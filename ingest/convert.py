"""The detector's results as records of the store: streams become devices, channels become sites."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from detector import DEFAULT, VERSION, Params
from detector import Episode as Detected
from detector import Epochs as DetectedEpochs
from detector.quality import flag_names
from ingest.store import Episode, Epoch

_MEASURED: Final = (
    "start_ns", "received_s", "worn_s", "usable_s", "rms_uv", "rest_uv", "median_hz", "movement_g", "angle_deg",
)  # fmt: skip
_names = lru_cache(maxsize=1024)(flag_names)


def to_episode(device: str, sites: Sequence[str], episode: Detected, *, params: Params = DEFAULT) -> Episode:
    """The record of one episode; `sites` names the EMG channels of the device."""
    return Episode(
        device=device,
        site=sites[episode.channel],
        onset_ns=episode.onset_ns,
        end_ns=episode.end_ns,
        status=episode.status,
        revision=0 if episode.status == "preliminary" else 1,
        severity=episode.severity,
        severity_amplitude=episode.severity_amplitude,
        severity_duration=episode.severity_duration,
        severity_load=episode.severity_load,
        severity_recruitment=episode.severity_recruitment,
        grade=episode.grade,
        peak_uv=episode.peak_uv,
        peak_ratio=episode.peak_ratio,
        load=episode.load,
        confidence=episode.confidence,
        flags=tuple(sorted(episode.flags)),
        sites=tuple(sites[channel] for channel in episode.channels),
        detector=VERSION,
        params=params.digest,
    )


def to_epochs(device: str, sites: Sequence[str], epochs: DetectedEpochs) -> list[Epoch]:
    """The records of the epochs of one device, fed to the detector as its only stream."""
    return to_epochs_by_stream([(device, sites)], epochs)


def to_epochs_by_stream(streams: Sequence[tuple[str, Sequence[str]]], epochs: DetectedEpochs) -> list[Epoch]:
    """The records of epochs of several devices: `streams` gives device and sites of each stream."""
    measured = zip(*(getattr(epochs, name).tolist() for name in _MEASURED), strict=True)
    keys = zip(epochs.stream.tolist(), epochs.channel.tolist(), epochs.flags.tolist(), strict=True)
    return [
        Epoch(
            device=streams[stream][0],
            site=streams[stream][1][channel],
            flags=_names(flags),
            **dict(zip(_MEASURED, values, strict=True)),
        )
        for (stream, channel, flags), values in zip(keys, measured, strict=True)
    ]
