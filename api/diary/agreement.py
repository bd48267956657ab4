"""How far a wearer's diary and their devices agree, and severity in the wearer's own terms. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from api.diary.matching import Detected, Match
from api.diary.values import FeltCramp
from api.statistics.paired import signed_rank
from api.statistics.proportions import proportion
from api.statistics.rates import rate_interval
from api.statistics.values import Estimate, unknown
from detector.agreement import Kappa, quadratic_kappa
from detector.refit import LEAST, PARTS, Refit, refit, rescore

GRADES: Final = 3
# Pain of 0-10 as a grade: mild to 4, moderate 5 and 6, severe from 7 (Palos 2006).
CUTS: Final = (5, 7)
Fit = Callable[[NDArray[np.float64], list[int]], Refit]
CONVENTION: Final = refit(np.empty((0, len(PARTS))), []).weights  # without ratings a fit is the convention
LEAST_PAIRS: Final = 10  # for a kappa; below some 30 its interval is rough
KAPPA: Final = "quadratic kappa of grade and pain (Cohen 1968), large-sample interval (Fleiss, Cohen and Everitt 1969)"


@dataclass(frozen=True, slots=True)
class Rescored:
    """One cramp that was felt and detected: severity by the convention, and as the wearer would put it."""

    episode: str
    pain: int
    severity: float
    own: float


@dataclass(frozen=True, slots=True)
class Own:
    """Severity re-fitted to the wearer's ratings, beside the convention. Without enough ratings there is none."""

    ratings: int
    least: int
    fit: Refit | None
    rescored: tuple[Rescored, ...]
    sentence: str


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What the wearer said of detected episodes: how often the devices are wrong."""

    cramps: int
    none: int
    unsure: int
    unreviewed: int
    wrong: Estimate  # share of those judged that were none
    per_night: Estimate  # called none, per night with enough data
    sentence: str


@dataclass(frozen=True, slots=True)
class Agreement:
    """Figures of one wearer in one range."""

    both: int
    device_only: int
    diary_only: int
    not_seeable: int
    rejected: int  # of the device alone, which the wearer called none
    sensitivity: Estimate
    felt: Estimate
    duration: Estimate
    kappa: Estimate
    own: Own
    reviewed: Reviewed


def agreement(
    matches: Sequence[Match], *, rejected_at_night: int, unreviewed: int, nights: int, fit: Fit = refit
) -> Agreement:
    """Figures from matched cramps; `nights` had enough data, and in them so many episodes were called none."""
    count = {seen: sum(match.seen == seen for match in matches) for seen in ("both", "device_only", "diary_only")}
    pairs = [(match.felt, match.detected) for match in matches if match.felt and match.detected]
    alone = [match.detected for match in matches if match.detected and not match.felt]
    said = sum(item.confirmed is True for item in alone)
    felt = count["both"] + said
    return Agreement(
        both=count["both"],
        device_only=count["device_only"],
        diary_only=count["diary_only"],
        not_seeable=sum(match.seen == "not_seeable" for match in matches),
        rejected=sum(item.confirmed is False for item in alone),
        sensitivity=proportion(
            count["both"], count["both"] + count["diary_only"], measure="share of felt cramps that were detected"
        ),
        felt=proportion(felt, count["both"] + len(alone), measure="share of detected cramps that were felt"),
        duration=_duration(pairs),
        kappa=_kappa(pairs),
        own=own_severity(pairs, fit=fit),
        reviewed=_reviewed(matches, rejected_at_night=rejected_at_night, unreviewed=unreviewed, nights=nights),
    )


def own_severity(pairs: Sequence[tuple[FeltCramp, Detected]], *, fit: Fit = refit) -> Own:
    """Severity re-fitted to the pain that the wearer gave; the convention stays beside it."""
    rated = [(detected, felt.pain) for felt, detected in pairs if felt.pain is not None]
    if len(rated) < LEAST:
        sentence = f"Not enough: {len(rated)} of at least {LEAST} cramps were both detected and rated for pain."
        return Own(len(rated), LEAST, None, (), sentence)
    parts = np.array([detected.parts for detected, _ in rated]).reshape(-1, len(PARTS))
    fitted = fit(parts, [pain for _, pain in rated])
    scores = rescore(parts, fitted)
    rescored = tuple(
        Rescored(detected.episode, pain, detected.severity, float(score))
        for (detected, pain), score in zip(rated, scores, strict=True)
    )
    return Own(len(rated), LEAST, fitted, rescored, fitted.note)


def grade_of(pain: int) -> int:
    """Pain 0-10 as a grade 1-3."""
    return 1 + sum(pain >= cut for cut in CUTS)


def _duration(pairs: Sequence[tuple[FeltCramp, Detected]]) -> Estimate:
    differences = [felt.duration_s - detected.duration_s for felt, detected in pairs if felt.duration_s is not None]
    return signed_rank(differences, measure="felt minus detected duration, seconds")


def _kappa(pairs: Sequence[tuple[FeltCramp, Detected]]) -> Estimate:
    rated = [(detected.grade, grade_of(felt.pain)) for felt, detected in pairs if felt.pain is not None]
    measure = "weighted kappa of severity grade and pain grade"
    if len(rated) < LEAST_PAIRS:
        note = f"Not enough: {len(rated)} of at least {LEAST_PAIRS} cramps were both detected and rated for pain."
        return unknown(measure, method=KAPPA, note=note)
    grades = np.array(rated, np.int64) - 1
    found: Kappa = quadratic_kappa(grades[:, 0], grades[:, 1], levels=GRADES)
    if np.isnan(found.value):
        return unknown(measure, method=KAPPA, note="One side used a single grade: agreement is not defined.")
    return Estimate(measure, found.value, found.low, found.high, None, KAPPA)


def _reviewed(matches: Sequence[Match], *, rejected_at_night: int, unreviewed: int, nights: int) -> Reviewed:
    detected = [match.detected for match in matches if match.detected]
    cramps, none = (sum(item.confirmed is verdict for item in detected) for verdict in (True, False))
    unsure = len(detected) - cramps - none - unreviewed
    share = proportion(none, cramps + none, measure="share of reviewed episodes that were none")
    rate = replace(rate_interval(rejected_at_night, float(nights)), measure="false alarms per judged night")
    if cramps + none == 0:
        sentence = "No episode was reviewed: how often the device is wrong is not known."
    else:
        sentence = f"Of {cramps + none} reviewed episodes, {none} called none."
        if unreviewed + unsure:
            sentence += f" Not judged: {unreviewed + unsure}, so false alarms a night are a lower bound."
    return Reviewed(cramps, none, unsure, unreviewed, share, rate, sentence)
