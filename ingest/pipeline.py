"""Ordered blocks of many devices to records, with no I/O: what one device sent together becomes one chunk, and
chunks of one layout and length are stacked and go through the detector in one update.

Rules
-----
- How blocks came in batches changes no record. Blocks are joined to a chunk only where the detector, fed them
  one by one, would have continued its run on its own clock; it is asked only about the first block of a chunk.
- A session ends where device time pauses for `SESSION_GAP_NS` or goes back by more: open episodes end, and the
  detector starts afresh. So what is found in a session depends on the blocks of that session alone.
- A device that changes what it wears starts afresh too; episodes open on the old leg are ended there.
- A device on whose blocks the detector fails loses these blocks and its detector state, and no other device does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

import msgspec
import numpy as np

from detector import (
    DEFAULT,
    VERSION,
    Chunk,
    DetectorError,
    Group,
    Params,
    Results,
    State,
    finish,
    pack,
    start,
    unpack,
    update,
)
from detector.layout import CountArray, FloatArray
from detector.windows import SLACK_NS, SLEW_NS, due, slack_n
from ingest.convert import to_episode, to_epochs, to_epochs_by_stream
from ingest.legs import Leg, Signature, form_of, leg_from
from ingest.store import Episode, Epoch
from ingest.wire import Block

__all__ = ["Detected", "Failure", "Track", "detect", "to_episode", "to_epochs"]

SECOND_NS: Final = 1_000_000_000
SESSION_GAP_NS: Final = 3600 * SECOND_NS


class Track(msgspec.Struct, frozen=True, array_like=True):
    """What detection carries from one batch of a device to the next."""

    signature: Signature
    detector: str  # version and parameters that made `row`
    anchor_ns: int  # time of the first sample of the running stretch
    received: tuple[int, ...]  # samples of each group since then
    row: bytes  # packed detector state
    end_ns: int = 0  # latest device time in this session; 0 if an older version did not note it


class Failure(msgspec.Struct, frozen=True):
    """Blocks of a device, by (boot, seq), that the detector could not process."""

    device: str
    keys: tuple[tuple[int, int], ...]
    sentence: str


@dataclass(slots=True)
class Detected:
    """What one batch led to. A device without a track in `tracks` was not touched."""

    episodes: list[Episode] = field(default_factory=list)
    epochs: list[Epoch] = field(default_factory=list)
    tracks: dict[str, Track | None] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)


@dataclass(slots=True)
class _Piece:
    """Blocks of one device that make one chunk."""

    device: str
    leg: Leg
    scales: tuple[tuple[float, ...], ...]
    blocks: list[Block]
    lengths: list[tuple[int, ...]]  # of each block
    afresh: bool = False  # begins a session
    end_ns: int = 0  # latest device time in the session

    @property
    def shape(self) -> tuple[int, ...]:
        """Samples of each group, all blocks together."""
        return tuple(map(sum, zip(*self.lengths, strict=True)))


def detect(tracks: Mapping[str, Track], runs: Mapping[str, Sequence[Block]], *, params: Params = DEFAULT) -> Detected:
    """Feed each device's next blocks, in order, to the detector."""
    out = Detected()
    queues: dict[str, list[_Piece]] = {}
    for device, blocks in runs.items():
        track = tracks.get(device)
        if track is not None and track.detector != detector_of(params):
            track = None  # another version's state cannot be read
        out.tracks[device] = track
        queues[device] = _plan(device, track, blocks, out)
    depth = max((len(pieces) for pieces in queues.values()), default=0)
    for i in range(depth):
        groups: dict[tuple[object, ...], list[_Piece]] = {}
        for pieces in queues.values():
            if i < len(pieces):
                groups.setdefault((pieces[i].leg.layout, pieces[i].shape), []).append(pieces[i])
        for group in groups.values():
            _feed(group, out, params)
    return out


@lru_cache(maxsize=64)
def detector_of(params: Params) -> str:
    """What made a detector's state: its version and parameters."""
    return f"{VERSION}/{params.digest}"


