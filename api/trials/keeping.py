"""Trials in the registry: register, amend, join, leave, exclude, say, open; find and list.

Rules
-----
- A plan is never changed: an amendment is another version with its reason, its date, and what was known by then.
- What the schedule rests on stays as registered once somebody has joined.
- The key is drawn from the machine's entropy, never from the seed that the schedule is drawn from.
- Every look at the key is written down before it is shown.
"""

import json
import secrets
from collections.abc import Collection, Iterable
from datetime import UTC, date, datetime
from typing import Any, Final

import sqlalchemy as sa

from api.errors import Conflict, Invalid, Unknown
from api.registry import wearers
from api.registry.trial_tables import trial_impressions, trial_members, trial_openings, trial_plans, trials
from api.trials import plans
from api.trials.plans import LABELS
from api.trials.registered import SEED, Impression, Joined, Key, Opening, Purpose, Trial, Version
from api.trials.schedule import CODES, FACTORIAL
from api.trials.values import Plan

OF_SCHEDULE: Final = (
    "design", "treatments", "baseline_days", "block_days", "washout_days", "cycles", "blinded", "seed",
)  # fmt: skip
MAX_REASON: Final = 400
MAX_SHORT_REASON: Final = 200


def register(db: sa.Connection, plan: Plan, *, now_ns: int, seed_given: bool = False) -> Trial:
    """Keep a plan under a new random id, with its hash and date, and seal a key if it is blinded."""
    checked = plans.check(plan)
    trial = f"t{secrets.token_hex(8)}"
    db.execute(trials.insert().values(id=trial, created_ns=now_ns, key=_text(draw_key(checked)), allocated=0))
    given = (SEED,) if seed_given else ()
    _add_version(db, trial, checked, number=1, now_ns=now_ns, circumstances=given)
    return find(db, trial)


def amend(db: sa.Connection, trial_id: str, plan: Plan, *, reason: str, now_ns: int) -> Trial:
    """Keep another version of the plan, with its reason and what was known when it was decided."""
    known, checked = _locked(db, trial_id), plans.check(plan)
    changed = [name for name in OF_SCHEDULE if getattr(checked, name) != getattr(known.plan, name)]
    if plans.canonical(checked) == known.versions[-1].text:
        raise Conflict("This is the plan in force already: there is nothing to amend.")
    if changed and (known.joined or known.openings):
        raise Conflict(
            f"The schedule rests on {', '.join(changed)}, and somebody has joined or seen the key. "
            "Register another trial for another schedule."
        )
    if changed:
        db.execute(trials.update().where(trials.c.id == trial_id).values(key=_text(draw_key(checked))))
    _add_version(
        db, trial_id, checked, number=len(known.versions) + 1, now_ns=now_ns, reason=_reason(reason, most=MAX_REASON),
        circumstances=(*_circumstances(known, now_ns=now_ns), *((SEED,) if "seed" in changed else ())),
    )  # fmt: skip
    return find(db, trial_id)


def join(db: sa.Connection, trial_id: str, *, wearer: str, first: date, now_ns: int) -> Trial:
    """Give a wearer the next place in the allocation, from a first date on."""
    known = _locked(db, trial_id)
    wearers.lock(db, wearer)
    if any(one.wearer == wearer for one in known.joined):
        raise Conflict("This wearer takes part already: a place is given out once.")
    db.execute(
        trial_members.insert().values(
            trial_id=trial_id, wearer_id=wearer, place=known.allocated, first=first.isoformat(), joined_ns=now_ns,
            reason="", excluded="",
        )
    )  # fmt: skip
    db.execute(trials.update().where(trials.c.id == trial_id).values(allocated=known.allocated + 1))
    return find(db, trial_id)


