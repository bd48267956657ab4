"""When a role is asked to end: by Ctrl-C, by SIGTERM, or by the end of the process that started it."""

import os
import signal
import threading
from collections.abc import Callable


def stop_event(*, tied: bool) -> threading.Event:
    """Set when this process is asked to end."""
    stop = threading.Event()
    when_asked_to_end(stop.set, tied=tied)
    return stop


def when_asked_to_end(act: Callable[[], None], *, tied: bool) -> None:
    """Act on Ctrl-C, on SIGTERM and, if tied, at the end of the process that holds our standard input."""

    def wait() -> None:
        # Not sys.stdin: a thread that holds its lock when Python ends makes Python abort.
        while os.read(0, 1024):
            pass
        act()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: act())
    if tied:
        threading.Thread(target=wait, daemon=True, name="tied").start()
