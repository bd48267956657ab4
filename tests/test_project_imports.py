"""The import rule, file by file: who may import which part of ours, and where a library lives."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parent.parent
OURS: Final = ("api", "detector", "ingest", "simulators")
# What a package may import of ours, besides itself.
ALLOWED: Final = {
    "detector": (),
    "ingest": ("detector", "detector.*"),
    "api": (
        "ingest.store",
        "ingest.store.*",
        "detector.agreement",
        "detector.refit",
        "detector.results",
        "detector.posture",
        "detector.sleep",
        "detector.wear",
    ),
    "simulators": ("ingest.wire", "ingest.errors"),
}
# Libraries that live in few places: file patterns relative to the root.
HOMES: Final = {
    "paho": ("ingest/mqtt.py", "ingest/mqtt_*.py", "simulators/uplink.py"),
    "influxdb_client": ("ingest/store/influx.py",),
    "fastapi": ("api/*",),
    "starlette": ("api/*",),
    "uvicorn": ("api/*",),
    "jinja2": ("api/*",),
    "sqlalchemy": ("api/*",),
    "alembic": ("api/*",),
    "iotcore": ("ingest/broker.py",),
    "prometheus_client": ("ingest/*", "api/*"),
    "edfio": ("ingest/recording/edf.py", "simulators/recording.py"),
    "h5py": ("ingest/recording/hdf5.py",),
    "matplotlib": ("ingest/recording/draw.py",),
    "pyarrow": ("ingest/recording/*.py", "ingest/archive/*.py"),
    "statsmodels": ("api/statistics/*", "api/trends/*", "api/diary/*"),
    "structlog": ("ingest/log.py",),
    "typer": ("charley.py",),
    "rich": ("charley.py", "ingest/*/command.py", "simulators/command.py", "api/*/*command.py"),
    "neurokit2": (),
}


def _files() -> list[Path]:
    return [ROOT / "charley.py", *(path for package in OURS for path in sorted((ROOT / package).rglob("*.py")))]


def _imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and full name of each import of a file; `from a import b` gives `a.b` where that is a module of ours."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                place = ROOT / full.replace(".", "/")
                is_module = place.with_suffix(".py").exists() or place.is_dir()
                yield node.lineno, full if is_module else str(node.module)


@pytest.mark.parametrize("path", _files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_file_imports_what_it_may(path: Path) -> None:
    name = str(path.relative_to(ROOT))
    package = name.split("/", maxsplit=1)[0]
    for line, module in _imports(path):
        top = module.split(".", maxsplit=1)[0]
        where = f"{name}:{line} imports {module}"
        if module == "benchmarks.accuracy.command" and path.name == "charley.py":
            continue  # `charley evaluate`, in a checkout
        assert top not in {"charley", "tests", "benchmarks"}, where
        if top in OURS and top != package and package in ALLOWED:
            assert any(fnmatch(module, pattern) for pattern in ALLOWED[package]), where
        if top in HOMES:
            assert any(fnmatch(name, pattern) for pattern in HOMES[top]), where
        if package == "detector":
            assert top in {"detector", "numpy", "scipy", *sys.stdlib_module_names}, where


def test_import_contracts() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([str(linter), "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
