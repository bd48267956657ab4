"""docker-compose.yml and Dockerfile: pinned, unprivileged, watched, and without a secret of their own."""

import re
from pathlib import Path
from typing import Any, Final

import pytest
import typer
import yaml

import charley
from ingest.settings import load_settings
from simulators.scenarios import SCENARIOS

ROOT: Final = Path(__file__).resolve().parent.parent
COMPOSE: Final[dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: Final[dict[str, dict[str, Any]]] = COMPOSE["services"]
DOCKERFILE: Final = (ROOT / "Dockerfile").read_text()
EXAMPLE: Final = (ROOT / ".env.example").read_text()
SECRET: Final = re.compile(r"PASSWORD|TOKEN|SECRET|KEY")
services = pytest.mark.parametrize("name", sorted(SERVICES))


def test_services_are_these() -> None:
    assert set(SERVICES) == {"mosquitto", "influxdb", "ingest", "api", "simulator"}
    assert SERVICES["simulator"]["profiles"] == ["demo"]
    assert "version" not in COMPOSE


@services
def test_health_is_checked(name: str) -> None:
    check = SERVICES[name]["healthcheck"]
    assert check["test"][0] == "CMD"
    assert "interval" in check


@services
def test_dependencies_are_waited_for(name: str) -> None:
    for dependency, how in SERVICES[name].get("depends_on", {}).items():
        assert "healthcheck" in SERVICES[dependency]
        assert how == {"condition": "service_healthy"}


@services
def test_runs_unprivileged(name: str) -> None:
    service = SERVICES[name]
    user, _, group = re.sub(r"\$\{(\w+):\?[^}]*\}", r"$\1", str(service["user"])).partition(":")
    assert user not in {"", "0", "root"}
    assert group not in {"", "0", "root"}
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert "privileged" not in service
    # InfluxDB's own start script writes beside its volumes.
    assert service.get("read_only") or name == "influxdb"


@services
def test_image_is_pinned(name: str) -> None:
    tag = SERVICES[name]["image"].rpartition(":")[2]
    assert re.fullmatch(r"\d+\.\d+\.\d+", tag)


@services
def test_no_secret_has_a_default(name: str) -> None:
    for key, value in SERVICES[name].get("environment", {}).items():
        if SECRET.search(key):
            assert re.fullmatch(r"\$\{CHARLEY_\w+:\?is not set, run deploy/make-secrets\}", value), key


@services
def test_ports_are_on_this_machine_unless_said_otherwise(name: str) -> None:
    for port in SERVICES[name].get("ports", []):
        assert re.match(r"\$\{CHARLEY_\w+_BIND:-127\.0\.0\.1\}:", port)


def test_variables_are_those_of_the_example() -> None:
    used = set(re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.yml").read_text()))
    named = set(re.findall(r"^#? ?(\w+)=", EXAMPLE, re.MULTILINE))
    assert used == named


def test_example_holds_no_secret() -> None:
    assert not [line for line in EXAMPLE.splitlines() if re.match(r"\w+=.", line)]


def test_every_service_asks_for_what_make_secrets_writes() -> None:
    required = set(re.findall(r"\$\{(\w+):\?", (ROOT / "docker-compose.yml").read_text()))
    written = set(re.findall(r'"(CHARLEY_\w+)": ', (ROOT / "deploy" / "make-secrets").read_text()))
    assert required == written


def test_files_that_are_mounted_exist() -> None:
    made = {"./deploy/secrets", "./data/mosquitto"}  # by deploy/make-secrets
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("./"):
                assert source in made or (ROOT / source).exists()
            else:
                assert source in COMPOSE["volumes"]


def test_image_of_dockerfile() -> None:
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert len(bases) == 2
    assert all(re.fullmatch(r"python:3\.11\.\d+-slim-\w+", base) for base in bases)
    final = DOCKERFILE.split("FROM ")[-1]
    assert "USER 10001:10001" in final
    assert 'ENTRYPOINT ["charley"]' in final
    # Every installation is either hashed and a wheel, or local.
    for line in DOCKERFILE.splitlines():
        if "pip install" in line:
            assert "--no-index" in line or ("--require-hashes" in line and "--only-binary :all:" in line)


def test_files_that_dockerfile_copies_are_let_through() -> None:
    allowed = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    copied = [
        path for line in re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE) for path in line.split()
    ]
    assert sorted(copied) == sorted(allowed)
    packages = [name for name in allowed if (ROOT / name).is_dir()]
    assert set(packages) == {"api", "detector", "ingest", "simulators"}


def _with_values(text: str) -> str:
    """A value as compose fills it in: required variables are set, the others take their default."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", re.sub(r"\$\{\w+:\?[^}]*\}", "value", text))


@pytest.mark.parametrize("name", ["ingest", "api", "simulator"])
def test_role_starts_with_these_settings(name: str) -> None:
    service = SERVICES[name]
    environment = {key: _with_values(value) for key, value in service["environment"].items()}
    settings = load_settings(environment)
    assert settings.store == ("sqlite" if name == "simulator" else "influxdb")
    command = typer.main.get_command(charley.app)
    assert service["command"][0] in getattr(command, "commands", {})
    assert all(scenario in SCENARIOS for scenario in service["command"][1:])


def test_health_checks_ask_where_the_roles_answer() -> None:
    ingest, api = SERVICES["ingest"], SERVICES["api"]
    assert f":{ingest['environment']['CHARLEY_METRICS_PORT']}/metrics" in ingest["healthcheck"]["test"][-1]
    assert f":{api['environment']['CHARLEY_API_PORT']}/readyz" in api["healthcheck"]["test"][-1]
