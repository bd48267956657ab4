"""What a broker may do to blocks, judged from what it was seen to grant and do."""

import re
from dataclasses import dataclass
from typing import Final

from ingest.doctor.check import Check, fail, in_bytes, in_words, ok, skipped, warn
from ingest.wire import MAX_PAYLOAD_BYTES, TOPIC_ROOT

PROBE_TOPIC: Final = f"{TOPIC_ROOT}/doctor"
_LOOKED: Final = ("subscription", "version", "dropped", "own_session", "queue", "in_flight", "largest_block")
NEEDED_PACKET_BYTES: Final = MAX_PAYLOAD_BYTES + 1024
LEAST_RECEIVE_MAXIMUM: Final = 20
_QUEUE_MEND: Final = "Mosquitto: max_queued_messages 0 and max_queued_bytes 0 in mosquitto.conf, then restart it"
_ACL_MEND: Final = (
    f"see the broker's ACL of this user: it needs `topic readwrite {PROBE_TOPIC}/#`, and for blocks what "
    "deploy/mosquitto/acl gives to user ingest; if the ACL is right, use a listener without use_username_as_clientid"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """What the broker granted when it accepted a connection that asked for a session of its own."""

    session_expiry_s: int
    asked_expiry_s: int
    receive_maximum: int = 65_535
    maximum_qos: int = 2
    retain: bool = True
    wildcard: bool = True
    maximum_packet_bytes: int | None = None
    server_keepalive_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What came of messages that were published to a session while it was away."""

    sent: int = 0
    returned: tuple[int, ...] = ()  # which of them, in order of arrival
    in_flight: int = 0  # how many came before any was acknowledged
    session_kept: bool = True
    denied: str = ""  # why the user may not do this at all
    silent: bool = False  # whether it was granted, and nothing came back
    largest: str = ""  # why the largest block did not pass; empty when it did


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerFacts:
    """What was seen of a broker."""

    host: str
    port: int
    unreachable: str = ""
    refused: str = ""
    granted: Granted | None = None
    shared: bool = False  # whether clients of this user share one session, whatever client id they give
    subscription: str = ""  # why blocks cannot be subscribed to; empty when they can
    version: str | None = None
    dropped: int | None = None  # publications dropped since the broker started, where it says so
    load: Load | None = None
    load_skipped: str = ""
    session_present: bool | None = None  # whether the broker holds the ingester's session
    session_skipped: str = ""
    ever_ran: bool = False  # whether an ingester has run with this data folder


def check_broker(facts: BrokerFacts) -> list[Check]:
    """Every check of a broker; after one that cannot be reached there is only that."""
    where = f"{facts.host}:{facts.port}"
    if facts.unreachable:
        mend = "start the broker, or correct CHARLEY_BROKER_HOST, CHARLEY_BROKER_PORT and CHARLEY_BROKER_TLS_CA"
        return [fail("broker.reachable", f"{where}: {facts.unreachable}", mend)]
    found = [ok("broker.reachable", f"{where} answers")]
    if facts.refused or facts.granted is None:
        mend = "correct CHARLEY_BROKER_USERNAME and CHARLEY_BROKER_PASSWORD; the broker must speak MQTT 5"
        return [*found, fail("broker.login", f"refused: {facts.refused or 'no answer to CONNECT'}", mend)]
    found.append(ok("broker.login", "accepted, MQTT 5"))
    found += _granted(facts.granted)
    if facts.shared:
        return [*found, _shared(), *(skipped(f"broker.{name}", "not tried: see broker.client_id") for name in _LOOKED)]
    found.append(_subscription(facts))
    found.append(_version(facts.version))
    found.append(_dropped(facts.dropped))
    found.append(_own_session(facts))
    return found + _loaded(facts)


def _shared() -> Check:
    told = "all clients of this user have one session here: whoever connects as it ends the ingester's connection"
    mend = (
        "set CHARLEY_BROKER_PORT to a listener without use_username_as_clientid (deploy/mosquitto has 1884 for the "
        "ingester), or give nobody else this user and leave out doctor and `charley quarantine replay`"
    )
    return warn("broker.client_id", told, mend)


def _granted(granted: Granted) -> list[Check]:
    found = [_expiry(granted)]
    for name, fine, told, mend in (
        ("qos", granted.maximum_qos >= 1, f"maximum QoS {granted.maximum_qos}", "Mosquitto: remove max_qos"),
        ("retain", granted.retain, f"retained messages {_available(granted.retain)}",
         "Mosquitto: retain_available true; without it the states of devices are lost when the ingester restarts"),
        ("wildcard", granted.wildcard, f"wildcard subscriptions {_available(granted.wildcard)}",
         "allow wildcard subscriptions: the ingester subscribes to all devices at once"),
    ):  # fmt: skip
        found.append(ok(f"broker.{name}", told) if fine else fail(f"broker.{name}", told, mend))
    found.append(_packet(granted.maximum_packet_bytes))
    told = f"takes {granted.receive_maximum} unacknowledged messages from a publisher"
    few = granted.receive_maximum < LEAST_RECEIVE_MAXIMUM
    mend = "Mosquitto: max_inflight_messages 0; a backlog of devices is taken in at this many a round trip"
    found.append(warn("broker.receive_maximum", told, mend) if few else ok("broker.receive_maximum", told))
    keepalive = granted.server_keepalive_s
    told = "the client's own keep alive holds" if keepalive is None else f"the broker sets {keepalive} s"
    tight = keepalive is not None and 0 < keepalive < 10
    mend = "raise the broker's keep alive (Mosquitto: max_keepalive) to 30 s or more"
    found.append(warn("broker.keepalive", told, mend) if tight else ok("broker.keepalive", told))
    return found


def _available(yes: bool) -> str:
    return "available" if yes else "not available"


def _expiry(granted: Granted) -> Check:
    told = f"keeps a session for {in_words(granted.session_expiry_s)}, asked {in_words(granted.asked_expiry_s)}"
    if granted.session_expiry_s == 0:
        mend = "let the broker keep sessions: without one, what comes while the ingester is away is not queued"
        return fail("broker.session_expiry", told, mend)
    if granted.session_expiry_s < granted.asked_expiry_s:
        mend = "raise the broker's limit on session expiry (Mosquitto: persistent_client_expiration) to 7 days"
        return warn("broker.session_expiry", told, mend)
    return ok("broker.session_expiry", told)


def _packet(limit: int | None) -> Check:
    if limit is not None and limit < NEEDED_PACKET_BYTES:
        mend = f"Mosquitto: max_packet_size {NEEDED_PACKET_BYTES} or more, or remove it"
        return warn("broker.packet_size", f"takes packets of at most {in_bytes(limit)}; a block may have 4 MiB", mend)
    told = "states no limit" if limit is None else f"takes packets of {in_bytes(limit)}"
    return ok("broker.packet_size", told)


def _subscription(facts: BrokerFacts) -> Check:
    if facts.subscription:
        mend = f"allow the ingester's user to read {TOPIC_ROOT}/+/blocks and {TOPIC_ROOT}/+/status"
        return fail("broker.subscription", facts.subscription, mend)
    return ok("broker.subscription", f"{TOPIC_ROOT}/+/blocks granted at QoS 1")


def _version(told: str | None) -> Check:
    name = "broker.version"
    if told is None:
        return skipped(name, "the broker does not say ($SYS/broker/version); see its own log")
    match = re.search(r"mosquitto version (\d+)\.(\d+)\.(\d+)", told)
    return _mosquitto(told, tuple(int(part) for part in match.groups())) if match else ok(name, told)


def _mosquitto(told: str, version: tuple[int, ...]) -> Check:
    name = "broker.version"
    if version < (1, 6, 0):
        return fail(name, f"{told} has no MQTT 5", "install Mosquitto 2.0.19 or newer")
    if version < (2, 0, 0):
        return warn(name, f"{told} is no longer maintained", "install Mosquitto 2.0.19 or newer")
    if (2, 0, 11) < version <= (2, 0, 18):
        mend = "install Mosquitto 2.0.19 or newer, and never set per_listener_settings true"
        return warn(name, f"{told} loses sessions where per_listener_settings is true", mend)
    if version == (2, 0, 11):
        return ok(name, f"{told}; never set per_listener_settings true before upgrading from it")
    return ok(name, told)


def _dropped(dropped: int | None) -> Check:
    name = "broker.dropped"
    if dropped is None:
        return skipped(name, "the broker does not say ($SYS/broker/publish/messages/dropped)")
    if dropped:
        mend = f"see broker.queue; {_QUEUE_MEND}. Devices send again what they have not been told is durable"
        return warn(name, f"the broker has dropped {dropped} messages since it started", mend)
    return ok(name, "none since the broker started")


def _own_session(facts: BrokerFacts) -> Check:
    name = "broker.own_session"
    if facts.session_present is None:
        return skipped(name, facts.session_skipped or "not looked at")
    if facts.session_present:
        return ok(name, "the broker keeps the ingester's session and queues for it")
    if not facts.ever_ran:
        return ok(name, "none yet: no ingester has run with this data folder")
    mend = (
        "start `charley ingest`, keep CHARLEY_CLIENT_ID as it was, and give the broker persistence (persistence true)"
    )
    return fail(name, "the broker keeps no session for the ingester: what devices send now is not queued", mend)


def _loaded(facts: BrokerFacts) -> list[Check]:
    load = facts.load
    rest = ("in_flight", "largest_block")
    if load is None:
        why = facts.load_skipped or "not tried"
        return [skipped(f"broker.{name}", why) for name in ("queue", *rest)]
    if load.denied:
        blocks = "; perhaps it gets no blocks either, for brokers deny without a word" if load.silent else ""
        queue = warn("broker.queue", f"{load.denied}{blocks}", _ACL_MEND)
        return [queue, *(skipped(f"broker.{name}", "not tried: see broker.queue") for name in rest)]
    largest = ok("broker.largest_block", f"a block of {in_bytes(MAX_PAYLOAD_BYTES)} passed")
    if load.largest:
        mend = f"Mosquitto: message_size_limit {2 * MAX_PAYLOAD_BYTES}, or 0"
        largest = warn("broker.largest_block", load.largest, mend)
    return [_queue(load), _in_flight(load), largest]


def _queue(load: Load) -> Check:
    name, kept = "broker.queue", len(set(load.returned))
    if not load.session_kept:
        mend = "let the broker keep sessions of MQTT 5 clients (Session Expiry)"
        return fail(name, "a session that was left was gone on return, with all that was queued", mend)
    if kept < load.sent:
        which = "newest" if load.returned and min(load.returned) == 0 else "oldest"
        told = f"of {load.sent} messages for a client that was away {kept} were kept; the {which} were dropped silently"
        return fail(name, told, _QUEUE_MEND)
    return ok(name, f"all of {load.sent} messages for a client that was away were kept")


def _in_flight(load: Load) -> Check:
    told = f"{load.in_flight} messages came before any was acknowledged"
    if load.in_flight < min(load.sent, 100):
        mend = "Mosquitto: max_inflight_messages 0; the ingester acknowledges in batches and waits for the disk"
        return warn("broker.in_flight", told, mend)
    return ok("broker.in_flight", told)
