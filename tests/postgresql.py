"""A real PostgreSQL as a child process: a new cluster in a folder of its own, a free loopback port, ended by pid."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

import servers

NOBODY: Final = 65534
USER: Final = "charley"
READY: Final = "ready to accept connections"
START: Final = ("--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C", "--username", USER)
SETTINGS: Final = ("fsync=off", "listen_addresses=127.0.0.1", "shared_buffers=16MB", "jit=off")


class PostgreSQL:
    """A server on which databases may be made, at `url`; `close` ends it."""

    def __init__(self) -> None:
        # pytest's folders are their user's alone, and the server refuses to be root.
        self._folder = Path(tempfile.mkdtemp(prefix="charley-postgresql-"))
        self._port = servers.free_port()
        self.url = f"postgresql://{USER}@127.0.0.1:{self._port}/postgres"
        try:
            if os.geteuid() == 0:
                os.chown(self._folder, NOBODY, NOBODY)
            _initdb(self._folder / "data")
            self.start()
        except BaseException:
            shutil.rmtree(self._folder)
            raise

    def start(self) -> None:
        """Start it on the same port with what it had kept."""
        log = self._folder / "log"
        before = log.read_text().count(READY) if log.exists() else 0
        command = [*_as_nobody(), str(servers.find("postgres")), "-D", str(self._folder / "data")]
        options = [part for setting in SETTINGS for part in ("-c", setting)]
        self._child = servers.Child([*command, "-p", str(self._port), "-k", str(self._folder), *options], log=log)
        self._child.wait_ready(lambda: log.read_text().count(READY) > before)

    def kill(self) -> None:
        """End it at once."""
        self._child.kill()

    def close(self) -> None:
        """End it, and remove what it wrote."""
        self._child.stop()
        shutil.rmtree(self._folder)


def _initdb(data: Path) -> None:
    command = [*_as_nobody(), str(servers.find("initdb")), "-D", str(data), *START]
    made = subprocess.run(command, cwd=data.parent, capture_output=True, text=True, check=False)
    if made.returncode:
        raise RuntimeError(f"initdb: {made.stderr}")


def _as_nobody() -> list[str]:
    """What goes before a command that root must not run itself; it still ends with us."""
    if os.geteuid() != 0:
        return []
    user = ["--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups"]
    return [str(servers.find("setpriv")), *user, "--pdeathsig", "KILL", "--"]
