"""What really happened, written beside the data: times are UTC ns, ratios are to the leg's own rest."""

from pathlib import Path

import msgspec

from simulators.errors import RecordingError
from simulators.event import EventKind


class Interval(msgspec.Struct, frozen=True, kw_only=True):
    """From when until when."""

    start_ns: int
    end_ns: int


class TruthEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened. `site` is the muscle, or "leg" where it happened to the entire leg.

    A cramp lasts while its own EMG is expected to exceed the resting noise; only cramps have the last three members.
    """

    kind: EventKind
    device: str
    site: str
    onset_ns: int
    end_ns: int
    peak_ratio: float | None = None  # highest 1-s RMS over the resting RMS
    peak_uv: float | None = None
    load: float | None = None  # integral of (RMS / rest - 1) over the cramp, in seconds


class Truth(msgspec.Struct, frozen=True, kw_only=True):
    """The truth about one simulated device. Simulated: it says nothing about real wearers."""

    scenario: str
    seed: int
    device: str
    zone: str  # IANA zone the simulated days and nights are lived in
    sites: tuple[str, ...]
    events: tuple[TruthEvent, ...]
    recorded: tuple[Interval, ...]  # the device was on
    worn: tuple[Interval, ...]  # on, and on the leg
    asleep: tuple[Interval, ...] = ()

    @property
    def cramps(self) -> tuple[TruthEvent, ...]:
        """The cramps alone."""
        return tuple(event for event in self.events if event.kind == "cramp")


def write_truth(path: Path, truth: Truth) -> None:
    """Writes the truth as indented JSON."""
    try:
        path.write_bytes(msgspec.json.format(msgspec.json.encode(truth), indent=1) + b"\n")
    except OSError as error:
        raise RecordingError(f"cannot write {path}: {error}") from error


def read_truth(path: Path) -> Truth:
    """Reads what `write_truth` wrote."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Truth)
    except OSError as error:
        raise RecordingError(f"cannot read {path}: {error}") from error
    except msgspec.DecodeError as error:
        raise RecordingError(f"{path} is not a truth file: {error}") from error
