"""How each part does, in a state and a sentence: registry, store, disk, the ingester, and how old its results are.

Rules
-----
- `unavailable` is what makes the service not ready: registry, store or disk of the API itself, and an ingester that
  takes no more. Devices and broker then hold what it does not take, and somebody has to act.
- `degraded` does not: the API goes on to answer, with what there is. An ingester that is silent, never came, or has
  lost the broker, results that are late, and an ingester about which the store cannot say anything.
- An ingester that fell silent while it took no more is still not ready: nobody knows better.
- A store of which any read met damage is not ready until the service is started again: other reads may go well, and a
  file can only be restored while nobody has it open.
- Sentences are for everyone: `/readyz` is open. They name no device and no person.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from api.errors import RegistryDamaged, RegistryUnavailable
from api.reading import Sources
from api.wording import count, duration
from ingest.store import ServiceStatus, StoreDamaged, StoreError

PartState = Literal["ok", "degraded", "unavailable"]
LEAST_FREE_BYTES: Final = 100 * 2**20
SILENT_S: Final = 60.0
BEHIND_S: Final = 300.0
INGESTER: Final = "ingest"


@dataclass(frozen=True, slots=True)
class Part:
    """How one part does."""

    state: PartState
    sentence: str


OK: Final = Part("ok", "It works.")
STORE_DAMAGED: Final = Part(
    "unavailable",
    'The store is damaged. Stop every role and restore it: docs/operations.md, "When a file is damaged".',
)
REGISTRY_DAMAGED: Final = Part(
    "unavailable",
    'The registry is damaged. Stop the API and restore it: docs/operations.md, "When a file is damaged".',
)


def parts(sources: Sources, *, data_dir: Path) -> dict[str, Part]:
    """How each part does, by name."""
    store, services = _store(sources)
    ingester = services_named(services, INGESTER)
    now_ns = sources.now_ns()
    unknown = Part("degraded", "Not known while the store cannot be read.")
    return {
        "registry": _registry(sources),
        "store": store,
        "disk": _disk(data_dir),
        "ingester": of_ingester(ingester, now_ns=now_ns) if store == OK else unknown,
        "results": of_results(ingester, now_ns=now_ns) if store == OK else unknown,
    }


def overall(among: dict[str, Part]) -> PartState:
    """The worst state of all parts."""
    found = {part.state for part in among.values()}
    return "unavailable" if "unavailable" in found else "degraded" if "degraded" in found else "ok"


def services_named(services: Sequence[ServiceStatus], name: str) -> ServiceStatus | None:
    """The service of this name, if it was ever heard."""
    return next((service for service in services if service.name == name), None)


def of_ingester(status: ServiceStatus | None, *, now_ns: int) -> Part:
    """Whether the ingester is there, takes what comes, and is connected."""
    if status is None:
        return Part("degraded", "No ingester has been heard yet: start `charley ingest`.")
    silent_s = (now_ns - status.beat_ns) / 1e9
    silent = f"The ingester has not been heard for {duration(silent_s)}." if silent_s > SILENT_S else ""
    if not status.accepting:
        reason = status.reason.rstrip(".") or "it gave no reason"
        return Part("unavailable", f"The ingester takes no more: {reason}. {silent}".rstrip())
    if silent:
        return Part("degraded", f"{silent} What devices send waits at the broker.")
    if not status.connected:
        return Part("degraded", "The ingester is not connected to the broker.")
    return OK


def of_results(status: ServiceStatus | None, *, now_ns: int) -> Part:
    """Whether what the ingester found has come to the store."""
    if status is None or not status.oldest_outbox_ns:
        return OK
    behind_s = (now_ns - status.oldest_outbox_ns) / 1e9
    if behind_s <= BEHIND_S:
        return OK
    waiting = count(status.outbox + status.event_outbox, "record")
    return Part("degraded", f"Results are {duration(behind_s)} behind: {waiting} not delivered.")


def _registry(sources: Sources) -> Part:
    try:
        sources.registry.check()
    except RegistryDamaged:
        return REGISTRY_DAMAGED
    except RegistryUnavailable:
        return Part("unavailable", "The registry cannot be read.")
    return OK


def _store(sources: Sources) -> tuple[Part, list[ServiceStatus]]:
    try:
        services = sources.store.services()
    except StoreDamaged as error:
        sources.damage.note(error)
    except StoreError:
        return Part("unavailable", "The store cannot be read."), []
    else:
        if not sources.damage.met:
            return OK, services
    return STORE_DAMAGED, []


def _disk(data_dir: Path) -> Part:
    try:
        free = shutil.disk_usage(data_dir).free
    except OSError:
        return Part("unavailable", "The data folder cannot be read.")
    if free < LEAST_FREE_BYTES:
        return Part("unavailable", f"Only {free // 2**20} MiB are free on the disk of the data folder: make room.")
    return OK
