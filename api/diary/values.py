"""Entries of the diary as values. An `id` is empty until the entry is kept; `updated_ns` is when it last was."""

import json
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal, get_args

from api.diary import analytes
from api.diary.analytes import Analyte
from api.diary.units import check_dose
from api.errors import Invalid
from api.registry.values import Side

About = Literal["night", "day"]
# As exactly as the wearer knows it: a muscle that devices are worn on, or a part of the leg.
FeltMuscle = Literal[
    "gastrocnemius_medialis", "gastrocnemius_lateralis", "tibialis_anterior", "soleus", "calf", "shin", "foot",
    "thigh", "other",
]  # fmt: skip
InterventionCode = Literal[
    "magnesium", "calcium", "zinc", "vitamin_e", "vitamin_b_complex", "vitamin_k2", "vitamin_d", "potassium",
    "quinine", "stretching", "hydration", "electrolyte_drink", "pickle_juice", "heat", "massage", "compression",
    "other",
]  # fmt: skip
Schedule = Literal[
    "daily", "at_bedtime", "before_exercise", "during_exercise", "after_exercise", "at_dialysis", "weekly", "as_needed"
]
Outcome = Literal["taken", "missed"]
ContextKind = Literal[
    "training", "match", "heat", "dialysis", "pregnancy_week", "illness", "travel", "medication_change"
]
Verdict = Literal["cramp", "none", "unsure"]
EntryKind = Literal["cramp", "intervention", "intake", "context", "laboratory", "review"]

KINDS: Final[tuple[EntryKind, ...]] = get_args(EntryKind)
MAX_NOTE: Final = 200
LONGEST_S: Final = 24 * 3600.0
WIDEST_S: Final = 12 * 3600.0  # of "about three o'clock"; whose hour nobody knows is told by night or day
Detail = tuple[tuple[str, str | float], ...]
Member = tuple[str, ...] | tuple[float, float] | None
_EXERCISE: Final[dict[str, Member]] = {
    "activity": None,
    "drink": ("water", "electrolyte", "none"),
    "intensity": ("light", "moderate", "hard"),
}
# What a context may say of itself: one of some words, a number from one to another, or a short text.
MEMBERS: Final[dict[ContextKind, dict[str, Member]]] = {
    "training": _EXERCISE,
    "match": _EXERCISE,
    "heat": {"temperature_cel": (-50.0, 130.0)},
    "dialysis": {"dialysate_magnesium_mmol_per_l": (0.0, 2.0), "ultrafiltration_l": (0.0, 15.0)},
    "pregnancy_week": {"week": (1.0, 45.0)},
    "illness": {"what": None},
    "travel": {"what": None},
    "medication_change": {"what": None},
}


@dataclass(frozen=True, slots=True)
class FeltCramp:
    """A cramp that the wearer felt. Only its time is always known, and that to `uncertain_s` on either side."""

    at_ns: int
    uncertain_s: float = 0.0
    about: tuple[About, date] | None = None  # where only the night or the day is known; gives the other two
    muscle: FeltMuscle | None = None
    side: Side | None = None
    duration_s: float | None = None
    pain: int | None = None  # 0-10
    sleep_disturbance: int | None = None  # 0-10
    note: str = ""
    id: str = ""
    updated_ns: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.uncertain_s <= WIDEST_S and self.about is None:
            raise Invalid("uncertain_s", "`uncertain_s` is 0 to 43200 s to either side; else say `about` a night.")
        if self.duration_s is not None and not 0 < self.duration_s <= LONGEST_S:
            raise Invalid("duration_s", "A cramp lasts more than 0 and at most 86400 s: give its length in seconds.")
        _check_score("pain", self.pain)
        _check_score("sleep_disturbance", self.sleep_disturbance)
        check_note(self.note)


@dataclass(frozen=True, slots=True)
class Intervention:
    """What was taken or done, from one local date to another, both included; no `last`: it goes on."""

    code: InterventionCode
    first: date
    last: date | None = None
    name: str = ""  # of `other`, and a product or form of the rest
    dose_value: float | None = None
    dose_unit: str | None = None  # UCUM
    schedule: Schedule = "daily"
    times: int | None = None  # a day
    note: str = ""
    id: str = ""
    updated_ns: int = 0

    def __post_init__(self) -> None:
        if self.code == "other" and not self.name:
            raise Invalid("name", "Say what `other` is in `name`.")
        if len(self.name) > 80 or not self.name.isprintable():
            raise Invalid("name", "Give a name of at most 80 printable characters.")
        if self.last is not None and self.last < self.first:
            raise Invalid("to", "An intervention ends on or after the date on which it begins: exchange from and to.")
        if self.times is not None and not 1 <= self.times <= 24:
            raise Invalid("times", "Give 1 to 24 times a day, or leave `times` out.")
        check_dose(self.code, self.dose_value, self.dose_unit)
        check_note(self.note)

    @property
    def dose(self) -> str:
        """The dose as text, such as `300 mg`; empty where none is known."""
        return "" if self.dose_value is None else f"{self.dose_value:g} {self.dose_unit}"

    @property
    def a_day(self) -> int | None:
        """How often a day it is due, where its schedule says so."""
        if self.schedule == "daily":
            return self.times or 1
        return 1 if self.schedule == "at_bedtime" else None


