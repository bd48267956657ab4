"""From activity to episodes: one step a second, over all streams in which anything goes on.

Rules
-----
- A channel is hot from ``on_ratio`` times its rest until it falls below ``off_ratio``. Amplitude here is the
  sustained one, so bursts (steps, jerks, fasciculation) do not make a channel hot. A window that is not usable
  says nothing, and leaves a channel as it was.
- Evidence grows by one in a second in which a channel is hot, by ``moving_step`` if the leg moves, and shrinks by
  ``quiet_step`` when nothing is hot; a candidate lasts while it is above zero.
- An episode opens once evidence has reached ``hold_s`` and confidence ``confidence_min``. What speaks for a
  voluntary hold is counted until then, for who has a cramp gets up and stretches. Its onset is when amplitude
  last rose above ``off_ratio`` before the candidate began.
- Where amplitude leaps before that, and what went on so far does not look like a cramp, the candidate begins anew:
  a cramp of a leg that stands or has just walked.
- It ends at the last hot second, once nothing has been hot for ``pause_s``. A channel also ceases to be hot
  below ``end_share`` of its crest, for muscles may stay tense after a cramp; below ``stand_share`` if the wearer has
  got up from lying, for standing works the calf. What is left so is spent: it has to fall silent, or to rise above
  ``again_share`` of that crest, before it is activity again.
- If how it went and how it ended make a willed hold likelier after all, it is rejected.
- Where no channel could be judged for longer than ``merge_s``, by a gap or an artefact, a candidate that has not opened
  is forgotten too.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detector.candidates import Candidate, begin, count, forget, signs
from detector.confidence import confidence
from detector.layout import FloatArray
from detector.params import Params
from detector.quality import TRUNCATED, flag_names
from detector.results import Episode, EpisodeState
from detector.severity import severity
from detector.shown import Second
from detector.state import NEVER

SECOND_NS: Final = 1_000_000_000
LEAP: Final = 2.5  # times what has gone on so far: that is not how this began
LEAP_AFTER_S: Final = 5
LEAP_STEP: Final = 0.1  # a second
INVOLVED: Final = 0.2  # share of active seconds in which a further channel must be hot to have taken part


def step(c: Candidate, now: Second, *, streams: NDArray[np.intp], params: Params) -> list[Episode]:
    """Advance the candidates `c` by one second, in place; episodes that opened or closed in it."""
    pause = now.second - c["last_s"] - 1
    ends = now.live & c["opened"] & (pause > params.pause_s)
    found = close(c, ends, streams=streams, gone=c["known_s"] <= c["last_s"], acc=now.acc, params=params)
    known = now.live & now.known
    forget(c, known & ~c["opened"] & (now.second - c["known_s"] - 1 > params.merge_s))
    c["known_s"] = np.where(known, now.second, c["known_s"])
    active, hot = _heat(c, now, params)
    if active.any():
        leaps = _leaps(c, active, now=now, params=params)
        c["rise_s"] = np.where(leaps, now.second, c["rise_s"])
        begin(c, active & ~c["opened"] & (leaps | (c["evidence"] <= 0)), now=now, params=params)
        count(c, active, hot=hot, now=now)
    change = np.where(active, np.where(now.moving, params.moving_step, 1.0), -params.quiet_step)
    change = np.where(known, change, 0)  # an artefact or a lifted electrode is no evidence either way
    c["evidence"] = np.minimum(np.maximum(c["evidence"] + change, 0), params.hold_s).astype(np.float32)
    c["moved_s"] = np.where(now.live & now.moving, now.second, c["moved_s"])
    opens = active & ~c["opened"] & (c["evidence"] >= params.hold_s)
    if opens.any():
        opens &= confidence(signs(c, now.acc, ended=False)) >= params.confidence_min
    if opens.any():
        c["site"] = np.where(opens, c["load"].argmax(-1), c["site"]).astype(np.int32)
        c["opened"] |= opens
        c["opened_s"] = np.where(opens, now.second + 1, c["opened_s"])
        belief = confidence(signs(c, now.acc, ended=False))
        found += _emit(c, opens, streams=streams, status=["preliminary"] * len(opens), belief=belief)
    return found


def _leaps(c: Candidate, active: NDArray[np.bool_], *, now: Second, params: Params) -> NDArray[np.bool_]:
    """Where amplitude leaps above what has gone on for a while and does not look like a cramp, `(A,)`. Changes `c`."""
    most = now.most
    going_on = active & ~c["opened"] & (c["evidence"] > 0)
    leaps: NDArray[np.bool_] = going_on & (now.second - c["onset_s"] >= LEAP_AFTER_S) & (most > LEAP * c["mean"])
    if leaps.any():
        leaps &= confidence(signs(c, now.acc, ended=False)) < params.confidence_min
    slowly = c["mean"] + LEAP_STEP * (most - c["mean"])
    c["mean"] = np.where(going_on & ~leaps, slowly, np.where(active, most, c["mean"])).astype(np.float32)
    return leaps


def _heat(c: Candidate, now: Second, params: Params) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which streams are active in this second, and which channels are hot in them; notes since when. Changes `c`."""
    above, loud = now.above, now.above.any(-1)
    begins = np.where(c["rise_s"] == NEVER, now.second, c["rise_s"])
    risen = np.where(loud, begins, np.where(now.known, NEVER, c["rise_s"]))
    c["rise_s"] = np.where(now.live, risen, c["rise_s"])
    stands = (c["lain"] & now.upright & ~now.home)[:, None]
    excess = np.maximum(c["crest"] - 1, 0)
    off = 1 + excess * np.where(stands, params.stand_share, params.end_share)
    again = np.where(c["spent"], 1 + excess * params.again_share, 0)
    hot = above & np.where(c["hot"], now.ratio >= off, now.ratio >= np.maximum(params.on_ratio, again))
    seen = now.live[:, None] & now.ok
    c["spent"] = np.where(seen, above & (c["spent"] | (c["hot"] & ~hot)), c["spent"])
    c["hot"] = np.where(now.live[:, None], np.where(now.ok, hot, c["hot"]), c["hot"])
    silent = seen & ~above
    c["crest"] = np.where(silent & ((c["evidence"] <= 0) & ~c["opened"])[:, None], 0, c["crest"]).astype(np.float32)
    active: NDArray[np.bool_] = now.live & hot.any(-1)
    return active, hot


