"""Who wears what, since when and where: the only place that knows people. SQL, SQLite by default."""

from api.registry import diary_tables, trial_tables  # noqa: F401 - so that `metadata` knows every table
from api.registry.database import Registry, open_registry, server_of
from api.registry.values import MUSCLES, Assignment, Device, Muscle, Side, Wearer

__all__ = ["MUSCLES", "Assignment", "Device", "Muscle", "Registry", "Side", "Wearer", "open_registry", "server_of"]
