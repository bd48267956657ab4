"""A process that is asked to end does so, whatever its main thread holds just then, and at once when asked again."""

import signal
import subprocess
import sys
from typing import Final

LIMIT_S: Final = 60.0
HELD: Final = """
import signal, threading
from ingest.ending import when_asked_to_end

lock, acted = threading.Lock(), threading.Event()

def act() -> None:
    with lock:
        acted.set()

when_asked_to_end(act, tied=False)
with lock:  # as the main thread is within `Event.set` or `Event.wait`
    signal.raise_signal(signal.SIGTERM)
    signal.raise_signal(signal.SIGTERM)
acted.wait()
print("ended in order")
"""
STUCK: Final = """
import sys
from ingest.ending import stop_event

stop = stop_event(tied=False)
print("up", flush=True)
stop.wait()
print("asked", flush=True)
while True:
    pass
"""


def test_a_signal_while_the_main_thread_holds_a_lock_ends_it_in_order() -> None:
    done = subprocess.run(
        [sys.executable, "-c", HELD], capture_output=True, text=True, timeout=LIMIT_S, check=False
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "ended in order\n"), done.stderr


def test_a_process_that_does_not_end_does_when_asked_again() -> None:
    with subprocess.Popen([sys.executable, "-c", STUCK], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "up\n"
            process.send_signal(signal.SIGTERM)
            assert process.stdout.readline() == "asked\n"
            while process.poll() is None:  # within the first second it is the same wish
                process.send_signal(signal.SIGINT)
            assert process.returncode == 128 + signal.SIGINT
        finally:
            process.kill()
