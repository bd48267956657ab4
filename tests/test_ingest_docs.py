"""docs/ingest.md says what the code does: its figures, metrics and words."""

import re
from pathlib import Path
from typing import get_args

import pytest

from ingest import acks, deliver, events, mqtt, order, service, source, statuses
from ingest.metrics import Metrics

TEXT = (Path(__file__).parent.parent / "docs" / "ingest.md").read_text()
FLAT = " ".join(TEXT.split())


def test_every_metric_is_listed_and_no_other() -> None:
    listed = {re.sub(r"\{.*", "", name) for name in re.findall(r"^\| `(charley_[^`]+)`", TEXT, flags=re.MULTILINE)}
    known = set()
    for metric in Metrics().registry.collect():
        known.add(f"{metric.name}_total" if metric.type == "counter" else metric.name)
    assert listed == known


def test_every_fate_of_a_block_is_explained() -> None:
    table = re.findall(r"^\| (ready|held|duplicate|late|undated|quarantined) \|", TEXT, flags=re.MULTILINE)
    assert table == [*get_args(order.Disposition), "undated", "quarantined"]
    for cause in get_args(order.Cause):
        assert f"`{cause}`" in TEXT


@pytest.mark.parametrize(
    "sentence",
    [
        f"more than {order.HORIZON.blocks} blocks",
        f"more than {order.HORIZON.span_ns // 10**9} s of device time",
        f"At least {order.HORIZON.fewest} blocks",
        f"at most every {acks.EVERY_S:g} s. What is remembered of a device is bounded: {order.MAX_BOOTS} boots",
        f"{order.MAX_GAPS} gaps",
        f"has come for {service.Options().settle_s:g} s, or {service.Options().patience_s / 60:g} min after the first",
        f"({service.Options().gone_s / 60:g} min after it said goodbye)",
        f"every {deliver.BEAT_S:g} s, so that the API can tell",
        f"up to {deliver.BATCH:,} in one write",
        f"from {deliver.BACKOFF_S[0]:g} s up to {deliver.BACKOFF_S[1]:g} s",
        f"at most {events.LIVE_NS // 60 // 10**9} minutes before the receipt",
        f"at most every {statuses.EVERY_S:g} s. ## Detection",
        f"{mqtt.MqttSettings().max_queued_bytes >> 20} MiB of messages in the queue",
        f"at most {source.MAX_BATCH_BYTES >> 20} MiB or {service.Options().batch:,} messages",
        f"Receive Maximum is {mqtt.MqttSettings().receive_maximum:,}",
    ],
)
def test_figures_are_those_of_the_code(sentence: str) -> None:
    assert sentence in FLAT


def test_intervals_are_stated_once() -> None:
    options = service.Options()
    assert (options.ack_s, options.status_s) == (acks.EVERY_S, statuses.EVERY_S)
