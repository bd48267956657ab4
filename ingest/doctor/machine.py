"""This machine: its clock, its limits, its versions."""

import ctypes
import importlib.metadata
import re
import resource
import sqlite3
import sys
from dataclasses import dataclass
from typing import Final

from ingest.doctor.check import Check, fail, in_words, ok, skipped, warn

FILES: Final = 1024
CLOCK_S: Final = 2.0  # an HTTP date is in whole seconds
_UNSYNCED: Final = 0x40  # STA_UNSYNC of adjtimex(2)
# https://sqlite.org/wal.html: the WAL-reset bug, and the releases that got its mend.
_WAL_MENDED: Final = (3, 51, 3)
_WAL_BACKPORTS: Final = {(3, 44): 6, (3, 50): 7}


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineFacts:
    """What was seen of this machine."""

    python: tuple[int, int, int]
    sqlite: tuple[int, int, int]
    packages: tuple[str, ...] = ()  # installed below what is required, in words
    open_files: int = FILES
    synced: bool | None = None  # whether the kernel says that the clock is kept by NTP; None where it does not say
    server_offset_s: float | None = None  # this clock minus that of InfluxDB


def look_at_machine(*, server_offset_s: float | None) -> MachineFacts:
    """Versions, limits, clock."""
    major, minor, patch = sqlite3.sqlite_version_info
    return MachineFacts(
        python=sys.version_info[:3],
        sqlite=(major, minor, patch),
        packages=tuple(_too_old()),
        open_files=resource.getrlimit(resource.RLIMIT_NOFILE)[0],
        synced=_synced(),
        server_offset_s=server_offset_s,
    )


def check_machine(facts: MachineFacts) -> list[Check]:
    """Every check of the machine."""
    return [_clock(facts), _ntp(facts), _files(facts), _python(facts), _sqlite(facts), _packages(facts)]


def _clock(facts: MachineFacts) -> Check:
    name, offset_s = "machine.clock", facts.server_offset_s
    if offset_s is None:
        return skipped(name, "no other clock to compare with")
    told = f"{in_words(abs(offset_s))} {'ahead of' if offset_s > 0 else 'behind'} InfluxDB's"
    if abs(offset_s) > 60:
        return fail(name, told, "keep both clocks by NTP: timedatectl set-ntp true")
    if abs(offset_s) > CLOCK_S:
        return warn(name, told, "keep both clocks by NTP: timedatectl set-ntp true")
    return ok(name, f"within {CLOCK_S:.0f} s of InfluxDB's")


def _ntp(facts: MachineFacts) -> Check:
    name = "machine.ntp"
    if facts.synced is None:
        return skipped(name, "this system does not say whether its clock is kept by NTP")
    if not facts.synced:
        mend = "timedatectl set-ntp true (or install chrony); devices' clocks are judged by this one"
        return warn(name, "the kernel says that nothing keeps this clock", mend)
    return ok(name, "the clock is kept by NTP")


def _files(facts: MachineFacts) -> Check:
    name, told = "machine.open_files", f"a process may open {facts.open_files} files"
    if 0 <= facts.open_files < FILES:
        return warn(name, told, f"ulimit -n {FILES} or more; systemd: LimitNOFILE={FILES * 64}")
    return ok(name, told)


def _python(facts: MachineFacts) -> Check:
    told = "Python " + ".".join(map(str, facts.python))
    if facts.python < (3, 11):
        return fail("machine.python", told, "install Python 3.11 or newer")
    return ok("machine.python", told)


def _sqlite(facts: MachineFacts) -> Check:
    name, told = "machine.sqlite", "SQLite " + ".".join(map(str, facts.sqlite))
    if facts.sqlite < (3, 37):
        return fail(name, told, "install SQLite 3.37 or newer: the store's tables are STRICT")
    backport = _WAL_BACKPORTS.get(facts.sqlite[:2])
    if facts.sqlite >= _WAL_MENDED or (backport is not None and facts.sqlite[2] >= backport):
        return ok(name, told)
    mend = "use a Python with SQLite 3.51.3 or newer when one is at hand, and back up until then"
    return warn(name, f"{told} has the WAL-reset bug: very rarely a checkpoint damages a file", mend)


def _packages(facts: MachineFacts) -> Check:
    name = "machine.packages"
    if facts.packages:
        mend = "install the pinned versions: pip install --require-hashes -r deploy/requirements.txt"
        return fail(name, f"older than required: {', '.join(facts.packages)}", mend)
    told = ", ".join(
        f"{name} {importlib.metadata.version(name)}" for name in ("paho-mqtt", "influxdb-client", "pyarrow")
    )
    return ok(name, told)


def _too_old() -> list[str]:
    """What is installed in an older version than Charley requires."""
    found = []
    for requirement in importlib.metadata.requires("charley") or []:
        match = re.match(r"([A-Za-z0-9_.-]+)>=([0-9.]+)$", requirement)
        if match is None:
            continue  # an extra
        name, least = match[1], match[2]
        installed = importlib.metadata.version(name)
        if _numbers(installed) < _numbers(least):
            found.append(f"{name} {installed} (needs {least})")
    return found


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


class _Timex(ctypes.Structure):
    """The beginning of Linux's struct timex, and room for the rest."""

    _fields_ = (
        ("modes", ctypes.c_uint), ("offset", ctypes.c_long), ("freq", ctypes.c_long), ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long), ("status", ctypes.c_int), ("rest", ctypes.c_char * 256),
    )  # fmt: skip


def _synced() -> bool | None:
    if not sys.platform.startswith("linux"):
        return None
    answer = _Timex()
    state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(answer))
    return None if state < 0 else not answer.status & _UNSYNCED
