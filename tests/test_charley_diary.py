"""`charley diary`: a diary in and out as CSV, shown, and what is said where it cannot be."""

import io
import os
import stat
from pathlib import Path

import pytest
from api_world import ns
from charley_run import charley
from rich.console import Console

from api.diary.command import Action, run_diary
from api.diary.template import EXAMPLES, template
from api.periods import NightPreference
from api.registry import Registry, open_registry, wearers
from api.zones import ZoneChange, ZoneHistory

NOW_NS = ns("2026-03-20T12:00:00")
GOOD = "entry,at,what,pain,note\ncramp,2026-03-19 03:10,calf,7,[bold]\n"
BAD = GOOD + "cramp,2026-03-19 04:10,nose,,\n"


def add(registry: Registry) -> str:
    with registry.write() as db:
        zones = ZoneHistory((ZoneChange(0, "Europe/Berlin"),))
        return wearers.add(db, name="Ada", zones=zones, night=NightPreference(), created_ns=1).id


@pytest.fixture
def ada(registry: Registry) -> str:
    return add(registry)


def run(
    registry: Registry, action: Action, wearer: str = "", file: Path | None = None, *, skip_bad: bool = False,
    begin: str | None = None,
) -> tuple[int, str, str]:  # fmt: skip
    """Exit code, what was printed, and what was complained of."""
    out, err = (Console(file=io.StringIO(newline=""), width=160) for _ in range(2))
    code = run_diary(registry, action, wearer, file, skip_bad=skip_bad, begin=begin, now_ns=NOW_NS, out=out, err=err)
    printed = []
    for console in (out, err):
        assert isinstance(console.file, io.StringIO)
        printed.append(console.file.getvalue())
    return code, printed[0], printed[1]


def test_a_file_comes_in_once_and_goes_out_as_it_came(registry: Registry, ada: str, tmp_path: Path) -> None:
    file = tmp_path / "diary.csv"
    file.write_text(GOOD)
    assert run(registry, "import", ada, file)[:2] == (0, "Added: 1 cramp. There before: 0. Skipped: 0.\n")
    assert run(registry, "import", ada, file)[:2] == (0, "Added: nothing. There before: 1. Skipped: 0.\n")
    code, shown, _ = run(registry, "list", ada)
    assert code == 0
    assert "2026-03-19T03:10:00+01:00" in shown
    assert "note: [bold]" in shown
    _, exported, _ = run(registry, "export", ada)
    kept = tmp_path / "out.csv"
    assert run(registry, "export", ada, kept)[0] == 0
    assert kept.read_bytes() == exported.encode()
    assert stat.S_IMODE(os.stat(kept).st_mode) == 0o600  # noqa: PTH116 - the mode as it is on the disk
    code, _, complaint = run(registry, "export", ada, kept)
    assert code == 2
    assert "there already" in complaint.replace("\n", " ")
    other = add(registry)
    assert run(registry, "import", other, kept)[:2] == (0, "Added: 1 cramp. There before: 0. Skipped: 0.\n")
    assert run(registry, "export", other, begin="2026-03-20")[1].count("\n") == 1


def test_a_bad_file_changes_nothing_unless_its_bad_rows_are_skipped(
    registry: Registry, ada: str, tmp_path: Path
) -> None:
    file = tmp_path / "diary.csv"
    file.write_text(BAD)
    code, shown, complaint = run(registry, "import", ada, file)
    assert (code, shown) == (1, "")
    assert "Unknown word" in complaint
    assert "Nothing was added" in complaint
    assert run(registry, "list", ada)[1] == "Nothing in this range.\n"
    code, shown, complaint = run(registry, "import", ada, file, skip_bad=True)
    assert (code, shown) == (1, "Added: 1 cramp. There before: 0. Skipped: 1.\n")
    assert "Nothing was added" not in complaint


def test_what_cannot_be_done_is_said(registry: Registry, ada: str, tmp_path: Path) -> None:
    empty = tmp_path / "empty.csv"
    empty.touch()
    for arguments, says in (
        (("list", "w0"), "no wearer of this id"),
        (("export", "w0"), "no wearer of this id"),
        (("import", "w0", empty), "no wearer of this id"),
        (("import", ada), "Name the file"),
        (("import", ada, empty), "empty"),
    ):
        code, shown, complaint = run(registry, *arguments)  # type: ignore[arg-type]
        assert (code, shown) == (2, ""), arguments
        assert says in complaint.replace("\n", " ")


def test_many_bad_rows_are_cut_short(registry: Registry, ada: str, tmp_path: Path) -> None:
    file = tmp_path / "diary.csv"
    file.write_text("entry\n" + "cramp\n" * 60)
    assert "and 10 more faults" in run(registry, "import", ada, file)[2]


def test_the_command_line_has_it(tmp_path: Path) -> None:
    opened = open_registry(f"sqlite:///{tmp_path / 'registry.sqlite'}")
    ada = add(opened)
    opened.close()
    settings = {"data_dir": tmp_path}
    printed = charley("diary", "template", settings=settings)
    assert printed.returncode == 0, printed.stderr
    assert printed.stdout.splitlines() == template().splitlines()
    file = tmp_path / "diary.csv"
    file.write_text(template().replace("\n#", "\n"))
    done = charley("diary", "import", ada, file, settings=settings)
    assert done.returncode == 0, done.stderr
    assert "There before: 0" in done.stdout
    exported = charley("diary", "export", ada, "-", "--from", "2026-01-01", "--to", "2026-02-28", settings=settings)
    assert len(exported.stdout.splitlines()) == 1 + len(EXAMPLES)


def test_the_registry_is_in_the_data_folder_whatever_its_name(tmp_path: Path) -> None:
    folder = tmp_path / "50%20 #1?x"
    done = charley("diary", "list", "w0", settings={"data_dir": folder})
    assert "no wearer of this id" in done.stderr
    assert {path.name for path in folder.iterdir()} == {"registry.sqlite", "store.sqlite"}
    assert list(tmp_path.iterdir()) == [folder]
