"""The whole service in one process: store and registry in files, the API over them, and a clock that is set."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import sleep
from typing import Any, Final

import httpx
from fastapi import FastAPI

from api.app import create_app
from api.registry import Registry, open_registry
from api.trials.jobs import Analyses
from ingest.store.sqlite import SqliteStore

V1: Final = "/api/v1"
TOKEN: Final = "of-a-simulated-trial-0123456789abcdef"  # noqa: S105 - opens nothing but what this process made
POLL_S: Final = 0.02


class _Transport(httpx.BaseTransport):
    """Calls an application without a server."""

    def __init__(self, app: FastAPI) -> None:
        self._transport = httpx.ASGITransport(app)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return asyncio.run(self._answer(request))

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        response = await self._transport.handle_async_request(request)
        return httpx.Response(response.status_code, headers=response.headers, content=await response.aread())


@dataclass
class System:
    """Store, registry and API in a folder, with a clock that is set."""

    registry: Registry
    store: SqliteStore
    now_ns: int = 0
    http: httpx.Client = field(init=False)
    analyses: Analyses = field(init=False)

    def get(self, path: str) -> Any:
        """What an address gives."""
        return _answered(self.http.get(V1 + path))

    def analysis(self, trial: str) -> Any:
        """The analysis of a trial, once the service has it."""
        while (body := self.get(f"/trials/{trial}/analysis"))["state"] != "ready":
            sleep(POLL_S)
        return body["analysis"]

    def post(self, path: str, body: Mapping[str, object]) -> Any:
        """What becomes of something sent."""
        return _answered(self.http.post(V1 + path, json=body))


@contextmanager
def system_in(folder: Path) -> Iterator[System]:
    """A whole system of its own, closed at the end."""
    registry, store = open_registry(f"sqlite:///{folder / 'registry.sqlite'}"), SqliteStore(folder / "store.sqlite")
    system = System(registry, store)
    app = create_app(
        registry=registry, store=store, admin_token=TOKEN, data_dir=folder, version="simulated",
        now_ns=lambda: system.now_ns,
    )  # fmt: skip
    system.analyses = app.state.analyses
    headers = {"Authorization": f"Bearer {TOKEN}"}
    system.http = httpx.Client(transport=_Transport(app), base_url="http://charley.test", headers=headers)
    try:
        yield system
    finally:
        registry.close()
        store.close()


def _answered(response: httpx.Response) -> Any:
    if response.status_code not in (200, 201, 202):
        raise RuntimeError(f"The service answers {response.status_code}: {response.text}")
    return response.json()
