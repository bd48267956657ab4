"""Tables of the diary. Every row is of one wearer and goes with them; `client_key` keeps a repeat from adding twice.

Instants are UTC nanoseconds. Two things are on the wearer's calendar, and worked out when they are read: the dates of
an intervention, and the night or day (`about`) of a cramp whose hour nobody knows.
"""

from typing import Any

from sqlalchemy import BigInteger, Column, Float, ForeignKey, Index, Integer, String, Table, UniqueConstraint
from sqlalchemy.sql.schema import SchemaItem

from api.registry.tables import metadata


def _entries(name: str, *members: SchemaItem, order: str = "at_ns") -> Table:
    """A table of entries of one kind; `order` is the column that lists go by."""
    shared: tuple[Column[Any], ...] = (
        Column("id", String(40), primary_key=True),
        Column("wearer_id", ForeignKey("wearers.id", ondelete="CASCADE"), nullable=False),
        Column("client_key", String(80), nullable=True),
        Column("created_ns", BigInteger, nullable=False),
        Column("updated_ns", BigInteger, nullable=False),
    )
    return Table(
        name,
        metadata,
        *shared,
        *members,
        UniqueConstraint("wearer_id", "client_key", name=f"uq_{name}_client_key"),
        Index(f"ix_{name}_wearer_id", "wearer_id", order),
    )


cramps = _entries(
    "diary_cramps",
    Column("at_ns", BigInteger, nullable=False),  # the middle of what is meant, where that is a stretch
    Column("uncertain_s", Float, nullable=False),  # to either side
    Column("about", String(20), nullable=True),  # `night 2026-11-20`
    Column("muscle", String(40), nullable=True),
    Column("side", String(5), nullable=True),
    Column("duration_s", Float, nullable=True),
    Column("pain", Integer, nullable=True),
    Column("sleep_disturbance", Integer, nullable=True),
    Column("note", String(200), nullable=False),
)

interventions = _entries(
    "diary_interventions",
    Column("code", String(40), nullable=False),
    Column("name", String(80), nullable=False),
    Column("dose_value", Float, nullable=True),
    Column("dose_unit", String(20), nullable=True),
    Column("schedule", String(20), nullable=False),
    Column("times", Integer, nullable=True),  # a day
    Column("first", String(10), nullable=False),  # local dates, both included
    Column("last", String(10), nullable=True),
    Column("note", String(200), nullable=False),
    order="first",
)

intakes = _entries(
    "diary_intakes",
    Column("intervention_id", ForeignKey("diary_interventions.id", ondelete="CASCADE"), nullable=False),
    Column("at_ns", BigInteger, nullable=False),
    Column("outcome", String(6), nullable=False),  # taken or missed
    Index("ix_diary_intakes_intervention_id", "intervention_id", "at_ns"),
)

contexts = _entries(
    "diary_contexts",
    Column("kind", String(20), nullable=False),
    Column("at_ns", BigInteger, nullable=False),
    Column("end_ns", BigInteger, nullable=True),  # none: a moment, or it goes on
    Column("detail", String(400), nullable=False),  # members as JSON, in order of name
    Column("note", String(200), nullable=False),
)

laboratory = _entries(
    "diary_laboratory",
    Column("at_ns", BigInteger, nullable=False),
    Column("analyte", String(20), nullable=False),
    Column("value", Float, nullable=False),
    Column("unit", String(20), nullable=False),
    Column("note", String(200), nullable=False),
)

reviews = _entries(
    "diary_reviews",
    Column("at_ns", BigInteger, nullable=False),  # onset of the episode
    Column("episode", String(160), nullable=False),
    Column("verdict", String(6), nullable=False),  # cramp, none or unsure
    Column("note", String(200), nullable=False),
    UniqueConstraint("wearer_id", "episode", name="uq_diary_reviews_episode"),
)
