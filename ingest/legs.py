"""What a device wears, read off its blocks: the detector's layout, the sites by channel, and how signals map to it."""

from dataclasses import dataclass
from functools import lru_cache

from detector import DetectorError, Group, Layout
from ingest.wire import Block, Kind, Signal

Signature = tuple[tuple[Kind, str, float, int], ...]  # kind, site, fs_hz, channels of each signal, as sent


@dataclass(frozen=True, slots=True)
class Leg:
    """A layout with its site names; `signals[g]` are the positions in a block of the signals of group g."""

    signature: Signature
    layout: Layout
    sites: tuple[str, ...]
    signals: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Form:
    """All there is to a block but its time and its samples. `scales` and `lengths` are by group of the leg."""

    leg: Leg
    scales: tuple[tuple[float, ...], ...]  # of each channel
    lengths: tuple[int, ...]  # samples per channel


def form_of(block: Block) -> Form:
    """The form of a block; a device sends the same one over and over."""
    return _form(tuple((s.kind, s.site, s.fs_hz, s.channels, s.scale, len(s.samples)) for s in block.signals))


@lru_cache(maxsize=4096)
def _form(signals: tuple[tuple[Kind, str, float, int, float, int], ...]) -> Form:
    leg = leg_from(tuple(signal[:4] for signal in signals))
    lengths = []
    for group, positions in zip(leg.layout.groups, leg.signals, strict=True):
        found = {signals[position][5] // (2 * signals[position][3]) for position in positions}
        if len(found) != 1:
            raise DetectorError(f"signals at {group.fs_hz:g} Hz differ in length within one block")
        lengths.append(found.pop())
    scales = tuple(
        tuple(signals[position][4] for position in positions for _ in range(signals[position][3]))
        for positions in leg.signals
    )
    return Form(leg, scales, tuple(lengths))


@lru_cache(maxsize=4096)
def leg_from(signature: Signature) -> Leg:
    """EMG signals grouped by rate, lowest first, and sorted by site within; the accelerometer last."""
    by_group: dict[tuple[bool, float], list[int]] = {}
    for position in sorted(range(len(signature)), key=lambda i: signature[i][1]):
        kind, _, fs_hz, _ = signature[position]
        by_group.setdefault((kind == "acc", fs_hz), []).append(position)
    groups, sites, signals = [], [], []
    for (is_acc, fs_hz), positions in sorted(by_group.items()):
        channels = sum(signature[position][3] for position in positions)
        groups.append(Group("acc" if is_acc else "emg", fs_hz, channels))
        signals.append(tuple(positions))
        if not is_acc:
            sites += [site for position in positions for site in _sites(*signature[position])]
    return Leg(signature, Layout(tuple(groups), tuple(sites)), tuple(sites), tuple(signals))


def _sites(kind: Kind, site: str, fs_hz: float, channels: int) -> tuple[str, ...]:
    signal = Signal(kind=kind, site=site, fs_hz=fs_hz, scale=1.0, channels=channels, samples=b"")
    return signal.channel_sites()
