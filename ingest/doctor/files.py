"""The data folder: who may read it, what kind of disk it is on, how long that lasts, and the archive in it."""

import datetime as dt
import os
import shutil
import stat
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ingest.archive.place import beside, check_place
from ingest.doctor.check import Check, fail, in_bytes, in_few, in_words, ok, skipped, warn
from ingest.errors import ArchiveError

OWN: Final = ("journal.sqlite", "store.sqlite", "registry.sqlite", "admin-token", "archive")
NETWORK: Final = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "ceph", "fuse.glusterfs", "afs", "davfs"}
PASSING: Final = {"tmpfs", "ramfs", "overlay"}
FEW_DAYS: Final = 14.0
WEEK: Final = 7
LEFT_S: Final = 3600.0  # a draft that old is nobody's any more
_PARQUET: Final = b"PAR1"
_PARTS_READ: Final = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderFacts:
    """What was seen of the data folder."""

    path: Path
    exists: bool = True
    open_to_others: tuple[str, ...] = ()  # names in it that others than the owner may read
    foreign: tuple[str, ...] = ()  # names in it that belong to another user than this process
    file_system: str | None = None
    free: int = 0
    least: int = 0  # below which the ingester takes no more
    archive_free: int | None = None  # where the archive has a disk of its own
    day_bytes: float | None = None  # what a day adds to the archive; None where there is no whole day yet
    parts: int = 0
    archive_bytes: int = 0
    leftovers: tuple[str, ...] = ()
    damaged: tuple[str, ...] = ()
    oldest_day: str | None = None  # of the archive
    away: str = ""  # why the folder of the archive is not the archive


def look_at_folder(path: Path, *, now_s: float, mounts: str | None, least: int) -> FolderFacts:
    """`mounts` is the text of /proc/self/mountinfo, where there is one."""
    if not path.is_dir():
        return FolderFacts(path=path, exists=False)
    own = [path, *(path / name for name in OWN if (path / name).exists())]
    user = os.geteuid()
    parts = sorted(path.glob("archive/device=*/date=*/part-*.parquet"), reverse=True)
    drafts = list(path.glob("archive/device=*/date=*/.part-*.tmp"))
    dates = sorted(folder.name.removeprefix("date=") for folder in path.glob("archive/device=*/date=2???-??-??"))
    sizes: Counter[str] = Counter()
    for part in parts:
        sizes[part.parent.name.removeprefix("date=")] += _size(part) or 0
    return FolderFacts(
        path=path,
        open_to_others=tuple(one.name for one in own if _is_open(one)) if _is_open(path) else (),
        foreign=tuple(one.name for one in own if user not in {0, one.stat().st_uid}),
        file_system=None if mounts is None else file_system_of(path.resolve(), mounts),
        free=shutil.disk_usage(path).free,
        least=least,
        archive_free=_own_disk(path, path / "archive"),
        day_bytes=day_bytes_of(sizes, made=_made(path), today=dt.datetime.fromtimestamp(now_s, dt.UTC).date()),
        parts=len(parts),
        archive_bytes=sizes.total(),
        leftovers=tuple(str(one.relative_to(path)) for one in drafts if _age_s(one, now_s) > LEFT_S),
        damaged=tuple(str(one.relative_to(path)) for one in _damaged(path, parts)),
        oldest_day=dates[0] if dates else None,
        away=_away(path / "archive"),
    )


def check_folder(facts: FolderFacts) -> list[Check]:
    """Every check of the data folder."""
    if not facts.exists:
        mend = "start `charley ingest` once, or correct CHARLEY_DATA_DIR; run the doctor where the service runs"
        return [warn("data.folder", f"there is no {facts.path}", mend)]
    return [_permissions(facts), _file_system(facts), *_space(facts), *_archive(facts)]


def _permissions(facts: FolderFacts) -> Check:
    name = "data.permissions"
    if facts.foreign:
        told = f"of another user: {', '.join(facts.foreign)}"
        return fail(name, told, f"run everything as one user: chown -R USER {facts.path}")
    if facts.open_to_others:
        told = f"health data that others may read: {', '.join(facts.open_to_others)}"
        return warn(name, told, f"chmod -R go-rwx {facts.path}")
    return ok(name, "for the owner alone")


def _file_system(facts: FolderFacts) -> Check:
    name, kind = "data.file_system", facts.file_system
    if kind is None:
        return skipped(name, "this system does not say what the data folder is on")
    if kind in NETWORK:
        mend = "move the data folder to a local disk and set CHARLEY_DATA_DIR: SQLite's WAL breaks over a network"
        return fail(name, f"on {kind}, a network file system", mend)
    if kind in PASSING:
        mend = (
            "put the data folder on a volume or a local disk: this one goes with the container or the machine's power"
        )
        return warn(name, f"on {kind}", mend)
    return ok(name, f"on {kind}")


