"""The commands of `charley quarantine` that the doctor advises do something, as they stand."""

import re
from pathlib import Path

import pytest
from ingest_feed import drain, service
from typer.testing import CliRunner

from charley import app
from ingest.doctor.journal import JournalFacts, check_journal, look_at_journal
from ingest.journal import Journal
from ingest.service import Options
from ingest.source import MemorySource
from ingest.store.memory import MemoryStore


def set_one_aside(folder: Path) -> JournalFacts:
    """A journal in which a message that was refused waits, and what the doctor sees of it."""
    source, journal = MemorySource(), Journal(folder / "journal.sqlite")
    source.feed("charley/v1/leg/blocks", b"no block")
    whole = service(source, journal, MemoryStore(), options=Options(wait_s=0))
    drain(whole)
    whole.close()
    journal.close()
    return look_at_journal(folder / "journal.sqlite")


@pytest.mark.parametrize(
    ("name", "commands"),
    [
        ("journal.quarantine", ["list", "replay --all"]),
        ("journal.failed", ["show ID", "list --reason detector"]),
    ],
)
def test_what_is_advised_of_what_was_set_aside_can_be_done(name: str, commands: list[str], tmp_path: Path) -> None:
    seen = set_one_aside(tmp_path)
    assert sum(seen.quarantine.values()) == 1
    facts = JournalFacts(quarantine=seen.quarantine, blocks={"failed": 1})
    (check,) = [check for check in check_journal(facts) if check.name == name]
    assert check.verdict == "warn"
    advised = re.findall(r"`charley (quarantine [^`]*)`", check.mend)
    for command in advised:
        words = command.replace("ID", "1").split()
        result = CliRunner().invoke(app, words, env={"CHARLEY_DATA_DIR": str(tmp_path)})
        assert isinstance(result.exception, SystemExit | None), f"{command}: {result.exception}"
    assert [command.removeprefix("quarantine ") for command in advised] == commands
