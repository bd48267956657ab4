"""What commands print: folded to a terminal's width, or to COLUMNS, and whole in a pipe or file."""

import subprocess

from charley_run import command, environment

from ingest.settings import Settings
from simulators.scenarios import SCENARIOS


def lines(*arguments: str, columns: int | None = None) -> list[str]:
    """What a command prints into a pipe."""
    own = {key: value for key, value in environment({}).items() if key != "COLUMNS"}
    own |= {} if columns is None else {"COLUMNS": str(columns)}
    done = subprocess.run(
        command(*arguments), env=own, capture_output=True, text=True, timeout=60, check=True, stdin=subprocess.DEVNULL
    )
    return done.stdout.splitlines()


def test_nothing_is_folded_in_a_pipe() -> None:
    printed = lines("settings")
    for name, field in Settings.model_fields.items():
        assert any(f" CHARLEY_{name.upper()} " in line and f" {field.description} " in line for line in printed), name
    printed = lines("simulate", "--list")
    for scenario in SCENARIOS.values():
        assert any(f" {scenario.name} " in line and f" {scenario.shows} " in line for line in printed), scenario


def test_columns_says_how_wide_it_may_be() -> None:
    assert max(map(len, lines("simulate", "--list", columns=60))) == 60