def _space(facts: FolderFacts) -> list[Check]:
    name = "data.space"
    room = facts.free - facts.least
    told = f"{in_bytes(facts.free)} free"
    if room <= 0:
        mend = "make room now: the ingester takes no more, and devices fill up"
        return [fail(name, f"{told}, CHARLEY_MIN_FREE_MB asks for {in_bytes(facts.least)}", mend)]
    told += f", {in_bytes(room)} of it above CHARLEY_MIN_FREE_MB"
    if facts.archive_free is None:
        mend = "make room now: at CHARLEY_MIN_FREE_MB the ingester takes no more, and devices fill up"
        return [_lasting(name, told, room, facts.day_bytes, mend)]
    told_there = f"{in_bytes(facts.archive_free)} free on its own disk"
    mend = "make room there now: without it blocks stay in the journal, and fill the disk of the data folder"
    return [ok(name, told), _lasting("archive.space", told_there, facts.archive_free, facts.day_bytes, mend)]


def _lasting(name: str, told: str, room: int, day_bytes: float | None, mend: str) -> Check:
    """For how long there is room for what a day brings."""
    if day_bytes is None:
        return ok(
            name,
            f"{told}; how long that lasts cannot be told: the archive has no whole day (UTC) of the last week since "
            "this data folder was made",
        )
    if not day_bytes:
        return ok(name, f"{told}; on the last whole days nothing came in")
    days = room / day_bytes
    told += f"; the archive grows by {in_bytes(day_bytes)} a day: {in_words(days * 86_400)} left"
    if days < 1:
        return fail(name, told, mend)
    if days < FEW_DAYS:
        return warn(name, told, "a larger disk, or move the oldest dates of the archive elsewhere")
    return ok(name, told)


def day_bytes_of(sizes: Mapping[str, int], *, made: dt.date | None, today: dt.date) -> float | None:
    """What a day adds to the archive, of the whole days of the last week.

    Its first date, today and the date on which the data folder was `made` are not whole. What has an earlier date came
    at once, out of devices that kept it, and says nothing of a day.
    """
    if made is None:
        return None
    recent = {day: sizes.get(str(day), 0) for day in (today - dt.timedelta(days=back) for back in range(1, WEEK + 2))}
    first = max(made, min((day for day, size in recent.items() if size), default=today))
    days = (today - first).days - 1
    return sum(size for day, size in recent.items() if day > first) / days if days > 0 else None


def _made(path: Path) -> dt.date | None:
    """The date (UTC) on which an ingester first ran with a data folder: of the oldest file that is written but once."""
    once = (path / "journal.lock", beside(path / "archive"))
    times_s = [one.stat().st_mtime for one in once if one.exists()]
    return dt.datetime.fromtimestamp(min(times_s), dt.UTC).date() if times_s else None


def _archive(facts: FolderFacts) -> list[Check]:
    name = "archive.whole"
    if facts.away:
        return [fail(name, *facts.away.split(". ", 1))]
    told = f"{facts.parts} parts, {in_bytes(facts.archive_bytes)}"
    if facts.oldest_day:
        told += f", since {facts.oldest_day}"
    found = ok(name, told)
    if facts.damaged:
        mend = "put these files back from a backup under their old names (without _ and .damaged)"
        found = fail(name, f"{told}; damaged: {in_few(facts.damaged, 3)}", mend)
    if not facts.leftovers:
        return [found]
    mend = "restart the ingester: it removes what was half written; the blocks are still in the journal"
    return [found, warn("archive.leftovers", f"half written: {in_few(facts.leftovers, 3)}", mend)]


def file_system_of(path: Path, mounts: str) -> str | None:
    """The kind of file system of a path: that of the longest mount point above it."""
    best, kind = -1, None
    for line in mounts.splitlines():
        left, _, right = line.partition(" - ")
        fields = left.split()
        if len(fields) < 5 or not right:
            continue
        point = Path(fields[4].replace("\\040", " "))
        if path.is_relative_to(point) and len(point.parts) >= best:
            best, kind = len(point.parts), right.split()[0]
    return kind


def _own_disk(data: Path, archive: Path) -> int | None:
    """What is free on the disk of the archive, where that is another."""
    if not archive.is_dir() or archive.stat().st_dev == data.stat().st_dev:
        return None
    return shutil.disk_usage(archive).free


def _away(archive: Path) -> str:
    try:
        check_place(archive)
    except ArchiveError as error:
        return str(error)
    return ""


def _damaged(root: Path, parts: Sequence[Path]) -> list[Path]:
    """Those that were set aside, and those of the newest that do not end as Parquet does."""
    aside = sorted(root.glob("archive/device=*/date=*/_part-*.damaged"))
    return aside + [part for part in parts[:_PARTS_READ] if not _ends_well(part)]


def _ends_well(part: Path) -> bool:
    try:
        with part.open("rb") as file:
            file.seek(-4, os.SEEK_END)
            return file.read() == _PARQUET
    except FileNotFoundError:
        return True  # compacted meanwhile
    except OSError:
        return False  # shorter than any Parquet file


def _is_open(path: Path) -> bool:
    """Whether others than the owner may do something with it."""
    return bool(stat.S_IMODE(path.stat().st_mode) & 0o077)


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None  # compacted meanwhile


def _age_s(path: Path, now_s: float) -> float:
    try:
        return now_s - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0  # finished meanwhile
