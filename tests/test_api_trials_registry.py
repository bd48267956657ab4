"""Trials in the registry: the migration, what goes with a forgotten wearer, what stays."""

import json
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from registry_world import add
from trial_cases import BOTH, FIRST, plan

from api.errors import Conflict, Invalid, Unknown
from api.registry import Registry, open_registry, wearers
from api.registry.copy import restore_registry, snapshot_registry
from api.registry.database import make_engine, migrate
from api.registry.tables import metadata
from api.trials import keeping, plans
from api.trials.registered import Trial
from api.trials.schedule import sequence_of

TABLES = ("trials", "trial_plans", "trial_members", "trial_impressions", "trial_openings")
NOW_NS = 1_770_000_000 * 10**9  # 2026-02-02


def register(registry: Registry, **changes: object) -> Trial:
    with registry.write() as db:
        return keeping.register(db, plan(**changes), now_ns=NOW_NS)  # type: ignore[arg-type]


def test_the_migration_makes_the_tables_that_the_code_knows(registry_url: str) -> None:
    """A registry of the schema before gets the tables of trials and nothing else of theirs is changed."""
    engine = make_engine(registry_url)
    with engine.connect() as db, db.begin():
        migrate(db, to="0002")
        before = set(sa.inspect(db).get_table_names())
        assert not before & set(TABLES)
        migrate(db, to="0003")
        assert set(sa.inspect(db).get_table_names()) - before == set(TABLES)
        migrate(db)
        assert compare_metadata(MigrationContext.configure(db), metadata) == []
    engine.dispose()


def test_what_was_registered_is_there_after_a_restart(registry_url: str) -> None:
    first = open_registry(registry_url)
    ada = add(first)
    trial = register(first, treatments=BOTH, blinded=True)
    with first.write() as db:
        keeping.join(db, trial.id, wearer=ada.id, first=FIRST, now_ns=NOW_NS + 1)
        keeping.impress(db, trial.id, wearer=ada.id, position=1, felt_better=True, now_ns=NOW_NS + 2)
        keeping.leave(db, trial.id, wearer=ada.id, last=date(2026, 1, 20), reason="ill")
        kept, _ = keeping.open_key(db, trial.id, purpose="packing", reason="pharmacy", now_ns=NOW_NS + 3)
    first.close()
    second = open_registry(registry_url)
    with second.read() as db:
        assert keeping.find(db, trial.id) == kept
    assert kept.registered.plan == plans.check(plan(treatments=BOTH, blinded=True))
    assert (kept.members[0].left, kept.members[0].sequence) == (date(2026, 1, 20), sequence_of(kept.plan, 0))
    second.close()


def test_a_forgotten_wearer_leaves_the_trial_but_keeps_no_place_free(registry: Registry) -> None:
    """Everything of the wearer goes; the next who joins gets a place of their own, so that nobody's label moves."""
    people = [add(registry, name) for name in ("Ada", "Bea", "Cleo")]
    trial = register(registry, design="crossover")
    with registry.write() as db:
        for wearer in people[:2]:
            keeping.join(db, trial.id, wearer=wearer.id, first=FIRST, now_ns=NOW_NS)
        keeping.impress(db, trial.id, wearer=people[0].id, position=1, felt_better=True, now_ns=NOW_NS)
        before = keeping.find(db, trial.id)
        wearers.remove(db, people[0].id)
        after = keeping.join(db, trial.id, wearer=people[2].id, first=FIRST, now_ns=NOW_NS)
    assert [(one.wearer, one.place) for one in after.joined] == [(people[1].id, 1), (people[2].id, 2)]
    assert after.members[0] == before.members[1]
    assert after.impressions == ()
    assert (after.allocated, len(after.joined)) == (3, 2)


def test_a_plan_is_never_changed(registry: Registry) -> None:
    trial = register(registry)
    with registry.write() as db:
        keeping.amend(db, trial.id, plan(title="Zinc"), reason="another one", now_ns=NOW_NS + 10**9)
        found = keeping.find(db, trial.id)
    assert [version.number for version in found.versions] == [1, 2]
    assert found.registered == trial.registered
    assert found.plan.title == "Zinc"
    assert plans.digest(found.versions[1].text) == found.versions[1].digest != trial.registered.digest


@pytest.mark.parametrize("reason", ["", "   ", "x" * 401, "a\x00b"])
def test_an_amendment_needs_a_reason(registry: Registry, reason: str) -> None:
    trial = register(registry)
    with pytest.raises(Invalid, match="Say why"), registry.write() as db:
        keeping.amend(db, trial.id, plan(title="Zinc"), reason=reason, now_ns=NOW_NS)


def test_another_schedule_gets_another_key_as_long_as_nobody_saw_it(registry: Registry) -> None:
    trial = register(registry, treatments=BOTH, blinded=True)
    opened = plan(treatments=BOTH, blinded=False)
    with registry.write() as db:
        assert keeping.amend(db, trial.id, opened, reason="no placebo to be had", now_ns=NOW_NS).key is None
    with registry.write() as db:
        again = keeping.amend(db, trial.id, plan(treatments=BOTH, blinded=True), reason="found one", now_ns=NOW_NS)
        assert again.key is not None
        keeping.open_key(db, trial.id, purpose="packing", reason="x", now_ns=NOW_NS)
    with pytest.raises(Conflict, match="seen the key"), registry.write() as db:
        keeping.amend(db, trial.id, opened, reason="no", now_ns=NOW_NS)


def test_a_look_at_the_key_that_fails_shows_nothing_and_one_that_is_shown_is_kept(registry: Registry) -> None:
    trial = register(registry, treatments=BOTH, blinded=True)
    with pytest.raises(Invalid), registry.write() as db:
        keeping.open_key(db, trial.id, purpose="unblinding", reason=" ", now_ns=NOW_NS)
    with registry.read() as db:
        assert keeping.find(db, trial.id).openings == ()


def test_keys_come_both_ways() -> None:
    keys = [keeping.draw_key(plan(blinded=True)) for _ in range(60)]
    assert {json.dumps(key) for key in keys} == {'{"A": "A", "B": "B"}', '{"A": "B", "B": "A"}'}


def test_trials_are_in_a_copy_of_the_registry(registry_url: str, tmp_path: Path) -> None:
    registry = open_registry(registry_url)
    ada, trial = add(registry), register(registry, treatments=BOTH, blinded=True)
    with registry.write() as db:
        keeping.join(db, trial.id, wearer=ada.id, first=FIRST, now_ns=NOW_NS)
        kept = keeping.impress(db, trial.id, wearer=ada.id, position=1, felt_better=True, now_ns=NOW_NS)
    registry.close()
    snapshot_registry(registry_url, tmp_path / "registry.jsonl")
    again = f"sqlite:///{tmp_path / 'again.sqlite'}"
    restore_registry(again, tmp_path / "registry.jsonl")
    restored = open_registry(again)
    with restored.read() as db:
        assert keeping.find(db, trial.id) == kept
    restored.close()


def test_what_does_not_exist_is_unknown(registry: Registry) -> None:
    trial = register(registry)
    with registry.write() as db:
        for action in (
            lambda: keeping.find(db, "t"),
            lambda: keeping.join(db, "t", wearer="w", first=FIRST, now_ns=1),
            lambda: keeping.join(db, trial.id, wearer="w", first=FIRST, now_ns=1),
            lambda: keeping.leave(db, trial.id, wearer="w", last=FIRST, reason="x"),
            lambda: keeping.open_key(db, "t", purpose="packing", reason="x", now_ns=1),
        ):
            with pytest.raises(Unknown):
                action()
