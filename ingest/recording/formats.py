"""Which reader a file needs, by its first bytes and not by its name."""

from pathlib import Path
from typing import Final

from ingest.errors import RecordingError
from ingest.recording.options import Options
from ingest.recording.source import Source

EDF_MAGIC: Final = b"0       "
BDF_MAGIC: Final = b"\xffBIOSEMI"
HDF5_MAGIC: Final = b"\x89HDF"
PARQUET_MAGIC: Final = b"PAR1"
SUFFIXES: Final = frozenset({".edf", ".rec", ".bdf", ".csv", ".tsv", ".parquet", ".pq", ".h5", ".hdf5"})
NAMED: Final = {
    ".edf": "EDF", ".rec": "EDF", ".bdf": "BDF", ".parquet": "Parquet", ".pq": "Parquet", ".h5": "HDF5",
    ".hdf5": "HDF5",
}  # fmt: skip
READ: Final = "EDF, EDF+, BDF, CSV, Parquet and OpenSignals HDF5 are read"


def open_source(path: Path, options: Options) -> Source:
    """The file, open, or `RecordingError`."""
    try:
        with path.open("rb") as file:
            head = file.read(8)
        if head:
            return _open(path, head, options)
    except OSError as error:
        raise RecordingError(f"{path}: cannot be read: {error.strerror or error}") from error
    raise RecordingError(f"{path}: is empty. {READ}.")


def _open(path: Path, head: bytes, options: Options) -> Source:
    """Each reader is imported when it is needed: together they take longer than a short recording."""
    if head.startswith((EDF_MAGIC, BDF_MAGIC)):
        from ingest.recording.edf import open_edf_source  # noqa: PLC0415

        return open_edf_source(path, is_bdf=head.startswith(BDF_MAGIC))
    if head.startswith(HDF5_MAGIC):
        from ingest.recording.hdf5 import open_hdf5_source  # noqa: PLC0415

        return open_hdf5_source(path, options)
    if head.startswith(PARQUET_MAGIC):
        from ingest.recording.parquet import open_parquet_source  # noqa: PLC0415

        return open_parquet_source(path, options)
    from ingest.recording.text import open_text_source  # noqa: PLC0415

    try:
        return open_text_source(path, options)
    except RecordingError as error:
        named = NAMED.get(path.suffix.lower())
        if named is None:
            raise
        why = str(error).removeprefix(f"{path}: ")
        raise RecordingError(
            f"{path}: is named {named} but is none, for it does not begin as one does. Export or copy it again, or "
            f"give it the name of what it is. Read as a table: {why}"
        ) from error


def recordings_in(place: Path) -> list[Path]:
    """The file itself, or every recording in a folder and the folders in it, by name."""
    if not place.is_dir():
        return [place]
    found = [path for path in sorted(place.rglob("*")) if path.suffix.lower() in SUFFIXES and path.is_file()]
    if not found:
        raise RecordingError(f"{place}: no recording in this folder. {READ}.")
    return found
