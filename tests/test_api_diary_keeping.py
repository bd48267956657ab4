"""What is kept of a diary: by wearer, through upgrades and copies, and until the wearer is forgotten."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa
from registry_world import add

from api.diary import contexts, cramps, interventions, keeping, laboratory, reviews
from api.diary.about import felt_about
from api.diary.exchange import KEPT
from api.diary.values import Context, FeltCramp, Intake, Intervention, LabValue, Review
from api.errors import Conflict, Unknown
from api.periods import NightPreference
from api.registry import Registry, Wearer, open_registry, wearers
from api.registry.copy import restore_registry, snapshot_registry
from api.registry.database import make_engine, migrate
from api.zones import DAY_NS, ZoneChange, ZoneHistory

HOUR_NS = 3600 * 10**9
START = 20_500 * DAY_NS  # 2026-02-16


def fill(registry: Registry, wearer: str) -> None:
    """One entry of each kind."""
    with registry.write() as db:
        magnesium, _ = keeping.add(
            db, interventions.KEPT, Intervention("magnesium", date(2026, 2, 1)), wearer=wearer, key=None, now_ns=1
        )
        for kept, entry in (
            (cramps.KEPT, FeltCramp(START, pain=4)),
            (interventions.INTAKES, Intake(magnesium.id, START)),
            (contexts.KEPT, Context("training", START, START + HOUR_NS, (("drink", "water"),))),
            (laboratory.KEPT, LabValue("magnesium", START, 0.8, "mmol/L")),
            (reviews.KEPT, Review(f"leg.soleus.{START}", START, "none")),
        ):
            keeping.add(db, kept, entry, wearer=wearer, key="k", now_ns=1)  # type: ignore[type-var]


def rows(registry: Registry) -> dict[str, int]:
    with registry.read() as db:
        count = sa.select(sa.func.count())
        return {kind: db.execute(count.select_from(kept.table)).scalar_one() for kind, kept in KEPT.items()}


def test_everything_comes_back_as_it_was_kept(registry: Registry) -> None:
    ada = add(registry).id
    fill(registry, ada)
    with registry.read() as db:
        assert [item.pain for item in cramps.between(db, ada, start_ns=START, end_ns=START + 1)] == [4]
        (training,) = contexts.between(db, ada, start_ns=START + 1, end_ns=START + 2)
        assert training.member("drink") == "water"
        (magnesium,) = interventions.of(db, ada)
        assert [item.intervention for item in interventions.intakes_of(db, ada)] == [magnesium.id]
        assert [item.value for item in laboratory.of(db, ada, analytes=["magnesium"])] == [0.8]
        assert laboratory.of(db, ada, analytes=["sodium"]) == []
        assert reviews.verdicts(db, ada, [f"leg.soleus.{START}", "other"]) == {f"leg.soleus.{START}": False}


def test_a_forgotten_wearer_takes_the_diary_along_and_nobody_elses(registry: Registry) -> None:
    ada, bea = add(registry).id, add(registry, "Bea").id
    fill(registry, ada)
    fill(registry, bea)
    assert set(rows(registry).values()) == {2}
    with registry.write() as db:
        wearers.remove(db, ada)
    assert set(rows(registry).values()) == {1}
    with registry.read() as db:
        assert len(interventions.of(db, bea)) == 1


def test_no_entry_is_anybody_elses(registry: Registry) -> None:
    ada, bea = add(registry).id, add(registry, "Bea").id
    fill(registry, ada)
    with registry.write() as db:
        for kept in KEPT.values():
            (entry,) = keeping.listed(db, kept, wearer=ada)
            assert keeping.listed(db, kept, wearer=bea) == []
            with pytest.raises(Unknown):
                keeping.find(db, kept, wearer=bea, entry_id=entry.id)
            with pytest.raises(Unknown):
                keeping.change(db, kept, entry, wearer=bea, now_ns=2)
            with pytest.raises(Unknown):
                keeping.remove(db, kept, wearer=bea, entry_id=entry.id)
            with pytest.raises(Unknown):
                keeping.listed(db, kept, wearer="nobody")
        assert reviews.verdicts(db, bea, [f"leg.soleus.{START}"]) == {}


def test_a_key_that_comes_again_adds_nothing_and_contradictions_are_conflicts(registry: Registry) -> None:
    ada, bea = add(registry).id, add(registry, "Bea").id
    felt = FeltCramp(START, pain=4)
    with registry.write() as db:
        first, new = keeping.add(db, cramps.KEPT, felt, wearer=ada, key="k", now_ns=1)
        again, renewed = keeping.add(db, cramps.KEPT, felt, wearer=ada, key="k", now_ns=2)
        other, of_bea = keeping.add(db, cramps.KEPT, felt, wearer=bea, key="k", now_ns=2)
        without = [keeping.add(db, cramps.KEPT, felt, wearer=ada, key=None, now_ns=3)[0].id for _ in range(2)]
        with pytest.raises(Conflict, match="came before"):
            keeping.add(db, cramps.KEPT, FeltCramp(START, pain=5), wearer=ada, key="k", now_ns=4)
    assert (new, renewed, of_bea) == (True, False, True)
    assert again == first
    assert len({first.id, other.id, *without}) == 4


def test_retries_that_come_at_once_add_one_entry(registry: Registry) -> None:
    ada = add(registry).id
    start = threading.Barrier(4)

    def send(_: int) -> str:
        start.wait()
        with registry.write() as db:
            return keeping.add(db, cramps.KEPT, FeltCramp(START), wearer=ada, key="k", now_ns=1)[0].id

    with ThreadPoolExecutor(4) as pool:
        ids = set(pool.map(send, range(4)))
    assert len(ids) == rows(registry)["cramp"] == 1


def test_an_intervention_takes_its_intakes_along(registry: Registry) -> None:
    ada = add(registry).id
    fill(registry, ada)
    with registry.write() as db:
        (magnesium,) = interventions.of(db, ada)
        keeping.remove(db, interventions.KEPT, wearer=ada, entry_id=magnesium.id)
    assert rows(registry)["intake"] == 0


def test_the_latest_review_of_an_episode_holds(registry: Registry) -> None:
    ada = add(registry).id
    with registry.write() as db:
        for verdict, expected in (("cramp", True), ("none", False), ("unsure", None)):
            reviews.say(db, Review("leg.soleus.5", 5, verdict), wearer=ada, key=None, now_ns=1)  # type: ignore[arg-type]
            assert reviews.verdicts(db, ada, ["leg.soleus.5"]) == {"leg.soleus.5": expected}
        assert len(reviews.between(db, ada, start_ns=5, end_ns=6)) == 1
        assert reviews.between(db, ada, start_ns=6, end_ns=9) == []


def test_many_episodes_are_asked_for_at_once(registry: Registry) -> None:
    ada = add(registry).id
    ids = [f"leg.soleus.{at}" for at in range(1200)]
    with registry.write() as db:
        for at in (0, 700, 1199):
            reviews.say(db, Review(ids[at], at, "none"), wearer=ada, key=None, now_ns=1)
        assert reviews.verdicts(db, ada, ids) == {ids[0]: False, ids[700]: False, ids[1199]: False}


@pytest.mark.parametrize(
    ("first", "last", "codes"),
    [
        (None, None, ["heat", "magnesium", "massage"]),
        (date(2026, 2, 10), None, ["heat", "massage"]),
        (None, date(2026, 2, 5), ["heat", "magnesium"]),
        (date(2026, 2, 9), date(2026, 2, 9), ["heat", "magnesium"]),
        (date(2025, 1, 1), date(2025, 12, 31), []),
    ],
    ids=str,
)  # fmt: skip
def test_interventions_in_force(registry: Registry, first: date | None, last: date | None, codes: list[str]) -> None:
    ada = add(registry).id
    with registry.write() as db:
        for entry in (
            Intervention("massage", date(2026, 3, 1)),
            Intervention("magnesium", date(2026, 2, 2), date(2026, 2, 9)),
            Intervention("heat", date(2026, 2, 1)),
        ):
            keeping.add(db, interventions.KEPT, entry, wearer=ada, key=None, now_ns=1)
        assert [item.code for item in interventions.of(db, ada, first=first, last=last)] == codes


@pytest.mark.parametrize(
    ("start", "end", "found"),
    [(0, 10, ["travel"]), (10, 20, ["training"]), (19, 30, ["training", "heat"]), (20, 21, ["heat"]), (21, 99, [])],
)
def test_contexts_that_touch_a_stretch(registry: Registry, start: int, end: int, found: list[str]) -> None:
    ada = add(registry).id
    with registry.write() as db:
        for entry in (Context("travel", 5, 10), Context("training", 10, 20), Context("heat", 20)):
            keeping.add(db, contexts.KEPT, entry, wearer=ada, key=None, now_ns=1)
        assert [item.kind for item in contexts.between(db, ada, start_ns=start, end_ns=end)] == found
        only = contexts.between(db, ada, start_ns=start, end_ns=end, kinds=["training"])
        assert [item.kind for item in only] == [kind for kind in found if kind == "training"]


def test_a_cramp_of_a_night_follows_the_zone_that_is_corrected(registry: Registry) -> None:
    ada = add(registry)
    about = ("night", date(2026, 2, 16))
    at_ns, uncertain_s = felt_about(about, ada)  # type: ignore[arg-type]
    felt = FeltCramp(at_ns, uncertain_s, about)  # type: ignore[arg-type]
    chicago = ZoneHistory((ZoneChange(0, "America/Chicago"),))
    with registry.write() as db:
        keeping.add(db, cramps.KEPT, felt, wearer=ada.id, key=None, now_ns=1)
        wearers.replace(db, Wearer(ada.id, ada.name, NightPreference(), chicago, 1))
        (found,) = cramps.between(db, ada.id, start_ns=at_ns - DAY_NS, end_ns=at_ns + DAY_NS)
    assert chicago.local(found.at_ns).strftime("%d %H:%M") == "17 03:00"
    assert ada.zones.local(at_ns).strftime("%d %H:%M") == "17 03:00"
    assert found.at_ns - at_ns == 15 * HOUR_NS
    assert found.uncertain_s == uncertain_s == 6 * 3600


def test_adherence_counts_days_that_have_ended() -> None:
    zones = ZoneHistory((ZoneChange(0, "Europe/Berlin"),))
    magnesium = Intervention("magnesium", date(2026, 2, 16), schedule="daily", times=2, id="n")
    noon = zones.midnight_ns(date(2026, 2, 20)) + 12 * HOUR_NS
    doses = [Intake("n", noon - days * DAY_NS, "taken" if days else "missed") for days in (0, 1, 2)]
    doses += [Intake("n", noon - 3 * DAY_NS, "missed"), Intake("other", noon - DAY_NS)]
    found = interventions.adherence(magnesium, doses, zones=zones, now_ns=noon)
    assert (found.due, found.taken, found.missed, found.unnoted, found.share) == (8, 2, 1, 5, 2 / 3)
    ended = interventions.adherence(
        Intervention("magnesium", date(2026, 2, 16), date(2026, 2, 17), schedule="weekly", id="n"), doses, zones=zones,
        now_ns=noon,
    )  # fmt: skip
    assert (ended.due, ended.taken, ended.missed, ended.unnoted) == (None, 0, 1, None)
    planned = interventions.adherence(Intervention("heat", date(2026, 3, 1)), [], zones=zones, now_ns=noon)
    assert (planned.due, planned.share) == (0, None)


def test_a_registry_of_the_release_before_keeps_its_people_and_gets_a_diary(registry_url: str, tmp_path: Path) -> None:
    engine = make_engine(registry_url)
    with engine.connect() as db, db.begin():
        migrate(db, to="0001")
        db.execute(sa.text("INSERT INTO wearers VALUES ('w1', 'Ada', '21:00', '09:00', 1)"))
        db.execute(sa.text("INSERT INTO zone_changes VALUES ('w1', 0, 'Europe/Berlin')"))
        db.execute(sa.text("INSERT INTO devices VALUES ('leg', 'Leg', 1)"))
        db.execute(sa.text("INSERT INTO assignments VALUES ('a1', 'leg', 'w1', 'left', 'soleus', 5, NULL)"))
    engine.dispose()
    old = tmp_path / "old.jsonl"
    assert snapshot_registry(registry_url, old)[0] == "0001"
    for address in (registry_url, f"sqlite:///{tmp_path / 'again.sqlite'}"):
        if address != registry_url:
            restore_registry(address, old)
        registry = open_registry(address)
        with registry.read() as db:
            assert wearers.find(db, "w1").name == "Ada"
        fill(registry, "w1")
        assert set(rows(registry).values()) == {1}
        registry.close()


def test_a_copy_of_the_registry_holds_the_diary(registry_url: str, registry: Registry, tmp_path: Path) -> None:
    ada = add(registry).id
    fill(registry, ada)
    _, counts = snapshot_registry(registry_url, tmp_path / "registry.jsonl")
    assert {name: counts[name] for name in counts if name.startswith("diary_")} == {
        kept.table.name: 1 for kept in KEPT.values()
    }
    again = f"sqlite:///{tmp_path / 'again.sqlite'}"
    restore_registry(again, tmp_path / "registry.jsonl")
    restored = open_registry(again)
    with registry.read() as before, restored.read() as after:
        for kept in KEPT.values():
            assert keeping.listed(after, kept, wearer=ada) == keeping.listed(before, kept, wearer=ada) != []
    restored.close()
