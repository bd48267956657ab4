"""What the wearer said of an episode that late data replaced, carried to the one that took its place. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from ingest.store import Episode


def carried(verdicts: Mapping[str, bool | None], episodes: Iterable[Episode]) -> dict[str, bool | None]:
    """Verdicts, also of episodes that took the place of reviewed ones; `episodes` has those withdrawn too.

    A review of its own goes before. What took the place of a cramp is one; what took the place of several is none
    only if each of them was called none: of the rest nothing is known.
    """
    replaced: defaultdict[str, list[str]] = defaultdict(list)
    for episode in episodes:
        if episode.withdrawn and episode.superseded_by:
            replaced[episode.superseded_by].append(episode.id)
    found = dict(verdicts)
    for successor in replaced:
        _settle(successor, replaced, found, asked=set())
    return found


def _settle(
    episode: str, replaced: Mapping[str, list[str]], found: dict[str, bool | None], *, asked: set[str]
) -> bool | None:
    """Verdict of an episode, from those before it where it has none; noted if any of them was reviewed."""
    if episode in found:
        return found[episode]
    if episode in asked or episode not in replaced:  # a ring cannot be, and would otherwise not end
        return None
    asked.add(episode)
    before = [_settle(one, replaced, found, asked=asked) for one in replaced[episode]]
    if not any(one in found for one in replaced[episode]):
        return None
    found[episode] = True if True in before else False if all(one is False for one in before) else None
    return found[episode]