@dataclass(frozen=True, slots=True)
class Intake:
    """One dose of an intervention, taken or missed."""

    intervention: str
    at_ns: int
    outcome: Outcome = "taken"
    id: str = ""
    updated_ns: int = 0


@dataclass(frozen=True, slots=True)
class Context:
    """What went on in `[at_ns, end_ns)`; without an end it is a moment."""

    kind: ContextKind
    at_ns: int
    end_ns: int | None = None
    detail: Detail = ()  # in order of name
    note: str = ""
    id: str = ""
    updated_ns: int = 0

    def __post_init__(self) -> None:
        if self.end_ns is not None and self.end_ns <= self.at_ns:
            raise Invalid("end", "A context ends after it begins: give an `end` later than `start`.")
        if self.kind == "dialysis" and self.end_ns is not None and self.end_ns - self.at_ns > LONGEST_S * 1e9:
            raise Invalid("end", "A dialysis session lasts at most a day: check start and end.")
        if self.kind == "pregnancy_week" and self.member("week") is None:
            raise Invalid("detail", "Say which week of pregnancy it is: `week`.")
        for name, value in self.detail:
            _check_member(self.kind, name, value)
        object.__setattr__(self, "detail", tuple(sorted(self.detail)))
        check_note(self.note)

    def member(self, name: str) -> str | float | None:
        """One member of the detail."""
        return dict(self.detail).get(name)


@dataclass(frozen=True, slots=True)
class LabValue:
    """One laboratory value, in the unit in which it was reported."""

    analyte: Analyte
    at_ns: int
    value: float
    unit: str  # UCUM
    note: str = ""
    id: str = ""
    updated_ns: int = 0

    def __post_init__(self) -> None:
        analytes.check(self.analyte, self.value, self.unit)
        check_note(self.note)


@dataclass(frozen=True, slots=True)
class Review:
    """What the wearer says of a detected episode; `at_ns` is its onset."""

    episode: str
    at_ns: int
    verdict: Verdict
    note: str = ""
    id: str = ""
    updated_ns: int = 0

    def __post_init__(self) -> None:
        check_note(self.note)


@dataclass(frozen=True, slots=True)
class Diary:
    """Everything of one wearer in one range."""

    cramps: tuple[FeltCramp, ...] = ()
    interventions: tuple[Intervention, ...] = ()
    intakes: tuple[Intake, ...] = ()
    contexts: tuple[Context, ...] = ()
    laboratory: tuple[LabValue, ...] = ()
    reviews: tuple[Review, ...] = ()


def detail_text(detail: Detail) -> str:
    """Members as JSON in order of name."""
    return json.dumps(dict(detail), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def check_note(note: str) -> None:
    """A note is short and of one line: the diary is no place for a history."""
    if len(note) > MAX_NOTE or not note.isprintable():
        raise Invalid("note", f"A note has at most {MAX_NOTE} printable characters in one line.")


def _check_score(name: str, score: int | None) -> None:
    if score is not None and not 0 <= score <= 10:
        raise Invalid(name, f"`{name}` is a whole number from 0 (none) to 10 (worst imaginable).")


def _check_member(kind: ContextKind, name: str, value: str | float) -> None:
    known, where = MEMBERS[kind], f"detail.{name}"
    if name not in known:
        raise Invalid("detail", f"A context of kind {kind} may say {', '.join(known)}, and nothing else.")
    match known[name]:
        case None:
            if not isinstance(value, str) or not 1 <= len(value) <= 80 or not value.isprintable():
                raise Invalid(where, f"`{name}` is a text of 1 to 80 printable characters.")
        case (float() as low, float() as high):
            if isinstance(value, str) or not low <= value <= high:
                raise Invalid(where, f"`{name}` is a number from {low:g} to {high:g}.")
        case words:
            if value not in words:
                raise Invalid(where, f"`{name}` is one of {', '.join(str(word) for word in words)}.")