def leave(db: sa.Connection, trial_id: str, *, wearer: str, last: date, reason: str) -> Trial:
    """Note that a wearer stopped, and why; what was seen up to that date still counts."""
    member = _member(_locked(db, trial_id), wearer)
    if member.left is not None:
        raise Conflict(f"This wearer left already, on {member.left}.")
    if last < member.first:
        raise Invalid("last", f"The last date is not before the first, {member.first}: who never began is excluded.")
    _change(db, trial_id, wearer, left=last.isoformat(), reason=_reason(reason, most=MAX_SHORT_REASON))
    return find(db, trial_id)


def exclude(db: sa.Connection, trial_id: str, *, wearer: str, reason: str, now_ns: int) -> Trial:
    """Leave a wearer out of the analysis, and say why; the report counts them with the reason."""
    member = _member(_locked(db, trial_id), wearer)
    if member.excluded:
        raise Conflict("This wearer is excluded already.")
    _change(db, trial_id, wearer, excluded=_reason(reason, most=MAX_SHORT_REASON), excluded_ns=now_ns)
    return find(db, trial_id)


def impress(
    db: sa.Connection, trial_id: str, *, wearer: str, position: int, felt_better: bool, now_ns: int
) -> Trial:  # fmt: skip
    """Keep what a wearer said of one of their treatment phases; the last word counts."""
    known = _locked(db, trial_id)
    _member(known, wearer)
    positions = {phase.position for phase in known.schedule if phase.wearer == wearer and phase.position}
    if position not in positions:
        raise Invalid("position", f"Give the treatment phase by its number, 1 to {max(positions)}.")
    same = (
        trial_impressions.c.trial_id == trial_id,
        trial_impressions.c.wearer_id == wearer,
        trial_impressions.c.position == position,
    )
    said = {"felt_better": felt_better, "at_ns": now_ns}
    if db.execute(trial_impressions.update().where(*same).values(**said)).rowcount == 0:
        db.execute(
            trial_impressions.insert().values(trial_id=trial_id, wearer_id=wearer, position=position, **said)
        )  # fmt: skip
    return find(db, trial_id)


def open_key(db: sa.Connection, trial_id: str, *, purpose: Purpose, reason: str, now_ns: int) -> tuple[Trial, Key]:
    """Write down that somebody looks at the key, and give it."""
    known = _locked(db, trial_id)
    if known.key is None:
        raise Conflict("This trial is not blinded: its labels are those of the plan.")
    if purpose == "unblinding" and known.unblinded:
        raise Conflict("This trial is unblinded already.")
    values = {"purpose": purpose, "reason": _reason(reason, most=MAX_REASON), "at_ns": now_ns}
    db.execute(trial_openings.insert().values(id=f"k{secrets.token_hex(8)}", trial_id=trial_id, **values))
    return find(db, trial_id), known.key


def find(db: sa.Connection, trial_id: str) -> Trial:
    """The trial of this id, or `Unknown`."""
    row = db.execute(trials.select().where(trials.c.id == trial_id)).one_or_none()
    if row is None:
        raise Unknown("trial")
    return _read(db, [row])[0]


def page(
    db: sa.Connection, *, after: tuple[int, str] | None, limit: int, among: Collection[str] | None = None,
    of_wearers: Collection[str] | None = None,
) -> list[Trial]:  # fmt: skip
    """The next trials in order of registration; those of some ids, or that some wearers take part in, if asked."""
    query = trials.select().order_by(trials.c.created_ns, trials.c.id).limit(limit)
    if after is not None:
        query = query.where(sa.tuple_(trials.c.created_ns, trials.c.id) > sa.tuple_(*after))
    if among is not None:
        query = query.where(trials.c.id.in_(among))
    if of_wearers is not None:
        theirs = sa.select(trial_members.c.trial_id).where(trial_members.c.wearer_id.in_(of_wearers))
        query = query.where(trials.c.id.in_(theirs))
    return _read(db, db.execute(query).all())


