"""The diary: cramps felt, interventions and intakes, contexts, laboratory values, reviews of episodes."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of the diary."""
    _cramps()
    _interventions()
    _others()


def _cramps() -> None:
    _entries(
        "diary_cramps",
        sa.Column("at_ns", sa.BigInteger, nullable=False),
        sa.Column("uncertain_s", sa.Float, nullable=False),
        sa.Column("about", sa.String(20), nullable=True),
        sa.Column("muscle", sa.String(40), nullable=True),
        sa.Column("side", sa.String(5), nullable=True),
        sa.Column("duration_s", sa.Float, nullable=True),
        sa.Column("pain", sa.Integer, nullable=True),
        sa.Column("sleep_disturbance", sa.Integer, nullable=True),
        sa.Column("note", sa.String(200), nullable=False),
    )


def _interventions() -> None:
    _entries(
        "diary_interventions",
        sa.Column("code", sa.String(40), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("dose_value", sa.Float, nullable=True),
        sa.Column("dose_unit", sa.String(20), nullable=True),
        sa.Column("schedule", sa.String(20), nullable=False),
        sa.Column("times", sa.Integer, nullable=True),
        sa.Column("first", sa.String(10), nullable=False),
        sa.Column("last", sa.String(10), nullable=True),
        sa.Column("note", sa.String(200), nullable=False),
        order="first",
    )
    _entries(
        "diary_intakes",
        sa.Column("intervention_id", sa.String(40), nullable=False),
        sa.Column("at_ns", sa.BigInteger, nullable=False),
        sa.Column("outcome", sa.String(6), nullable=False),
        sa.ForeignKeyConstraint(
            ["intervention_id"],
            ["diary_interventions.id"],
            name="fk_diary_intakes_intervention_id",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_diary_intakes_intervention_id", "diary_intakes", ["intervention_id", "at_ns"])


def _others() -> None:
    _entries(
        "diary_contexts",
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("at_ns", sa.BigInteger, nullable=False),
        sa.Column("end_ns", sa.BigInteger, nullable=True),
        sa.Column("detail", sa.String(400), nullable=False),
        sa.Column("note", sa.String(200), nullable=False),
    )
    _entries(
        "diary_laboratory",
        sa.Column("at_ns", sa.BigInteger, nullable=False),
        sa.Column("analyte", sa.String(20), nullable=False),
        sa.Column("value", sa.Float, nullable=False),
        sa.Column("unit", sa.String(20), nullable=False),
        sa.Column("note", sa.String(200), nullable=False),
    )
    _entries(
        "diary_reviews",
        sa.Column("at_ns", sa.BigInteger, nullable=False),
        sa.Column("episode", sa.String(160), nullable=False),
        sa.Column("verdict", sa.String(6), nullable=False),
        sa.Column("note", sa.String(200), nullable=False),
        sa.UniqueConstraint("wearer_id", "episode", name="uq_diary_reviews_episode"),
    )


def _entries(name: str, *members: Any, order: str = "at_ns") -> None:
    op.create_table(
        name,
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("wearer_id", sa.String(40), nullable=False),
        sa.Column("client_key", sa.String(80), nullable=True),
        sa.Column("created_ns", sa.BigInteger, nullable=False),
        sa.Column("updated_ns", sa.BigInteger, nullable=False),
        *members,
        sa.PrimaryKeyConstraint("id", name=f"pk_{name}"),
        sa.ForeignKeyConstraint(["wearer_id"], ["wearers.id"], name=f"fk_{name}_wearer_id", ondelete="CASCADE"),
        sa.UniqueConstraint("wearer_id", "client_key", name=f"uq_{name}_client_key"),
    )
    op.create_index(f"ix_{name}_wearer_id", name, ["wearer_id", order])
