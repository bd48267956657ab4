"""A broker that refuses, or goes at the wrong moment: the ingester says so, and goes on."""

import io
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from servers import Mosquitto, free_port, wait_for

from ingest.deliver import EventDelivery
from ingest.journal import Entry, Journal
from ingest.log import json_log
from ingest.metrics import Metrics
from ingest.mqtt import MqttSettings, MqttSource

CONNACK = bytes([0x20, 3, 0, 0, 0])
DENIED, GRANTED = 0x87, 0x01


@contextmanager
def broker_that(answers: Callable[[], int]) -> Iterator[int]:
    """The port of something that grants a connection, and to each subscription gives these answers."""

    def serve() -> None:
        with listener.accept()[0] as peer:
            peer.recv(4096)
            peer.sendall(CONNACK)
            while data := peer.recv(4096):
                if data[0] & 0xF0 == 0x80:
                    reason = answers()
                    peer.sendall(bytes([0x90, 5, *data[2:4], 0, reason, reason]))

    with closing(socket.create_server(("127.0.0.1", free_port()))) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
    thread.join(10)


def said(log: io.StringIO, event: str) -> list[dict[str, object]]:
    return [line for line in map(json.loads, log.getvalue().splitlines()) if line["event"] == event]


def test_a_subscription_that_was_refused_is_asked_for_again() -> None:
    left, log = [DENIED, DENIED, GRANTED], io.StringIO()
    with broker_that(lambda: left.pop(0)) as port:
        settings = MqttSettings(port=port, client_id="again", resubscribe_s=0.01)
        with closing(MqttSource(settings, log=json_log(log))) as source:
            wait_for(lambda: source.subscribed, what="subscription")
    assert not left, "and no more often"
    assert len(said(log, "subscription_refused")) == 2
    assert len(said(log, "broker_connected")) == 1


def test_what_the_broker_does_not_take_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "acl").write_text("topic read charley/v1/#\ntopic write charley/v1/+/ack\n")
    (tmp_path / "acl").chmod(0o700)
    log = io.StringIO()
    with Mosquitto(tmp_path, extra=f"acl_file {tmp_path}/acl\n") as broker:
        settings = MqttSettings(port=broker.port, client_id="refused")
        with closing(MqttSource(settings, log=json_log(log))) as source:
            wait_for(lambda: source.subscribed, what="subscription")
            sent = source.publish("charley/v1/leg/events", b"{}")
            assert sent is not None
            wait_for(lambda: sent.done, what="answer")
    (line,) = said(log, "publication_refused")
    assert "Not authorized" in str(line["reason"])


def test_an_event_that_is_sent_as_the_connection_ends_is_sent_on_the_next(mosquitto: Mosquitto, tmp_path: Path) -> None:
    """Before, to ask whether it had arrived ended the ingester."""
    settings = MqttSettings(port=mosquitto.port, client_id="ending", reconnect_max_s=1)
    with closing(MqttSource(settings)) as source, closing(Journal(tmp_path / "journal.sqlite")) as journal:
        wait_for(lambda: source.subscribed, what="subscription")
        journal.commit(Entry(events=[("charley/v1/leg/events", b"{}")]))
        of = EventDelivery(outbox=journal.outbox, source=source, metrics=Metrics())
        with source._lock:  # as while blocks are acknowledged: the network thread cannot say yet that it has ended
            mosquitto.stop()
            wait_for(lambda: source._client.socket() is None, what="end of the connection")
            assert source.connected
            assert of.step() == 0
        mosquitto.start()

        def gone() -> bool:
            of.step()
            return journal.outbox.waiting() == (0, 0)

        wait_for(gone, what="the broker's answer")


def test_a_subscription_that_was_granted_is_not_asked_for_again() -> None:
    asked: list[int] = []

    def answer() -> int:
        asked.append(GRANTED)
        return GRANTED

    with broker_that(answer) as port:
        settings = MqttSettings(port=port, client_id="once", resubscribe_s=0.0)
        with closing(MqttSource(settings)) as source:
            wait_for(lambda: source.subscribed, what="subscription")
            assert source.publish("charley/v1/leg/ack", b"") is not None
    assert len(asked) == 1
