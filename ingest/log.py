"""Log lines: JSON, UTC, on standard error; `device`, `boot` and `seq` are keys, no person ever is."""

import sys
from typing import TextIO, cast

import structlog
from structlog.typing import FilteringBoundLogger as Log

__all__ = ["Log", "json_log", "quiet"]


def json_log(stream: TextIO | None = None, *, level: str = "info") -> Log:
    """A logger that writes one JSON object a line."""
    return cast(
        "Log",
        structlog.wrap_logger(
            structlog.PrintLogger(stream or sys.stderr),
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