def draw_key(plan: Plan) -> Key | None:
    """Which label stands for which treatment, at random; none of an open trial."""
    if not plan.blinded:
        return None
    shown, own = (CODES, FACTORIAL) if plan.design == "factorial" else (LABELS, LABELS)
    drawn = secrets.SystemRandom().sample(own, k=len(own))
    return dict(zip(shown, drawn, strict=True))


def _text(key: Key | None) -> str | None:
    return None if key is None else json.dumps(key, sort_keys=True)


def _locked(db: sa.Connection, trial_id: str) -> Trial:
    """The trial, kept from others until the transaction ends."""
    db.execute(sa.select(trials.c.id).where(trials.c.id == trial_id).with_for_update())
    return find(db, trial_id)


def _member(trial: Trial, wearer: str) -> Joined:
    member = next((one for one in trial.joined if one.wearer == wearer), None)
    if member is None:
        raise Unknown("member")
    return member


def _change(db: sa.Connection, trial_id: str, wearer: str, **values: str | int) -> None:
    same = (trial_members.c.trial_id == trial_id, trial_members.c.wearer_id == wearer)
    db.execute(trial_members.update().where(*same).values(**values))


def _reason(text: str, *, most: int) -> str:
    trimmed = " ".join(text.split())
    if not 1 <= len(trimmed) <= most or not trimmed.isprintable():
        raise Invalid("reason", f"Say why in 1 to {most} printable characters.")
    return trimmed


def _circumstances(known: Trial, *, now_ns: int) -> tuple[str, ...]:
    today = datetime.fromtimestamp(now_ns // 10**9, UTC).date()
    holds = {
        "members": bool(known.joined),
        "data": any(one.first < today for one in known.joined),
        "unblinded": known.unblinded is not None,
    }
    return tuple(name for name, true in holds.items() if true)


def _add_version(
    db: sa.Connection, trial_id: str, plan: Plan, *, number: int, now_ns: int, reason: str = "",
    circumstances: Iterable[str] = (),
) -> None:  # fmt: skip
    text = plans.canonical(plan)
    db.execute(
        trial_plans.insert().values(
            trial_id=trial_id, version=number, plan=text, digest=plans.digest(text), at_ns=now_ns, reason=reason,
            circumstances=",".join(circumstances),
        )
    )  # fmt: skip


def _read(db: sa.Connection, rows: Iterable[sa.Row[Any]]) -> list[Trial]:
    return [
        Trial(
            id=row.id,
            created_ns=row.created_ns,
            versions=tuple(_version(one) for one in _of(db, trial_plans, row.id, order="version")),
            key=None if row.key is None else json.loads(row.key),
            allocated=row.allocated,
            joined=tuple(_joined(one) for one in _of(db, trial_members, row.id, order="place")),
            impressions=tuple(
                Impression(one.wearer_id, one.position, one.felt_better, one.at_ns)
                for one in _of(db, trial_impressions, row.id, order="wearer_id")
            ),
            openings=tuple(
                Opening(one.purpose, one.reason, one.at_ns) for one in _of(db, trial_openings, row.id, order="at_ns")
            ),
        )
        for row in rows
    ]


def _of(db: sa.Connection, table: sa.Table, trial_id: str, *, order: str) -> list[sa.Row[Any]]:
    return list(db.execute(table.select().where(table.c.trial_id == trial_id).order_by(table.c[order])).all())


def _version(row: sa.Row[Any]) -> Version:
    return Version(
        number=row.version,
        plan=plans.read(row.plan),
        text=row.plan,
        digest=row.digest,
        at_ns=row.at_ns,
        reason=row.reason,
        circumstances=tuple(filter(None, row.circumstances.split(","))),
    )


def _joined(row: sa.Row[Any]) -> Joined:
    return Joined(
        wearer=row.wearer_id,
        place=row.place,
        first=date.fromisoformat(row.first),
        joined_ns=row.joined_ns,
        left=None if row.left is None else date.fromisoformat(row.left),
        reason=row.reason,
        excluded=row.excluded,
        excluded_ns=row.excluded_ns,
    )
