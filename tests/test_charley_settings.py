"""Settings: read once from the environment, refused with a sentence when unknown, out of range or unsafe."""

import re
import socket
from pathlib import Path
from typing import Final

import pytest
from certificate import PEM
from charley_run import charley
from pydantic import SecretStr
from servers import free_port

from charley import main
from ingest.settings import PREFIX, SECRETS, Settings, SettingsError, load_settings
from ingest.store.influx import InfluxStore
from ingest.store.opening import open_store
from ingest.store.sqlite import SqliteStore

SECRET: Final = "correct-horse"
ANYWHERE: Final = "0.0.0.0"  # noqa: S104 - nothing is bound
URL: Final = "http://127.0.0.1:8086"
INFLUXDB: Final = {"CHARLEY_STORE": "influxdb", "CHARLEY_INFLUXDB_URL": URL, "CHARLEY_INFLUXDB_TOKEN": SECRET}


def test_nothing_set_gives_a_service_on_this_machine_alone() -> None:
    settings = load_settings({"HOME": "/", "CHARLEY_BROKER_HOST": ""})
    assert settings == Settings()
    assert (settings.broker_host, settings.api_host, settings.store) == ("127.0.0.1", "127.0.0.1", "sqlite")
    assert (settings.allow_remote, settings.metrics_port) == (False, 0)


def test_every_setting_has_a_default_and_a_meaning() -> None:
    for name, field in Settings.model_fields.items():
        assert not field.is_required(), name
        assert field.description, name


def test_settings_are_read_and_cannot_be_changed_afterwards(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text(PEM)
    settings = load_settings({
        "CHARLEY_DATA_DIR": str(tmp_path), "CHARLEY_BROKER_PORT": "8883", "CHARLEY_BROKER_USERNAME": "ingest",
        "CHARLEY_BROKER_PASSWORD": SECRET, "CHARLEY_BROKER_TLS_CA": str(tmp_path / "ca.pem"),
        "CHARLEY_API_HOST": ANYWHERE, "CHARLEY_ALLOW_REMOTE": "true", "CHARLEY_LOG_LEVEL": "debug",
    })  # fmt: skip
    assert (settings.data_dir, settings.broker_port, settings.allow_remote) == (tmp_path, 8883, True)
    assert settings.broker_password == SecretStr(SECRET)
    with pytest.raises(ValueError, match="frozen"):
        settings.broker_port = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"CHARLEY_BROKERHOST": "x"}, r"CHARLEY_BROKERHOST is not a setting.*CHARLEY_BROKER_HOST"),
        ({"CHARLEY_broker_host": "x"}, r"CHARLEY_broker_host is not a setting"),
        ({"CHARLEY_STORE_FILE": "x"}, r"CHARLEY_STORE_FILE is not a setting"),
        ({"CHARLEY_API_HOST": ANYWHERE}, r"CHARLEY_API_HOST=0\.0\.0\.0 .*CHARLEY_ALLOW_REMOTE=true"),
        ({"CHARLEY_API_HOST": "192.168.1.5", "CHARLEY_ALLOW_REMOTE": "no"}, r"CHARLEY_ALLOW_REMOTE=true"),
        ({"CHARLEY_BROKER_PASSWORD": SECRET}, r"without CHARLEY_BROKER_USERNAME"),
        ({"CHARLEY_STORE": "influxdb"}, r"needs CHARLEY_INFLUXDB_URL"),
        ({"CHARLEY_STORE": "influxdb", "CHARLEY_INFLUXDB_URL": URL}, r"needs CHARLEY_INFLUXDB_TOKEN, or .*TOKEN_FILE"),
        ({"CHARLEY_STORE": "influxdb", "CHARLEY_INFLUXDB_URL": URL, "CHARLEY_INFLUXDB_TOKEN": " "}, r"needs .*_TOKEN"),
        ({"CHARLEY_INFLUXDB_URL": URL}, r"CHARLEY_INFLUXDB_URL is set but not used"),
        ({"CHARLEY_STORE": "postgres"}, r"CHARLEY_STORE: .*'sqlite' or 'influxdb'"),
        ({"CHARLEY_BROKER_PORT": "0"}, r"CHARLEY_BROKER_PORT: .*greater than or equal to 1"),
        ({"CHARLEY_BROKER_PORT": "65536"}, r"CHARLEY_BROKER_PORT: .*65535"),
        ({"CHARLEY_BROKER_PORT": "mqtt"}, r"CHARLEY_BROKER_PORT: .*integer"),
        ({"CHARLEY_API_PORT": "0"}, r"CHARLEY_API_PORT: .*greater than or equal to 1"),
        ({"CHARLEY_METRICS_PORT": "-1"}, r"CHARLEY_METRICS_PORT: .*greater than or equal to 0"),
        ({"CHARLEY_ALLOW_REMOTE": "perhaps"}, r"CHARLEY_ALLOW_REMOTE: .*boolean"),
        ({"CHARLEY_LOG_LEVEL": "loud"}, r"CHARLEY_LOG_LEVEL: .*'debug'"),
        (
            {"CHARLEY_BROKER_TLS_CA": "/nowhere.pem"},
            r"CHARLEY_BROKER_TLS_CA: /nowhere\.pem cannot be read: No such file",
        ),
        ({"CHARLEY_BROKER_TLS_CA": "/"}, r"CHARLEY_BROKER_TLS_CA: / .*Name the PEM file"),
        ({"CHARLEY_BROKER_TLS_CA": __file__}, r"CHARLEY_BROKER_TLS_CA: .*\.py holds no certificate.*Name the PEM file"),
        ({"CHARLEY_BROKER_HOST": "a..b"}, r"CHARLEY_BROKER_HOST: 'a\.\.b' is no host: .*Give a name or an address"),
        ({"CHARLEY_BROKER_HOST": "x" * 64}, r"CHARLEY_BROKER_HOST: .*1 to 63 letters"),
        ({"CHARLEY_BROKER_HOST": "mqtt://broker"}, r"CHARLEY_BROKER_HOST: .*holds a /"),
        ({"CHARLEY_BROKER_HOST": "broker:1883"}, r"CHARLEY_BROKER_HOST: .*CHARLEY_BROKER_PORT"),
        ({"CHARLEY_BROKER_PORT": "0", "CHARLEY_STORE": "x"}, r"CHARLEY_BROKER_PORT: .*; CHARLEY_STORE: "),
    ],
)
def test_what_is_refused_and_what_it_says(given: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError, match=said) as refusal:
        load_settings(given)
    assert SECRET not in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_loopback_needs_no_permission(host: str) -> None:
    assert load_settings({"CHARLEY_API_HOST": host}).api_host == host


