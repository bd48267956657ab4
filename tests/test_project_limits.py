"""House limits, and what must not be in a tracked file."""

import ast
import re
import subprocess
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parent.parent
FILE_LINES: Final = 400
FUNCTION_LINES: Final = 60
# Written in pieces, so that this file does not hold them either.
FORBIDDEN: Final = {
    "a registry's host": ["py" + "pi.org", "python" + "hosted", "registry.npm" + "js", "proxy.gol" + "ang"],
    "a path of one machine": ["/wo" + "rk/", "/ro" + "ot/", "/ho" + "me/", "/tm" + "p/"],
}
# Inside a container, or for a tool that wants one, such a path is everybody's.
ALLOWED: Final = {"docker-compose.yml"}


def _tracked() -> list[Path]:
    """Files under version control, and new ones that are not ignored."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return [ROOT / name for name in listed if (ROOT / name).is_file()]


TRACKED: Final = _tracked()
PYTHON: Final = [path for path in TRACKED if path.suffix == ".py" or path.name == "make-secrets"]


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", PYTHON, ids=_name)
def test_lengths(path: Path) -> None:
    text = path.read_text()
    assert text.count("\n") <= FILE_LINES, f"{_name(path)} is too long"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            length = node.end_lineno - node.lineno + 1
            assert length <= FUNCTION_LINES, f"{_name(path)}:{node.lineno} {node.name} has {length} lines"


@pytest.mark.parametrize("what", FORBIDDEN)
def test_tracked_files_do_not_name(what: str) -> None:
    pattern = re.compile("|".join(re.escape(text) for text in FORBIDDEN[what]).encode())
    found = [
        f"{_name(path)}: {match[0]!r}"
        for path in TRACKED
        if path.name not in ALLOWED and (match := pattern.search(path.read_bytes()))
    ]
    assert not found


def test_tests_are_flat_files_named_after_a_package() -> None:
    packages = (
        "api", "archive", "benchmarks", "chain", "charley", "detector", "docs", "ingest", "project", "simulators",
        "store", "wire",
    )  # fmt: skip
    for path in (ROOT / "tests").glob("test_*.py"):
        assert path.stem.split("_")[1] in packages, path.name
    folders = {path.parent.name for path in TRACKED if "tests" in path.parts and path.parent.name != "tests"}
    assert not folders & {"api", "detector", "ingest", "simulators"}


def test_nothing_is_patched_and_nothing_sleeps() -> None:
    for path in (ROOT / "tests").glob("test_*.py"):
        if path == Path(__file__):
            continue
        text = path.read_text()
        assert not re.search(r"\bmock\.patch|unittest\.mock|monkeypatch\.setattr", text), path.name
        assert not re.search(r"\btime\.sleep\(", text), path.name


def test_make_targets_are_documented() -> None:
    makefile = (ROOT / "Makefile").read_text()
    page = (ROOT / "docs" / "development.md").read_text()
    (phony,) = re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    public = set(phony.split()) - {"help", "runtime", "servers"}
    assert public == set(re.findall(r"^\| `make (\w+)` \|", page, re.MULTILINE))
    assert public == set(re.findall(r'@echo "make (\w+) ', makefile))


def test_pages_link_to_files_that_exist() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
