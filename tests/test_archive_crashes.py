"""Killed, out of disk or read meanwhile: nothing is lost, nothing half-written is left, nothing comes twice."""

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Final

import pytest
from archive_world import DAY_NS, FOR_EVER, NOON, SECOND_NS, a_block, mark_of, parts

from ingest.archive import Archive, Archived
from ingest.errors import ArchiveError

DEVICE: Final = "leg-7"
ROOT: Final = Path(__file__).parent.parent
ALL: Final = {"start_ns": 0, "end_ns": 2**63}
OLD: Final = [a_block(k) for k in range(20)]
# Over midnight, and some of it is known.
NEW: Final = [a_block(k, t0=NOON + DAY_NS // 2 + (k - 25) * SECOND_NS) for k in range(10, 40)]
# In the folder `number`, a child adds or compacts, and ends itself as a power cut would: at the beginning of the nth
# line of what writes (each line twice at most), or when a timer rings, at any instant, also inside Arrow.
KILLED: Final = """
import os, shutil, signal, sys, time
from collections import Counter
from pathlib import Path
sys.path.insert(0, "tests")
from archive_world import FOR_EVER
from ingest.archive import Archive
from test_archive_crashes import DEVICE, NEW

source, folder, what, when = sys.argv[1:]
WRITERS = ("compaction.py", "part.py")

def act(root):
    archive = Archive(root)
    archive.add(DEVICE, NEW) if what == "add" else archive.compact(before_ns=FOR_EVER)

def at_line(number):
    left, seen = [number], Counter()
    def trace(frame, event, arg):
        if not frame.f_code.co_filename.endswith(WRITERS) or frame.f_code.co_name.startswith("<"):
            return None
        place = (frame.f_code, frame.f_lineno)
        if event == "line" and seen[place] < 2:
            if not left[0]:
                os.kill(os.getpid(), signal.SIGKILL)
            left[0] -= 1
            seen[place] += 1
        return trace
    sys.settrace(trace)

def at_instant(number):
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, took * (number + 1) / 22)

def copied(name):
    root = Path(folder, str(name))
    shutil.copytree(source, root)
    return root

def timed(name):
    root = copied(name)
    began = time.perf_counter()
    act(root)
    return time.perf_counter() - began

timed("warm")  # what is made once need not be made in each child
took = min(timed(f"undisturbed-{number}") for number in range(5))
for number in range(1000 if when == "line" else 20):
    root = copied(number)
    child = os.fork()
    if not child:
        at_line(number) if when == "line" else at_instant(number)
        act(root)
        os._exit(0)
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(ended)
    if not ended and when == "line":
        break
"""
# Files may grow to so many bytes and no further, as on a disk that fills up.
FULL: Final = """
import resource, sys
from pathlib import Path
sys.path.insert(0, "tests")
from archive_world import FOR_EVER
from ingest.archive import Archive
from ingest.errors import ArchiveError
from test_archive_crashes import DEVICE, NEW

folder, what, limit = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
archive = Archive(folder)
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    archive.add(DEVICE, NEW) if what == "add" else archive.compact(before_ns=FOR_EVER)
except ArchiveError as error:
    print(error)
"""


def run(script: str, *arguments: object) -> list[str]:
    command = [sys.executable, "-W", "error", "-c", script, *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def held(archive: Archive) -> list[Archived]:
    return list(archive.blocks(DEVICE, archive.marks(DEVICE, **ALL)))


def before(folder: Path, what: str) -> Path:
    """An archive in which `OLD` is in two parts of one date; or, to be compacted, all is in four of two dates."""
    archive = Archive(folder)
    for start in (0, 8):
        archive.add(DEVICE, OLD[start : start + 12])
    if what == "compact":
        archive.add(DEVICE, NEW)
    return folder


def union(*some: list[Archived]) -> list[Archived]:
    return sorted({mark_of(b): b for blocks in some for b in blocks}.values(), key=lambda b: b.block.t0)


def dates(blocks: list[Archived]) -> set[int]:
    return {b.block.t0 // DAY_NS for b in blocks}


@pytest.mark.parametrize("when", ["line", "instant"])
@pytest.mark.parametrize("what", ["add", "compact"])
def test_killed_anywhere_it_holds_the_old_or_the_new(tmp_path: Path, what: str, when: str) -> None:
    ends = [int(line) for line in run(KILLED, before(tmp_path / "source", what), tmp_path, what, when)]
    assert set(ends) <= {0, -signal.SIGKILL, -signal.SIGALRM}
    assert ends[0] != 0
    assert len(ends) >= 20
    leftovers = 0
    for number in range(len(ends)):
        archive = Archive(tmp_path / str(number))
        left = list(archive.folder.rglob("*.tmp"))
        leftovers += len(left)
        findings = archive.check()
        assert [finding.path for finding in findings] == sorted(left)
        assert not any(finding.lost for finding in findings)
        found = held(archive)
        if what == "add":
            # Each date is written whole or not at all.
            assert found in [union(OLD, *news) for news in ([], by_date(0), by_date(1), [*by_date(0), *by_date(1)])]
        else:
            assert found == union(OLD, NEW)
        archive.add(DEVICE, NEW)
        assert archive.compact(before_ns=FOR_EVER) >= 1
        assert held(archive) == union(OLD, NEW)
        assert set(parts(archive.folder).values()) == {1}
        assert not list(archive.folder.rglob("*.tmp"))
    assert leftovers > 0 or when == "instant"


def by_date(place: int) -> list[list[Archived]]:
    date = sorted(dates(NEW))[place]
    return [[b for b in NEW if b.block.t0 // DAY_NS == date]]


@pytest.mark.parametrize("what", ["add", "compact"])
@pytest.mark.parametrize("limit", [0, 3, 1000, 5000])
def test_a_full_disk_is_told_and_nothing_half_written_is_left(tmp_path: Path, what: str, limit: int) -> None:
    archive = Archive(before(tmp_path, what))
    was = (held(archive), sorted(path for path in tmp_path.rglob("*") if path.is_file()))
    (sentence,) = run(FULL, tmp_path, what, limit)
    assert "cannot be written: [Errno 27] File too large" in sentence
    assert (held(archive), sorted(path for path in tmp_path.rglob("*") if path.is_file())) == was
    assert archive.check() == []
    archive.add(DEVICE, NEW)
    archive.compact(before_ns=FOR_EVER)
    assert held(archive) == union(OLD, NEW)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ArchiveError, match="cannot be made"):
        Archive(tmp_path / "file" / "raw")
    archive = Archive(tmp_path / "raw")
    (tmp_path / "raw" / f"device={DEVICE}").write_text("")
    with pytest.raises(ArchiveError, match="cannot be written"):
        archive.add(DEVICE, NEW)


def test_readers_miss_nothing_while_it_is_compacted(tmp_path: Path) -> None:
    reader, writer = Archive(tmp_path), Archive(tmp_path)
    for start in range(0, 60, 2):
        writer.add(DEVICE, [a_block(start), a_block(start + 1)])
    enough = Event()

    def write() -> int:
        count = 60
        while not enough.is_set():
            writer.add(DEVICE, [a_block(count)])
            writer.compact(before_ns=FOR_EVER)
            count += 1
        return count

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        try:
            fewest = 60
            for _ in range(25):
                found = held(reader)
                assert [one.block.seq for one in found] == list(range(len(found)))
                assert len(found) >= fewest
                fewest = len(found)
        finally:
            enough.set()
    assert held(reader) == [a_block(k) for k in range(writing.result())]
