"""Looks at a broker: what it grants, what it says of itself, and what becomes of messages for a client that is away.

The experiment uses sessions and topics of its own, which end with it: a few tiny messages more than the queue limit
that brokers come with, and one block of the largest size.
"""

import re
import secrets
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from ingest.doctor.broker import NEEDED_PACKET_BYTES, PROBE_TOPIC, BrokerFacts, Granted, Load
from ingest.errors import IngestError
from ingest.mqtt import SUBSCRIPTIONS, MqttSettings
from ingest.mqtt_probe import Probe, ProbeRefused, ProbeUnreachable
from ingest.wire import MAX_PAYLOAD_BYTES

QUEUED: Final = 1_500  # Mosquitto and EMQX keep 1,000 unless told otherwise
SESSION_S: Final = 300  # should the clean-up fail, the broker forgets by itself
SAYING_S: Final = 2.0  # $SYS topics are retained and come at once
QUIET_S: Final = 1.0
_PASSES_S: Final = 15.0
_END: Final = b"end"
_VERSION: Final = "$SYS/broker/version"
_DROPPED: Final = "$SYS/broker/publish/messages/dropped"


def look_at_broker(settings: MqttSettings, *, load: bool, own_session: str, ever_ran: bool) -> BrokerFacts:
    """Everything that is to be seen. `own_session` says why the ingester's session must be left alone, or nothing."""
    facts = BrokerFacts(host=settings.host, port=settings.port, ever_ran=ever_ran)
    try:
        facts = _introduce(settings, facts)
        if facts.shared:
            return facts
        facts = replace(facts, session_skipped=own_session) if own_session else _own_session(settings, facts)
    except (ProbeUnreachable, ssl.SSLError, UnicodeError) as error:  # the last two: a CA file or a host that is none
        return replace(facts, unreachable=str(error))
    except ProbeRefused as error:
        return replace(facts, refused=str(error))
    if not load:
        return replace(facts, load_skipped="left out with --no-broker-load")
    limit = facts.granted.maximum_packet_bytes if facts.granted else None
    try:
        return replace(facts, load=_try_load(settings, large=limit is None or limit >= NEEDED_PACKET_BYTES))
    except IngestError as error:
        return replace(facts, load_skipped=f"could not be finished: {error}")


def _introduce(settings: MqttSettings, facts: BrokerFacts) -> BrokerFacts:
    """Connect as the ingester does, but for the name; subscribe as it does; hear what the broker says of itself."""
    asked_s = settings.session_expiry_s
    # Not clean: where the user name is taken for the client id, that would end the ingester's session.
    with Probe(settings, client_id=_name(), clean=False, keep_s=asked_s) as probe:
        granted = _granted(probe.granted, asked_s=asked_s)
        if probe.session_present or _meets(settings):  # under a name that nobody has used before
            return replace(facts, granted=granted, shared=True)
        probe.end_session()
        (refused, *_) = probe.subscribe([SUBSCRIPTIONS[0][0]])
        said = _said(probe)
    dropped = said.get(_DROPPED)
    return replace(
        facts, granted=granted, subscription=refused, version=said.get(_VERSION),
        dropped=int(dropped) if dropped and re.fullmatch(r"\d+", dropped) else None,
    )  # fmt: skip


def _meets(settings: MqttSettings) -> bool:
    """Whether another client of this user comes into the session of the one that is connected, which was a new one."""
    with Probe(settings, client_id=_name(), clean=False) as other:
        return other.session_present


def _granted(told: dict[str, int], *, asked_s: int) -> Granted:
    return Granted(
        session_expiry_s=told.get("SessionExpiryInterval", asked_s),
        asked_expiry_s=asked_s,
        receive_maximum=told.get("ReceiveMaximum", 65_535),
        maximum_qos=told.get("MaximumQoS", 2),
        retain=bool(told.get("RetainAvailable", 1)),
        wildcard=bool(told.get("WildcardSubscriptionAvailable", 1)),
        maximum_packet_bytes=told.get("MaximumPacketSize"),
        server_keepalive_s=told.get("ServerKeepAlive"),
    )