def _plan(device: str, track: Track | None, blocks: Sequence[Block], out: Detected) -> list[_Piece]:
    """Join a device's blocks to pieces."""
    pieces: list[_Piece] = []
    leg = leg_from(track.signature) if track else None
    anchor_ns, received = (track.anchor_ns, list(track.received)) if track else (-1, [])
    reach_ns = track.end_ns if track else 0
    for block in blocks:
        try:
            form = form_of(block)
        except DetectorError as error:
            out.failures.append(Failure(device, ((block.boot, block.seq),), str(error)))
            continue
        afresh = not goes_on(block.t0, reach_ns)
        if leg is None or afresh or not _same(form.leg, leg):
            anchor_ns, received = -1, [0] * len(form.lengths)
        end_ns = block.t0 + round(block.duration_s * SECOND_NS)
        reach_ns = end_ns if afresh else max(reach_ns, end_ns)
        leg = form.leg
        groups = leg.layout.groups
        error_ns = block.t0 - anchor_ns - round(received[0] * (SECOND_NS / groups[0].fs_hz))
        joins = anchor_ns != -1 and abs(error_ns) <= SLACK_NS
        if anchor_ns == -1 or abs(error_ns) > SLEW_NS:
            anchor_ns, received = block.t0, [0] * len(groups)
        elif not joins:
            anchor_ns += error_ns
        joins &= not _realign(received, groups, block.t0 - anchor_ns)
        received = [n + length for n, length in zip(received, form.lengths, strict=True)]
        last = pieces[-1] if pieces else None
        if last is not None and joins and last.leg is leg and last.scales == form.scales:
            last.blocks.append(block)
            last.lengths.append(form.lengths)
            last.end_ns = reach_ns
        else:
            pieces.append(_Piece(device, leg, form.scales, [block], [form.lengths], afresh, reach_ns))
    return pieces


def goes_on(start_ns: int, reach_ns: int) -> bool:
    """Whether what begins at `start_ns` is of the session that has reached `reach_ns` (0: unknown)."""
    return not reach_ns or -SESSION_GAP_NS <= start_ns - reach_ns < SESSION_GAP_NS


def ended(name: str, track: Track, *, params: Params = DEFAULT) -> Detected:
    """What is left to say of a device when nothing more comes: open episodes end, and so does the running epoch."""
    out = Detected()
    if track.detector == detector_of(params):
        leg = leg_from(track.signature)
        row = np.frombuffer(track.row, np.uint8)[None]
        _keep([(name, leg.sites)], finish(unpack(leg.layout, row), params=params), out, params)
    return out


def _same(a: Leg, b: Leg) -> bool:
    """Whether the detector sees the same; the order in which signals are sent does not matter."""
    return a is b or (a.layout == b.layout and a.sites == b.sites)


def _feed(pieces: list[_Piece], out: Detected, params: Params) -> None:
    """One update for all pieces; should it fail, one for each piece, and then one for each block."""
    try:
        for piece in pieces:
            _end_before(piece, out, params)
        results, state = _update(pieces, out, params)
    except Exception as error:  # noqa: BLE001 - whatever goes wrong in one device's figures, the others go on
        if len(pieces) > 1:
            for piece in pieces:
                _feed([piece], out, params)
            return
        (piece,) = pieces
        if len(piece.blocks) > 1:
            for i, (block, lengths) in enumerate(zip(piece.blocks, piece.lengths, strict=True)):
                alone = _Piece(piece.device, piece.leg, piece.scales, [block], [lengths], piece.afresh and not i)
                alone.end_ns = piece.end_ns
                _feed([alone], out, params)
            return
        block = piece.blocks[0]
        sentence = f"{type(error).__name__}: {error}"
        out.failures.append(Failure(piece.device, ((block.boot, block.seq),), sentence))
        out.tracks[piece.device] = None
        return
    _remember(pieces, state, out, params)
    _keep([(piece.device, piece.leg.sites) for piece in pieces], results, out, params)


