"""What the broker remembers of the ingester, held against what its data folder knows."""

import io
import json
from contextlib import closing
from pathlib import Path

from servers import Mosquitto, wait_for

from ingest.journal import Journal
from ingest.log import json_log
from ingest.mqtt import MqttSettings, MqttSource


def test_a_broker_that_has_forgotten_us_is_a_warning(tmp_path: Path) -> None:
    log = io.StringIO()
    (tmp_path / "broker").mkdir()
    with Mosquitto(tmp_path / "broker") as broker:
        settings = MqttSettings(port=broker.port, client_id="forgotten", reconnect_max_s=1)
        with closing(MqttSource(settings, log=json_log(log), new=True)) as ours:
            wait_for(lambda: ours.subscribed, what="subscription")
            broker.kill()  # before its first save
            (tmp_path / "broker" / "mosquitto.db").unlink(missing_ok=True)
            broker.start()
            wait_for(lambda: log.getvalue().count("broker_connected") == 2, timeout_s=30, what="a connection again")
    warned = [line for line in map(json.loads, log.getvalue().splitlines()) if line["level"] == "warning"]
    assert [line["event"] for line in warned if line["event"] != "broker_unreachable"] == [
        "broker_disconnected", "session_lost",
    ]  # fmt: skip


def test_a_new_data_folder_at_a_broker_that_knows_us_is_told_of_once(mosquitto: Mosquitto, tmp_path: Path) -> None:
    settings = MqttSettings(port=mosquitto.port, client_id="forgetful", reconnect_max_s=1)

    def errors(folder: Path) -> list[str]:
        """What is said of two connections."""
        log = io.StringIO()
        folder.mkdir(exist_ok=True)
        with closing(Journal(folder / "journal.sqlite")) as journal:
            with closing(MqttSource(settings, log=json_log(log), new=journal.created)) as ours:
                wait_for(lambda: ours.subscribed, what="subscription")
                mosquitto.restart()
                wait_for(lambda: log.getvalue().count("broker_connected") == 2, timeout_s=30, what="a connection again")
            lines = [json.loads(line) for line in log.getvalue().splitlines()]
        return [line["event"] for line in lines if line["level"] == "error"]

    assert errors(tmp_path / "mounted") == []
    assert errors(tmp_path / "mounted") == []
    assert errors(tmp_path / "below") == ["data_folder_new"]
