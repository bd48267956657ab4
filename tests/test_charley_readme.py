"""README.md and docs/ against the program: every command, option and setting that they name exists."""

import re
import shlex
from pathlib import Path
from typing import Final, get_args

import pytest
import typer
from wire_examples import fences, table

from charley import app
from ingest.settings import FOR_TESTS, PREFIX, SECRETS, Settings, load_settings

ROOT: Final = Path(__file__).resolve().parent.parent
RUNNING: Final = ROOT / "docs" / "running.md"
PAGES: Final = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMANDS: Final = typer.main.get_command(app).commands  # type: ignore[attr-defined]
SETTINGS: Final = {PREFIX + name.upper(): field for name, field in Settings.model_fields.items()}


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def code(page: Path) -> list[str]:
    """Everything on a page that is set as code: each line of a fence, each piece between backticks."""
    lines = [line for language in ("sh", "bash", "console") for fence in fences(language, page)
             for line in fence.text.splitlines()]  # fmt: skip
    prose = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    return [*lines, *re.findall(r"`([^`\n]+)`", prose)]


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_charley_commands_exist(page: Path) -> None:
    for piece in code(page):
        for call in re.findall(r"(?:^|[\s/])charley ((?:[a-z-]+|COMMAND)\b[^|;&>]*)", piece):
            name, *words = shlex.split(call)
            if name == "COMMAND":
                continue
            assert name in COMMANDS, f"{page.name}: charley {name}"
            options = {option for parameter in COMMANDS[name].params for option in parameter.opts} | {"--help"}
            named = {word.partition("=")[0] for word in words if word.startswith("-")}
            assert named <= options, f"{page.name}: charley {call}"
            if name == "simulate":
                scenario = [word for word in words if re.fullmatch(r"[a-z_]+", word)]
                assert not scenario or scenario[0] in scenarios(), f"{page.name}: charley {call}"


def scenarios() -> set[str]:
    return {row[0].strip("`") for row in table("## Scenarios", ROOT / "docs" / "simulators.md")}


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_make_targets_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for piece in code(page):
        for target in re.findall(r"^make ([a-z]+)\b", piece):
            assert target in targets, f"{page.name}: make {target}"


def test_the_readme_shows_the_two_commands() -> None:
    shown = [line for fence in fences("sh", ROOT / "README.md") for line in fence.text.splitlines()]
    assert shown[:2] == ["make demo", "make test"]


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_settings_exist(page: Path) -> None:
    """What Compose or a test reads is no setting of Charley's, and is to be found where these read it."""
    elsewhere = set(re.findall(r"CHARLEY_[A-Z_]+", (ROOT / ".env.example").read_text()))
    elsewhere |= {f"{secret}_FILE" for secret in SECRETS}
    for name in re.findall(r"CHARLEY_[A-Z][A-Z_]*[A-Z]", page.read_text()):
        known = name in SETTINGS or name in elsewhere or name.startswith(FOR_TESTS)
        assert known, f"{page.name}: {name}"


def test_the_table_of_settings_is_the_code() -> None:
    rows = {row[0].strip("`"): row[1:] for row in table("## Settings", RUNNING)}
    assert list(rows) == list(SETTINGS)
    for name, (default, meaning) in rows.items():
        field = SETTINGS[name]
        shown = "" if field.default is None else str(field.default)
        assert default.strip("`") == (shown.lower() if isinstance(field.default, bool) else shown), name
        assert meaning.startswith(field.description or "?"), name


def test_defaults_of_the_table_can_be_set() -> None:
    given = {row[0].strip("`"): row[1].strip("`") for row in table("## Settings", RUNNING)}
    assert load_settings(given) == Settings()


def test_values_to_choose_from_are_those_of_the_code() -> None:
    rows = {row[0].strip("`"): row[2] for row in table("## Settings", RUNNING)}
    chosen = {
        name: get_args(field.annotation) for name, field in SETTINGS.items() if "Literal" in str(field.annotation)
    }
    assert sorted(chosen) == ["CHARLEY_LOG_LEVEL", "CHARLEY_STORE"]
    for name, choices in chosen.items():
        assert tuple(re.findall(r"`(\w+)`", rows[name])) == choices


def test_the_roles_are_the_commands() -> None:
    rows = table("## Roles", RUNNING)
    assert sorted(row[0].strip("`") for row in rows) == sorted(f"charley {name}" for name in COMMANDS)


def test_secrets_are_named_as_such() -> None:
    (paragraph,) = re.findall(r"^\*\*Secrets\.\*\*.*?\n\n", RUNNING.read_text(), re.MULTILINE | re.DOTALL)
    assert {name for name in re.findall(r"CHARLEY_\w+", paragraph) if not name.endswith("_FILE")} == set(SECRETS)


def test_help_of_every_command_has_a_sentence_for_each_option() -> None:
    for name, command in COMMANDS.items():
        assert command.help, name
        for parameter in command.params:
            hidden = getattr(parameter, "hidden", False)
            assert hidden or parameter.name == "help" or parameter.help, f"charley {name}: {parameter.name}"
