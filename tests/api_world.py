"""A small world to test the API in: a store and a registry with wearers, devices, epochs and episodes."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from api.app import create_app
from api.registry import Registry, open_registry
from ingest.store import DeviceStatus, Episode, Epoch, Record, ServiceStatus, Store
from ingest.store.memory import MemoryStore

V1 = "/api/v1"
TOKEN = "a-token-for-tests-only-0123456789"
EPOCH_NS = 10 * 10**9
HOUR_NS = 3600 * 10**9
NAN = float("nan")


def ns(text: str) -> int:
    """An instant such as `2026-01-31T21:00:00+01:00`; UTC without an offset."""
    instant = datetime.fromisoformat(text)
    instant = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    return round(instant.timestamp()) * 10**9


def epochs(
    device: str,
    start_ns: int,
    end_ns: int,
    *,
    site: str = "gastrocnemius_medialis",
    received_s: float = 10.0,
    worn_s: float = 10.0,
    usable_s: float = 10.0,
) -> list[Epoch]:
    """Equal epochs over `[start_ns, end_ns)` of a leg that neither sleeps nor lies about: it moves all the time."""
    return [
        Epoch(
            device=device, site=site, start_ns=at_ns, received_s=received_s, worn_s=worn_s, usable_s=usable_s,
            rms_uv=4.0 if usable_s else NAN, rest_uv=3.0, median_hz=80.0 if usable_s else NAN, movement_g=0.05,
            angle_deg=5.0, flags=() if usable_s == 10 else ("electrode_off",), updated_ns=at_ns + EPOCH_NS,
        )
        for at_ns in range(start_ns, end_ns, EPOCH_NS)
    ]  # fmt: skip


def episode(device: str, onset_ns: int, *, seconds: float = 90.0, severity: float = 5.0, **changes: object) -> Episode:
    """A cramp."""
    values: dict[str, object] = {
        "device": device, "site": "gastrocnemius_medialis", "onset_ns": onset_ns,
        "end_ns": onset_ns + round(seconds * 1e9), "status": "final", "revision": 1, "severity": severity,
        "severity_amplitude": severity, "severity_duration": severity, "severity_load": severity,
        "severity_recruitment": severity, "grade": 3 if seconds >= 180 else 2 if seconds >= 30 else 1,
        "peak_uv": 120.0, "peak_ratio": 20.0, "load": seconds / 10, "confidence": 0.9, "flags": (),
        "sites": ("gastrocnemius_medialis",), "detector": "0.1.0", "params": "abc",
        "updated_ns": onset_ns + round(seconds * 1e9),
    }  # fmt: skip
    return Episode(**(values | changes))  # type: ignore[arg-type]


class AppTransport(httpx.BaseTransport):
    """Calls an application without a server, so that plain synchronous tests can use it."""

    def __init__(self, app: FastAPI) -> None:
        self._transport = httpx.ASGITransport(app, raise_app_exceptions=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return asyncio.run(self._answer(request))

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        response = await self._transport.handle_async_request(request)
        content = await response.aread()
        return httpx.Response(response.status_code, headers=response.headers, content=content)


@dataclass
class World:
    """An application over a registry file and a store, with a clock that tests set."""

    folder: Path
    now: str = "2026-03-20T12:00:00"
    store: Store = field(default_factory=MemoryStore)
    registry: Registry = field(init=False)
    app: FastAPI = field(init=False)

    def __post_init__(self) -> None:
        self.registry = open_registry(f"sqlite:///{self.folder / 'registry.sqlite'}")
        self.app = create_app(
            registry=self.registry,
            store=self.store,
            admin_token=TOKEN,
            data_dir=self.folder,
            version="0.0.test",
            now_ns=lambda: ns(self.now),
        )

    def client(self, *, signed_in: bool = True) -> httpx.Client:
        """A client that knows the token, or one that does not."""
        headers = {"Authorization": f"Bearer {TOKEN}"} if signed_in else {}
        return httpx.Client(transport=AppTransport(self.app), base_url="http://charley.test", headers=headers)

    def write(self, *records: Record | Iterable[Record]) -> None:
        """Put records into the store."""
        for item in records:
            self.store.write([item] if isinstance(item, Epoch | Episode | DeviceStatus | ServiceStatus) else list(item))

    def close(self) -> None:
        """Close what was opened."""
        self.registry.close()
        self.store.close()


def get(http: httpx.Client, path: str, **params: str | int) -> Any:
    """What an address of the API gives."""
    response = http.get(V1 + path, params=params)
    assert response.status_code == 200, response.text
    return response.json()


def post(http: httpx.Client, path: str, body: dict[str, Any]) -> Any:
    """What an address of the API makes of a body."""
    response = http.post(V1 + path, json=body)
    assert response.status_code == 201, response.text
    return response.json()


def check_problem(response: httpx.Response, status: int, name: str) -> Any:
    """A response is this problem; returns its body."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert body["type"] == f"urn:charley:problem:{name}"
    assert body["status"] == status
    assert body["title"]
    assert body["detail"].endswith(".")
    return body


def add_wearer(http: httpx.Client, name: str = "Ada", *, zone: str = "Europe/Berlin", **more: str) -> str:
    """Register a wearer, return the id."""
    return str(post(http, "/wearers", {"name": name, "zone": zone, **more})["id"])


def assign(
    http: httpx.Client, wearer: str, device: str, *, since: str = "2026-01-01T00:00:00Z", to: str | None = None,
    side: str = "left",
) -> str:  # fmt: skip
    """Register a device unless it is, and assign it; returns the assignment's id."""
    if http.get(f"{V1}/devices/{device}").status_code == 404:
        post(http, "/devices", {"id": device})
    body = {"device": device, "wearer": wearer, "side": side, "muscle": "gastrocnemius_medialis", "from": since}
    return str(post(http, "/assignments", body | ({"to": to} if to else {}))["id"])


def tell(http: httpx.Client, wearer: str, part: str, **entry: Any) -> dict[str, Any]:
    """Add an entry to a part of a wearer's diary; returns it."""
    told: dict[str, Any] = post(http, f"/wearers/{wearer}/diary/{part}", entry)
    return told


def enrol(http: httpx.Client, wearer: str, plan: dict[str, Any], *, first: str) -> dict[str, Any]:
    """Register a trial and have a wearer join it; returns the trial."""
    trial = post(http, "/trials", plan)["id"]
    joined: dict[str, Any] = post(http, f"/trials/{trial}/members", {"wearer": wearer, "first": first})
    return joined
