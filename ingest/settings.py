"""Everything that can be set, read once from the environment into one frozen object."""

import ipaddress
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from ingest.errors import IngestError

PREFIX: Final = "CHARLEY_"
FOR_TESTS: Final = ("CHARLEY_TEST_", "CHARLEY_REQUIRE_SERVERS")
SECRETS: Final = ("CHARLEY_BROKER_PASSWORD", "CHARLEY_INFLUXDB_TOKEN", "CHARLEY_REGISTRY_URL")
LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


class SettingsError(IngestError):
    """Settings that are unknown, unreadable or unsafe."""


class Settings(BaseModel):
    """What the environment sets as CHARLEY_<NAME>; secrets also as CHARLEY_<NAME>_FILE, the file that holds them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data_dir: Path = Field(default=Path("data"), description="folder of journal, store, registry and admin token")
    broker_host: str = Field(default="127.0.0.1", description="MQTT broker")
    broker_port: int = Field(default=1883, ge=1, le=65535, description="its port")
    broker_username: str | None = Field(default=None, description="user name at the broker")
    broker_password: SecretStr | None = Field(default=None, description="password at the broker")
    broker_tls_ca: Path | None = Field(default=None, description="certificate authority file; turns TLS on")
    client_id: str = Field(default="charley-ingest", description="MQTT client id of the ingester; it names the session")
    store: Literal["sqlite", "influxdb"] = Field(default="sqlite", description="where results are kept")
    influxdb_url: str | None = Field(default=None, description="InfluxDB 1.8 or newer, 2, or 3 Core")
    influxdb_token: SecretStr | None = Field(default=None, description="its token; `user:password` for 1.8")
    influxdb_org: str = Field(default="charley", description="its organisation")
    influxdb_bucket: str = Field(default="charley", description="its bucket or database")
    registry_url: SecretStr | None = Field(  # it may hold a password
        default=None, description="SQLAlchemy URL of the registry; SQLite in the data folder if unset"
    )
    api_host: str = Field(default="127.0.0.1", description="address at which API and page are served")
    api_port: int = Field(default=8000, ge=1, le=65535, description="their port")
    allow_remote: bool = Field(default=False, description="true permits an api_host beyond loopback; put TLS before it")
    metrics_port: int = Field(default=0, ge=0, le=65535, description="port of the ingester's metrics; 0 is off")
    min_free_mb: int = Field(
        default=512, ge=0, description="MiB of disk below which the ingester takes no more, until there is room again"
    )
    archive_after_s: int = Field(
        default=3600, ge=0, description="seconds for which raw blocks stay in the journal before they are archived"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="least level logged")

    @field_validator("broker_host")
    @classmethod
    def _a_host(cls, host: str) -> str:
        if wrong := _wrong_with_host(host):
            raise ValueError(f"{host!r} is no host: {wrong}. Give a name or an address, such as broker.example.org.")
        return host

    @field_validator("broker_tls_ca")
    @classmethod
    def _an_authority(cls, file: Path | None) -> Path | None:
        mend = "Name the PEM file with the certificate of the authority that signed the broker's."
        try:
            if file is not None:
                ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=file)
        except ssl.SSLError as error:
            raise ValueError(
                f"{file} holds no certificate that can be read ({error.reason or error}). {mend}"
            ) from error
        except OSError as error:
            raise ValueError(f"{file} cannot be read: {error.strerror}. {mend}") from error
        return file

    @model_validator(mode="after")
    def _safe(self) -> Self:
        if self.api_host not in LOOPBACK and not self.allow_remote:
            raise ValueError(
                f"CHARLEY_API_HOST={self.api_host} would serve health data beyond this machine without TLS. "
                "Put a proxy with TLS before it and set CHARLEY_ALLOW_REMOTE=true, or leave it at 127.0.0.1."
            )
        if self.broker_password is not None and not self.broker_username:
            raise ValueError("CHARLEY_BROKER_PASSWORD is set without CHARLEY_BROKER_USERNAME. Set both or neither.")
        if self.store == "influxdb" and not self.influxdb_url:
            raise ValueError("CHARLEY_STORE=influxdb needs CHARLEY_INFLUXDB_URL, for instance http://127.0.0.1:8086.")
        if self.store == "influxdb" and not _given(self.influxdb_token):
            raise ValueError(
                "CHARLEY_STORE=influxdb needs CHARLEY_INFLUXDB_TOKEN, or CHARLEY_INFLUXDB_TOKEN_FILE, the file that "
                "holds it: a token that may read and write the bucket, for 1.8 user:password. A server that asks for "
                "none takes any word."
            )
        if self.store == "sqlite" and self.influxdb_url:
            raise ValueError("CHARLEY_INFLUXDB_URL is set but not used. Set CHARLEY_STORE=influxdb, or unset it.")
        return self


def load_settings(environment: Mapping[str, str]) -> Settings:
    """The settings of an environment, or `SettingsError` with a sentence that helps; empty counts as unset."""
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    given: dict[str, Any] = {}
    for key, value in sorted(environment.items()):
        if not key.startswith(PREFIX) or key.startswith(FOR_TESTS) or not value:
            continue
        if key in known:
            given[key.removeprefix(PREFIX).lower()] = value
            continue
        secret = key.removesuffix("_FILE")
        if secret not in SECRETS or not key.endswith("_FILE"):
            names = ", ".join(sorted(known))
            raise SettingsError(f"{key} is not a setting. Settings are {names}. Correct or unset it.")
        if environment.get(secret):
            raise SettingsError(f"{secret} and {key} are both set. Keep one.")
        try:
            content = Path(value).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{key} names {value}, which cannot be read: {error}") from error
        if not content:
            raise SettingsError(f"{key} names {value}, which is empty. Write the secret into it, or unset {key}.")
        given[secret.removeprefix(PREFIX).lower()] = content
    try:
        return Settings(**given)
    except ValidationError as error:
        raise SettingsError("; ".join(_sentence(problem) for problem in error.errors())) from error


def _wrong_with_host(host: str) -> str:
    """Why nothing can be reached under this name, or nothing."""
    if "/" in host or any(letter.isspace() or not letter.isprintable() for letter in host):
        return "it holds a / or a blank"
    try:
        ipaddress.ip_address(host)
    except ValueError:
        if ":" in host:
            return "a port belongs into CHARLEY_BROKER_PORT"
        try:
            host.encode("idna")
        except UnicodeError:
            return "between two points there are 1 to 63 letters"
    return ""


def _given(secret: SecretStr | None) -> bool:
    return secret is not None and bool(secret.get_secret_value().strip())


def _sentence(problem: Any) -> str:
    name = PREFIX + "_".join(str(part) for part in problem["loc"]).upper() if problem["loc"] else ""
    said = str(problem["msg"]).removeprefix("Value error, ")
    return f"{name}: {said}" if name else said


def shown(value: object) -> str:
    """A setting's value as one would set it; secrets are masked."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
