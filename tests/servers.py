"""Real servers for tests; the benchmarks use the same."""

from benchmarks.servers import Child, InfluxDB, Mosquitto, accepts, find, free_port, wait_for

__all__ = ["Child", "InfluxDB", "Mosquitto", "accepts", "find", "free_port", "wait_for"]
