"""From entries to what is sent, on the wearer's clock. Pure."""

from api.diary import analytes
from api.diary import schemas as out
from api.diary.about import about_text
from api.diary.interventions import Adherence
from api.diary.values import Context, FeltCramp, Intake, Intervention, LabValue, Review
from api.times import local_text, utc_text
from api.zones import ZoneHistory


def cramp(value: FeltCramp, zones: ZoneHistory) -> out.FeltOut:
    """A cramp felt, with how early and how late it may have been."""
    margin_ns = round(value.uncertain_s * 1e9)
    return out.FeltOut(
        id=value.id,
        at=local_text(zones, value.at_ns) if value.about is None else None,
        earliest=local_text(zones, value.at_ns - margin_ns),
        latest=local_text(zones, value.at_ns + margin_ns),
        about=None if value.about is None else about_text(value.about),
        muscle=value.muscle,
        side=value.side,
        duration_s=value.duration_s,
        pain=value.pain,
        sleep_disturbance=value.sleep_disturbance,
        note=value.note,
        updated=utc_text(value.updated_ns),
    )


def intervention(value: Intervention, adherence: Adherence) -> out.InterventionOut:
    """What was taken or done, and how regularly."""
    dose = None
    if value.dose_value is not None and value.dose_unit is not None:
        dose = out.DoseOut(value=value.dose_value, unit=value.dose_unit)
    return out.InterventionOut(
        id=value.id,
        code=value.code,
        name=value.name,
        dose=dose,
        schedule=value.schedule,
        times=value.times,
        from_=value.first,
        to=value.last,
        adherence=out.AdherenceOut(
            due=adherence.due,
            taken=adherence.taken,
            missed=adherence.missed,
            unnoted=adherence.unnoted,
            share=None if adherence.share is None else round(adherence.share, 3),
        ),
        note=value.note,
        updated=utc_text(value.updated_ns),
    )


def intake(value: Intake, zones: ZoneHistory) -> out.IntakeOut:
    """One dose."""
    return out.IntakeOut(
        id=value.id,
        intervention=value.intervention,
        at=local_text(zones, value.at_ns),
        outcome=value.outcome,
        updated=utc_text(value.updated_ns),
    )


def context(value: Context, zones: ZoneHistory) -> out.ContextOut:
    """What went on."""
    return out.ContextOut(
        id=value.id,
        context=value.kind,
        start=local_text(zones, value.at_ns),
        end=None if value.end_ns is None else local_text(zones, value.end_ns),
        detail=dict(value.detail),
        note=value.note,
        updated=utc_text(value.updated_ns),
    )


def lab_value(value: LabValue, zones: ZoneHistory) -> out.LabOut:
    """A laboratory value beside the usual range."""
    known = analytes.KNOWN[value.analyte]
    return out.LabOut(
        id=value.id,
        analyte=value.analyte,
        at=local_text(zones, value.at_ns),
        value=value.value,
        unit=value.unit,
        usual=out.UsualOut(
            low=known.usual[0],
            high=known.usual[1],
            unit=known.unit,
            value=float(f"{analytes.converted(value.analyte, value.value, value.unit):.4g}"),
            standing=analytes.standing(value.analyte, value.value, value.unit),
        ),
        remark=analytes.remark(value.analyte, value.value, value.unit) or None,
        note=value.note,
        updated=utc_text(value.updated_ns),
    )


def review(value: Review, zones: ZoneHistory) -> out.ReviewOut:
    """What the wearer says of an episode."""
    return out.ReviewOut(
        id=value.id,
        episode=value.episode,
        onset=local_text(zones, value.at_ns),
        verdict=value.verdict,
        note=value.note,
        updated=utc_text(value.updated_ns),
    )
