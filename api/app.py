"""Puts the HTTP service together. Nothing is opened here: registry and store come in open, and stay the caller's."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import uvicorn
from fastapi import APIRouter, FastAPI
from fastapi.staticfiles import StaticFiles
from prometheus_client import CollectorRegistry

from api import gate, problems
from api.access import Doorkeeper
from api.figures import Figures
from api.reading import Sources
from api.registry import Registry
from api.routes import (
    analyses,
    assignments,
    devices,
    diary,
    episodes,
    epochs,
    health,
    pages,
    planner,
    reports,
    summaries,
    trends,
    trials,
    wearers,
)
from api.trials.jobs import Analyses
from ingest.store import Store

PREFIX: Final = "/api/v1"
_ABOUT: Final = "Nights, days and cramps of wearers of leg sensors. Not a medical device."
_ANY_PROBLEM: Final = {
    "description": "Every error: RFC 9457, with a stable type.",
    "content": {problems.MEDIA_TYPE: {"schema": problems.SCHEMA}},
}


def create_app(
    *,
    registry: Registry,
    store: Store,
    admin_token: str,
    data_dir: Path,
    version: str,
    metrics: CollectorRegistry | None = None,
    now_ns: Callable[[], int] = time.time_ns,
) -> FastAPI:
    """The API and its page over an open registry and store; `metrics` may be shared with other parts."""
    app = FastAPI(
        title="Charley",
        description=_ABOUT,
        version=version,
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,  # both would load scripts from elsewhere
        redoc_url=None,
        responses={"default": _ANY_PROBLEM},
    )
    app.state.sources = Sources(registry, store, now_ns)
    app.state.analyses = Analyses(app.state.sources)
    app.state.doorkeeper = Doorkeeper(admin_token)
    app.state.data_dir = data_dir
    app.state.metrics = metrics or CollectorRegistry()
    app.state.metrics.register(Figures(app.state.sources, data_dir))
    app.state.templates = pages.page_templates()
    problems.install(app)
    versioned = APIRouter(prefix=PREFIX)
    for part in (wearers, summaries, episodes, epochs, devices, assignments, analyses, trends, diary, trials, planner):
        versioned.include_router(part.router)
    versioned.include_router(reports.router)
    app.include_router(versioned)
    app.include_router(health.router)
    app.include_router(pages.router)
    app.mount("/static", StaticFiles(directory=pages.WEB / "static"), name="static")
    # The one added last is the first that a request meets.
    app.add_middleware(gate.Revalidated)
    app.add_middleware(gate.Door, doorkeeper=app.state.doorkeeper, now_ns=now_ns)
    app.add_middleware(gate.Counted, metrics=app.state.metrics)
    app.add_middleware(gate.Headed)
    return app


def make_server(app: FastAPI, *, host: str, port: int) -> uvicorn.Server:
    """A server for the application that writes no access log: addresses may hold dates and ids of people."""
    config = uvicorn.Config(
        app, host=host, port=port, access_log=False, log_config=None, server_header=False, lifespan="off"
    )
    return uvicorn.Server(config)
