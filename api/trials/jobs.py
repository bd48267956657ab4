"""Analyses take long, so they are made one at a time beside the requests, and remembered by what they rest on.

Rules
-----
- `ask` waits for a second at most: it gives the analysis, or how far it has come.
- One thread at most, started when there is something to do and gone when there is not; a few may wait in line, the
  others ask again.
- A result holds as long as nothing that it was read from has changed. Who asks after a minute waits in line until that
  has been looked up, which takes as long as a tenth of reading all nights.
- What goes wrong is told to the next who asks, once; who asks after that begins anew.
"""

import logging
from collections import OrderedDict
from dataclasses import dataclass, field
from threading import Condition, Thread
from typing import Final

from api.reading import Sources
from api.registry import Registry
from api.trials import keeping
from api.trials.gathering import analyse_trial, fingerprint
from api.trials.registered import Trial
from api.trials.values import Analysis
from ingest.store import StoreDamaged

KEPT: Final = 32
WAITING: Final = 16
CHECK_EVERY_NS: Final = 60 * 10**9
RETRY_AFTER_S: Final = 2
PATIENCE_S: Final = 1.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an analysis stands: there, or this share of the way."""

    analysis: Analysis | None
    progress: float


@dataclass(slots=True)
class _Made:
    trial: Trial
    analysis: Analysis
    mark: str
    checked_ns: int


@dataclass(slots=True)
class Analyses:
    """The analyses of one service."""

    sources: Sources
    patience_s: float = PATIENCE_S
    _made: OrderedDict[str, _Made] = field(default_factory=OrderedDict)
    _progress: OrderedDict[str, float] = field(default_factory=OrderedDict)  # of those in line, the first at work
    _failed: dict[str, Exception] = field(default_factory=dict)
    _thread: Thread | None = None
    _lock: Condition = field(default_factory=Condition)

    def ask(self, trial: Trial) -> Standing:
        """The analysis as of now, or how far it has come; raises what went wrong."""
        with self._lock:
            if trial.id not in self._progress and trial.id not in self._failed and self._ready(trial) is None:
                self._line_up(trial.id)
            self._lock.wait_for(lambda: trial.id not in self._progress, timeout=self.patience_s)
            if error := self._failed.pop(trial.id, None):
                raise error
            ready = self._ready(trial)
            return Standing(ready, 1.0 if ready else self._progress.get(trial.id, 0.0))

    def make(self, trial: Trial) -> Analysis:
        """The analysis, made here and now."""
        mark = fingerprint(self.sources, trial)  # before reading: what is written meanwhile must be seen as a change
        analysis = analyse_trial(self.sources, trial, progress=lambda share: self._reached(trial.id, share))
        with self._lock:
            self._made[trial.id] = _Made(trial, analysis, mark, self.sources.now_ns())
            self._made.move_to_end(trial.id)
            while len(self._made) > KEPT:
                self._made.popitem(last=False)
        return analysis

    def _ready(self, trial: Trial) -> Analysis | None:
        """The analysis, if it is of this very trial and was looked after within the minute."""
        made = self._made.get(trial.id)
        if made is None or made.trial != trial:
            return None
        fresh = made.checked_ns <= self.sources.now_ns() < made.checked_ns + CHECK_EVERY_NS
        return made.analysis if fresh else None

    def _line_up(self, trial_id: str) -> None:
        if len(self._progress) < WAITING:
            self._progress[trial_id] = 0.0
        if self._thread is None:
            self._thread = Thread(target=self._work, name="trial-analyses", daemon=True)
            self._thread.start()

    def _look_after(self, trial: Trial) -> None:
        """Make the analysis unless the one there is still holds."""
        with self._lock:
            made = self._made.get(trial.id)
        if made is not None and made.trial == trial and made.mark == fingerprint(self.sources, trial):
            made.checked_ns = self.sources.now_ns()
        else:
            self.make(trial)

    def _reached(self, trial_id: str, share: float) -> None:
        with self._lock:
            if trial_id in self._progress:
                self._progress[trial_id] = share

    def _work(self) -> None:
        """Make one after the other until there are none left."""
        while True:
            with self._lock:
                trial_id = next(iter(self._progress), None)
                if trial_id is None:
                    self._thread = None
                    return
            try:
                self._look_after(_read(self.sources.registry, trial_id))
            except Exception as error:  # noqa: BLE001 - whatever it is, who asks next is told
                if isinstance(error, StoreDamaged):
                    self.sources.damage.note(error)
                _log.warning("a trial could not be analysed: %s", type(error).__name__)
                with self._lock:
                    self._failed[trial_id] = error
            with self._lock:
                del self._progress[trial_id]
                self._lock.notify_all()


def _read(registry: Registry, trial_id: str) -> Trial:
    with registry.read() as db:
        return keeping.find(db, trial_id)
