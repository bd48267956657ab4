"""Opens the store that the settings name."""

from ingest.settings import Settings
from ingest.store.influx import InfluxStore
from ingest.store.interface import Store
from ingest.store.sqlite import SqliteStore


def open_influx(settings: Settings) -> InfluxStore:
    """InfluxDB, as the settings have it."""
    token = settings.influxdb_token.get_secret_value() if settings.influxdb_token else ""
    return InfluxStore(
        settings.influxdb_url or "", token=token, org=settings.influxdb_org, bucket=settings.influxdb_bucket
    )


def open_store(settings: Settings) -> Store:
    """InfluxDB, or SQLite in the data folder."""
    return open_influx(settings) if settings.store == "influxdb" else SqliteStore(settings.data_dir / "store.sqlite")
