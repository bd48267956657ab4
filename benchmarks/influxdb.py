"""The InfluxDB that is installed, as a child process: 2.x as it is, or Debian's 1.6 behind what it lacks.

`open_influxdb(folder)` starts it; it is a context manager. Ports are free loopback ones, files are in the folder.
"""

import re
import subprocess
from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import httpx

from benchmarks.servers import START_S, Child, Server, accepts, find, free_port

# One shard for all time: tests write to arbitrary years, and a shard a week would be thousands.
AGES_S: Final = 5200 * 7 * 86_400
_WAIT_S: Final = 10.0


def installed_version() -> str:
    """The version of the installed server, such as 1.6.7; empty where there is none."""
    path = find("influxd")
    if path is None:
        return ""
    printed = subprocess.run([path, "version"], capture_output=True, text=True, check=False, timeout=_WAIT_S).stdout
    found = re.search(r"\bv?(\d+\.\d+\.\d+)", printed)
    return found[1] if found else ""


def open_influxdb(folder: Path) -> "InfluxDB":
    """Start the server that is installed."""
    return InfluxDB2(folder) if installed_version().startswith("2.") else InfluxDB1(folder)


class InfluxDB(Server):
    """A server with an empty bucket, and a token that may do everything."""

    def __init__(self, folder: Path, *, port: int, url: str) -> None:
        super().__init__(port=port, log=folder / "influxd.log")
        self.org, self.bucket, self.token = "charley", "charley", "test-token"
        self.url = url
        self.bare_url = f"http://127.0.0.1:{port}"  # the database itself, without what may stand before it
        self._folder = folder

    @abstractmethod
    def new_bucket(self, name: str, *, keep_s: int = 0, shard_s: int = AGES_S) -> str:
        """Make a bucket that keeps its points so long (0: for ever) in shards of such length; its name."""


class InfluxDB2(InfluxDB):
    """InfluxDB 2.x."""

    def __init__(self, folder: Path) -> None:
        port = free_port()
        super().__init__(folder, port=port, url=f"http://127.0.0.1:{port}")
        self.start()
        try:
            admin = {"username": "charley", "password": "charley-test", "token": self.token}
            self._org_id: str = self._ask("setup", {**admin, "org": self.org, "bucket": "first"})["org"]["id"]
            self.new_bucket(self.bucket)
        except BaseException:
            self.kill()
            raise

    def new_bucket(self, name: str, *, keep_s: int = 0, shard_s: int = AGES_S) -> str:
        """Make a bucket that keeps its points so long (0: for ever) in shards of such length; its name."""
        rule = {"type": "expire", "everySeconds": keep_s, "shardGroupDurationSeconds": shard_s}
        self._ask("buckets", {"orgID": self._org_id, "name": name, "retentionRules": [rule]})
        return name

    def _ask(self, path: str, body: Mapping[str, object]) -> Any:
        headers = {"Authorization": f"Token {self.token}"}
        answer = httpx.post(f"{self.url}/api/v2/{path}", json=body, headers=headers, timeout=START_S)
        return answer.raise_for_status().json()

    def _command(self) -> list[str]:
        return [
            str(find("influxd")), "run", "--reporting-disabled", "--log-level", "warn",
            "--http-bind-address", f"127.0.0.1:{self.port}",
            "--bolt-path", str(self._folder / "influxd.bolt"), "--sqlite-path", str(self._folder / "influxd.sqlite"),
            "--engine-path", str(self._folder / "engine"),
        ]  # fmt: skip


class InfluxDB1(InfluxDB):
    """Debian's InfluxDB 1.6, and an nginx before it that adds `/api/v2/write` and asks for a token.

    The proxy always runs; it answers 502 while the database does not.
    """

    def __init__(self, folder: Path) -> None:
        port = free_port()
        super().__init__(folder, port=free_port(), url=f"http://127.0.0.1:{port}")
        (folder / "influxd.conf").write_text(self._influxd_conf())
        (folder / "nginx.conf").write_text(self._nginx_conf(port))
        self.start()
        try:
            self.new_bucket(self.bucket)
            self._nginx = Child(
                [str(find("nginx")), "-p", str(folder), "-e", str(folder / "nginx.log"),
                 "-c", str(folder / "nginx.conf")],
                log=folder / "nginx.out",
            )  # fmt: skip
            self._nginx.wait_ready(lambda: accepts(port))
        except BaseException:
            self.kill()
            raise

    def new_bucket(self, name: str, *, keep_s: int = 0, shard_s: int = AGES_S) -> str:
        """Make a database that keeps its points so long (0: for ever) in shards of such length; its name."""
        keep = f"{keep_s}s" if keep_s else "INF"
        statement = f'CREATE DATABASE "{name}" WITH DURATION {keep} SHARD DURATION {shard_s}s NAME autogen'
        answer = httpx.post(f"{self.bare_url}/query", data={"q": statement}, timeout=START_S)
        (result,) = answer.raise_for_status().json()["results"]
        if "error" in result:
            raise RuntimeError(f"{statement}: {result['error']}")
        return name

    def stop(self) -> None:
        """End both processes."""
        self._nginx.stop()
        self.halt()

    def _command(self) -> list[str]:
        return [str(find("influxd")), "-config", str(self._folder / "influxd.conf")]

    def _influxd_conf(self) -> str:
        return f"""
reporting-disabled = true
bind-address = "127.0.0.1:{free_port()}"
[meta]
  dir = "{self._folder}/meta"
  logging-enabled = false
[data]
  dir = "{self._folder}/data"
  wal-dir = "{self._folder}/wal"
  query-log-enabled = false
[monitor]
  store-enabled = false
[http]
  bind-address = "127.0.0.1:{self.port}"
  log-enabled = false
[logging]
  level = "warn"
"""

    def _nginx_conf(self, port: int) -> str:
        temporary = "".join(
            f"  {kind}_temp_path {self._folder}/nginx-{kind};\n"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        return f"""
daemon off;
master_process off;
pid {self._folder}/nginx.pid;
error_log {self._folder}/nginx.log;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_max_body_size 10m;
{temporary}
  server {{
    listen 127.0.0.1:{port};
    default_type application/json;
    if ($http_authorization != "Token {self.token}") {{
      return 401 '{{"code":"unauthorized","message":"unauthorized access"}}';
    }}
    location = /api/v2/write {{
      rewrite ^ /write?db=$arg_bucket&precision=n? break;
      proxy_pass http://127.0.0.1:{self.port};
    }}
    location / {{ proxy_pass http://127.0.0.1:{self.port}; }}
  }}
}}
"""
