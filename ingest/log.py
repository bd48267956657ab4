"""Log lines: JSON, UTC, on standard error; `device`, `boot` and `seq` are keys, no person ever is.

A line that cannot be written, on a disk that is full or to somebody who reads no more, is dropped: nothing ends for it.
"""

import sys
from contextlib import suppress
from typing import TextIO, cast

import structlog
from structlog.typing import FilteringBoundLogger as Log

__all__ = ["Log", "json_log", "quiet"]


class _Lines:
    """Writes lines for as long as somebody takes them."""

    def __init__(self, stream: TextIO) -> None:
        self._printer = structlog.PrintLogger(stream)

    def msg(self, line: str) -> None:
        """Write a line, if that can be done."""
        with suppress(OSError, ValueError):  # the latter where the stream was closed
            self._printer.msg(line)

    debug = info = warning = error = critical = exception = msg


def json_log(stream: TextIO | None = None, *, level: str = "info") -> Log:
    """A logger that writes one JSON object a line."""
    return cast(
        "Log",
        structlog.wrap_logger(
            _Lines(stream or sys.stderr),
            processors=[
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(),
            ],
            wrapper_class=structlog.make_filtering_bound_logger(level),
        ),
    )


def quiet() -> Log:
    """A logger that writes nothing."""
    return cast(
        "Log",
        structlog.wrap_logger(
            structlog.ReturnLogger(),
            processors=[],
            wrapper_class=structlog.make_filtering_bound_logger("critical"),
        ),
    )
