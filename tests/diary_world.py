"""Entries of a diary, for tests: every kind, as strange as they may be; and a registry to keep them in."""

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import get_args

import sqlalchemy as sa
from api_world import ns
from hypothesis import strategies as st

from api.diary.about import settled
from api.diary.analytes import ANALYTES, KNOWN, from_own, units_of
from api.diary.csv_rows import Entry
from api.diary.exchange import Imported, export_csv, import_csv
from api.diary.values import (
    MEMBERS,
    Context,
    ContextKind,
    Detail,
    FeltCramp,
    FeltMuscle,
    Intervention,
    InterventionCode,
    LabValue,
    Review,
    Schedule,
)
from api.periods import NightPreference
from api.registry import Wearer, assignments, devices, open_registry, wearers
from api.zones import ZoneChange, ZoneHistory

NOW_NS = ns("2026-12-31T12:00:00")
ADA = Wearer("w1", "Ada", NightPreference(), ZoneHistory((ZoneChange(0, "Europe/Berlin"),)), 1)
HEADING = "entry,at,what,pain,value,unit,note\n"

notes = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z"), include_characters=" "), max_size=40).map(
    str.strip
).filter(str.isprintable)  # fmt: skip
named = notes.filter(lambda text: 1 <= len(text) <= 40)
instants = st.integers(ns("2020-02-01") // 1000, NOW_NS // 1000).map(lambda us: us * 1000)
dates = st.dates(date(2020, 2, 1), date(2026, 12, 30))
scores = st.none() | st.integers(0, 10)


@st.composite
def details(draw: st.DrawFn, kind: ContextKind) -> Detail:
    found: list[tuple[str, str | float]] = []
    for name, allowed in MEMBERS[kind].items():
        if name != "week" and draw(st.booleans()):
            continue
        match allowed:
            case None:
                found.append((name, draw(named)))
            case (float() as low, float() as high):
                found.append((name, draw(st.floats(low, high))))
            case words:
                found.append((name, str(draw(st.sampled_from(words)))))
    return tuple(found)


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    kind = draw(st.sampled_from(["cramp", "about", "intervention", "context", "laboratory", "review"]))
    note = draw(notes)
    if kind in ("cramp", "about"):
        about = (draw(st.sampled_from(["night", "day"])), draw(dates)) if kind == "about" else None
        felt = FeltCramp(
            draw(instants),
            0.0 if about else draw(st.floats(0, 43_200)),
            about,  # type: ignore[arg-type]
            draw(st.none() | st.sampled_from(get_args(FeltMuscle))),
            draw(st.sampled_from([None, "left", "right"])),
            draw(st.none() | st.floats(0.001, 86_400)),
            draw(scores),
            draw(scores),
            note,
        )
        return settled(felt, ADA)
    if kind == "intervention":
        first = draw(dates)
        dosed = draw(st.booleans())
        return Intervention(
            code=draw(st.sampled_from(get_args(InterventionCode))),
            first=first,
            last=draw(st.none() | st.integers(0, 100).map(lambda days: first + timedelta(days))),
            name=draw(named),
            dose_value=draw(st.floats(1e-3, 20)) if dosed else None,
            dose_unit=draw(st.sampled_from(["mg", "ug", "mmol", "mL", "{tablet}", "min"])) if dosed else None,
            schedule=draw(st.sampled_from(get_args(Schedule))),
            times=draw(st.none() | st.integers(1, 24)),
            note=note,
        )
    at_ns = draw(instants)
    if kind == "context":
        of = draw(st.sampled_from(get_args(ContextKind)))
        end_ns = draw(st.none() | st.integers(1, 86_400).map(lambda seconds: at_ns + seconds * 10**9))
        return Context(of, at_ns, end_ns, draw(details(of)), note)
    if kind == "laboratory":
        analyte = draw(st.sampled_from(ANALYTES))
        unit = draw(st.sampled_from(units_of(analyte)))
        low, high = KNOWN[analyte].usual
        return LabValue(analyte, at_ns, from_own(analyte, draw(st.floats(low, high)), unit), unit, note)
    return Review(f"leg.soleus.{at_ns}", at_ns, draw(st.sampled_from(["cramp", "none", "unsure"])), note)


@contextmanager
def opened(tmp_path: Path) -> Iterator[tuple[sa.Connection, str]]:
    """A registry with a wearer and their device, within a transaction."""
    registry = open_registry(f"sqlite:///{tmp_path / 'registry.sqlite'}")
    with registry.write() as open_db:
        ada = wearers.add(open_db, name="Ada", zones=ADA.zones, night=ADA.night, created_ns=1).id
        devices.add(open_db, device_id="leg", label="Leg", created_ns=1)
        assignments.add(open_db, device="leg", wearer=ada, side="left", muscle="soleus", from_ns=0, to_ns=None)
        yield open_db, ada
    registry.close()


def take(db: tuple[sa.Connection, str], text: str | bytes, *, skip_bad: bool = False, wearer: str = "") -> Imported:
    content = text if isinstance(text, bytes) else text.encode()
    return import_csv(db[0], wearer or db[1], content, skip_bad=skip_bad, now_ns=NOW_NS)


def dump(db: tuple[sa.Connection, str], wearer: str = "") -> list[dict[str, str]]:
    """The diary as rows, without names that are made at random."""
    rows = csv.DictReader(io.StringIO(export_csv(db[0], wearer or db[1])))
    return sorted(({k: v for k, v in row.items() if k not in ("id", "key", "of")} for row in rows), key=str)
