"""Trials: registered plans, members, impressions, and who looked at the key."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of trials."""
    _trials_and_plans()
    _members_and_impressions()
    _openings()


def _trials_and_plans() -> None:
    op.create_table(
        "trials",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("created_ns", sa.BigInteger, nullable=False),
        sa.Column("key", sa.Text, nullable=True),
        sa.Column("allocated", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_trials"),
    )
    op.create_table(
        "trial_plans",
        sa.Column("trial_id", sa.String(40), nullable=False),
        sa.Column("version", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("plan", sa.Text, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("at_ns", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.String(400), nullable=False),
        sa.Column("circumstances", sa.String(80), nullable=False),
        sa.PrimaryKeyConstraint("trial_id", "version", name="pk_trial_plans"),
        _of_trial("trial_plans"),
    )


def _members_and_impressions() -> None:
    op.create_table(
        "trial_members",
        sa.Column("trial_id", sa.String(40), nullable=False),
        sa.Column("wearer_id", sa.String(40), nullable=False),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("first", sa.String(10), nullable=False),
        sa.Column("joined_ns", sa.BigInteger, nullable=False),
        sa.Column("left", sa.String(10), nullable=True),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.Column("excluded", sa.String(200), nullable=False),
        sa.Column("excluded_ns", sa.BigInteger, nullable=True),
        sa.PrimaryKeyConstraint("trial_id", "wearer_id", name="pk_trial_members"),
        _of_trial("trial_members"),
        _of_wearer("trial_members"),
    )
    op.create_index("ix_trial_members_wearer_id", "trial_members", ["wearer_id"])
    op.create_table(
        "trial_impressions",
        sa.Column("trial_id", sa.String(40), nullable=False),
        sa.Column("wearer_id", sa.String(40), nullable=False),
        sa.Column("position", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("felt_better", sa.Boolean, nullable=False),
        sa.Column("at_ns", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("trial_id", "wearer_id", "position", name="pk_trial_impressions"),
        _of_trial("trial_impressions"),
        _of_wearer("trial_impressions"),
    )
    op.create_index("ix_trial_impressions_wearer_id", "trial_impressions", ["wearer_id"])


def _openings() -> None:
    op.create_table(
        "trial_openings",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("trial_id", sa.String(40), nullable=False),
        sa.Column("purpose", sa.String(12), nullable=False),
        sa.Column("reason", sa.String(400), nullable=False),
        sa.Column("at_ns", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_trial_openings"),
        _of_trial("trial_openings"),
    )
    op.create_index("ix_trial_openings_trial_id", "trial_openings", ["trial_id", "at_ns"])


def _of_trial(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["trial_id"], ["trials.id"], name=f"fk_{table}_trial_id", ondelete="CASCADE")


def _of_wearer(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["wearer_id"], ["wearers.id"], name=f"fk_{table}_wearer_id", ondelete="CASCADE")
