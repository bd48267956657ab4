"""What a person at a terminal hears of a command that takes a while, and what a program beside it does not."""

import json
import os
import pty
import subprocess
from pathlib import Path

import pytest
from charley_run import LIMIT_S, command, environment
from servers import free_port


def at_a_terminal(*arguments: object, folder: Path) -> tuple[str, str]:
    """Standard output, and what is shown on the terminal that standard error is."""
    ours, theirs = pty.openpty()
    try:
        settings = {"data_dir": folder / "data", "broker_port": free_port()}
        done = subprocess.run(
            command(*arguments), env=environment(settings) | {"TERM": "xterm"}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=theirs, timeout=LIMIT_S, check=False,
        )  # fmt: skip
        os.write(theirs, b"\x04")  # so that there is something to be read
        shown = os.read(ours, 65_536)
    finally:
        os.close(theirs)
        os.close(ours)
    return done.stdout.decode(), shown.decode().rstrip("\x04")


@pytest.mark.parametrize("arguments", [("doctor", "--no-broker-load"), ("backup", "kept"), ("restore", "kept")])
def test_a_slow_command_says_at_once_that_it_is_starting(arguments: tuple[str, ...], tmp_path: Path) -> None:
    name, option = arguments
    _, shown = at_a_terminal(name, option if option.startswith("--") else tmp_path / option, folder=tmp_path)
    assert shown.startswith(f"charley {name} is starting, which takes some seconds\r\n")


def test_json_comes_without_a_word(tmp_path: Path) -> None:
    printed, shown = at_a_terminal("doctor", "--no-broker-load", "--json", folder=tmp_path)
    assert shown == ""
    assert {"name", "verdict", "found", "mend"} == set(json.loads(printed)[0])
