"""Ctrl-C before a command has even begun: 130, without a traceback."""

import signal
import subprocess
from typing import Final

import pytest
from charley_run import command, environment

LIMIT_S: Final = 60.0


@pytest.mark.parametrize("module", ["typer", "numpy", "scipy", "fastapi"])
def test_ctrl_c_while_charley_is_imported(module: str) -> None:
    python, *rest = command("settings")
    with subprocess.Popen(
        [python, "-X", "importtime", *rest], env=environment({}), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            assert process.stderr is not None
            for line in process.stderr:  # one for each module that has been imported
                if line.rpartition("|")[2].strip().startswith(f"{module}."):
                    break
            process.send_signal(signal.SIGINT)
            printed, said = process.communicate(timeout=LIMIT_S)
        finally:
            process.kill()
    assert process.returncode in {130, -signal.SIGINT}  # the same to a shell
    assert printed == ""
    assert "Traceback" not in said
