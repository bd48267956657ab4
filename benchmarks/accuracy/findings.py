"""All that a run of the suite gave, on its way into the report."""

from dataclasses import dataclass

from benchmarks.accuracy.real import Listened
from benchmarks.accuracy.rival_run import Rivalry
from benchmarks.accuracy.score import Scored


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """All that a run of the suite gave."""

    recordings: tuple[Scored, ...]
    rivals: tuple[Rivalry, ...] = ()
    rivals_missing: bool = False
    real: tuple[Listened, ...] = ()
    real_name: str = ""  # of the folder
    pictures: tuple[tuple[str, str], ...] = ()  # file and caption
    folder: str = "accuracy"  # of the pictures, beside the page
    quick: bool = False

    @property
    def held_out(self) -> list[Scored]:
        return [one for one in self.recordings if one.case.held_out]

    @property
    def development(self) -> list[Scored]:
        return [one for one in self.recordings if not one.case.held_out]
