"""A word to whoever waits in front of a terminal while the program itself is read, which takes seconds."""

import sys
from typing import Final

SLOW: Final = ("doctor", "backup", "restore")  # those that people run by hand and that have nothing to say at once


def say_starting() -> None:
    """Say that the command which was asked for is starting: on a terminal only, and never beside JSON."""
    name, *options = sys.argv[1:] or [""]
    if name in SLOW and not {"--json", "--help"} & set(options) and sys.stderr.isatty():
        print(f"charley {name} is starting, which takes some seconds", file=sys.stderr, flush=True)  # noqa: T201
