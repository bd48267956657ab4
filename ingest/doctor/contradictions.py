"""Settings that are allowed, and yet say two things at once."""

from typing import Final
from urllib.parse import urlsplit

from ingest.doctor.check import Check, ok, warn
from ingest.settings import LOOPBACK, Settings

NAME: Final = "settings"
PLAIN_PORT: Final = 1883
TLS_PORT: Final = 8883


def check_settings(settings: Settings) -> list[Check]:
    """What the settings contradict themselves in; one `ok` when it is nothing."""
    found = [*_broker(settings), *_store(settings), *_api(settings)]
    return found or [ok(NAME, "nothing contradicts itself")]


def _broker(settings: Settings) -> list[Check]:
    found = []
    tls = settings.broker_tls_ca is not None
    if settings.broker_password is not None and not tls and not _private(settings.broker_host):
        mend = "set CHARLEY_BROKER_TLS_CA and the broker's TLS port"
        found.append(warn(NAME, f"the broker's password goes to {settings.broker_host} in plain text", mend))
    if tls and settings.broker_port == PLAIN_PORT:
        mend = f"CHARLEY_BROKER_PORT={TLS_PORT}, or whichever port the broker's TLS listener has"
        found.append(warn(NAME, f"TLS on port {PLAIN_PORT}, where brokers speak without", mend))
    if not tls and settings.broker_port == TLS_PORT:
        mend = f"set CHARLEY_BROKER_TLS_CA, or CHARLEY_BROKER_PORT={PLAIN_PORT}"
        found.append(warn(NAME, f"no TLS on port {TLS_PORT}, where brokers speak with it", mend))
    return found


def _store(settings: Settings) -> list[Check]:
    found = []
    if settings.store == "sqlite" and settings.influxdb_token is not None:
        mend = "CHARLEY_STORE=influxdb, or unset the token"
        found.append(warn(NAME, "CHARLEY_INFLUXDB_TOKEN is set, but CHARLEY_STORE is sqlite", mend))
    try:
        url = urlsplit(settings.influxdb_url or "")
    except ValueError:
        return found  # not an address: the check of InfluxDB says so
    if url.scheme == "http" and settings.influxdb_token is not None and not _private(url.hostname or ""):
        found.append(warn(NAME, f"InfluxDB's token and all results go to {url.hostname} in plain text", "use https://"))
    return found


def _api(settings: Settings) -> list[Check]:
    if settings.allow_remote and settings.api_host in LOOPBACK:
        mend = "unset CHARLEY_ALLOW_REMOTE, or set CHARLEY_API_HOST"
        return [warn(NAME, "CHARLEY_ALLOW_REMOTE is true, but the API is on loopback only", mend)]
    return []


def _private(host: str) -> bool:
    """Whether it is this machine, or a name that only a network of containers knows."""
    return host in LOOPBACK or ("." not in host and ":" not in host)
