"""A certificate authority of a day and a broker's certificate from it, so that a listener can speak TLS."""

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.servers import find

DAYS: Final = "2"


@dataclass(frozen=True, slots=True)
class Certificates:
    """Files in one folder."""

    authority: Path
    certificate: Path
    key: Path

    def listener(self, port: int) -> str:
        """What goes into the broker's configuration."""
        return f"listener {port} 127.0.0.1\ncertfile {self.certificate}\nkeyfile {self.key}\n"

    def client(self) -> ssl.SSLContext:
        """What a client needs to believe the broker."""
        return ssl.create_default_context(cafile=str(self.authority))


def make(folder: Path) -> Certificates | None:
    """New ones for 127.0.0.1; none where there is no openssl."""
    openssl = find("openssl")
    if openssl is None:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    names = {name: folder / name for name in ("ca.key", "ca.crt", "broker.key", "broker.csr", "broker.crt", "san")}
    names["san"].write_text("subjectAltName=IP:127.0.0.1\n")
    new = [openssl, "req", "-newkey", "rsa:2048", "-nodes", "-batch"]
    for command in (
        [*new, "-x509", "-days", DAYS, "-subj", "/CN=bench", "-keyout", names["ca.key"], "-out", names["ca.crt"]],
        [*new, "-subj", "/CN=127.0.0.1", "-keyout", names["broker.key"], "-out", names["broker.csr"]],
        [openssl, "x509", "-req", "-days", DAYS, "-in", names["broker.csr"], "-CA", names["ca.crt"], "-CAkey",
         names["ca.key"], "-CAcreateserial", "-extfile", names["san"], "-out", names["broker.crt"]],
    ):  # fmt: skip
        subprocess.run([str(part) for part in command], check=True, capture_output=True, timeout=60)
    return Certificates(names["ca.crt"], names["broker.crt"], names["broker.key"])
