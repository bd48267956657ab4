"""The largest misses and the most confident false alarms, drawn."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.accuracy import figures
from benchmarks.accuracy.hear import hear
from benchmarks.accuracy.score import Scored
from benchmarks.accuracy.suite import Case

EACH: Final = 4
WIDEST_S: Final = 900.0


@dataclass(frozen=True, slots=True)
class Sight:
    """Something to look at."""

    case: Case
    at_s: tuple[float, float]
    caption: str
    weight: float


def pick(recordings: Sequence[Scored]) -> list[Sight]:
    """The worst misses, then the worst false alarms; one a scenario, so that one weakness does not fill the page."""
    missed = [
        Sight(
            one.case, (cramp.onset_s, cramp.end_s),
            f"Missed in `{one.case.id}`: {cramp.duration_s:.0f} s at up to {cramp.peak_ratio:.1f} x rest", cramp.load,
        )
        for one in recordings for cramp in one.cramps if not cramp.found
    ]  # fmt: skip
    false = [
        Sight(
            one.case, (episode.onset_s, min(episode.end_s, episode.onset_s + WIDEST_S)),
            f"False in `{one.case.id}`: {episode.end_s - episode.onset_s:.0f} s, confidence {episode.confidence:.2f}",
            episode.confidence,
        )
        for one in recordings for episode in one.episodes if not episode.cramps
    ]  # fmt: skip
    return [*_first(missed), *_first(false)]


def draw(sight: Sight, path: Path) -> None:
    """Render and hear the recording once more, and draw what is around the sight."""
    leg = sight.case.make()
    title = sight.caption.replace("`", "")
    figures.case(leg, hear(leg), at_s=sight.at_s, title=title, path=path)


def _first(sights: Sequence[Sight]) -> list[Sight]:
    chosen: dict[tuple[str, str], Sight] = {}
    for sight in sorted(sights, key=lambda sight: (-sight.weight, sight.case)):
        chosen.setdefault((sight.case.generator, sight.case.scenario), sight)
    return list(chosen.values())[:EACH]
