"""Whether each part answers. A full disk is found here before it stops the service."""

import shutil
from pathlib import Path
from typing import Final, Literal

from api.errors import RegistryUnavailable
from api.reading import Sources
from ingest.store import StoreError

PartState = Literal["ok", "unavailable", "full"]
LEAST_FREE_BYTES: Final = 100 * 2**20
_NO_DEVICE: Final = "readyz"  # the store is asked a question that costs nothing


def parts(sources: Sources, *, data_dir: Path) -> dict[str, PartState]:
    """The state of registry, store and disk."""
    return {"registry": _registry(sources), "store": _store(sources), "disk": _disk(data_dir)}


def _registry(sources: Sources) -> PartState:
    try:
        sources.registry.check()
    except RegistryUnavailable:
        return "unavailable"
    return "ok"


def _store(sources: Sources) -> PartState:
    try:
        sources.store.statuses([_NO_DEVICE])
    except StoreError:
        return "unavailable"
    return "ok"


def _disk(data_dir: Path) -> PartState:
    try:
        free = shutil.disk_usage(data_dir).free
    except OSError:
        return "unavailable"
    return "ok" if free >= LEAST_FREE_BYTES else "full"
