"""docs/diary.md says what the code takes: words, units, ranges, columns, limits."""

import re
from pathlib import Path
from typing import get_args

from api.diary import agreement, csv_rows, csv_text, keeping, matching, units, values
from api.diary.analytes import KNOWN
from detector.refit import LEAST

PAGE = (Path(__file__).parents[1] / "docs" / "diary.md").read_text(encoding="utf-8")


def words(text: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", text))


def row(begins: str) -> str:
    (found,) = re.findall(rf"^\| {re.escape(begins)} \|.*$", PAGE, flags=re.MULTILINE)
    return str(found)


def test_every_word_is_there() -> None:
    assert words(row("`muscle`")) - {"muscle"} == set(get_args(values.FeltMuscle))
    assert words(row("`code`")) - {"code", "name"} == set(get_args(values.InterventionCode))
    assert words(row("`schedule`, `times`")) - {"schedule", "times"} == set(get_args(values.Schedule))
    table = PAGE.split("may say (`detail`)")[1].split("\n\n")[0]
    assert words(table) - {"detail"} == set(values.MEMBERS) | {
        word
        for members in values.MEMBERS.values()
        for name, allowed in members.items()
        for word in (name, *(item for item in allowed or () if isinstance(item, str)))
    }


def test_the_table_of_laboratory_values_is_the_code() -> None:
    for name, kind in KNOWN.items():
        (found,) = re.findall(rf"^\| `{name}`.*$", PAGE, flags=re.MULTILINE)
        cells = [cell.strip() for cell in found.split("|")[2:-1]]
        low, high = kind.possible
        usual = f"{kind.usual[0]:g} to {kind.usual[1]:g}"
        assert cells == [kind.unit, f"{kind.g_per_mol:.7g}", f"{low:g} to {high:g}", usual]
        assert kind.means in found


def test_the_units_are_the_code() -> None:
    doses, laboratory = PAGE.split("- Doses:")[1].split("- Laboratory:")
    assert words(doses) == set(units.DOSES)
    assert words(laboratory.split("One mmol")[0]) == set(units.CONCENTRATIONS)


def test_the_columns_and_who_has_them_are_the_code() -> None:
    table = PAGE.split("| column |")[1].split("\n\n")[0].splitlines()
    kinds = [cell.strip() for cell in table[0].split("|")[:-1] if cell.strip()]
    uses: dict[str, set[str]] = {kind: set() for kind in kinds}
    for line in table[2:]:
        names, *cells = (cell.strip() for cell in line.split("|")[1:-1])
        for kind, cell in zip(kinds, cells, strict=True):
            uses[kind] |= words(names) if cell else set()
    for kind, columns in csv_rows.USES.items():
        assert uses[kind] == {*columns, "entry", "id", "key"}, kind
    assert set().union(*uses.values()) == set(csv_text.COLUMNS)


def test_numbers_are_those_of_the_code() -> None:
    assert f"at most {values.MAX_NOTE} characters" in PAGE
    assert f"at most {values.WIDEST_S:.0f}" in PAGE
    assert f"at most {csv_text.MAX_BYTES // 10**6} MB and {csv_text.MAX_ROWS} rows" in PAGE
    assert f"at most {keeping.MAX_ENTRIES} entries" in PAGE
    assert f"{matching.SLACK_S / 60:.0f} minutes" in PAGE
    assert f"{matching.OTHER_MUSCLE} for a calf" in PAGE
    assert f"at most {matching.OFF_CENTRE} for" in PAGE
    assert (matching.LEAST_USABLE, matching.MEANT_S) == (0.5, 300)  # written out in the text
    assert f"from {agreement.LEAST_PAIRS} pairs on" in PAGE
    assert f"From {LEAST} cramps" in PAGE
    assert agreement.CUTS == (5, 7)  # written out in the text
    assert words(PAGE.split("| seen | means |")[1].split("\n\n")[0]) == set(get_args(matching.Seen))
