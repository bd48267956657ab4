"""What a device wears, read off its blocks: the detector's layout, the sites by channel, and how signals map to it."""

from dataclasses import dataclass
from functools import lru_cache

from detector import DetectorError, Group, Layout
from ingest.wire import Block

Signature = tuple[tuple[str, str, float, int], ...]  # kind, site, fs_hz, channels of each signal, as sent


@dataclass(frozen=True, slots=True)
class Leg:
    """A layout with its site names; `signals[g]` are the positions in a block of the signals of group g."""

    signature: Signature
    layout: Layout
    sites: tuple[str, ...]
    signals: tuple[tuple[int, ...], ...]

    def lengths(self, block: Block) -> tuple[int, ...]:
        """Samples of each group in a block of this leg."""
        found = []
        for group, positions in zip(self.layout.groups, self.signals, strict=True):
            first = block.signals[positions[0]].n
            if any(block.signals[position].n != first for position in positions[1:]):
                raise DetectorError(f"signals at {group.fs_hz:g} Hz differ in length within one block")
            found.append(first)
        return tuple(found)

    def scales(self, block: Block) -> tuple[tuple[float, ...], ...]:
        """Scale of each channel of each group."""
        return tuple(
            tuple(
                block.signals[position].scale for position in positions for _ in range(block.signals[position].channels)
            )
            for positions in self.signals
        )


def leg_of(block: Block) -> Leg:
    """The leg that sent a block."""
    return leg_from(tuple((s.kind, s.site, s.fs_hz, s.channels) for s in block.signals))


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
            sites += [site for position in positions for site in _sites(signature[position])]
    if len(set(sites)) != len(sites):
        raise DetectorError(f"two channels have the same site: {', '.join(sites)}")
    return Leg(signature, Layout(tuple(groups)), tuple(sites), tuple(signals))


def _sites(signal: tuple[str, str, float, int]) -> list[str]:
    """A site with one channel keeps its name; several are numbered from 1."""
    _, site, _, channels = signal
    return [site] if channels == 1 else [f"{site}_{channel + 1}" for channel in range(channels)]
