"""What a batch came to: the journal's entry, and what is counted and logged of it."""

from collections import Counter
from collections.abc import Sequence

from ingest.devices import Device
from ingest.events import to_message
from ingest.intake import Intake, Quarantined
from ingest.journal import Entry
from ingest.log import Log
from ingest.metrics import Metrics
from ingest.order import Key
from ingest.pipeline import Detected
from ingest.store import DeviceStatus, Episode
from ingest.wire import topic


def entry_of(
    intake: Intake,
    found: Detected,
    *,
    told: Sequence[Episode],
    undated: Sequence[tuple[str, Key]],
    changed: dict[str, Device],
    statuses: Sequence[DeviceStatus],
    now_ns: int,
) -> Entry:
    """Everything that one transaction keeps; `told` are the episodes of `found` of which there is news."""
    fresh = {(item.device, item.key) for item in intake.stored if item.disposition in ("ready", "undated")}
    fresh.update(undated)
    released = [(name, key) for name, keys in intake.ready.items() for key in keys if (name, key) not in fresh]
    failed = [(failure.device, key) for failure in found.failures for key in failure.keys]
    received_ns: dict[str, int] = {}
    for item in intake.stored:
        received_ns[item.device] = max(received_ns.get(item.device, 0), item.delivery.received_ns)
    events = [to_message(episode, received_ns=received_ns.get(episode.device, now_ns)) for episode in told]
    return Entry(
        stored=intake.stored,
        released=released,
        undated=undated,
        failed=failed,
        quarantined=[*intake.quarantined, *failures(found, now_ns)],
        devices=changed,
        gaps=intake.gaps,
        told=told,
        records=[*found.epochs, *told, *statuses],
        events=events,
        now_ns=now_ns,
    )


def failures(found: Detected, now_ns: int) -> list[Quarantined]:
    """Notes of the blocks on which the detector failed; the blocks themselves are kept as such."""
    return [
        Quarantined(topic(failure.device, "blocks"), b"", None, "detector", failure.sentence, now_ns)
        for failure in found.failures
    ]


def report(intake: Intake, found: Detected, *, metrics: Metrics, log: Log, now_ns: int) -> None:
    """Count a batch, and log what went wrong in it: one line for each cause."""
    for result, count in intake.blocks.items():
        metrics.blocks.labels(result).inc(count)
    metrics.statuses.inc(intake.statuses)
    ends_ns: dict[str, int] = {}
    oldest_ns = now_ns
    for item in intake.stored:
        oldest_ns = min(oldest_ns, item.delivery.received_ns)
        if item.device in intake.ready:
            ends_ns[item.device] = intake.devices[item.device].view.last_sample_ns
    metrics.lag.set((now_ns - oldest_ns) / 1e9)
    for end_ns in ends_ns.values():
        metrics.delay.observe(max(0, now_ns - end_ns) / 1e9)
    for device, gap in intake.gaps:
        blocks = gap.last - gap.first + 1
        metrics.missing_blocks.labels(gap.cause).inc(blocks)
        metrics.gap_seconds.inc((gap.end_ns - gap.start_ns) / 1e9)
        log.warning("gap", device=device, boot=gap.boot, seq=gap.first, blocks=blocks, cause=gap.cause)
    for (name, reason), count in Counter((q.topic, q.reason) for q in intake.quarantined).items():
        metrics.quarantined.labels(reason).inc(count)
        sentence = next(q.sentence for q in intake.quarantined if (q.topic, q.reason) == (name, reason))
        log.warning("quarantined", topic=name, reason=reason, count=count, sentence=sentence)
    metrics.quarantined.labels("flood").inc(intake.flood.total())
    for name, seconds in intake.muted.items():
        log.warning("muted", device=name, seconds=seconds, sentence="too much of what it sends is refused")
    for name, reason in intake.unread.items():
        metrics.archive_errors.inc()
        log.error("archive_unreadable", device=name, reason=reason)
    for failure in found.failures:
        boot, seq = failure.keys[0]
        metrics.failures.inc(len(failure.keys))
        metrics.quarantined.labels("detector").inc(len(failure.keys))
        log.error("detector_failed", device=failure.device, boot=boot, seq=seq, sentence=failure.sentence)
