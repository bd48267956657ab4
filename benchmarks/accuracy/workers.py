"""Processes to spread work over; asked to end, they finish what they are at and begin nothing more."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context


@contextmanager
def workers(jobs: int | None) -> Iterator[ProcessPoolExecutor]:
    """A pool of fresh processes: a forked one may inherit locks that threads of this one hold."""
    pool = ProcessPoolExecutor(jobs or os.cpu_count(), mp_context=get_context("spawn"), initializer=_deaf)
    try:
        yield pool
    except BaseException:
        pool.shutdown(cancel_futures=True)
        raise
    pool.shutdown()


def _deaf() -> None:
    """Ctrl-C reaches every process of a terminal; the parent alone decides."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
