"""What the ingester counts, on a registry of its own. No device and no person is ever a label."""

import threading
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Final
from wsgiref.simple_server import WSGIRequestHandler, make_server
from wsgiref.types import StartResponse, WSGIEnvironment

import msgspec
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, make_wsgi_app

from ingest.store import ServiceStatus


class Metrics:
    """Counters and gauges of one ingester."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        r = self.registry
        self.blocks = Counter(
            "charley_ingest_blocks", "Blocks taken in, by what became of them", ["result"], registry=r
        )
        self.statuses = Counter("charley_ingest_statuses", "Status messages taken in", registry=r)
        self.quarantined = Counter(
            "charley_ingest_quarantined", "Messages and records set aside, by reason", ["reason"], registry=r
        )
        self.gap_seconds = Counter("charley_gap_seconds", "Device time that lies in declared gaps", registry=r)
        self.missing_blocks = Counter("charley_missing_blocks", "Blocks in declared gaps", ["cause"], registry=r)
        self.failures = Counter("charley_detect_failures", "Blocks on which the detector failed", registry=r)
        self.revised = Counter("charley_revised_sessions", "Sessions detected again for late blocks", registry=r)
        self.archived = Counter("charley_archived_blocks", "Blocks brought to the archive", registry=r)
        self.archive_errors = Counter(
            "charley_archive_errors", "Failed attempts to write or to read the archive", registry=r
        )
        self.revising = Gauge("charley_revising_devices", "Devices with late blocks to be looked at", registry=r)
        self.records = Counter("charley_delivered_records", "Records that the store has taken", registry=r)
        self.events = Counter("charley_published_events", "Events that the broker has taken", ["scope"], registry=r)
        self.store_errors = Counter("charley_store_errors", "Failed attempts to write to the store", registry=r)
        self.lag = Gauge(
            "charley_ingest_lag_seconds",
            "From receipt of a batch's oldest message to the batch being durable",
            registry=r,
        )
        self.delay = Histogram(
            "charley_detect_delay_seconds",
            "From the last sample of a device's batch to its results being durable",
            buckets=(0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 3600, 86400),
            registry=r,
        )
        self.unacked = Gauge("charley_unacked_blocks", "Messages received and not yet acknowledged", registry=r)
        self.outbox = Gauge("charley_journal_outbox", "Records waiting for the store", registry=r)
        self.event_outbox = Gauge("charley_journal_event_outbox", "Events waiting for the broker", registry=r)
        self.delivery_age = Gauge(
            "charley_delivery_age_seconds", "For how long the oldest record has been waiting for the store", registry=r
        )
        self.accepting = Gauge("charley_accepting", "1 while blocks are taken, 0 while there is no room", registry=r)
        self.journal_bytes = Gauge("charley_journal_bytes", "Size of the journal on disk", registry=r)
        self.free_bytes = Gauge("charley_free_bytes", "Room on the disk of the data folder", registry=r)
        self.late = Gauge("charley_late_blocks", "Blocks that came late and are not yet in the results", registry=r)
        self.queue_bytes = Gauge("charley_queue_bytes", "Messages received and not yet taken", registry=r)
        self.limited = Gauge("charley_limited_devices", "Devices that sent more than their share", registry=r)
        self.muted = Gauge("charley_muted_devices", "Devices passed over for sending too much rubbish", registry=r)
        self.devices = Gauge("charley_ingest_devices", "Devices ever heard", registry=r)
        self.connected = Gauge("charley_broker_connected", "1 while connected and subscribed", registry=r)


UNHEARD: Final = "no blocks come in from the broker: it does not answer, or refuses the subscription; the log tells"


class Quiet(WSGIRequestHandler):
    """Writes no line for each request."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
        """Nothing."""


def serve(
    metrics: Metrics, *, port: int, ready: Callable[[], ServiceStatus], host: str = "127.0.0.1"
) -> Callable[[], None]:
    """Serve `/metrics`, `/healthz` and `/readyz` over HTTP in a thread; the function returned ends that."""
    exposition = make_wsgi_app(metrics.registry)

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path in ("/", "/metrics"):
            shown: Iterable[bytes] = exposition(environ, start_response)
            return shown
        code, body = 404, b'{"detail": "there are /metrics, /healthz and /readyz"}'
        if path == "/healthz":
            code, body = 200, b'{"status": "ok"}'
        elif path == "/readyz":
            standing = ready()
            code = 200 if standing.accepting and standing.connected else 503
            reason = standing.reason or ("" if standing.connected else UNHEARD)
            body = msgspec.json.encode(msgspec.structs.replace(standing, reason=reason))
        status = HTTPStatus(code)
        start_response(f"{code} {status.phrase}", [("Content-Type", "application/json")])
        return [body]

    server = make_server(host, port, application, handler_class=Quiet)
    thread = threading.Thread(target=server.serve_forever, name="metrics", daemon=True)
    thread.start()

    def stop() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return stop
