"""Wearers with zone history and night preference, devices, assignments."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the first tables."""
    op.create_table(
        "wearers",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("night_start", sa.String(5), nullable=False),
        sa.Column("night_end", sa.String(5), nullable=False),
        sa.Column("created_ns", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_wearers"),
    )
    op.create_table(
        "devices",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("label", sa.String(80), nullable=False),
        sa.Column("created_ns", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_devices"),
    )
    op.create_table(
        "zone_changes",
        sa.Column("wearer_id", sa.String(40), nullable=False),
        sa.Column("from_ns", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("zone", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("wearer_id", "from_ns", name="pk_zone_changes"),
        sa.ForeignKeyConstraint(["wearer_id"], ["wearers.id"], name="fk_zone_changes_wearer_id", ondelete="CASCADE"),
    )
    op.create_table(
        "assignments",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("device_id", sa.String(64), nullable=False),
        sa.Column("wearer_id", sa.String(40), nullable=False),
        sa.Column("side", sa.String(5), nullable=False),
        sa.Column("muscle", sa.String(40), nullable=False),
        sa.Column("from_ns", sa.BigInteger, nullable=False),
        sa.Column("to_ns", sa.BigInteger, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_assignments"),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], name="fk_assignments_device_id"),
        sa.ForeignKeyConstraint(["wearer_id"], ["wearers.id"], name="fk_assignments_wearer_id", ondelete="CASCADE"),
        sa.CheckConstraint("to_ns IS NULL OR to_ns > from_ns", name="ck_assignments_ends_after_it_begins"),
    )
    op.create_index("ix_assignments_device_id", "assignments", ["device_id", "from_ns"])
    op.create_index("ix_assignments_wearer_id", "assignments", ["wearer_id", "from_ns"])
