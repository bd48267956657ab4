"""What is kept: one small interface; memory, SQLite (embedded default) and InfluxDB behind it."""

from ingest.errors import StoreDamaged, StoreError, StoreRefused, StoreUnavailable
from ingest.store.interface import Store
from ingest.store.records import DeviceStatus, Episode, EpisodeState, Epoch, Record, ServiceStatus, same_record

__all__ = [
    "DeviceStatus",
    "Episode",
    "EpisodeState",
    "Epoch",
    "Record",
    "ServiceStatus",
    "Store",
    "StoreDamaged",
    "StoreError",
    "StoreRefused",
    "StoreUnavailable",
    "same_record",
]
