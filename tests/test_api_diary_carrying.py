"""Reviews of episodes that late data replaced."""

from pathlib import Path

import pytest
from api_world import World, add_wearer, assign, episode, epochs, get, ns, tell

from api.diary.carrying import carried
from ingest.store import Episode


def withdrawn(onset: int, by: str) -> Episode:
    return episode("leg", onset, status="withdrawn", superseded_by=by)


def named(onset: int) -> str:
    return episode("leg", onset).id


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, {}),
        ({1: False}, {1: False, 9: None}),  # nobody spoke of the other
        ({1: False, 2: False}, {1: False, 2: False, 9: False}),
        ({1: False, 2: True}, {1: False, 2: True, 9: True}),
        ({1: False, 2: None}, {1: False, 2: None, 9: None}),
        ({2: True}, {2: True, 9: True}),
        ({1: True, 9: False}, {1: True, 9: False}),  # its own review goes before
    ],
    ids=str,
)
def test_what_took_the_place_of_two_is_what_both_were(
    said: dict[int, bool | None], expected: dict[int, bool | None]
) -> None:
    among = [withdrawn(1, named(9)), withdrawn(2, named(9)), episode("leg", 9), episode("leg", 30)]
    found = carried({named(at): verdict for at, verdict in said.items()}, among)
    assert found == {named(at): verdict for at, verdict in expected.items()}


def test_a_review_is_carried_along_a_chain_in_any_order_and_not_around_a_ring() -> None:
    chain = [withdrawn(1, named(2)), withdrawn(2, named(3)), withdrawn(3, named(4)), episode("leg", 4)]
    for among in (chain, chain[::-1]):
        assert carried({named(1): False}, among) == {named(at): False for at in (1, 2, 3, 4)}
    ring = [withdrawn(1, named(2)), withdrawn(2, named(1))]
    assert carried({named(5): False}, ring) == {named(5): False}
    assert carried({}, [withdrawn(1, "")]) == {}


def test_an_episode_called_none_stays_none_when_late_data_move_its_onset(tmp_path: Path) -> None:
    world = World(tmp_path)
    old, new = ns("2026-03-11T02:00:00"), ns("2026-03-11T01:59:50")
    world.write(epochs("leg", ns("2026-03-10T20:00:00"), ns("2026-03-11T08:00:00")), episode("leg", old))
    with world.client() as http:
        ada = add_wearer(http)
        assign(http, ada, "leg")
        tell(http, ada, "reviews", episode=episode("leg", old).id, verdict="none")
        successor = episode("leg", new, revision=2)
        world.write(episode("leg", old, status="withdrawn", revision=2, superseded_by=successor.id), successor)
        found = get(http, f"/wearers/{ada}/agreement", **{"from": "2026-03-10", "to": "2026-03-12"})
        assert [(item["episode"], item["confirmed"]) for item in found["items"]] == [(successor.id, False)]
        assert (found["reviewed"]["none"], found["reviewed"]["unreviewed"]) == (1, 0)
        assert found["reviewed"]["per_night"]["value"] == 1.0
    world.close()
