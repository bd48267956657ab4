"""Requirements: they cover pyproject.toml, hold hashes and no address; docs/dependencies.md argues each direct one."""

import ast
import importlib.metadata
import re
import sys
import tomllib
from pathlib import Path
from typing import Any, Final

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT: Final = Path(__file__).resolve().parent.parent
PROJECT: Final[dict[str, Any]] = tomllib.loads((ROOT / "pyproject.toml").read_text())
GROUPS: Final[dict[str, list[Any]]] = PROJECT["dependency-groups"]
RUN: Final[list[str]] = PROJECT["project"]["dependencies"]
EXTRA: Final[list[str]] = PROJECT["project"]["optional-dependencies"]["postgres"]
FILES: Final = {
    "requirements.txt": [*RUN, *EXTRA],  # the image speaks to either database
    "requirements-build.txt": GROUPS["build"],
    "requirements-dev.txt": [*RUN, *EXTRA, *GROUPS["dev"]],
    "requirements-bench.txt": GROUPS["bench"],
    "requirements-lock.txt": GROUPS["lock"],
}
PIN: Final = re.compile(r"([A-Za-z0-9._-]+)==(\S+)( ; [^\\]+?)?((?: \\\n    --hash=sha256:[0-9a-f]{64})+)")


def _expand(wanted: list[Any]) -> list[Requirement]:
    """Requirements, with included groups in place of their names."""
    found: list[Requirement] = []
    for entry in wanted:
        found += _expand(GROUPS[entry["include-group"]]) if isinstance(entry, dict) else [Requirement(entry)]
    return found


def _pins(name: str) -> dict[str, set[Version]]:
    """Pinned versions by package; several where they depend on the Python version or platform."""
    pins: dict[str, set[Version]] = {}
    for package, version, _, _ in PIN.findall((ROOT / "deploy" / name).read_text()):
        pins.setdefault(canonicalize_name(package), set()).add(Version(version))
    return pins


files = pytest.mark.parametrize("name", sorted(FILES))


@files
def test_file_is_nothing_but_hashed_pins(name: str) -> None:
    text = (ROOT / "deploy" / name).read_text()
    assert PIN.sub("", text).strip() == "", "run make lock"
    assert "://" not in text


@files
def test_file_covers_pyproject(name: str) -> None:
    pins = _pins(name)
    for requirement in _expand(FILES[name]):
        versions = pins.get(canonicalize_name(requirement.name), set())
        assert versions, f"{requirement} is not in {name}: run make lock"
        assert all(version in requirement.specifier for version in versions), f"{requirement}: run make lock"


@files
def test_file_is_complete(name: str) -> None:
    """What the pinned packages need is pinned too, as far as they are installed here."""
    pins = _pins(name)
    for package in pins:
        try:
            needed = importlib.metadata.requires(package) or []
        except importlib.metadata.PackageNotFoundError:
            continue  # for another platform, or another environment
        for requirement in map(Requirement, needed):
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                assert canonicalize_name(requirement.name) in pins, f"{package} needs {requirement}: run make lock"


def test_every_group_has_a_file() -> None:
    assert {"dev", "build", "bench", "lock"} == set(GROUPS)
    assert {path.name for path in (ROOT / "deploy").glob("requirements*.txt")} == set(FILES)


@pytest.mark.parametrize("name", ["requirements-build.txt", "requirements-bench.txt", "requirements.txt"])
def test_versions_agree_with_the_development_file(name: str) -> None:
    development = _pins("requirements-dev.txt")
    for package, versions in _pins(name).items():
        if package in development:
            assert versions == development[package], f"{package}: run make lock"


def _argued() -> dict[str, str]:
    """Licence by package, of the page's tables."""
    page = (ROOT / "docs" / "dependencies.md").read_text()
    rows = re.findall(r"^\| ([a-z0-9-]+) \| ([^|]+) \| [^|]{3,} \|", page, re.MULTILINE)
    return {package: licence.strip() for package, licence in rows if package != "package"}


def test_page_argues_every_direct_dependency_and_no_other() -> None:
    direct = _expand([*RUN, *EXTRA, *GROUPS["dev"], *GROUPS["bench"], *GROUPS["lock"]])
    assert set(_argued()) == {canonicalize_name(requirement.name) for requirement in direct}


LICENCE_WORDS: Final = {
    "MIT": ("mit",),
    "Apache": ("apache",),
    "BSD": ("bsd",),
    "MPL": ("mpl", "mozilla"),
    "EPL": ("epl",),
}


@pytest.mark.parametrize(("package", "licence"), sorted(_argued().items()))
def test_licence_is_what_the_package_states(package: str, licence: str) -> None:
    try:
        metadata = importlib.metadata.metadata(package)
    except importlib.metadata.PackageNotFoundError:
        # Only the environments of make bench, make evaluate and make lock have these.
        assert package in {"atheris", "biosppy", "neurokit2", "peakutils", "pyperf", "uv"}
        return
    stated = " ".join(
        [metadata.get("License-Expression", ""), (metadata.get("License") or "")[:200]]
        + [line for line in metadata.get_all("Classifier") or [] if line.startswith("License")]
    ).lower()
    if package == "editables":
        assert "mit" in stated
    if package == "timescoring":  # states nothing, but comes with its licence
        files = importlib.metadata.files(package) or []
        stated += next(file for file in files if file.name == "LICENSE").read_text()[:100].lower()
    for word in re.findall("MIT|Apache|BSD|MPL|EPL", licence):
        assert any(spelling in stated for spelling in LICENCE_WORDS[word]), f"{package}: {stated}"
    assert not re.search(r"\b[al]?gpl", stated), package


def test_only_hypothesis_is_copyleft() -> None:
    assert {package for package, licence in _argued().items() if "MPL" in licence} == {"hypothesis"}
    assert not [package for package, licence in _argued().items() if "GPL" in licence]


COMES_WITH: Final = {"starlette": "fastapi", "urllib3": "influxdb-client"}
IMPORT_NAMES: Final = {
    "paho": "paho-mqtt",
    "influxdb_client": "influxdb-client",
    "prometheus_client": "prometheus-client",
}


def test_every_imported_package_is_declared() -> None:
    declared = {canonicalize_name(requirement.name) for requirement in _expand(RUN)}
    parts = {"api", "detector", "ingest", "simulators"}
    ours = {*parts, "benchmarks", "charley"}  # `charley evaluate` reaches for the benchmarks of a checkout
    paths = [ROOT / "charley.py", *(path for name in parts for path in (ROOT / name).rglob("*.py"))]
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text())):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            modules += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            for top in {module.split(".")[0] for module in modules} - ours - set(sys.stdlib_module_names):
                package = COMES_WITH.get(top, IMPORT_NAMES.get(top, canonicalize_name(top)))
                assert package in declared, f"{path.name} imports {top}, which pyproject.toml does not name"


def test_every_declared_package_is_imported() -> None:
    """A dependency that nothing imports is to be dropped."""
    source = "\n".join(
        path.read_text()
        for name in ("api", "detector", "ingest", "simulators")
        for path in [*(ROOT / name).rglob("*.py"), ROOT / "charley.py"]
    )
    by_package = {package: name for name, package in IMPORT_NAMES.items()}
    for requirement in _expand(RUN):
        name = by_package.get(requirement.name, requirement.name.replace("-", "_"))
        if name != "tzdata":  # data only: zoneinfo finds it by itself
            found = re.search(rf"^\s*(from|import) {name}\b", source, re.MULTILINE)
            assert found, f"nothing imports {requirement.name}"
