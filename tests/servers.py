"""Real servers for tests; the benchmarks use the same."""

from benchmarks.influxdb import InfluxDB, InfluxDB1, installed_version, open_influxdb
from benchmarks.servers import Child, Mosquitto, accepts, find, free_port, wait_for

__all__ = [
    "Child", "InfluxDB", "InfluxDB1", "Mosquitto", "accepts", "find", "free_port", "installed_version",
    "open_influxdb", "wait_for",
]  # fmt: skip
