"""Units of doses and of laboratory values: a closed table of UCUM codes, and what they come to.

UCUM takes an equivalent for a mole (one meq of magnesium would be one mmol; it is half of one) and lets any unit be
written, so a general parser accepts and converts what is wrong in a diary. Here a unit is known or refused, mass and
amount of substance differ, and equivalents need a valence.
"""

import math
import re
from dataclasses import dataclass
from typing import Final, Literal

from api.errors import Invalid

Dimension = Literal[
    "mass", "substance", "equivalents", "international", "volume", "count", "time", "pressure",
    "mass_concentration", "molar_concentration", "equivalent_concentration",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit: so many of its dimension's own (g, mol, eq, [IU], L, s, Pa, g/L, mol/L, eq/L)."""

    code: str
    dimension: Dimension
    factor: float


def _units(dimension: Dimension, **codes: float) -> dict[str, Unit]:
    return {code: Unit(code, dimension, factor) for code, factor in codes.items()}


DOSES: Final = (
    _units("mass", kg=1e3, g=1.0, mg=1e-3, ug=1e-6, ng=1e-9)
    | _units("substance", mol=1.0, mmol=1e-3, umol=1e-6)
    | _units("equivalents", meq=1e-3)
    | _units("international", **{"[IU]": 1.0, "k[IU]": 1e3})
    | _units("volume", L=1.0, dL=0.1, cL=1e-2, mL=1e-3)
    | _units("time", s=1.0, min=60.0, h=3600.0)
    | _units("pressure", **{"mm[Hg]": 133.322387415})
    | _units(
        "count",
        **dict.fromkeys(("{tablet}", "{capsule}", "{drop}", "{sachet}", "{portion}", "{repetition}", "{set}"), 1.0),
    )
)
CONCENTRATIONS: Final = (
    _units("molar_concentration", **{"mmol/L": 1e-3, "umol/L": 1e-6, "nmol/L": 1e-9, "pmol/L": 1e-12})
    | _units(
        "mass_concentration",
        **{
            "g/L": 1.0, "mg/L": 1e-3, "ug/L": 1e-6, "ng/L": 1e-9, "g/dL": 10.0, "mg/dL": 1e-2, "ug/dL": 1e-5,
            "ng/dL": 1e-8, "mg/mL": 1.0, "ug/mL": 1e-3, "ng/mL": 1e-6, "pg/mL": 1e-9,
        },
    )
    | _units("equivalent_concentration", **{"meq/L": 1e-3})
)  # fmt: skip
# The most that is taken at once of what has a name, in grams or international units: well above any regimen, well
# below a thousand times one, which is what mg for ug comes to.
LARGEST_G: Final = {
    "magnesium": 5.0, "calcium": 5.0, "zinc": 1.0, "vitamin_e": 4.0, "vitamin_k2": 0.1, "vitamin_d": 0.02,
    "vitamin_b_complex": 1.0, "potassium": 20.0, "quinine": 2.0,
}  # fmt: skip
LARGEST_IU: Final = {"vitamin_d": 600_000.0, "vitamin_e": 4_000.0}
_IN_INTERNATIONAL: Final = frozenset({"vitamin_d", "vitamin_e", "other"})
_SPELLINGS: Final = {
    "mcg": "ug", "iu": "[IU]", "i.u.": "[IU]", "ie": "[IU]", "i.e.": "[IU]", "ui": "[IU]", "meq": "meq", "mval": "meq",
    "mmhg": "mm[Hg]", "tablet": "{tablet}", "tablets": "{tablet}", "capsule": "{capsule}", "capsules": "{capsule}",
    "drop": "{drop}", "drops": "{drop}", "[drp]": "{drop}", "sachet": "{sachet}", "sachets": "{sachet}",
    "hr": "h", "sec": "s",
}  # fmt: skip


def spelled(unit: str) -> str:
    """A unit as UCUM writes it, where it is usual to write it otherwise: µg, mcg, IU, mEq/l, mg/dl."""
    text = re.sub(r"[µμ]", "u", unit.strip())
    parts = [_SPELLINGS.get(part.strip().lower(), part.strip()) for part in text.split("/")]
    return "/".join(re.sub(r"^([mcd]?)l$", r"\1L", part) for part in parts)


def check_dose(code: str, value: float | None, unit: str | None) -> None:
    """Refuse a dose of an unknown unit, or one that nobody takes; `code` is what it is a dose of."""
    if value is None and unit is None:
        return
    if value is None or unit is None:
        raise Invalid("dose", "A dose is a value and its unit: give both, as 300 and mg, or neither.")
    known = DOSES.get(unit)
    if known is None:
        raise Invalid("dose.unit", f"Unknown unit of a dose. Give one of {', '.join(DOSES)} (UCUM).")
    if not (math.isfinite(value) and 0 < value <= 1e6):
        raise Invalid("dose.value", "A dose is a number above 0 and at most 1000000.")
    if known.dimension == "international" and code not in _IN_INTERNATIONAL:
        raise Invalid("dose.unit", "Only vitamins D and E are dosed in [IU]: give mg, ug or mmol.")
    largest = {"mass": LARGEST_G, "international": LARGEST_IU}.get(known.dimension, {}).get(code)
    if largest is not None and value * known.factor > largest:
        most = f"{largest:g} g" if known.dimension == "mass" else f"{largest:g} [IU]"
        raise Invalid(
            "dose.value",
            f"{value:g} {unit} is more than is ever taken at once ({most}): check the unit; mg for ug is a thousand "
            "times too much.",
        )
