"""What a person says about a file's channels where the file does not: `--channel`, `--unit` and `--rate`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from ingest.errors import RecordingError
from ingest.recording.labels import Meaning, meaning, slug, words
from ingest.recording.units import UV, G, plain, split

EXAMPLE: Final = "--channel EMG1=emg:gastrocnemius_medialis"


@dataclass(frozen=True, slots=True)
class Options:
    """By label in small letters, and for every channel of which nothing is said or stated."""

    channels: Mapping[str, Meaning] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    rates: Mapping[str, float] = field(default_factory=dict)
    emg_unit: str = ""
    acc_unit: str = ""
    rate: float = 0.0

    def of(self, label: str, said: Mapping[str, Meaning] | Mapping[str, str] | Mapping[str, float]) -> str | None:
        """The key under which something was said of a label, with or without its unit."""
        return next((key for key in (label.strip().lower(), split(label)[0].lower()) if key in said), None)

    def check(self, labels: Sequence[str]) -> None:
        """Raise `RecordingError` where something is said of a channel that does not exist."""
        known = {key for label in labels for key in (label.strip().lower(), split(label)[0].lower())}
        for option, said in (("--channel", self.channels), ("--unit", self.units), ("--rate", self.rates)):
            for key in said:
                if key not in known:
                    raise RecordingError(f"{option} {key}: there is no such channel; there are {', '.join(labels)}")


def parse_options(*, channels: Iterable[str] = (), units: Iterable[str] = (), rates: Iterable[str] = ()) -> Options:
    """Options from the words of a command line, or `RecordingError` with how to say it."""
    by_label = {label: _unit(unit) for label, unit in map(_pair, units)}
    alone = [_unit(unit) for label, unit in map(_pair, units) if not label]
    rate_of = {label: _rate(rate) for label, rate in map(_pair, rates)}
    return Options(
        channels={label: _meaning(label, spec) for label, spec in map(_pair_of_channel, channels)},
        units={label: unit for label, unit in by_label.items() if label},
        rates={label: rate for label, rate in rate_of.items() if label},
        emg_unit=next((unit for unit in alone if unit in UV), ""),
        acc_unit=next((unit for unit in alone if unit in G), ""),
        rate=rate_of.get("", 0.0),
    )


def _pair(text: str) -> tuple[str, str]:
    """`LABEL=VALUE`, or `VALUE` for every channel; a label may hold `=` itself."""
    label, _, value = text.rpartition("=")
    return label.strip().lower(), value.strip()


def _pair_of_channel(text: str) -> tuple[str, str]:
    label, value = _pair(text)
    if not label or not value:
        raise RecordingError(f"--channel {text}: say LABEL=KIND:SITE, for instance {EXAMPLE}")
    return label, value


def _meaning(label: str, spec: str) -> Meaning:
    kind, _, rest = spec.partition(":")
    parts = [part.strip() for part in rest.split(":") if part.strip()]
    if kind.lower() in {"none", "ignore"} and not parts:
        return Meaning("", "", why="left out as asked")
    if kind.lower() == "emg" and len(parts) == 1:
        known = meaning(f"EMG {parts[0]}", "")
        return Meaning("emg", known.place if known.named else slug(parts[0]), known.side, named=known.named)
    if kind.lower() == "acc" and parts and parts[-1].lower() in {"x", "y", "z"} and len(parts) <= 2:
        site = parts[0] if len(parts) == 2 else "shank"
        side = meaning(f"EMG {site}", "").side
        kept = [word for word in words(site) if word not in {"l", "r", "left", "right"}]
        return Meaning("acc", "_".join(kept) or "shank", side, parts[-1].lower(), named=True)  # type: ignore[arg-type]
    raise RecordingError(
        f"--channel {label}={spec}: say emg:SITE, acc:x, acc:SITE:x (y, z) or none, for instance {EXAMPLE}"
    )


def _unit(text: str) -> str:
    unit = plain(text)
    if unit not in UV and unit not in G:
        raise RecordingError(f"--unit {text}: must be {', '.join(UV)} for EMG or {', '.join(G)} for acceleration")
    return unit


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 1.0 <= rate <= 1e6:
        raise RecordingError(f"--rate {text}: must be samples a second, for instance --rate 1000")
    return rate
