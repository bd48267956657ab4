"""A trial as it is kept: every version of its plan, who takes part, what they said, and who looked at the key."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Final, Literal

from api.trials.case import masked, opened
from api.trials.schedule import phases_of, sequence_of
from api.trials.values import Member, Phase, Plan

SEED: Final = "seed"  # a circumstance: whoever registered the plan gave the seed
Purpose = Literal["packing", "unblinding"]
State = Literal["registered", "running", "ended"]
Key = Mapping[str, str]  # from the label that is shown to the plan's own


@dataclass(frozen=True, slots=True)
class Version:
    """A plan as of an instant; the first is the registered one. `circumstances`: what there was by then, and `seed`."""

    number: int
    plan: Plan
    text: str  # canonical JSON
    digest: str
    at_ns: int
    reason: str = ""
    circumstances: tuple[str, ...] = ()  # of "members", "data", "unblinded"; "seed" if it was given


@dataclass(frozen=True, slots=True)
class Joined:
    """A wearer in a trial, by the place in the allocation."""

    wearer: str
    place: int
    first: date
    joined_ns: int
    left: date | None = None
    reason: str = ""
    excluded: str = ""
    excluded_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Opening:
    """Somebody looked at the key: to pack, which keeps the trial blinded, or to unblind it."""

    purpose: Purpose
    reason: str
    at_ns: int


@dataclass(frozen=True, slots=True)
class Impression:
    """What a wearer said at the end of a treatment phase."""

    wearer: str
    position: int
    felt_better: bool
    at_ns: int


@dataclass(frozen=True, slots=True)
class Trial:
    """A registered trial. `key` is sealed: only `shown_plan` and `key_of` may turn it into names."""

    id: str
    created_ns: int
    versions: tuple[Version, ...]
    key: Key | None
    allocated: int
    joined: tuple[Joined, ...] = ()
    impressions: tuple[Impression, ...] = ()
    openings: tuple[Opening, ...] = ()

    @property
    def plan(self) -> Plan:
        """The plan in force."""
        return self.versions[-1].plan

    @property
    def registered(self) -> Version:
        """The plan as it was first registered."""
        return self.versions[0]

    @property
    def seed_given(self) -> bool:
        """Whether the seed in force was given, and not drawn."""
        return any(SEED in one.circumstances for one in self.versions if one.plan.seed == self.plan.seed)

    @property
    def unblinded(self) -> Opening | None:
        """The first unblinding, if there was one."""
        return next((one for one in self.openings if one.purpose == "unblinding"), None)

    @property
    def shown_plan(self) -> Plan:
        """The plan as results may show it: with A and B only, until the trial is unblinded."""
        if self.key is None:
            return self.plan
        return opened(self.plan, dict(self.key)) if self.unblinded else masked(self.plan)

    @property
    def members(self) -> tuple[Member, ...]:
        """Everybody who takes part, in the order of joining."""
        return tuple(
            Member(
                wearer=one.wearer,
                sequence=sequence_of(self.plan, one.place),
                first=one.first,
                left=one.left,
                reason=one.reason,
                excluded=one.excluded,
            )
            for one in self.joined
        )

    @property
    def shown_members(self) -> tuple[Member, ...]:
        """The same with the arms that the numbers of packs stood for, where that is known."""
        if self.key is None or not self.unblinded or self.plan.design != "factorial":
            return self.members
        return tuple(replace(member, sequence=self.key[member.sequence]) for member in self.members)

    @property
    def schedule(self) -> tuple[Phase, ...]:
        """Every phase of everybody, in the labels that are shown."""
        return tuple(
            phase
            for one in self.joined
            for phase in phases_of(self.plan, wearer=one.wearer, place=one.place, first=one.first)
        )

    def state(self, today: date) -> State:
        """Whether anybody has begun, and whether everybody has come to the end."""
        if not self.joined or min(one.first for one in self.joined) > today:
            return "registered"
        return "running" if any(today <= phase.last for phase in self.schedule) else "ended"
