"""Slow twin of the candidate and its episode: one leg, one second at a time, in plain numbers."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Final

import naive_detector as naive

from detector import Params

NEVER = -1_000_000


@dataclass(frozen=True, slots=True)
class Seen:
    """What one second shows of a leg with C channels; what is `live` has been received."""

    second: int
    live: bool
    ok: list[bool]
    ratio: list[float]  # 0 where not sustained or not ok
    rms: list[float]
    rest: list[float]
    full: list[float]
    steps: list[list[float]]
    moving: bool
    upright: bool
    home: bool
    acc: bool
    cold: bool


@dataclass(slots=True)
class Counted:
    """What is counted from the onset of a candidate; all zero when one begins."""

    active: int = 0
    signed: int = 0
    upright: int = 0
    seated: int = 0
    stirred: int = 0
    paired: int = 0
    coactive: float = 0.0
    slow: float = 0.0
    fast: float = 0.0
    beats: list[float] = field(default_factory=lambda: [0.0] * 12)
    jump: float = 0.0
    jumped_to: float = 0.0
    hot_s: list[int] = field(default_factory=list)
    load: list[float] = field(default_factory=list)


class Follower:
    """One leg. `told` collects (status, channel, onset, opened, end) as episodes open and end."""

    COUNTERS: Final = tuple(one.name for one in fields(Counted))

    def __init__(self, channels: int, *, mates: list[list[bool]], weights: Mapping[str, float], params: Params) -> None:
        self.channels, self.mates, self.weights, self.params = channels, mates, weights, params
        self.told: list[tuple[str, int, int, int, int]] = []
        self.n = self._zero()
        self.evidence = 0.0
        self.opened, self.moved, self.cold, self.lain = False, False, False, False
        self.site = self.onset_s = self.opened_s = self.strong_s = self.quiet_s = 0
        self.rise_s = self.known_s = self.moved_s = self.last_s = NEVER
        self.mean = 0.0
        self.before = [1.0, 1.0]
        self.crest = [0.0] * channels
        self.hot = [False] * channels
        self.spent = [False] * channels

    def _zero(self) -> Counted:
        return Counted(hot_s=[0] * self.channels, load=[0.0] * self.channels)

    def see(self, now: Seen) -> None:
        """One second."""
        if not now.live:
            return
        p = self.params
        pause = now.second - self.last_s - 1
        if self.opened and pause > p.pause_s:
            self._end(now.acc, broke_off=self.known_s <= self.last_s)
        known = any(now.ok)
        if known and not self.opened and now.second - self.known_s - 1 > p.merge_s:
            self._forget()
        if known:
            self.known_s = now.second
        active = self._heat(now)
        strongest = max((r for r, ok in zip(now.ratio, now.ok, strict=True) if ok), default=0.0)
        leaps = self._leaps(active, strongest, now)
        if leaps:
            self.rise_s = now.second
        if active and not self.opened and (leaps or self.evidence <= 0):
            self._begin(now)
        if active:
            self._count(now, strongest)
        if known:
            change = (p.moving_step if now.moving else 1.0) if active else -p.quiet_step
            self.evidence = min(max(self.evidence + change, 0), p.hold_s)
        if now.moving:
            self.moved_s = now.second
        if active and not self.opened and self.evidence >= p.hold_s and self._belief(now.acc) >= p.confidence_min:
            self.opened, self.opened_s = True, now.second + 1
            self.site = self.n.load.index(max(self.n.load))
            self._tell("preliminary")

    def _heat(self, now: Seen) -> bool:
        p = self.params
        above = [ok and r >= p.off_ratio for ok, r in zip(now.ok, now.ratio, strict=True)]
        if any(above):
            self.rise_s = now.second if self.rise_s == NEVER else self.rise_s
        elif any(now.ok):
            self.rise_s = NEVER
        stands = self.lain and now.upright and not now.home
        for c in range(self.channels):
            if not now.ok[c]:
                continue
            excess = max(self.crest[c] - 1, 0)
            until = 1 + excess * (p.stand_share if stands else p.end_share)
            since = max(p.on_ratio, 1 + excess * p.again_share if self.spent[c] else 0)
            was = self.hot[c]
            self.hot[c] = above[c] and now.ratio[c] >= (until if was else since)
            self.spent[c] = above[c] and (self.spent[c] or (was and not self.hot[c]))
            if not above[c] and self.evidence <= 0 and not self.opened:
                self.crest[c] = 0.0
        return any(hot and ok for hot, ok in zip(self.hot, now.ok, strict=True))

    def _leaps(self, active: bool, strongest: float, now: Seen) -> bool:
        going_on = active and not self.opened and self.evidence > 0
        leaps = going_on and now.second - self.onset_s >= 5 and strongest > 2.5 * self.mean
        leaps = leaps and self._belief(now.acc) < self.params.confidence_min
        if going_on and not leaps:
            self.mean += 0.1 * (strongest - self.mean)
        elif active:
            self.mean = strongest
        return leaps

    def _begin(self, now: Seen) -> None:
        self.n = self._zero()
        self.evidence = 0.0
        self.before = [1.0, 1.0]
        self.onset_s = max(self.rise_s, now.second - 180)
        self.cold, self.lain = now.cold, not now.upright
        self.quiet_s = min(max(self.onset_s - max(self.moved_s, self.last_s), 0), 3600)
        self.moved = self.onset_s - self.moved_s <= self.params.before_s

    def _count(self, now: Seen, strongest: float) -> None:
        n, p = self.n, self.params
        self.last_s = now.second
        n.active += 1
        if not self.opened:
            seated = now.upright and now.home and self.quiet_s >= 45
            n.signed += 1
            n.upright += now.upright and not seated
            n.seated += seated
            n.stirred += now.moving
        above = [
            math.sqrt(max(rms**2 - rest**2, 0)) if ok else 0.0
            for ok, rms, rest in zip(now.ok, now.rms, now.rest, strict=True)
        ]
        first = above.index(max(above))
        others = [c for c in range(self.channels) if self.mates[first][c] and now.ok[c]]
        if others and n.active <= 10:
            n.paired += 1
            n.coactive += max((above[c] for c in others if now.ratio[c] >= p.off_ratio), default=0) / max(
                above[first], 1e-12
            )
        if n.active > 2:
            slow, fast, beats = naive.rhythm(now.steps[first])
            n.slow, n.fast = n.slow + slow, n.fast + fast
            n.beats = [a + b for a, b in zip(n.beats, beats, strict=True)]
        self.crest = [
            max(crest, r) if ok else crest for crest, r, ok in zip(self.crest, now.ratio, now.ok, strict=True)
        ]
        high = 0.4 * max(self.crest)
        if strongest >= high and (n.jumped_to < high or strongest / min(self.before) > n.jump):
            n.jump, n.jumped_to = strongest / min(self.before), strongest
        self.before = [self.before[1], max(strongest, 0.5)]
        if strongest >= max(self.crest) / 2:
            self.strong_s = now.second
        for c in range(self.channels):
            if self.hot[c] and now.ok[c]:
                n.hot_s[c] += 1
                n.load[c] += above[c] / now.rest[c] / (p.reference_ratio - 1)

    def signs(self, acc: bool, *, ended: bool) -> dict[str, float]:
        """What speaks for and against a willed hold."""
        n, crest = self.n, max(self.crest)
        beats = sorted(b / max(n.active - 2, 1) for b in n.beats)
        seen = n.paired > 0.5 * min(max(n.active, 1), 10)
        return {
            "upright": n.upright / max(n.signed, 1),
            "seated": n.seated / max(n.signed, 1),
            "stirred": n.stirred / max(n.signed, 1),
            "coactive": n.coactive / max(n.paired, 1) if seen else math.nan,
            "moved": self.moved,
            "cold": self.cold,
            "active_s": n.active,
            "acc": acc,
            "wobble": (n.slow + 1e-9) / (n.fast + 1e-9),
            "beat": beats[-1] - (beats[5] + beats[6]) / 2,
            "quiet_s": self.quiet_s,
            "usual": 0.0,
            "crest": crest,
            "abrupt": n.jump if n.jumped_to >= 0.4 * crest else 1.0,
            "fall_s": self.last_s - self.strong_s if ended else math.nan,
        }

    def _belief(self, acc: bool, *, ended: bool = False) -> float:
        return naive.confidence(self.signs(acc, ended=ended), weights=self.weights)

    def _end(self, acc: bool, *, broke_off: bool) -> None:
        upheld = self._belief(acc, ended=not broke_off) >= self.params.confidence_min
        self._tell("final" if upheld else "rejected")
        self.opened = False
        self._forget()

    def _forget(self) -> None:
        self.evidence = 0.0
        self.hot = [False] * self.channels
        self.rise_s = NEVER

    def _tell(self, status: str) -> None:
        self.told.append((status, self.site, self.onset_s, self.opened_s, self.last_s + 1))
