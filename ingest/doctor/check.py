"""What a check has to say: a verdict, what was found, and the mend."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

Verdict = Literal["ok", "warn", "fail", "skipped"]
VERDICTS: Final[tuple[Verdict, ...]] = get_args(Verdict)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. `skipped` says in `found` why it was not."""

    name: str  # area.thing, stable
    verdict: Verdict
    found: str
    mend: str = ""  # the exact setting or command; of every warn and fail

    def __post_init__(self) -> None:
        if self.verdict in {"warn", "fail"} and not self.mend:
            raise ValueError(f"{self.name}: a {self.verdict} needs a mend")


def ok(name: str, found: str) -> Check:
    """All is well."""
    return Check(name, "ok", found)


def warn(name: str, found: str, mend: str) -> Check:
    """Works now, and will lose something one day."""
    return Check(name, "warn", found, mend)


def fail(name: str, found: str, mend: str) -> Check:
    """Does not work, or loses data now."""
    return Check(name, "fail", found, mend)


def skipped(name: str, why: str, mend: str = "") -> Check:
    """Could not be looked at."""
    return Check(name, "skipped", why, mend)


def exit_code(checks: Iterable[Check]) -> int:
    """1 when something has failed, else 0."""
    return int(any(check.verdict == "fail" for check in checks))


def in_words(seconds: float) -> str:
    """A stretch of time as a person says it."""
    for unit, length in (("day", 86_400.0), ("hour", 3600.0), ("minute", 60.0)):
        if abs(seconds) >= 2 * length:
            return f"{seconds / length:.0f} {unit}s"
    return f"{seconds:.3g} s"


def in_few(words: Sequence[str], most: int = 5) -> str:
    """The first of them, and how many more there are."""
    more = f" and {len(words) - most} more" if len(words) > most else ""
    return ", ".join(words[:most]) + more


def in_bytes(count: float) -> str:
    """A size as a person says it, in the units of CHARLEY_MIN_FREE_MB."""
    for unit, size in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count:.0f} bytes"
