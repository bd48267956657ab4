"""What is kept: four kinds of record, each with a deterministic key, so that writing one twice overwrites it.

| record        | key                       | meaning of the key's time        |
|---------------|---------------------------|----------------------------------|
| Episode       | device, site, onset_ns    | onset of the cramp               |
| Epoch         | device, site, start_ns    | start of the 10-s epoch          |
| DeviceStatus  | device                    | the latest only                  |
| ServiceStatus | name                      | the latest only                  |

What turned out never to have been is withdrawn by writing over it: an episode by one of status `withdrawn`, an epoch
by a void one, with nothing received. Stores keep these and leave them out of their answers.

No record names a person. `updated_ns` is the time at which the service wrote the record; it serves mirrors and is
not part of what "the same record" means (`same_record`).
"""

from typing import Literal

import msgspec

EpisodeState = Literal["preliminary", "final", "rejected", "withdrawn"]


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
    superseded_by: str = ""  # of a withdrawn episode: the id of the one that took its place, if any did
    updated_ns: int = 0

    @property
    def id(self) -> str:
        """Stable name of the episode: device, site and onset."""
        return f"{self.device}.{self.site}.{self.onset_ns}"

    @property
    def duration_s(self) -> float:
        return (self.end_ns - self.onset_ns) / 1e9

    @property
    def withdrawn(self) -> bool:
        """Whether this is a tombstone: no cramp, but word that one told of earlier is not there."""
        return self.status == "withdrawn"


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

    @property
    def void(self) -> bool:
        """Whether this stands where an epoch was that is no longer there."""
        return self.received_s == 0


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
    clock_offset_s: float = 0.0  # device clock minus the service's
    clock_drift_ppm: float = 0.0  # how much faster the device's clock runs than the service's
    late_blocks: int = 0  # kept, not yet in the results
    undated_blocks: int = 0  # kept, without a time that can be true
    undated_ns: int = 0  # wall clock of the service when the latest of those came in
    refused_blocks: int = 0  # not kept
    refused_reason: str = ""  # why the latest of those was refused
    refused_ns: int = 0  # wall clock of the service when it came in
    archive_unreadable: bool = False  # late blocks wait until somebody mends a part of the archive
    updated_ns: int = 0


class ServiceStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What a service of ours says of itself now; one that has not said anything for long is gone."""

    name: str  # "ingest"
    started_ns: int
    beat_ns: int  # when it last said so
    version: str
    accepting: bool = True
    reason: str = ""  # why it takes no more; empty while it does
    connected: bool = False  # to the broker
    unacked: int = 0  # messages received and not yet acknowledged
    outbox: int = 0  # records not yet in the store
    event_outbox: int = 0  # events not yet at the broker
    oldest_outbox_ns: int = 0  # when the oldest of either was made; 0 when there is none
    revising: int = 0  # sessions that late blocks have touched and that are not yet detected again
    journal_bytes: int = 0
    free_bytes: int = 0  # on the disk of the data folder
    lag_s: float = 0.0  # from a block's arrival to its results
    updated_ns: int = 0


Record = Episode | Epoch | DeviceStatus | ServiceStatus


def same_record(a: Record, b: Record) -> bool:
    """Equal in everything but when it was written; NaN equals NaN, and 0.0 equals -0.0."""
    if type(a) is not type(b):
        return False
    left, right = (msgspec.structs.asdict(msgspec.structs.replace(record, updated_ns=0)) for record in (a, b))
    # Only NaN differs from itself.
    return all(left[name] == right[name] or (left[name] != left[name] and right[name] != right[name]) for name in left)