@pytest.mark.parametrize("host", ["broker", "a_b", "broker.example.org.", "bücher.example", "::1", "fe80::1%eth0"])
def test_hosts_that_may_be_one_are_taken(host: str) -> None:
    assert load_settings({"CHARLEY_BROKER_HOST": host}).broker_host == host


@pytest.mark.parametrize("name", SECRETS)
def test_secrets_come_from_files_too(name: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    others = {"CHARLEY_BROKER_USERNAME": "ingest"}
    if name == "CHARLEY_INFLUXDB_TOKEN":
        others |= {"CHARLEY_STORE": "influxdb", "CHARLEY_INFLUXDB_URL": URL}
    settings = load_settings({**others, f"{name}_FILE": str(tmp_path / "secret")})
    assert getattr(settings, name.removeprefix(PREFIX).lower()) == SecretStr(SECRET)
    with pytest.raises(SettingsError, match=f"{name} and {name}_FILE are both set"):
        load_settings({**others, name: "other", f"{name}_FILE": str(tmp_path / "secret")})


@pytest.mark.parametrize(("content", "said"), [(None, "No such file"), (b"\xff\xfe", "utf-8"), (b" \n", "is empty")])
def test_secret_files_that_hold_no_secret(content: bytes | None, said: str, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SettingsError, match=rf"CHARLEY_INFLUXDB_TOKEN_FILE names {file}.*{said}"):
        load_settings({"CHARLEY_INFLUXDB_TOKEN_FILE": str(file)})


def test_every_secret_is_masked_wherever_settings_are_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    secrets = [name for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)]
    assert sorted(SECRETS) == sorted(PREFIX + name.upper() for name in secrets)
    given = dict.fromkeys(SECRETS, SECRET) | {
        "CHARLEY_BROKER_USERNAME": "ingest", "CHARLEY_STORE": "influxdb", "CHARLEY_INFLUXDB_URL": URL,
    }  # fmt: skip
    assert SECRET not in repr(load_settings(given)) + str(load_settings(given)) + load_settings(given).model_dump_json()
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    main_to_the_end(["settings"], code=0)
    shown = capsys.readouterr().out
    assert SECRET not in shown
    assert shown.count(" ********** ") == len(SECRETS)
    for name in Settings.model_fields:
        assert PREFIX + name.upper() in shown
    assert re.search(r"CHARLEY_ALLOW_REMOTE +│ false ", shown), "values are shown as one would set them"


def main_to_the_end(arguments: list[str], *, code: int) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == code


