"""When a role is asked to end: by Ctrl-C, by SIGTERM, or by the end of the process that started it.

Rules
-----
- A handler runs in the midst of whatever the main thread does, and so takes no lock: `Event.set` in the midst of
  `Event.set`, for a second signal, would wait for itself for ever. It passes the word to a thread, which acts.
- Whoever asks again after a second is not kept waiting: the process ends at once. Within it that is the same wish, for
  `timeout` and service managers send a signal to a process and to its group.
"""

import os
import signal
import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from types import FrameType
from typing import Final

AGAIN_S: Final = 1.0


def stop_event(*, tied: bool) -> threading.Event:
    """Set when this process is asked to end."""
    stop = threading.Event()
    when_asked_to_end(stop.set, tied=tied)
    return stop


def when_asked_to_end(act: Callable[[], None], *, tied: bool) -> None:
    """Act, in a thread, on Ctrl-C, on SIGTERM and, if tied, at the end of the process that holds our standard input."""
    asked: SimpleQueue[None] = SimpleQueue()  # its `put` may interrupt itself
    moments_s: list[float] = []

    def handle(number: int, _frame: FrameType | None) -> None:
        moments_s.append(time.monotonic())
        if moments_s[-1] - moments_s[0] > AGAIN_S:
            os._exit(128 + number)
        asked.put(None)

    def answer() -> None:
        asked.get()
        act()

    def wait() -> None:
        # Not sys.stdin: a thread that holds its lock when Python ends makes Python abort.
        while os.read(0, 1024):
            pass
        asked.put(None)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handle)
    threading.Thread(target=answer, daemon=True, name="ending").start()
    if tied:
        threading.Thread(target=wait, daemon=True, name="tied").start()
