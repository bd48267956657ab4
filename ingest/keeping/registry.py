"""The registry belongs to the API, which this package may not import: its tools are handed in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

from ingest.settings import Settings

Counts = Mapping[str, int]  # rows by table


@dataclass(frozen=True, slots=True)
class RegistryTools:
    """What is done to a registry, given by its SQLAlchemy URL."""

    snapshot: Callable[[str, Path], tuple[str, Counts]]  # schema and rows; the file is made
    restore: Callable[[str, Path], Counts]  # into an empty registry, brought up to date
    server: Callable[[str], tuple[str, int]]  # host and port; a ValueError if it cannot be read


def registry_url(settings: Settings, folder: Path) -> str:
    """Where the registry is: what the settings name, or a file in this folder."""
    if settings.registry_url is not None:
        return settings.registry_url.get_secret_value()
    return f"sqlite:///{quote(str((folder / 'registry.sqlite').resolve()))}"


def has_registry(settings: Settings) -> bool:
    """Whether there is one to copy; nothing is made by asking."""
    if settings.registry_url is None:
        return (settings.data_dir / "registry.sqlite").exists()
    url = settings.registry_url.get_secret_value()
    if not url.startswith("sqlite:///") or url.startswith("sqlite:///file:"):
        return True  # a server's, or a URI of SQLite's own: whoever opens it says what is missing
    return Path(unquote(url.removeprefix("sqlite:///").partition("?")[0])).exists()
