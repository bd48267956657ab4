"""`charley doctor`: looks for what silently loses data, and says how to mend it."""

from ingest.doctor.check import Check, Verdict

__all__ = ["Check", "Verdict"]
