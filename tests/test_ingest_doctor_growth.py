"""What the doctor takes the archive to grow by: whole days of a site that was there, and no backlog."""

import datetime as dt
import os
import time
from pathlib import Path

from archive_world import DAY_NS, a_block

from ingest.archive import Archive
from ingest.doctor.files import check_folder, look_at_folder


def test_what_the_archive_grows_by_is_read_from_its_dates(tmp_path: Path) -> None:
    for day, size in ((20, 10), (21, 4000), (22, 8000), (23, 500)):
        date = tmp_path / "archive" / "device=leg" / f"date=2026-11-{day}"
        date.mkdir(parents=True)
        (date / "part-1.parquet").write_bytes(bytes(size - 4) + b"PAR1")
    noons = {day: dt.datetime(2026, 11, day, 12, tzinfo=dt.UTC).timestamp() for day in range(1, 25)}
    for name in ("journal.lock", "archive-id"):
        (tmp_path / name).touch()
    for made, expected in ((1, (None, None, 4000, 6000)), (21, (None, None, None, 8000)), (23, (None,) * 4)):
        os.utime(tmp_path / "journal.lock", (noons[made], noons[made]))
        for day, grown in zip((20, 21, 22, 23), expected, strict=True):
            assert look_at_folder(tmp_path, now_s=noons[day], mounts=None, least=0).day_bytes == grown


def test_a_backlog_makes_up_no_history(tmp_path: Path) -> None:
    now_ns = time.time_ns()
    week = [a_block(day, t0=now_ns - (8 - day) * DAY_NS, received_ns=now_ns) for day in range(8)]
    Archive(tmp_path / "archive").add("leg", week)
    assert len(list(tmp_path.glob("archive/device=leg/date=*"))) == 8
    young = look_at_folder(tmp_path, now_s=now_ns / 1e9, mounts=None, least=0)
    (space,) = [check for check in check_folder(young) if check.name == "data.space"]
    assert (young.day_bytes, "cannot be told" in space.found) == (None, True)
    aged_s = now_ns / 1e9 - 20 * 86_400
    os.utime(tmp_path / "archive-id", (aged_s, aged_s))
    assert look_at_folder(tmp_path, now_s=now_ns / 1e9, mounts=None, least=0).day_bytes
