"""`charley simulate`: what it sends to a broker is a device that has just started."""

from pathlib import Path

import servers
from charley_run import charley, ingester

from ingest.store.sqlite import SqliteStore


def test_a_scenario_sent_twice_is_a_device_that_started_again(mosquitto: servers.Mosquitto, tmp_path: Path) -> None:
    """Not a repetition of what the service has, which it would drop."""
    settings = {"broker_host": mosquitto.host, "broker_port": mosquitto.port}
    store = SqliteStore(tmp_path / "store.sqlite")
    ends = [0]
    try:
        with ingester(mosquitto, {}, folder=tmp_path):
            for boots in (1, 2):
                done = charley("simulate", "minute", settings=settings)
                assert done.returncode == 0, done.stderr
                servers.wait_for(lambda: ends[-1] < last_sample(store), what=f"samples of start {boots}")
                ends.append(last_sample(store))
    finally:
        store.close()


def last_sample(store: SqliteStore) -> int:
    return max((status.last_sample_ns for status in store.statuses(["sim-minute"])), default=0)