def close(
    c: Candidate,
    ends: NDArray[np.bool_],
    *,
    streams: NDArray[np.intp],
    gone: NDArray[np.bool_],
    acc: NDArray[np.bool_],
    params: Params,
) -> list[Episode]:
    """End the episodes at `ends`, in place; `gone` marks those whose signal broke off."""
    if not ends.any():
        return []
    c["seen_flags"] |= np.where(ends & gone, TRUNCATED, 0).astype(np.uint16)
    belief = np.where(gone, confidence(signs(c, acc, ended=False)), confidence(signs(c, acc, ended=True)))
    status: list[EpisodeState] = ["final" if one >= params.confidence_min else "rejected" for one in belief]
    found = _emit(c, ends, streams=streams, status=status, belief=belief)
    c["opened"] &= ~ends
    forget(c, ends)
    return found


def _emit(
    c: Candidate, rows: NDArray[np.bool_], *, streams: NDArray[np.intp], status: Sequence[EpisodeState],
    belief: FloatArray,
) -> list[Episode]:  # fmt: skip
    return [
        _episode(c, int(a), stream=int(streams[a]), status=status[int(a)], belief=float(belief[a]))
        for a in np.flatnonzero(rows)
    ]


def _episode(c: Candidate, a: int, *, stream: int, status: EpisodeState, belief: float) -> Episode:
    load, hot_s = c["load"][a], c["hot_s"][a]
    order = np.argsort(-load, kind="stable")
    took_part = tuple(int(i) for i in order if hot_s[i] >= max(INVOLVED * c["active"][a], 1))
    first = int(order[0])
    onset_s, end_s = int(c["onset_s"][a]), int(c["last_s"][a]) + 1
    score = severity(
        peak_ratio=float(c["peak_ratio"][a, first]),
        duration_s=end_s - onset_s,
        load=float(load[first]),
        recruitment=float(c["full"][a, first] / max(hot_s[first], 1)),
    )
    return Episode(
        stream=stream,
        channel=int(c["site"][a]),
        onset_ns=onset_s * SECOND_NS,
        end_ns=end_s * SECOND_NS,
        opened_ns=int(c["opened_s"][a]) * SECOND_NS,
        status=status,
        severity=score.total,
        severity_amplitude=score.amplitude,
        severity_duration=score.duration,
        severity_load=score.load,
        severity_recruitment=score.recruitment,
        grade=score.grade,
        peak_uv=round(float(c["peak"][a, first]), 3),
        peak_ratio=round(float(c["peak_ratio"][a, first]), 3),
        load=round(float(load[first]), 3),
        confidence=round(belief, 3),
        flags=flag_names(int(c["seen_flags"][a])),
        channels=took_part or (first,),
    )
