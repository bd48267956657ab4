"""What is told to the world about an episode: CloudEvents on the device's own events topic."""

from datetime import UTC, datetime
from typing import Final

from ingest.store import Episode
from ingest.wire import CONTENT_JSON, TOPIC_ROOT, EpisodeEvent, EpisodeEventData, EventType, encode, topic

LIVE_NS: Final = 300_000_000_000  # an episode's time at most this long before its receipt is live


def to_event(episode: Episode, *, received_ns: int | None) -> EpisodeEvent:
    """The event of one revision of an episode; `received_ns` is when the blocks that led to it came in.

    None says that it was found by looking again, which is never live.
    """
    lasts = episode.status == "preliminary"
    time_ns = episode.onset_ns if lasts else episode.end_ns
    kind: EventType = "io.charley.episode.revised.v1"
    if episode.revision <= 1:
        kind = "io.charley.episode.opened.v1" if lasts else "io.charley.episode.closed.v1"
    if episode.status == "withdrawn":
        kind = "io.charley.episode.withdrawn.v1"
    live = received_ns is not None and received_ns - time_ns <= LIVE_NS
    return EpisodeEvent(
        id=f"{episode.id}.{episode.revision}",
        source=f"{TOPIC_ROOT}/{episode.device}",
        type=kind,
        time=_rfc3339(time_ns),
        scope="live" if live else "backfill",
        data=EpisodeEventData(
            episode=episode.id,
            device=episode.device,
            site=episode.site,
            revision=episode.revision,
            onset_ns=episode.onset_ns,
            end_ns=None if lasts else episode.end_ns,
            severity=None if lasts else episode.severity,
            grade=None if lasts else episode.grade,
            confidence=episode.confidence,
            status=episode.status,
            superseded_by=episode.superseded_by or None,
        ),
    )


def to_message(episode: Episode, *, received_ns: int | None) -> tuple[str, bytes]:
    """Topic and payload of that event."""
    event = to_event(episode, received_ns=received_ns)
    return topic(episode.device, "events"), encode(event, content_type=CONTENT_JSON)


def _rfc3339(time_ns: int) -> str:
    whole = datetime.fromtimestamp(time_ns // 1_000_000_000, UTC)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{time_ns % 1_000_000_000 // 1000:06d}Z"