@pytest.mark.parametrize("role", ["ingest", "api", "settings"])
def test_roles_refuse_to_start_with_a_sentence(
    role: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CHARLEY_BROKER_PROT", "1883")
    main_to_the_end([role], code=2)
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("charley: CHARLEY_BROKER_PROT is not a setting.")
    assert printed.err.count("\n") == 1


def test_a_process_that_refuses_exits_with_2_and_prints_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = charley("api", settings={"data_dir": tmp_path / "file" / "below"})
    assert done.returncode == 2
    assert re.fullmatch(r"charley: CHARLEY_DATA_DIR=\S+ cannot be made: Not a directory\n", done.stderr)


@pytest.mark.parametrize(
    ("role", "settings", "in_the_way", "said"),
    [
        ("ingest", {}, "journal.sqlite", "journal.sqlite cannot be opened"),
        ("ingest", {}, "store.sqlite", "store.sqlite: unable to open"),
        ("api", {}, "admin-token", "admin-token"),
        ("api", {}, "registry.sqlite", "registry"),
        ("api", {"CHARLEY_REGISTRY_URL": "mysql://me:correct-horse@db/x"}, None, "SQLite or PostgreSQL, not in mysql"),
        ("ingest", {"CHARLEY_BROKER_HOST": "a..b"}, None, "CHARLEY_BROKER_HOST"),
        ("quarantine replay --all", {"CHARLEY_BROKER_HOST": "a..b"}, None, "CHARLEY_BROKER_HOST"),
        ("ingest", {"CHARLEY_BROKER_TLS_CA": __file__}, None, "CHARLEY_BROKER_TLS_CA"),
        ("quarantine replay --all", {"CHARLEY_BROKER_TLS_CA": __file__}, None, "CHARLEY_BROKER_TLS_CA"),
        ("ingest", {**INFLUXDB, "CHARLEY_INFLUXDB_URL": "db:8086"}, None, "http://host:8086"),
        ("ingest", {**INFLUXDB, "CHARLEY_INFLUXDB_TOKEN": ""}, None, "CHARLEY_INFLUXDB_TOKEN_FILE"),
        ("api", {**INFLUXDB, "CHARLEY_INFLUXDB_TOKEN": ""}, None, "CHARLEY_INFLUXDB_TOKEN_FILE"),
        ("doctor", {**INFLUXDB, "CHARLEY_INFLUXDB_TOKEN": ""}, None, "CHARLEY_INFLUXDB_TOKEN_FILE"),
        ("migrate influxdb", {**INFLUXDB, "CHARLEY_INFLUXDB_TOKEN": ""}, None, "CHARLEY_INFLUXDB_TOKEN_FILE"),
    ],
)  # fmt: skip
def test_what_stands_in_the_way_of_a_role_is_one_sentence(
    role: str, settings: dict[str, str], in_the_way: str | None, said: str, *,
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    if in_the_way:
        (tmp_path / in_the_way).mkdir()
    others = {"CHARLEY_DATA_DIR": str(tmp_path), "CHARLEY_API_PORT": str(free_port())}
    for name, value in {**settings, **others}.items():
        monkeypatch.setenv(name, value)
    main_to_the_end(role.split(), code=2)
    printed = capsys.readouterr().err
    assert said in printed
    assert SECRET not in printed
    assert printed.count("\n") == 1


def test_the_store_is_the_one_that_the_settings_name(tmp_path: Path) -> None:
    for given, kind in (({}, SqliteStore), (INFLUXDB, InfluxStore)):
        store = open_store(load_settings({**given, "CHARLEY_DATA_DIR": str(tmp_path)}))
        try:
            assert isinstance(store, kind)
        finally:
            store.close()


def test_the_data_folder_is_for_its_owner_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    others = {"CHARLEY_DATA_DIR": str(tmp_path / "new" / "data")}
    for name, value in {**INFLUXDB, **others, "CHARLEY_INFLUXDB_URL": "nothing"}.items():
        monkeypatch.setenv(name, value)
    main_to_the_end(["ingest"], code=2)
    assert (tmp_path / "new" / "data").stat().st_mode & 0o777 == 0o700


def test_an_ingester_whose_port_is_taken_does_not_first_take_the_brokers_session(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as broker, socket.create_server(("127.0.0.1", 0)) as taken:
        ports = {"broker_port": broker.getsockname()[1], "metrics_port": taken.getsockname()[1]}
        done = charley("ingest", settings={"data_dir": tmp_path, **ports})
        assert done.returncode == 2
        assert "CHARLEY_METRICS_PORT" in done.stderr
        broker.settimeout(0.2)
        with pytest.raises(TimeoutError):
            broker.accept()
