"""Records in one canonical form, so that two runs can be held against each other line by line.

Equal means equal in everything but when a record was written and how often it was revised; what was withdrawn, and
epochs that hold nothing, are as if they had never been. Of a device's own record only what does not tell of the way is
compared: not when its blocks came in, how far its clock was off or how much was once missed.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import msgspec

from ingest.store import DeviceStatus, Episode, Epoch, Store

EVER_NS: Final = 2**62
OF_DEVICE: Final = ("device", "boot", "sites", "last_sample_ns", "late_blocks", "undated_blocks")
SHOWN: Final = 5


class Row(NamedTuple):
    """An episode or epoch: whose, when, when written, and all of it as text."""

    device: str
    at_ns: int
    updated_ns: int
    text: str


@dataclass(frozen=True, slots=True)
class Kept:
    """All that a store has of some devices."""

    episodes: list[Episode]
    epochs: list[Epoch]
    statuses: list[DeviceStatus]

    def lines(self) -> dict[str, str]:
        """Canonical text of each record that counts, by its key."""
        found: dict[str, str] = {}
        for episode in self.episodes:
            if episode.status != "withdrawn":
                found[f"episode {episode.id}"] = _text(episode, without=("updated_ns", "revision", "superseded_by"))
        for epoch in self.epochs:
            found[f"epoch {epoch.device}.{epoch.site}.{epoch.start_ns}"] = _text(epoch, without=("updated_ns",))
        for status in self.statuses:
            values = {name: getattr(status, name) for name in OF_DEVICE if hasattr(status, name)}
            found[f"device {status.device}"] = json.dumps(values, sort_keys=True)
        return found

    def whole(self) -> dict[str, Row]:
        """Episodes and epochs with nothing left out: what may not change, must not."""
        found = {
            f"episode {e.id}": Row(e.device, e.onset_ns, e.updated_ns, _text(e, without=())) for e in self.episodes
        }
        for e in self.epochs:
            row = Row(e.device, e.start_ns, e.updated_ns, _text(e, without=()))
            found[f"epoch {e.device}.{e.site}.{e.start_ns}"] = row
        return found

    @property
    def present(self) -> list[Episode]:
        """Episodes that stand."""
        return [episode for episode in self.episodes if episode.status != "withdrawn"]


@dataclass(frozen=True, slots=True)
class Difference:
    """How a run differs from the one it should equal."""

    compared: int
    missing: list[str] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)
    split: int = 0  # episodes of the one run that are several of the other
    doubled: int = 0  # pairs of episodes of one site that overlap

    @property
    def none(self) -> bool:
        """Whether there is none."""
        return not (self.missing or self.extra or self.other or self.split or self.doubled)

    def sentences(self) -> Iterator[str]:
        """What a person wants to see first."""
        for word, lines in (("missing", self.missing), ("extra", self.extra), ("other", self.other)):
            yield from (f"{word}: {line}" for line in lines[:SHOWN])
            if len(lines) > SHOWN:
                yield f"{word}: {len(lines) - SHOWN} more"
        if self.split or self.doubled:
            yield f"{self.split} episodes split, {self.doubled} doubled"


def read(store: Store, devices: Sequence[str]) -> Kept:
    """Everything that a store has of these devices."""
    names = sorted(devices)
    return Kept(
        episodes=store.episodes(names, start_ns=0, end_ns=EVER_NS, withdrawn=True),
        epochs=[epoch for name in names for epoch in store.epochs(name, start_ns=0, end_ns=EVER_NS)],
        statuses=store.statuses(names),
    )


def compare(found: Kept, expected: Kept) -> Difference:
    """Hold one run against the other."""
    ours, theirs = found.lines(), expected.lines()
    return Difference(
        compared=len(theirs),
        missing=sorted(set(theirs) - set(ours)),
        extra=sorted(set(ours) - set(theirs)),
        other=[
            _apart(key, ours[key], theirs[key]) for key in sorted(theirs) if ours.get(key, theirs[key]) != theirs[key]
        ],
        split=sum(sum(_overlap(one, other) for one in found.present) > 1 for other in expected.present),
        doubled=sum(_overlap(a, b) for i, a in enumerate(found.present) for b in found.present[i + 1 :]),
    )


def _overlap(a: Episode, b: Episode) -> bool:
    return (a.device, a.site) == (b.device, b.site) and a.onset_ns < b.end_ns and b.onset_ns < a.end_ns


def _apart(key: str, ours: str, theirs: str) -> str:
    left, right = json.loads(ours), json.loads(theirs)
    parts = [f"{name} {value} is not {right[name]}" for name, value in left.items() if repr(value) != repr(right[name])]
    return f"{key}: {', '.join(parts)}"


def _text(record: Episode | Epoch, *, without: tuple[str, ...]) -> str:
    values = {name: value for name, value in msgspec.structs.asdict(record).items() if name not in without}
    return json.dumps(values, sort_keys=True)  # NaN is written as NaN, and so equals itself
