"""Ctrl-C before a command has even begun: 130, without a traceback."""

import signal
import subprocess
from typing import Final

import pytest
from charley_run import command, environment

LIMIT_S: Final = 60.0
TRIES: Final = 5


@pytest.mark.parametrize("module", ["typer", "numpy", "scipy", "fastapi"])
def test_ctrl_c_while_charley_is_imported(module: str) -> None:
    for _ in range(TRIES):
        code, printed, said = interrupted(module)
        assert "Traceback" not in said
        if code:  # else a library that was being imported swallowed it, and the command ran to its end
            assert code in {130, -signal.SIGINT}  # the same to a shell
            assert printed == ""
            return
    pytest.fail(f"Ctrl-C did nothing in {TRIES} tries")


def interrupted(module: str) -> tuple[int, str, str]:
    """Exit code and what was printed, with Ctrl-C once something of this module has been imported."""
    python, *rest = command("settings")
    # What runs in the background of a shell ignores Ctrl-C, and so would its children.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    with subprocess.Popen(
        [python, "-X", "importtime", *rest], env=environment({}), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        signal.signal(signal.SIGINT, before)
        try:
            assert process.stderr is not None
            for line in process.stderr:  # one for each module that has been imported
                if line.rpartition("|")[2].strip().startswith(f"{module}."):
                    break
            process.send_signal(signal.SIGINT)
            printed, said = process.communicate(timeout=LIMIT_S)
        finally:
            process.kill()
    return process.returncode, printed, said
