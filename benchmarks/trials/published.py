"""Every system of the articles: what was published, what our functions make of the same numbers, does it agree."""

from typing import Final

from benchmarks.trials import (
    published_magnesium,
    published_nutrients,
    published_patterns,
    published_quinine,
    published_stretching,
    published_woodfield,
)
from benchmarks.trials.published_row import Row

MAKERS: Final = (
    published_magnesium.roffe_2002,
    published_magnesium.roguin_maor_2017,
    published_magnesium.frusso_1999,
    published_magnesium.barna_2021,
    published_magnesium.cochrane_magnesium,
    published_nutrients.kugelmas_2000,
    published_nutrients.khajehdehi_2001,
    published_nutrients.vitamin_e_dialysis,
    published_nutrients.chan_1998,
    published_nutrients.tan_2024,
    published_stretching.hallegraeff_2012,
    published_stretching.coppin_2005,
    published_stretching.intradialytic_stretching,
    published_quinine.cochrane_quinine,
    published_quinine.man_son_hing_1998,
    published_quinine.jansen_1997,
    published_quinine.sidorov_1993,
    published_woodfield.woodfield_2005,
    published_quinine.mexiletine,
    published_nutrients.taurine_2018,
    published_nutrients.piccles_2022,
    published_patterns.day_night_pattern,
    published_patterns.exercise_cramps_with_and_without_a_drink,
    published_patterns.laboratory_values_beside_episodes,
)


def rows() -> list[Row]:
    """Every row, computed anew."""
    return [make() for make in MAKERS]
