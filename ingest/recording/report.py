"""What was found, as plain values for JSON and CSV: seconds are counted from the start of the file."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any, Final

from detector import DEFAULT, VERSION, Episode, Params
from ingest.recording.choose import Taken
from ingest.recording.movement import Movement, sentence
from ingest.recording.opened import Recording, RecordingFile
from ingest.recording.run import Found

PARTS: Final = ("amplitude", "duration", "load", "recruitment")
COLUMNS: Final = ("file", "side", "stream", "onset_s", "end_s", "opened_s", "severity", "grade", "confidence", "status",
                  "load", "peak_uv", "peak_ratio", "flags")  # fmt: skip
NO_EMG: Final = "no EMG: nothing to detect"


def report(
    file: RecordingFile, found: Sequence[Found], *, moved: Sequence[Movement] = (), params: Params = DEFAULT
) -> dict[str, Any]:
    """One file: what its channels were taken for, coverage, episodes by leg, and movement where there is no EMG."""
    episodes = [(leg, episode) for leg, one in zip(file.legs, found, strict=True) for episode in one.episodes]
    episodes.sort(key=lambda pair: (pair[1].onset_ns, pair[0].side, pair[1].channel))
    values = [movement.values(params) for movement in moved]
    notes = list(file.notes)
    if not file.legs:
        notes.append("; ".join([NO_EMG, *map(sentence, values)]) + ".")
    return {
        "file": str(file.path),
        "format": file.format,
        "duration_s": file.duration_s,
        "coverage": {"expected_s": file.duration_s, **_coverage(found)},
        "channels": [_channel(taken) for taken in file.channels],
        "ignored_channels": list(file.ignored),
        "notes": notes,
        "detector": VERSION,
        "params": params.digest,
        "episodes": [_episode(leg, e) for leg, e in episodes if e.status != "rejected"],
        "rejected": [_episode(leg, e) for leg, e in episodes if e.status == "rejected"],
        **({} if file.legs else {"movement": values}),
    }


def episodes_csv(reports: Iterable[dict[str, Any]]) -> str:
    """The episodes of all files as CSV, rejected ones last in each; a file that could not be read gives no row."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for one in reports:
        for episode in (*one.get("episodes", ()), *one.get("rejected", ())):
            flags = " ".join(episode["flags"])
            writer.writerow({**episode, "file": one["file"], "flags": flags, "side": episode["side"] or ""})
    return text.getvalue()


def _coverage(found: Sequence[Found]) -> dict[str, float]:
    """Of two legs the mean: each is expected for the whole of the file."""
    each = [one.coverage() for one in found] or [{"received_s": 0.0, "worn_s": 0.0, "usable_s": 0.0}]
    return {name: sum(one[name] for one in each) / len(each) for name in each[0]}


def _channel(taken: Taken) -> dict[str, Any]:
    kind = taken.meaning.kind
    named = ":".join(part for part in (kind, taken.meaning.place, taken.meaning.axis) if part)
    return {
        "label": taken.label,
        "taken_for": named or None,
        "side": taken.meaning.side or None,
        "unit": taken.unit or None,
        "fs_hz": taken.fs_hz,
        **({} if kind else {"left_out": taken.meaning.why}),
    }


def _episode(leg: Recording, episode: Episode) -> dict[str, Any]:
    start_ns = leg.start_ns
    return {
        "stream": leg.sites[episode.channel],
        "side": leg.side or None,
        "onset_s": (episode.onset_ns - start_ns) / 1e9,
        "end_s": (episode.end_ns - start_ns) / 1e9,
        "opened_s": (episode.opened_ns - start_ns) / 1e9,
        "severity": episode.severity,
        "severity_parts": {part: getattr(episode, f"severity_{part}") for part in PARTS},
        "grade": episode.grade,
        "confidence": episode.confidence,
        "flags": sorted(episode.flags),
        "load": episode.load,
        "peak_uv": episode.peak_uv,
        "peak_ratio": episode.peak_ratio,
        "sites": [leg.sites[channel] for channel in episode.channels],
        "status": episode.status,
    }
