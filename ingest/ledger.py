"""What has been told of each episode: so that a second look tells only what is new, under a higher revision.

Rules
-----
- An episode that is found again as it was told is not told again.
- One that has changed is told with the next revision; one that is found no more is withdrawn, once.
- Revisions of an episode never fall, whatever led to them.
"""

from collections.abc import Mapping, Sequence

import msgspec

from ingest.journal_db import Connection
from ingest.store import Episode

_decode = msgspec.msgpack.Decoder(Episode).decode
_encode = msgspec.msgpack.Encoder().encode

EpisodeKey = tuple[str, str, int]  # device, site, onset_ns


def key_of(episode: Episode) -> EpisodeKey:
    """What an episode is known by."""
    return episode.device, episode.site, episode.onset_ns


class Ledger:
    """The latest that was told of each episode, in the journal."""

    def __init__(self, connection: Connection, ids: Mapping[str, int]) -> None:
        self._connection = connection
        self._ids = ids

    def of(self, keys: Sequence[EpisodeKey]) -> dict[EpisodeKey, Episode]:
        """What was told of these episodes."""
        found = {}
        with self._connection.errors("read"):
            for device, site, onset_ns in keys:
                row = self._connection.db.execute(
                    "SELECT body FROM told WHERE device = ? AND onset_ns = ? AND site = ?",
                    (self._ids.get(device), onset_ns, site),
                ).fetchone()
                if row is not None:
                    found[device, site, onset_ns] = _decode(row[0])
        return found

    def between(self, device: str, start_ns: int, end_ns: int) -> list[Episode]:
        """What was told of the episodes of a device whose onset lies in `[start_ns, end_ns)`."""
        with self._connection.errors("read"):
            rows = self._connection.db.execute(
                "SELECT body FROM told WHERE device = ? AND onset_ns >= ? AND onset_ns < ?",
                (self._ids.get(device), start_ns, end_ns),
            )
            return [_decode(body) for (body,) in rows]

    def put(self, episodes: Sequence[Episode]) -> None:
        """Note what is told, within the transaction that is going on."""
        self._connection.db.executemany(
            "INSERT OR REPLACE INTO told (device, site, onset_ns, body) VALUES (?, ?, ?, ?)",
            [(self._ids[e.device], e.site, e.onset_ns, _encode(e)) for e in episodes],
        )

    def forget(self, episodes: Sequence[Episode]) -> None:
        """Leave these as they are for good: nothing that is found later withdraws them."""
        with self._connection.transaction() as db:
            db.executemany(
                "DELETE FROM told WHERE device = ? AND site = ? AND onset_ns = ?",
                [(self._ids[e.device], e.site, e.onset_ns) for e in episodes],
            )


def news(told: Mapping[EpisodeKey, Episode], found: Sequence[Episode]) -> list[Episode]:
    """What is to be told, in order: of `found`, what differs from `told`, with revisions that rise."""
    known = dict(told)
    fresh = []
    for episode in found:
        before = known.get(key_of(episode))
        if before is not None:
            episode = msgspec.structs.replace(episode, revision=max(episode.revision, before.revision + 1))  # noqa: PLW2901
            if same_content(before, episode):
                continue
        known[key_of(episode)] = episode
        fresh.append(episode)
    return fresh


def withdrawals(told: Sequence[Episode], found: Sequence[Episode]) -> list[Episode]:
    """Tombstones for what was told and is found no more; a successor is a found episode that overlaps in time."""
    there = {key_of(episode) for episode in found}
    return [
        msgspec.structs.replace(
            gone, status="withdrawn", revision=gone.revision + 1, superseded_by=_successor(gone, found)
        )
        for gone in told
        if key_of(gone) not in there and gone.status != "withdrawn"
    ]


def same_content(a: Episode, b: Episode) -> bool:
    """Equal in everything but revision and when it was written; NaN equals NaN."""
    left, right = (repr(msgspec.structs.replace(episode, revision=0, updated_ns=0)) for episode in (a, b))
    return left == right


def _successor(gone: Episode, found: Sequence[Episode]) -> str:
    overlap_ns = {
        other.id: min(gone.end_ns, other.end_ns) - max(gone.onset_ns, other.onset_ns)
        for other in found
        if other.onset_ns < gone.end_ns and gone.onset_ns < other.end_ns
    }
    return max(overlap_ns, key=lambda name: overlap_ns[name], default="")
