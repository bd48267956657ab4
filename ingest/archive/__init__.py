"""The raw archive: every block that was ever accepted, as Parquet that anybody can read."""

from ingest.archive.archive import Archive
from ingest.archive.fetch import Numbers
from ingest.archive.values import Archived, Finding
from ingest.marks import Mark

__all__ = ["Archive", "Archived", "Finding", "Mark", "Numbers"]
