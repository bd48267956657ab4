"""Backup and restore of everything that a site owns, while it runs."""

from ingest.keeping.manifest import BackupError
from ingest.keeping.registry import RegistryTools, registry_url

__all__ = ["BackupError", "RegistryTools", "registry_url"]
