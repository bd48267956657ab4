"""From figures of agreement to what is sent, in plain words beside them. Pure."""

from datetime import date

from api.diary.agreement import CONVENTION, Agreement, Own, Reviewed
from api.diary.comparing import Compared
from api.diary.matching import Match
from api.diary.schemas import AgreementOut, MatchOut, OwnOut, ReviewedOut
from api.registry import Wearer
from api.times import local_text
from api.trends.schemas import EstimateOut
from detector.refit import PARTS


def agreement_out(compared: Compared, *, wearer: Wearer, dates: tuple[date, date]) -> AgreementOut:
    """Everything that is known of agreement."""
    figures = compared.figures
    own = {item.episode: item.own for item in figures.own.rescored}
    return AgreementOut(
        wearer=wearer.id,
        from_=dates[0],
        to=dates[1],
        both=figures.both,
        device_only=figures.device_only,
        diary_only=figures.diary_only,
        not_seeable=figures.not_seeable,
        rejected=figures.rejected,
        sensitivity=EstimateOut.model_validate(figures.sensitivity),
        felt=EstimateOut.model_validate(figures.felt),
        duration=EstimateOut.model_validate(figures.duration),
        kappa=EstimateOut.model_validate(figures.kappa),
        own=_own(figures.own),
        reviewed=_reviewed(figures.reviewed),
        sentence=sentence(figures),
        items=[_match(match, own, wearer) for match in compared.matches],
    )


def sentence(figures: Agreement) -> str:
    """What it comes to, in words."""
    seen = figures.both + figures.diary_only
    if not seen and not figures.device_only:
        text = "Nothing was felt and nothing was detected."
    elif not seen:
        text = f"{_cramps(figures.device_only)} detected, none in the diary: it may not have been kept."
    else:
        text = f"{_cramps(seen)} felt while a device could see them; of these detected: {figures.both}."
        text += f" Detected and not in the diary: {figures.device_only}, of which you called none: {figures.rejected}."
    if figures.not_seeable:
        text += f" {_cramps(figures.not_seeable)} felt while no device could have seen them."
    return text


def _cramps(count: int) -> str:
    return "1 cramp" if count == 1 else f"{count} cramps"


def _own(value: Own) -> OwnOut:
    fit = value.fit
    return OwnOut(
        ratings=value.ratings,
        least=value.least,
        weights=None if fit is None else _weights(fit.weights),
        weights_convention=_weights(CONVENTION),
        rank=None if fit is None else fit.rank,
        rank_convention=None if fit is None else fit.rank_convention,
        sentence=value.sentence,
    )


def _weights(values: tuple[float, ...]) -> dict[str, float]:
    return {name: round(weight, 3) for name, weight in zip(PARTS, values, strict=True)}


def _reviewed(value: Reviewed) -> ReviewedOut:
    return ReviewedOut(
        cramps=value.cramps,
        none=value.none,
        unsure=value.unsure,
        unreviewed=value.unreviewed,
        wrong=EstimateOut.model_validate(value.wrong),
        per_night=EstimateOut.model_validate(value.per_night),
        sentence=value.sentence,
    )


def _match(match: Match, own: dict[str, float], wearer: Wearer) -> MatchOut:
    felt, detected = match.felt, match.detected
    at_ns = detected.onset_ns if detected else felt.at_ns if felt else 0
    rescored = own.get(detected.episode) if detected else None
    return MatchOut(
        seen=match.seen,
        at=local_text(wearer.zones, at_ns),
        cramp=felt.id if felt else None,
        episode=detected.episode if detected else None,
        confirmed=detected.confirmed if detected else None,
        severity=round(detected.severity, 2) if detected else None,
        own_severity=None if rescored is None else round(rescored, 2),
        pain=felt.pain if felt else None,
    )
