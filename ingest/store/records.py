"""What is kept: three kinds of record, each with a deterministic key, so that writing one twice overwrites it.

| record        | key                       | meaning of the key's time        |
|---------------|---------------------------|----------------------------------|
| Episode       | device, site, onset_ns    | onset of the cramp               |
| Epoch         | device, site, start_ns    | start of the 10-s epoch          |
| DeviceStatus  | device                    | the latest only                  |

No record names a person. `updated_ns` is the time at which the service wrote the record; it serves mirrors and is
not part of what "the same record" means (`same_record`).
"""

from typing import Literal

import msgspec

EpisodeState = Literal["preliminary", "final", "rejected"]


class Episode(msgspec.Struct, frozen=True, kw_only=True):
    """One cramp as stored. A preliminary episode still lasts: `end_ns` is the latest instant known to belong to it."""

    device: str
    site: str
    onset_ns: int
    end_ns: int
    status: EpisodeState
    revision: int
    severity: float  # 0-10
    severity_amplitude: float  # 0-10, part of severity
    severity_duration: float
    severity_load: float
    severity_recruitment: float
    grade: int  # 1-3, a convention
    peak_uv: float
    peak_ratio: float  # peak over own rest
    load: float  # reference-seconds above rest
    confidence: float  # 0-1
    flags: tuple[str, ...]  # sorted quality flags
    sites: tuple[str, ...]  # every site that took part, strongest first
    detector: str  # detector version
    params: str  # digest of the detector's parameters
    updated_ns: int = 0

    @property
    def id(self) -> str:
        """Stable name of the episode: device, site and onset."""
        return f"{self.device}.{self.site}.{self.onset_ns}"

    @property
    def duration_s(self) -> float:
        return (self.end_ns - self.onset_ns) / 1e9


class Epoch(msgspec.Struct, frozen=True, kw_only=True):
    """Ten seconds of one EMG site. Seconds received, worn and usable add up to coverage; NaN means not measured."""

    device: str
    site: str
    start_ns: int  # multiple of 10 s
    received_s: float
    worn_s: float
    usable_s: float
    rms_uv: float  # 20-450 Hz, hum removed; NaN when nothing was usable
    rest_uv: float  # the wearer's own rest level in force
    median_hz: float  # NaN when nothing was usable
    movement_g: float  # mean absolute deviation of acceleration; NaN without accelerometer
    angle_deg: float  # shank to horizontal, -90 to 90; NaN without accelerometer
    flags: tuple[str, ...]  # sorted quality flags raised in this epoch
    updated_ns: int = 0


class DeviceStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a device now."""

    device: str
    boot: int
    online: bool
    firmware: str = ""
    sites: tuple[str, ...] = ()
    battery: float | None = None
    last_received_ns: int = 0  # wall clock of the service when its newest block came in
    last_sample_ns: int = 0  # device time of the newest sample
    missing_blocks: int = 0  # gaps declared so far, in blocks
    updated_ns: int = 0


Record = Episode | Epoch | DeviceStatus


def same_record(a: Record, b: Record) -> bool:
    """Equal in everything but when it was written; NaN equals NaN, and 0.0 equals -0.0."""
    if type(a) is not type(b):
        return False
    left, right = (msgspec.structs.asdict(msgspec.structs.replace(record, updated_ns=0)) for record in (a, b))
    # Only NaN differs from itself.
    return all(left[name] == right[name] or (left[name] != left[name] and right[name] != right[name]) for name in left)