def _said(probe: Probe) -> dict[str, str]:
    """What the broker says under $SYS, where it may be read."""
    wanted = {_VERSION, _DROPPED}
    probe.subscribe(sorted(wanted))
    said: dict[str, str] = {}
    until = time.monotonic() + SAYING_S
    while wanted - said.keys() and (left := until - time.monotonic()) > 0:
        message = probe.receive(left)
        if message is not None and message.topic in wanted:
            said[message.topic] = message.payload.decode(errors="replace")
    return said


def _own_session(settings: MqttSettings, facts: BrokerFacts) -> BrokerFacts:
    """Ask for the ingester's session; acknowledges nothing, and takes one message at most off the wire."""
    with Probe(
        settings, client_id=settings.client_id, clean=False, keep_s=settings.session_expiry_s, receive_maximum=1
    ) as probe:
        if not probe.session_present:
            probe.end_session()  # it would be an empty one
        return replace(facts, session_present=probe.session_present)


def _try_load(settings: MqttSettings, *, large: bool) -> Load:
    name = _name()
    topic = f"{PROBE_TOPIC}/{name}"
    with _forgotten(settings, name), Probe(settings, client_id=_name(), clean=True) as sender:
        with Probe(settings, client_id=name, clean=True, keep_s=SESSION_S) as reader:
            (refused,) = reader.subscribe([topic])
            (unsent,) = sender.publish(topic, [b"first"])
            first = reader.receive(SAYING_S)
            if refused or unsent or first is None:
                if what := unsent or refused:
                    return Load(denied=f"this user may not write to and read {PROBE_TOPIC}/#: {what}")
                told = f"nothing came back of what was published to {PROBE_TOPIC}/#, though reading it was granted"
                return Load(denied=told, silent=True)
            reader.acknowledge([first])
        largest = _largest(settings) if large else "the broker states a lower limit"
        return replace(_away(settings, sender, name=name, topic=topic), largest=largest)


def _away(settings: MqttSettings, sender: Probe, *, name: str, topic: str) -> Load:
    """Publish while the reader is away, then count what it gets."""
    sender.publish(topic, [number.to_bytes(4, "big") for number in range(QUEUED)])
    most = settings.receive_maximum
    with Probe(settings, client_id=name, clean=False, keep_s=SESSION_S, receive_maximum=most) as reader:
        if not reader.session_present:
            return Load(sent=QUEUED, session_kept=False)
        held = list(iter(lambda: reader.receive(QUIET_S), None))
        reader.acknowledge(held)
        returned = [int.from_bytes(message.payload, "big") for message in held if len(message.payload) == 4]
        returned.extend(_until_end(sender, reader, topic))
    return Load(sent=QUEUED, returned=tuple(dict.fromkeys(returned)), in_flight=len(held))


def _until_end(sender: Probe, reader: Probe, topic: str) -> Iterator[int]:
    """What still comes before a message that is published now; a full queue may swallow that one, so it is repeated."""
    until = time.monotonic() + _PASSES_S
    while time.monotonic() < until:
        sender.publish(topic, [_END])
        while (message := reader.receive(QUIET_S)) is not None:
            reader.acknowledge([message])
            if message.payload == _END:
                return
            if len(message.payload) == 4:
                yield int.from_bytes(message.payload, "big")
    raise IngestError("the queue did not come to an end")


def _largest(settings: MqttSettings) -> str:
    """Why a block of the largest size does not pass; on a connection of its own, for a broker may end it."""
    name = _name()
    topic = f"{PROBE_TOPIC}/{name}"
    try:
        with Probe(settings, client_id=name, clean=True) as probe:
            probe.subscribe([topic])
            (refused,) = probe.publish(topic, [bytes(MAX_PAYLOAD_BYTES)], timeout_s=_PASSES_S)
            arrived = None if refused else probe.receive(_PASSES_S)
            probe.acknowledge([arrived] if arrived else [])
    except ProbeUnreachable as error:
        return f"a block of 4 MiB did not pass: {error}"
    return "" if arrived else f"a block of 4 MiB did not pass: {refused or 'dropped silently'}"


@contextmanager
def _forgotten(settings: MqttSettings, name: str) -> Iterator[None]:
    """Make the broker forget a session afterwards, whatever happened."""
    try:
        yield
    finally:
        with Probe(settings, client_id=name, clean=True):
            pass


def _name() -> str:
    return f"charley-doctor-{secrets.token_hex(4)}"
