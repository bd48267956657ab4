"""What a mosquitto.conf says, where it can be read: some of it no experiment from outside can show."""

from pathlib import Path
from typing import Final

from ingest.doctor.check import Check, fail, ok, skipped, warn
from ingest.errors import IngestError
from ingest.wire import MAX_PAYLOAD_BYTES

NAME: Final = "broker.configuration"
# What Mosquitto does where the file is silent.
_DEFAULTS: Final = {
    "persistence": "false", "max_queued_messages": "1000", "max_queued_bytes": "0", "max_inflight_messages": "20",
    "message_size_limit": "0", "per_listener_settings": "false", "autosave_interval": "1800",
    "persistent_client_expiration": "",
}  # fmt: skip

_NUMBERS: Final = ("autosave_interval", "message_size_limit", "max_inflight_messages")


def read_conf(path: Path) -> dict[str, str]:
    """The last value of each option, with the files of `include_dir`, which Mosquitto heeds in the first file only."""
    found: dict[str, str] = {}
    for option, value in _lines(path):
        if option == "include_dir":
            for other in sorted(Path(value).glob("*.conf")):
                found |= dict(_lines(other))
        else:
            found[option] = value
    return found


def _lines(path: Path) -> list[tuple[str, str]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise IngestError(f"--mosquitto-conf {path} cannot be read: {error}") from error
    parts = (line.strip().partition(" ") for line in lines)
    return [(option, value.strip()) for option, _, value in parts if option and not option.startswith("#")]


def check_conf(given: dict[str, str] | None) -> list[Check]:
    """Every check of a configuration; without one, where to look."""
    if given is None:
        why = "persistence cannot be seen from outside"
        return [skipped("broker.persistence", why, "pass --mosquitto-conf /etc/mosquitto/mosquitto.conf")]
    conf = _DEFAULTS | given
    if wrong := [option for option in _NUMBERS if not conf[option].isdecimal()]:
        return [_no_number(option, conf[option]) for option in wrong]
    return [_persistence(conf), *_limits(conf), *_sessions(conf)]


def _no_number(option: str, value: str) -> Check:
    mend = f"write a whole number after {option}, or remove the line; then look again"
    return fail(f"{NAME}.{option}", f"{option} is {value!r}, which is not a number", mend)


def _persistence(conf: dict[str, str]) -> Check:
    if conf["persistence"] != "true":
        mend = "persistence true, persistence_location /var/lib/mosquitto/, autosave_interval 60"
        return fail("broker.persistence", "a restart of the broker loses sessions and all that is queued", mend)
    seconds = int(conf["autosave_interval"])
    if seconds == 0 or seconds > 300:
        told = "only when the broker ends in order" if seconds == 0 else f"every {seconds} s"
        mend = "autosave_interval 60: a crash of the broker loses what came since the last save"
        return warn("broker.persistence", f"saved {told}", mend)
    return ok("broker.persistence", f"on, saved every {seconds} s")


def _limits(conf: dict[str, str]) -> list[Check]:
    found = []
    limit = int(conf["message_size_limit"])
    for option, fine, mend in (
        ("max_queued_messages", conf["max_queued_messages"] == "0", "max_queued_messages 0"),
        ("max_queued_bytes", conf["max_queued_bytes"] == "0", "max_queued_bytes 0"),
        ("message_size_limit", limit == 0 or limit >= MAX_PAYLOAD_BYTES,
         f"message_size_limit {2 * MAX_PAYLOAD_BYTES}, or 0"),
    ):  # fmt: skip
        told = f"{option} {conf[option]}"
        name = f"{NAME}.{option}"
        found.append(ok(name, told) if fine else fail(name, f"{told}: what is beyond is dropped silently", mend))
    inflight = int(conf["max_inflight_messages"])
    told, name = f"max_inflight_messages {inflight}", f"{NAME}.max_inflight_messages"
    found.append(ok(name, told) if inflight == 0 or inflight >= 100 else warn(name, told, "max_inflight_messages 0"))
    return found


def _sessions(conf: dict[str, str]) -> list[Check]:
    found = []
    name = f"{NAME}.per_listener_settings"
    if conf["per_listener_settings"] == "true":
        mend = "per_listener_settings false: Mosquitto 2.0.12 to 2.0.18 lose sessions with it"
        found.append(warn(name, "per_listener_settings true", mend))
    else:
        found.append(ok(name, "per_listener_settings false"))
    if conf["persistent_client_expiration"]:
        told = f"persistent_client_expiration {conf['persistent_client_expiration']}"
        mend = "more than the longest absence of the ingester, or remove it"
        found.append(warn(f"{NAME}.persistent_client_expiration", f"{told}: sessions end after that", mend))
    return found
