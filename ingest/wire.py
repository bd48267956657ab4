"""The wire format, version 1: what devices send, what the service sends back, and how topics are named.

Rules
-----
- A message is one MessagePack map, or the same map as JSON with `samples` in base64. The MQTT 5 content type
  says which; without one, a first byte of `{` means JSON.
- Unknown members are ignored, so that devices may add to the format; missing or wrong members are errors.
- `decode_*` either returns a value that is valid in every respect or raises `WireError` with a reason that
  can be counted and a sentence that says what was wrong. It never raises anything else, whatever the bytes.
"""

import re
from functools import lru_cache
from typing import Annotated, Final, Literal, TypeVar

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from ingest.errors import WireError

TOPIC_ROOT: Final = "charley/v1"
CONTENT_MSGPACK: Final = "application/msgpack"
CONTENT_JSON: Final = "application/json"
MAX_PAYLOAD_BYTES: Final = 4 * 1024 * 1024
EMG_FS_HZ: Final = (200.0, 4000.0)
ACC_FS_HZ: Final = (10.0, 200.0)
BLOCK_S: Final = (0.1, 60.0)
EMG_CHANNELS: Final = 8
SIGNALS: Final = EMG_CHANNELS + 1  # every EMG channel a signal of its own, and the accelerometer
SCALE: Final = {"emg": (1e-6, 1000.0), "acc": (1e-9, 1.0)}  # µV or g per count
# 2020-01-01 to 2100-01-01, UTC: a clock outside was never set. Such blocks are valid; intake keeps them undated.
T0_NS: Final = (1_577_836_800_000_000_000, 4_102_444_800_000_000_000)

_DEVICE = re.compile(r"[A-Za-z0-9_-]{1,64}")
_TOPIC = re.compile(rf"{TOPIC_ROOT}/({_DEVICE.pattern})/(blocks|status|ack|events)")

Kind = Literal["emg", "acc"]
Leaf = Literal["blocks", "status", "ack", "events"]
EventType = Literal[
    "io.charley.episode.opened.v1",
    "io.charley.episode.closed.v1",
    "io.charley.episode.revised.v1",
    "io.charley.episode.withdrawn.v1",
]
# A bare `$` would let a trailing line feed through; `\Z` is not known to JSON Schema.
Site = Annotated[str, Meta(pattern=r"^[a-z0-9_]{1,40}(?!\n)$")]
DeviceId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}(?!\n)$")]
Firmware = Annotated[str, Meta(max_length=64, pattern=r"^[ -~]*(?!\n)$")]
Count = Annotated[int, Meta(ge=0, le=2**53 - 1)]
Nanoseconds = Annotated[int, Meta(ge=0, le=2**63 - 1)]


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    """One signal of a block: little-endian int16 samples `(channels, n)`, channel after channel."""

    kind: Kind
    site: Site
    fs_hz: float
    scale: float  # µV per count for emg, g per count for acc
    channels: Annotated[int, Meta(ge=1, le=EMG_CHANNELS)]
    samples: bytes

    @property
    def n(self) -> int:
        """Samples per channel."""
        return len(self.samples) // (2 * self.channels)

    @property
    def duration_s(self) -> float:
        return self.n / self.fs_hz

    def channel_sites(self) -> tuple[str, ...]:
        """A site with one electrode pair, or an accelerometer, keeps its name; several are numbered from 1."""
        if self.kind == "acc" or self.channels == 1:
            return (self.site,)
        return tuple(f"{self.site}_{channel + 1}" for channel in range(self.channels))

    def counts(self) -> NDArray[np.int16]:
        """The samples as a read-only int16 view `(channels, n)`."""
        return np.frombuffer(self.samples, dtype="<i2").reshape(self.channels, -1)


