"""A file to begin with: the heading, and an example of each kind that is passed over until its # is removed."""

import csv
import io
from typing import Final

from api.diary.csv_text import COLUMNS

EXAMPLES: Final = (
    {
        "entry": "cramp", "at": "2026-01-20 03:10", "what": "calf", "side": "left", "duration_s": "120", "pain": "7",
        "sleep_disturbance": "5", "uncertain_s": "600", "note": "woke me",
    },
    {"entry": "cramp", "at": "night 2026-01-21", "pain": "4"},
    {
        "entry": "intervention", "at": "2026-01-05", "end": "2026-02-01", "what": "magnesium", "name": "citrate",
        "value": "300", "unit": "mg", "schedule": "at_bedtime",
    },
    {"entry": "intake", "at": "2026-01-20 22:15", "what": "magnesium", "outcome": "missed"},
    {
        "entry": "context", "at": "2026-01-22 08:00", "end": "2026-01-22 12:00", "what": "dialysis",
        "detail": "dialysate_magnesium_mmol_per_l=0.5",
    },
    {
        "entry": "context", "at": "2026-01-23 18:00", "end": "2026-01-23 19:30", "what": "training",
        "detail": "drink=electrolyte; intensity=hard",
    },
    {"entry": "laboratory", "at": "2026-01-19", "what": "magnesium", "value": "0.78", "unit": "mmol/L"},
)  # fmt: skip


def template() -> str:
    """Heading and examples as CSV."""
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, COLUMNS, restval="", lineterminator="\r\n")
    writer.writeheader()
    for example in EXAMPLES:
        writer.writerow(example | {"entry": f"#{example['entry']}"})
    return file.getvalue()
