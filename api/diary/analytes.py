"""Laboratory values in one unit each, and which numbers cannot be: a wrong unit is caught here. No diagnosis.

The usual ranges are those of many laboratories, in serum of adults; the laboratory that measured has its own.
"""

import math
from dataclasses import dataclass
from typing import Final, Literal, get_args

from api.diary.units import CONCENTRATIONS, Unit
from api.errors import Invalid

Analyte = Literal["magnesium", "potassium", "calcium", "sodium", "vitamin_d", "b12", "ferritin"]
Standing = Literal["below", "within", "above"]
ANALYTES: Final[tuple[Analyte, ...]] = get_args(Analyte)
SLIPS: Final = (10.0, 100.0, 1000.0)


@dataclass(frozen=True, slots=True)
class Kind:
    """What is known of an analyte. Ranges are in `unit`; `valence` None: it is no ion, so has no equivalents."""

    unit: str
    g_per_mol: float
    valence: int | None
    possible: tuple[float, float]  # beyond it a value is a slip of the unit or of the pen
    usual: tuple[float, float]
    reported: tuple[str, ...]  # units in which laboratories report it
    means: str = ""


_IN_MOL: Final = ("mmol/L", "mg/dL", "meq/L")
KNOWN: Final[dict[Analyte, Kind]] = {
    "magnesium": Kind("mmol/L", 24.305, 2, (0.2, 5.0), (0.70, 1.05), _IN_MOL, "total"),
    "potassium": Kind("mmol/L", 39.0983, 1, (1.5, 10.0), (3.5, 5.1), _IN_MOL),
    "calcium": Kind("mmol/L", 40.078, 2, (1.0, 5.0), (2.15, 2.60), _IN_MOL, "total, not ionised"),
    "sodium": Kind("mmol/L", 22.98977, 1, (95.0, 200.0), (135.0, 145.0), _IN_MOL),
    "vitamin_d": Kind(
        "nmol/L", 400.64, None, (5.0, 1000.0), (50.0, 125.0), ("nmol/L", "ng/mL", "ug/L"), "25-hydroxyvitamin D3"
    ),
    "b12": Kind(
        "pmol/L", 1355.37, None, (30.0, 5000.0), (140.0, 650.0), ("pmol/L", "pg/mL", "ng/L"), "as cyanocobalamin"
    ),
    "ferritin": Kind(
        "ug/L", 445_000.0, None, (1.0, 20_000.0), (15.0, 300.0), ("ug/L", "ng/mL", "pmol/L"), "of 445 kDa"
    ),
}


def check(analyte: Analyte, value: float, unit: str) -> None:
    """Refuse an unknown unit, and a number that cannot be in this one; names the slip that it looks like."""
    converted(analyte, value, unit)
    if not possible(analyte, value, unit):
        kind = KNOWN[analyte]
        low, high = (_shown(from_own(analyte, edge, unit)) for edge in kind.possible)
        sentence = f"{value:g} {unit} of {analyte} cannot be: it lies between {low} and {high} {unit}."
        raise Invalid("value", sentence + _slip(analyte, value, unit))


def converted(analyte: Analyte, value: float, unit: str) -> float:
    """The value in the analyte's own unit."""
    if not (math.isfinite(value) and value > 0):
        raise Invalid("value", "A laboratory value is a number above 0.")
    return value * _per_own(analyte, unit)


def from_own(analyte: Analyte, value: float, unit: str) -> float:
    """A value in the analyte's own unit, in another one."""
    return value / _per_own(analyte, unit)


def possible(analyte: Analyte, value: float, unit: str) -> bool:
    """Whether a living adult can have this value."""
    low, high = KNOWN[analyte].possible
    return low <= converted(analyte, value, unit) <= high


def standing(analyte: Analyte, value: float, unit: str) -> Standing:
    """Where the value lies against the usual range of many laboratories."""
    low, high = KNOWN[analyte].usual
    own = converted(analyte, value, unit)
    return "below" if own < low else "above" if own > high else "within"


def remark(analyte: Analyte, value: float, unit: str) -> str:
    """What the number would be in another unit, where it is unusual in this one and usual in that; else empty."""
    own = converted(analyte, value, unit)
    low, high = KNOWN[analyte].usual
    if low / 1.5 <= own <= high * 1.5:
        return ""
    other = _other_unit(analyte, value, unit)
    return f"{value:g} {other} would be usual: check the unit." if other else ""


def units_of(analyte: Analyte) -> list[str]:
    """The units that an analyte may be given in."""
    return [code for code, unit in CONCENTRATIONS.items() if _g_per_l(analyte, unit) is not None]


def _per_own(analyte: Analyte, unit: str) -> float:
    given, own = CONCENTRATIONS.get(unit), CONCENTRATIONS[KNOWN[analyte].unit]
    factor, base = (None if given is None else _g_per_l(analyte, given)), _g_per_l(analyte, own)
    if factor is None or base is None:
        raise Invalid(
            "unit", f"{analyte} cannot be given in this unit. Give one of {', '.join(units_of(analyte))} (UCUM)."
        )
    return factor / base


def _g_per_l(analyte: Analyte, unit: Unit) -> float | None:
    """Grams a litre in one of a unit; None where the analyte has no such unit."""
    kind = KNOWN[analyte]
    if unit.dimension == "mass_concentration":
        return unit.factor
    if unit.dimension == "molar_concentration":
        return unit.factor * kind.g_per_mol
    return None if kind.valence is None else unit.factor * kind.g_per_mol / kind.valence


def _slip(analyte: Analyte, value: float, unit: str) -> str:
    """The likeliest slip: another unit in which the number is usual, else a power of ten that makes it so."""
    other = _other_unit(analyte, value, unit)
    if other:
        return f" {value:g} {other} would be usual: check the unit."
    for times in SLIPS:
        for changed, word in ((value / times, "large"), (value * times, "small")):
            if standing(analyte, changed, unit) == "within":
                return f" {changed:g} {unit} would be usual: this may be {times:g} times too {word}."
    return " Check the number and its unit."


def _other_unit(analyte: Analyte, value: float, unit: str) -> str:
    within = (code for code in KNOWN[analyte].reported if standing(analyte, value, code) == "within")
    return "" if standing(analyte, value, unit) == "within" else next(within, "")


def _shown(value: float) -> str:
    return f"{value:.3g}" if value < 1000 else f"{value:.0f}"
