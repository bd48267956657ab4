"""Tables of trials: plans as they were registered, who takes part, what they said, and who looked at the key.

Instants are UTC nanoseconds, dates are local to the wearer. A plan is never changed: an amendment is another version.
What a trial keeps of a wearer goes with the wearer; the plan and the count of those allocated stay.
"""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text

from api.registry.tables import metadata

trials = Table(
    "trials",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("created_ns", BigInteger, nullable=False),
    Column("key", Text, nullable=True),  # JSON, from shown label to the plan's; none where the trial is open
    Column("allocated", Integer, nullable=False),  # places of the allocation that were given out, ever
)

trial_plans = Table(
    "trial_plans",
    metadata,
    Column("trial_id", ForeignKey("trials.id", ondelete="CASCADE"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),  # from 1, the registered one
    Column("plan", Text, nullable=False),  # canonical JSON; `digest` is its SHA-256
    Column("digest", String(64), nullable=False),
    Column("at_ns", BigInteger, nullable=False),
    Column("reason", String(400), nullable=False),  # of an amendment
    Column("circumstances", String(80), nullable=False),  # known then: "members", "data", "unblinded"; "seed" if given
)

trial_members = Table(
    "trial_members",
    metadata,
    Column("trial_id", ForeignKey("trials.id", ondelete="CASCADE"), primary_key=True),
    Column("wearer_id", ForeignKey("wearers.id", ondelete="CASCADE"), primary_key=True),
    Column("place", Integer, nullable=False),  # in the allocation, from 0
    Column("first", String(10), nullable=False),
    Column("joined_ns", BigInteger, nullable=False),
    Column("left", String(10), nullable=True),  # the last date that counts
    Column("reason", String(200), nullable=False),  # of leaving
    Column("excluded", String(200), nullable=False),  # why nothing is analysed
    Column("excluded_ns", BigInteger, nullable=True),
    Index("ix_trial_members_wearer_id", "wearer_id"),
)

trial_impressions = Table(
    "trial_impressions",
    metadata,
    Column("trial_id", ForeignKey("trials.id", ondelete="CASCADE"), primary_key=True),
    Column("wearer_id", ForeignKey("wearers.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),  # which treatment phase, from 1
    Column("felt_better", Boolean, nullable=False),
    Column("at_ns", BigInteger, nullable=False),
    Index("ix_trial_impressions_wearer_id", "wearer_id"),
)

trial_openings = Table(
    "trial_openings",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("trial_id", ForeignKey("trials.id", ondelete="CASCADE"), nullable=False),
    Column("purpose", String(12), nullable=False),  # packing or unblinding
    Column("reason", String(400), nullable=False),
    Column("at_ns", BigInteger, nullable=False),
    Index("ix_trial_openings_trial_id", "trial_id", "at_ns"),
)