class Block(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One stretch of contiguous samples of one device. Identity: `(device, boot, seq)`."""

    boot: Count
    seq: Count
    t0: Nanoseconds  # UTC of the first sample, as far as the device's clock is set
    signals: Annotated[tuple[Signal, ...], Meta(min_length=1, max_length=SIGNALS)]
    device: DeviceId | None = None  # if given, that of the topic

    @property
    def duration_s(self) -> float:
        return max(signal.duration_s for signal in self.signals)


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """One block of a device."""

    boot: Count
    seq: Count


class Status(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A device's retained birth message (`online` true) or last will (`online` false)."""

    boot: Count
    online: bool
    firmware: Firmware = ""
    sites: Annotated[tuple[Site, ...], Meta(max_length=SIGNALS)] = ()
    battery: Annotated[float, Meta(ge=0, le=1)] | None = None
    oldest: Count | None = None  # lowest seq of `boot` that the device still holds; lower ones are lost
    backlog: Place | None = None  # oldest block of an earlier boot that the device still holds; all before it are lost
    clock_ns: Nanoseconds | None = None  # the device's clock when it sent this
    device: DeviceId | None = None  # if given, that of the topic


class Ack(msgspec.Struct, frozen=True, kw_only=True):
    """Service to device: every block of `boot` up to and including `seq` is durable and may be forgotten."""

    boot: Count
    seq: Count


class EpisodeEventData(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What happened to an episode. `end_ns` is null while it lasts; severity and grade come with the end.

    An episode that turns out not to be one is closed with status `rejected`; one that is not found again once late
    blocks are in is `withdrawn`, and `superseded_by` names the episode in its place, if there is one.
    """

    episode: str
    device: str
    site: str
    revision: int
    onset_ns: int
    end_ns: int | None
    severity: float | None
    grade: int | None
    confidence: float
    status: Literal["preliminary", "final", "rejected", "withdrawn"]
    superseded_by: str | None = None


class EpisodeEvent(msgspec.Struct, frozen=True, kw_only=True):
    """CloudEvents 1.0 envelope, structured JSON mode, with the extension `scope`."""

    id: str  # {episode}.{revision}
    source: str  # charley/v1/{device}
    type: EventType
    time: str  # RFC 3339 UTC
    scope: Literal["live", "backfill"]
    data: EpisodeEventData
    specversion: Literal["1.0"] = "1.0"
    datacontenttype: Literal["application/json"] = "application/json"


T = TypeVar("T", Block, Status, Ack, EpisodeEvent)


def topic(device: str, leaf: Leaf) -> str:
    """The topic of `leaf` for `device`."""
    if not _DEVICE.fullmatch(device):
        raise WireError("device", f"device id {device!r} must match {_DEVICE.pattern}")
    return f"{TOPIC_ROOT}/{device}/{leaf}"


def parse_topic(name: str) -> tuple[str, str]:
    """Device id and leaf of a topic."""
    match = _TOPIC.fullmatch(name)
    if match is None:
        raise WireError("topic", f"topic {name!r:.120} is not {TOPIC_ROOT}/{{device}}/blocks|status|ack|events")
    return match[1], match[2]


def encode(message: Block | Status | Ack | EpisodeEvent, *, content_type: str = CONTENT_MSGPACK) -> bytes:
    """Bytes of a message, as MessagePack or JSON."""
    if content_type == CONTENT_MSGPACK:
        return msgspec.msgpack.encode(message)
    if content_type == CONTENT_JSON:
        return msgspec.json.encode(message)
    raise _content_type_error(content_type)


def decode_block(payload: bytes, *, content_type: str | None = None) -> Block:
    """A valid block, or `WireError`."""
    block = _decode(payload, Block, content_type)
    _check_form(tuple((s.kind, s.site, s.fs_hz, s.scale, s.channels, len(s.samples)) for s in block.signals))
    return block


def decode_status(payload: bytes, *, content_type: str | None = None) -> Status:
    """A valid status, or `WireError`."""
    return _decode(payload, Status, content_type)


def decode_ack(payload: bytes, *, content_type: str | None = None) -> Ack:
    """A valid acknowledgement, or `WireError`."""
    return _decode(payload, Ack, content_type)


def decode_event(payload: bytes, *, content_type: str | None = None) -> EpisodeEvent:
    """A valid episode event, or `WireError`."""
    return _decode(payload, EpisodeEvent, content_type)


def _decode(payload: bytes, kind: type[T], content_type: str | None) -> T:
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise WireError("size", f"message of {len(payload)} bytes exceeds {MAX_PAYLOAD_BYTES}")
    if not payload:
        raise WireError("empty", "message is empty")
    if content_type not in (None, "", CONTENT_MSGPACK, CONTENT_JSON):
        raise _content_type_error(content_type)
    as_json = content_type == CONTENT_JSON if content_type else payload[:1] == b"{"
    decode = msgspec.json.decode if as_json else msgspec.msgpack.decode
    try:
        return decode(payload, type=kind)
    except msgspec.ValidationError as error:
        # The sentence may quote the sender's text, which may be long.
        raise WireError("schema", f"{kind.__name__.lower()}: {error!s:.300}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, OverflowError) as error:
        word = "JSON" if as_json else "MessagePack"
        raise WireError("encoding", f"not {word}: {error}") from error


def _content_type_error(content_type: str) -> WireError:
    expected = f"{CONTENT_MSGPACK} or {CONTENT_JSON}"
    return WireError("content_type", f"content type {content_type!r:.80} is not {expected}")


@lru_cache(maxsize=4096)
def _check_form(form: tuple[tuple[Kind, str, float, float, int, int], ...]) -> None:
    """Check all but the samples themselves; a device sends the same form over and over, so a valid one is kept."""
    signals = tuple(
        Signal(kind=kind, site=site, fs_hz=fs_hz, scale=scale, channels=channels, samples=bytes(size))
        for kind, site, fs_hz, scale, channels, size in form
    )
    names = [(signal.kind, name) for signal in signals for name in signal.channel_sites()]
    if len(set(names)) != len(names):
        raise WireError("signals", f"block names a signal or channel twice: {sorted(names)}")
    if sum(signal.kind == "acc" for signal in signals) > 1:
        raise WireError("signals", "block has more than one acc signal")
    emg_channels = sum(signal.channels for signal in signals if signal.kind == "emg")
    if not 1 <= emg_channels <= EMG_CHANNELS:
        raise WireError("signals", f"block has {emg_channels} emg channels, not 1 to {EMG_CHANNELS}")
    for signal in signals:
        _check_signal(signal)
    _check_stretch(signals)


def _check_stretch(signals: tuple[Signal, ...]) -> None:
    longest = max(signals, key=lambda signal: signal.duration_s)
    length: dict[float, int] = {}
    for signal in signals:
        name = f"signal {signal.kind}:{signal.site}"
        # Each signal holds the samples of the same stretch: one more or fewer by where the cut fell.
        slack_s = 1 / signal.fs_hz + 1 / longest.fs_hz
        if longest.duration_s - signal.duration_s > slack_s + 1e-9:
            raise WireError(
                "stretch",
                f"{name} lasts {signal.duration_s:.4f} s but {longest.kind}:{longest.site} lasts "
                f"{longest.duration_s:.4f} s: a block is one stretch",
            )
        if signal.kind == "emg" and length.setdefault(signal.fs_hz, signal.n) != signal.n:
            raise WireError(
                "stretch", f"{name} has {signal.n} samples, another emg signal at its rate {length[signal.fs_hz]}"
            )


def _check_signal(signal: Signal) -> None:
    name = f"signal {signal.kind}:{signal.site}"
    low, high = EMG_FS_HZ if signal.kind == "emg" else ACC_FS_HZ
    if not low <= signal.fs_hz <= high:
        raise WireError("rate", f"{name}: fs_hz {signal.fs_hz:g} is not between {low:g} and {high:g}")
    low, high = SCALE[signal.kind]
    if not low <= signal.scale <= high:
        raise WireError("scale", f"{name}: scale {signal.scale:g} per count is not in {low:g} to {high:g}")
    if signal.kind == "acc" and signal.channels != 3:
        raise WireError("channels", f"{name}: acc needs 3 channels (x, y, z), not {signal.channels}")
    size = len(signal.samples)
    if not size or size % (2 * signal.channels):
        raise WireError("samples", f"{name}: {size} bytes are not whole int16 samples of {signal.channels} channel(s)")
    low, high = BLOCK_S
    if not low - 1 / signal.fs_hz <= signal.duration_s <= high + 1 / signal.fs_hz:
        raise WireError("duration", f"{name}: {signal.duration_s:g} s is not between {low:g} and {high:g} s")
