"""What goes wrong for a while: each is a context manager over a world, in effect until its block ends."""

import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks.reliability.proxy import NONE, Faults, Proxy
from benchmarks.reliability.world import World

MIB: Final = 1 << 20
DISK_MIB: Final = 160
LEAST_MIB: Final = 32
LEFT_MIB: Final = LEAST_MIB // 2
FILLER: Final = "filler"


@contextmanager
def store_down(world: World) -> Iterator[None]:
    """The database is stopped in order; the proxy before it answers 502."""
    world.store.halt()
    try:
        yield
    finally:
        world.store.start()


@contextmanager
def broker_killed(world: World) -> Iterator[None]:
    """The broker is killed and loses what it has not saved."""
    world.broker.kill()
    try:
        yield
    finally:
        world.broker.start()


@contextmanager
def broker_stopped(world: World) -> Iterator[None]:
    """The broker is stopped in order and saves what it has."""
    world.broker.stop()
    try:
        yield
    finally:
        world.broker.start()


@contextmanager
def disk_low(world: World) -> Iterator[None]:
    """Less is free than the ingester asks for."""
    with _filled(world.data, leave_bytes=LEFT_MIB * MIB):
        yield


@contextmanager
def disk_full(world: World) -> Iterator[None]:
    """Not a byte is free."""
    with _filled(world.data, leave_bytes=0):
        yield


@contextmanager
def bad_network(*proxies: tuple[Proxy, Faults]) -> Iterator[None]:
    """These proxies do what they should not; it begins with every connection being cut."""
    for proxy, faults in proxies:
        proxy.faults = faults
        proxy.cut_all()
    try:
        yield
    finally:
        for proxy, _ in proxies:
            proxy.faults = NONE


@contextmanager
def small_disk(folder: Path) -> Iterator[Path | None]:
    """A file system of its own of DISK_MIB; none where that is not allowed."""
    mount, umount = shutil.which("mount"), shutil.which("umount")
    if os.geteuid() != 0 or mount is None or umount is None:
        yield None
        return
    folder.mkdir(parents=True, exist_ok=True)
    command = [mount, "-t", "tmpfs", "-o", f"size={DISK_MIB}m,mode=700", "tmpfs", str(folder)]
    if subprocess.run(command, check=False, capture_output=True).returncode:
        yield None
        return
    try:
        yield folder
    finally:
        subprocess.run([umount, str(folder)], check=True)


@contextmanager
def _filled(folder: Path, *, leave_bytes: int) -> Iterator[None]:
    filler = folder / FILLER
    try:
        with filler.open("wb", buffering=0) as file:
            try:
                while (free := shutil.disk_usage(folder).free - leave_bytes) > 0:
                    file.write(bytes(min(MIB, free)))
            except OSError as error:
                if error.errno != errno.ENOSPC:  # which says that it is as full as it gets
                    raise
        yield
    finally:
        filler.unlink(missing_ok=True)
