"""What the articles ask that has no trial to reproduce: patterns of one wearer, shown on simulated ones."""

from typing import Final

from benchmarks.trials.published_row import Row

TESTS: Final = "tests/test_api_trends_systems.py"
_NONE: Final = "There are no published figures to compute from."


def day_night_pattern() -> Row:
    """Calcium by day, magnesium at night."""
    return Row(
        "day_night_pattern",
        "Calcium by day, magnesium at night: the night:day rate ratio", "the hypothesis of the articles",
        "one wearer, nights against days", "cramps at night point to magnesium, by day to calcium; no figures",
        "trends: exact ratio of rates per usable hour, nights against days",
        "a ratio with an exact interval for each wearer", "shown elsewhere", _NONE, seen="none",
        warning="A weak pointer at best: 73 % of all rest cramps come at night anyway (Naylor and Young 1994, "
        "doi 10.1093/ageing/23.5.418). A laboratory decides.",
    )  # fmt: skip


def exercise_cramps_with_and_without_a_drink() -> Row:
    """Context of training sessions."""
    return Row(
        "exercise_cramps_with_and_without_a_drink", "Drinks for exercise cramps", "the articles",
        "one wearer, training sessions with and without the drink", "no figures",
        "trends: ratio of rates per hour of training, by what the diary says was drunk",
        "a ratio with its interval for each wearer", "shown elsewhere", _NONE, seen="none",
        warning="Who drinks on hot days compares heat, not drinks: draw by lot which session gets the drink.",
        simulated=("drink at training, crossover of 20",),
    )  # fmt: skip


def laboratory_values_beside_episodes() -> Row:
    """Potassium and others on the time axis of cramps."""
    return Row(
        "laboratory_values_beside_episodes", "Potassium, magnesium and other laboratory values", "the articles",
        "one wearer, values of the diary beside the weeks around them", "no figures",
        "trends: values with their units and reference ranges beside the rate of the weeks around each",
        "a table, not a test", "shown elsewhere", _NONE, seen="none",
        warning="A few values of one person prove no connection; they are shown to a physician, not interpreted.",
    )  # fmt: skip
