"""Log lines that nobody takes: the ingester does not end for them, and does not fall silent."""

import io
import json
import os
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import TextIO

import pytest
from ingest_feed import cut, feed, recording, service
from servers import Mosquitto, wait_for

from ingest.journal import Journal
from ingest.log import json_log
from ingest.mqtt import MqttSettings, MqttSource
from ingest.service import Options
from ingest.source import MemorySource
from ingest.store.memory import MemoryStore


def full_disk() -> TextIO:
    return Path("/dev/full").open("w", buffering=1, encoding="utf-8")


def left_pipe() -> TextIO:
    reader, writer = os.pipe()
    os.close(reader)
    return os.fdopen(writer, "w", buffering=1)


@pytest.fixture(params=[full_disk, left_pipe])
def deaf(request: pytest.FixtureRequest) -> Iterator[TextIO]:
    """A stream that takes nothing."""
    stream: TextIO = request.param()
    with pytest.raises(OSError, match=r"No space|Broken pipe"):
        print("line", file=stream)
    yield stream
    with suppress(OSError):
        stream.close()


def test_a_batch_of_which_there_is_something_to_say_is_taken(deaf: TextIO, tmp_path: Path) -> None:
    source = MemorySource()
    with closing(Journal(tmp_path / "journal.sqlite")) as journal:
        of = service(source, journal, MemoryStore(), options=Options(wait_s=0), log=json_log(deaf))
        source.feed("charley/v1/leg/blocks", b"rubbish")
        feed(source, "leg", cut(recording(10), [10]))
        while of.step():
            pass
        assert source.outstanding == 0
        of.close()


def test_the_ingester_comes_back_to_its_broker(deaf: TextIO, mosquitto: Mosquitto) -> None:
    settings = MqttSettings(port=mosquitto.port, client_id="deaf", reconnect_max_s=1)
    with closing(MqttSource(settings, log=json_log(deaf))) as source:
        wait_for(lambda: source.subscribed, what="subscription")
        mosquitto.stop()
        wait_for(lambda: not source.subscribed, what="end of the connection")
        mosquitto.start()
        wait_for(lambda: source.subscribed, what="another subscription")
        assert source.connected


def test_a_stream_that_was_closed_ends_nothing() -> None:
    stream = io.StringIO()
    log = json_log(stream)
    log.warning("first", device="leg")
    assert json.loads(stream.getvalue())["device"] == "leg"
    stream.close()
    log.warning("second")
