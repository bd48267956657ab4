"""A trial as analyses take it: who is compared with what, and the tallies of each. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from api.trials.outcomes import Tally, Which, tally, with_cramps
from api.trials.plans import LABELS
from api.trials.schedule import CODES
from api.trials.values import Member, Outcome, Plan, Seen, Treatment

BASELINE: Final = "baseline"


@dataclass(frozen=True, slots=True)
class Case:
    """A plan, and what was seen of those who are analysed. `reference` is empty where the baseline is compared with."""

    plan: Plan
    treated: str
    reference: str
    tallies: tuple[Tally, ...]
    of: Mapping[str, tuple[Tally, ...]]  # the same by wearer

    @property
    def contrast(self) -> str:
        return f"{self.name(self.treated)} against {self.name(self.reference)}"

    @property
    def wearers(self) -> list[str]:
        """Everybody who has a treatment phase, in order of name."""
        return sorted(
            wearer for wearer, among in self.of.items() if any(one.phase.kind == "treatment" for one in among)
        )

    def name(self, label: str) -> str:
        """What a label stands for, in words."""
        if self.plan.design == "factorial":
            return " and ".join(name_of(self.plan, factor) for factor in label) or "neither"
        return name_of(self.plan, label) if label else BASELINE

    def baseline(self, wearer: str = "") -> list[Tally]:
        """Baseline phases, of one wearer if named."""
        return [one for one in self._among(wearer) if one.phase.kind == "baseline"]

    def side(self, label: str, wearer: str = "") -> list[Tally]:
        """Phases of one label, of one wearer if named; the baseline where the label is empty (not in factorial)."""
        if not label and self.plan.design != "factorial":
            return self.baseline(wearer)
        return [one for one in self._among(wearer) if one.phase.kind == "treatment" and one.phase.label == label]

    def compared(self) -> list[Tally]:
        """The phases that the primary comparison is of."""
        if self.plan.design == "factorial":
            return [one for one in self.tallies if one.phase.kind == "treatment"]
        return [*self.side(self.treated), *self.side(self.reference)]

    def changed(self, change: Callable[[Tally], Tally]) -> "Case":
        """The same with every tally changed."""
        tallies = tuple(change(one) for one in self.tallies)
        return replace(self, tallies=tallies, of=_by_wearer(tallies))

    def counting(self, outcome: Outcome) -> "Case":
        """The same, with periods that had a cramp in place of cramps where the outcome is that."""
        return self.changed(with_cramps) if outcome == "cramp_periods" else self

    def _among(self, wearer: str) -> tuple[Tally, ...]:
        return self.of.get(wearer, ()) if wearer else self.tallies


def case_of(plan: Plan, seen: Sequence[Seen], members: Sequence[Member], *, which: Which = "counted") -> Case:
    """Tallies of everybody who is not excluded, each up to the day they left; `which` cramps, in a second look."""
    known = {member.wearer: member for member in members}
    tallies = []
    for one in sorted(seen, key=lambda item: (item.phase.wearer, item.phase.first)):
        member = known.get(one.phase.wearer)
        if one.phase.kind == "washout" or (member and member.excluded):
            continue
        tallies.append(tally(plan, one, until=member.left if member else None, which=which))
    treated, reference = sides_of(plan)
    return Case(plan, treated, reference, tuple(tallies), _by_wearer(tallies))


def _by_wearer(tallies: Sequence[Tally]) -> Mapping[str, tuple[Tally, ...]]:
    found: dict[str, list[Tally]] = {}
    for one in tallies:
        found.setdefault(one.phase.wearer, []).append(one)
    return MappingProxyType({wearer: tuple(among) for wearer, among in found.items()})


def sides_of(plan: Plan) -> tuple[str, str]:
    """Label of the treatment and of what it is held against; A against B while it is not known which is which."""
    if plan.design in ("before_after", "factorial"):
        return LABELS[0], ""
    treatments = labelled(plan)
    control = next((treatment.label for treatment in treatments if treatment.control), LABELS[1])
    return next(treatment.label for treatment in treatments if treatment.label != control), control


def labelled(plan: Plan) -> tuple[Treatment, ...]:
    """The treatments with A and B in their order where the plan leaves the labels out."""
    return tuple(
        treatment if treatment.label else replace(treatment, label=label)
        for label, treatment in zip(LABELS, plan.treatments, strict=False)
    )


def masked(plan: Plan) -> Plan:
    """The plan of a blinded trial as it may be shown in results: A and B, and nothing else of the treatments."""
    return replace(plan, treatments=tuple(Treatment(label, label) for label in LABELS))


def is_masked(plan: Plan) -> bool:
    """Whether the names of the treatments are not known."""
    return all(treatment.label == treatment.name for treatment in plan.treatments)


def opened(plan: Plan, key: dict[str, str]) -> Plan:
    """The plan of a blinded trial with the labels that were shown, by the key: shown label to the plan's own."""
    if plan.design == "factorial":
        return replace(plan, treatments=labelled(plan))
    own = {treatment.label: treatment for treatment in labelled(plan)}
    return replace(plan, treatments=tuple(replace(own[key[label]], label=label) for label in sorted(key)))


def opened_seen(plan: Plan, seen: Sequence[Seen], key: dict[str, str]) -> tuple[Seen, ...]:
    """Phases of a blinded factorial trial with their arms in place of the numbers of packs; others as they are."""
    if plan.design != "factorial":
        return tuple(seen)
    return tuple(
        replace(
            one,
            phase=replace(
                one.phase,
                label=key.get(one.phase.label, one.phase.label) if one.phase.kind == "treatment" else "",
                sequence=key.get(one.phase.sequence, one.phase.sequence),
            ),
        )
        for one in seen
    )


def name_of(plan: Plan, label: str) -> str:
    """Name of the treatment with a label; the label itself where it stands for none."""
    if label in CODES:
        return f"pack {label}"
    return next((treatment.name for treatment in labelled(plan) if treatment.label == label), label)