def _realign(received: list[int], groups: tuple[Group, ...], since_ns: int) -> bool:
    """Move signals that have drifted from the first one, as the detector will; whether any was."""
    moved = False
    for g, group in enumerate(groups[1:], start=1):
        should = int(due(since_ns, group.fs_hz))
        if abs(received[g] - should) > slack_n(group.fs_hz):
            received[g], moved = should, True
    return moved


def _remember(pieces: list[_Piece], state: State, out: Detected, params: Params) -> None:
    anchors = state["anchor_ns"].tolist()
    received = list(zip(*(tail.received.tolist() for tail in state.tails), strict=True))
    rows = pack(state)
    for s, piece in enumerate(pieces):
        out.tracks[piece.device] = Track(
            piece.leg.signature, detector_of(params), anchors[s], received[s], rows[s].tobytes(), piece.end_ns
        )


def _end_before(piece: _Piece, out: Detected, params: Params) -> None:
    """A new session, or a device that wears something else: end what is open."""
    track = out.tracks[piece.device]
    if track is None or not (piece.afresh or not _same(leg_from(track.signature), piece.leg)):
        return
    out.tracks[piece.device] = None
    over = ended(piece.device, track, params=params)
    out.epochs += over.epochs
    out.episodes += over.episodes


def _update(pieces: list[_Piece], out: Detected, params: Params) -> tuple[Results, State]:
    layout = pieces[0].leg.layout
    blank = pack(start(layout, 1)).tobytes()
    before = [blank if (track := out.tracks[piece.device]) is None else track.row for piece in pieces]
    state = unpack(layout, np.frombuffer(b"".join(before), np.uint8).reshape(len(pieces), -1))
    return update(state, _chunk(pieces), params=params)


def _chunk(pieces: list[_Piece]) -> Chunk:
    """Stack pieces of one layout and shape."""
    first = pieces[0]
    samples = [_stack(pieces, g, n) for g, n in enumerate(first.shape)]
    scale: list[FloatArray] = [
        np.array([piece.scales[g] for piece in pieces], np.float32) for g in range(len(first.shape))
    ]
    t0_ns = np.array([piece.blocks[0].t0 for piece in pieces], np.int64)
    return Chunk(t0_ns=t0_ns, samples=tuple(samples), scale=tuple(scale))


def _stack(pieces: list[_Piece], g: int, n: int) -> CountArray:
    """The samples of one group: (pieces, channels, n)."""
    leg = pieces[0].leg
    channels = leg.layout.groups[g].channels
    alike = {lengths[g] for piece in pieces for lengths in piece.lengths}
    if len(alike) == 1:
        # Every block as long as the others, as is the rule: one copy of all bytes, block by block.
        (size,) = alike
        data = [
            block.signals[position].samples
            for piece in pieces
            for block in piece.blocks
            for position in piece.leg.signals[g]
        ]
        by_block = np.frombuffer(b"".join(data), "<i2").reshape(len(pieces), -1, channels, size)
        return np.ascontiguousarray(by_block.transpose(0, 2, 1, 3), np.int16).reshape(len(pieces), channels, n)
    stacked = np.empty((len(pieces), channels, n), np.int16)
    for s, piece in enumerate(pieces):
        at = 0
        for block, lengths in zip(piece.blocks, piece.lengths, strict=True):
            counts = [block.signals[position].counts() for position in piece.leg.signals[g]]
            stacked[s, :, at : at + lengths[g]] = np.concatenate(counts)
            at += lengths[g]
    return stacked


def _keep(streams: Sequence[tuple[str, Sequence[str]]], results: Results, out: Detected, params: Params) -> None:
    out.epochs += to_epochs_by_stream(streams, results.epochs)
    for episode in results.episodes:
        device, sites = streams[episode.stream]
        out.episodes.append(to_episode(device, sites, episode, params=params))
