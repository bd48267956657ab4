"""Examples out of docs/wire.md, and small valid messages to spoil."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
WIRE_MD: Final = ROOT / "docs" / "wire.md"
T0: Final = 1_767_225_600_000_000_000  # 2026-01-01T00:00:00Z

_FENCE = re.compile(r"^```(\w+)[ ]?([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Fence:
    """One fenced piece of a page: its language, the rest of its first line, its text."""

    language: str
    label: str
    text: str


def fences(language: str, path: Path = WIRE_MD) -> list[Fence]:
    """Every fenced piece of `path` in this language."""
    return [Fence(*match.groups()) for match in _FENCE.finditer(path.read_text()) if match[1] == language]


def hex_dump(text: str) -> bytes:
    """Bytes of an annotated dump: hex up to `|` on each line."""
    return bytes.fromhex("".join(line.split("|")[0] for line in text.splitlines()))


def table(heading: str, path: Path = WIRE_MD) -> list[list[str]]:
    """Rows of the first table under a heading, without its head."""
    section = path.read_text().split(f"{heading}\n", 1)[1]
    rows: list[list[str]] = []
    for line in section.splitlines():
        if line.startswith("|"):
            rows.append([cell.strip() for cell in line.strip("|").split("|")])
        elif rows:
            break
    return rows[2:]


def a_signal(**members: Any) -> dict[str, Any]:
    """One second of a valid EMG signal, with these members changed."""
    return {
        "kind": "emg", "site": "soleus", "fs_hz": 1000.0, "scale": 0.5, "channels": 1,
        "samples": b"\x01\x00" * 1000, **members,
    }  # fmt: skip


def an_acc(**members: Any) -> dict[str, Any]:
    """One second of a valid acceleration signal, with these members changed."""
    return {
        "kind": "acc", "site": "shank", "fs_hz": 50.0, "scale": 1 / 4096, "channels": 3,
        "samples": b"\x01\x00" * 150, **members,
    }  # fmt: skip


def a_block(*signals: dict[str, Any], **members: Any) -> dict[str, Any]:
    """A valid block of these signals (or of one of each kind), with these members changed."""
    return {"boot": 1, "seq": 0, "t0": T0, "signals": list(signals) or [a_signal(), an_acc()], **members}
