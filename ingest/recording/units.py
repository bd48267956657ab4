"""Units as people write them."""

import re
from typing import Final

COUNT: Final = "count"
_PLAIN: Final = {
    "uv": "uV", "microvolt": "uV", "microvolts": "uV", "mv": "mV", "millivolt": "mV", "millivolts": "mV",
    "v": "V", "volt": "V", "volts": "V", "nv": "nV", "nanovolt": "nV", "nanovolts": "nV",
    "g": "g", "gs": "g", "gn": "g", "mg": "mg", "milli-g": "mg",
    "m/s2": "m/s2", "m/s^2": "m/s2", "m/s/s": "m/s2", "ms-2": "m/s2", "m s-2": "m/s2", "m*s-2": "m/s2", "m.s-2": "m/s2",
    "m s^-2": "m/s2", "m/s**2": "m/s2", "mps2": "m/s2",
    "count": COUNT, "counts": COUNT, "adc": COUNT, "raw": COUNT, "lsb": COUNT, "digit": COUNT, "digits": COUNT,
    "adu": COUNT, "adc counts": COUNT,
}  # fmt: skip
UV: Final = {"nV": 1e-3, "uV": 1.0, "mV": 1e3, "V": 1e6, COUNT: 1.0}
G: Final = {"g": 1.0, "mg": 1e-3, "m/s2": 1 / 9.80665}
SECONDS: Final = {
    "s": 1.0, "sec": 1.0, "secs": 1.0, "second": 1.0, "seconds": 1.0, "ms": 1e-3, "msec": 1e-3, "millis": 1e-3,
    "milliseconds": 1e-3, "us": 1e-6, "µs": 1e-6, "microseconds": 1e-6, "ns": 1e-9, "nanoseconds": 1e-9,
    "min": 60.0, "minutes": 60.0,
}  # fmt: skip
_BRACKETS: Final = re.compile(r"^(?P<name>.*?)\s*[\[({](?:in\s+)?(?P<unit>[^\])}]*)[\])}]\s*$")
_TAIL: Final = re.compile(r"^(?P<name>.+?)[\s_/,-]+(?P<unit>[^\s_,]+)$")


def plain(unit: str) -> str:
    """One spelling for each unit that is known; any other as it stands.

    µ and ² are met as one byte, or in UTF-8 read as two, of which the first looks like Â or Î.
    """
    text = re.sub("Â|Î", "", unit).strip().strip("[]()")
    text = text.replace("µ", "u").replace("μ", "u").replace("\x9c", "u").replace("¼", "u").replace("²", "2")
    return _PLAIN.get(text.lower(), text)


def split(label: str) -> tuple[str, str]:
    """Name and unit of a label such as `EMG (uV)`, `EMG [mV]`, `EMG_uV` or `EMG`."""
    if match := _BRACKETS.match(label.strip()):
        return match["name"].strip(), plain(match["unit"])
    match = _TAIL.match(label.strip())
    if match and _is_unit(match["unit"], match["name"]):
        return match["name"].strip(), plain(match["unit"])
    return label.strip(), ""


def _is_unit(tail: str, name: str) -> bool:
    """Whether the last word of a label is its unit: `G` and `MG` may be muscles, `raw` and `v` anything."""
    if tail == "mg":
        return "acc" in name.lower()
    return tail in {"V", "g"} or (plain(tail) in UV | G and tail.lower() not in {"v", "g", "mg", "raw", "digit"})
