"""Tables of the registry. Instants are UTC nanoseconds; only the night preference is local time."""

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Index, MetaData, String, Table

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

wearers = Table(
    "wearers",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("name", String(80), nullable=False),
    Column("night_start", String(5), nullable=False),
    Column("night_end", String(5), nullable=False),
    Column("created_ns", BigInteger, nullable=False),
)

zone_changes = Table(
    "zone_changes",
    metadata,
    Column("wearer_id", ForeignKey("wearers.id", ondelete="CASCADE"), primary_key=True),
    Column("from_ns", BigInteger, primary_key=True, autoincrement=False),
    Column("zone", String(64), nullable=False),
)

devices = Table(
    "devices",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("label", String(80), nullable=False),
    Column("created_ns", BigInteger, nullable=False),
)

assignments = Table(
    "assignments",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("device_id", ForeignKey("devices.id"), nullable=False),
    Column("wearer_id", ForeignKey("wearers.id", ondelete="CASCADE"), nullable=False),
    Column("side", String(5), nullable=False),
    Column("muscle", String(40), nullable=False),
    Column("from_ns", BigInteger, nullable=False),
    Column("to_ns", BigInteger, nullable=True),
    CheckConstraint("to_ns IS NULL OR to_ns > from_ns", name="ends_after_it_begins"),
    Index("ix_assignments_device_id", "device_id", "from_ns"),
    Index("ix_assignments_wearer_id", "wearer_id", "from_ns"),
)
