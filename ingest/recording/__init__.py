"""Recordings in files: EDF, BDF, CSV, Parquet, HDF5. A file is the stream fed once, through the same detector.

`open_file` says what every channel was taken for; `detect` runs over one leg of it; `report` gives plain values.
Memory is bounded, whatever the length. Sites are in order of name within a rate, as those of a device are, so that both
give the same results to the last digit.
"""

from ingest.recording.opened import Recording, RecordingFile, open_file, open_recording
from ingest.recording.options import Options, parse_options
from ingest.recording.report import report
from ingest.recording.run import Found, detect

__all__ = [
    "Found",
    "Options",
    "Recording",
    "RecordingFile",
    "detect",
    "open_file",
    "open_recording",
    "parse_options",
    "report",
]
