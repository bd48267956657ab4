"""From values to what is sent. Pure."""

import math

from api import schemas as out
from api import wording
from api.coverage import Coverage
from api.periods import Period, PeriodKind
from api.registry import Assignment, Wearer
from api.resampling import Joined
from api.summaries import Cramps, DeviceShare, Owned, Summary, Total
from api.times import local_text, utc_text
from api.watch import Watched
from api.zones import ZoneHistory
from ingest.store import DeviceStatus


def wearer(value: Wearer, *, devices: list[str], now_ns: int) -> out.WearerOut:
    """A wearer as of now."""
    return out.WearerOut(
        id=value.id,
        name=value.name,
        zone=value.zones.at(now_ns),
        today=value.zones.local(now_ns).date(),
        night_start=f"{value.night.start:%H:%M}",
        night_end=f"{value.night.end:%H:%M}",
        devices=devices,
        created=utc_text(value.created_ns),
    )


def zones(value: ZoneHistory) -> out.ZonesOut:
    """A zone history."""
    return out.ZonesOut(
        zones=[
            out.ZoneOut(zone=change.zone, from_=utc_text(change.from_ns) if change.from_ns else None)
            for change in value.changes
        ]
    )


def assignment(value: Assignment) -> out.AssignmentOut:
    """An assignment."""
    return out.AssignmentOut(
        id=value.id,
        device=value.device,
        wearer=value.wearer,
        side=value.side,
        muscle=value.muscle,
        from_=utc_text(value.from_ns),
        to=None if value.to_ns is None else utc_text(value.to_ns),
    )


def device(value: Watched) -> out.DeviceOut:
    """A device and its state now."""
    known = value.status or DeviceStatus(device=value.device.id, boot=0, online=False)
    return out.DeviceOut(
        id=value.device.id,
        label=value.device.label,
        state=value.state.code,
        sentence=value.state.sentence,
        since=_instant(value.state.since_ns or 0),
        assignment=None if value.assigned is None else assignment(value.assigned),
        online=None if value.status is None else value.status.online,
        firmware=known.firmware,
        sites=list(known.sites),
        battery=known.battery,
        last_received=_instant(known.last_received_ns),
        last_sample=_instant(known.last_sample_ns),
        missing_blocks=known.missing_blocks,
        late_blocks=known.late_blocks,
        archive_unreadable=known.archive_unreadable,
        undated_blocks=known.undated_blocks,
        refused_blocks=known.refused_blocks,
        refused_reason=known.refused_reason or None,
        clock_offset_s=round(known.clock_offset_s, 3),
        clock_drift_ppm=round(known.clock_drift_ppm, 1),
        created=utc_text(value.device.created_ns),
    )


def coverage(value: Coverage) -> out.CoverageOut:
    """Coverage, to the tenth of a second."""
    return out.CoverageOut(
        expected_s=round(value.expected_s, 1),
        received_s=round(value.received_s, 1),
        worn_s=round(value.worn_s, 1),
        usable_s=round(value.usable_s, 1),
    )


def cramps(value: Cramps) -> out.CrampsOut:
    """Counts and measures of episodes."""
    return out.CrampsOut(
        count=value.count,
        at_least=value.at_least,
        ongoing=value.ongoing,
        total_s=round(value.total_s, 1),
        longest_s=_rounded(value.longest_s, 1),
        worst_severity=_rounded(value.worst_severity, 2),
        mean_severity=_rounded(value.mean_severity, 2),
        load=round(value.load, 3),
        per_8_usable_h=_rounded(value.per_8_usable_h, 2),
    )


def summary(value: Summary, history: ZoneHistory, *, pending: str | None) -> out.SummaryOut:
    """A night or a day on the wearer's clock, and what of it is still to come."""
    period = value.period
    return out.SummaryOut(
        id=period.id,
        kind=period.kind,
        date=period.date,
        part=period.part,
        window=out.WindowOut(
            start=local_text(history, period.window.start_ns),
            end=local_text(history, period.window.end_ns),
            duration_s=period.window.seconds,
            source=period.window.source,
            asleep_s=_rounded(period.window.asleep_s, 0),
            sentence=wording.of_window(
                period, start=history.local(period.window.start_ns), end=history.local(period.window.end_ns)
            ),
        ),
        clock=[
            out.ClockOut(start=local_text(history, change.from_ns), zone=change.zone)
            for change in history.during(period.window.start_ns, period.window.end_ns)
        ],
        status=value.status,
        reason=value.reason,
        sentence=wording.of_summary(value),
        complete=pending is None,
        pending=pending,
        revised=value.revised,
        coverage=coverage(value.coverage),
        devices=[_share(share, history) for share in value.devices],
        cramps=cramps(value.cramps),
    )


def total(value: Total, kind: PeriodKind) -> out.TotalOut:
    """All periods of a range."""
    return out.TotalOut(
        periods=value.periods,
        not_enough_data=value.not_enough_data,
        sentence=wording.of_total(value, kind),
        coverage=coverage(value.coverage),
        cramps=cramps(value.cramps),
    )


def episode(owned: Owned, *, history: ZoneHistory, period: Period) -> out.EpisodeOut:
    """An episode on the wearer's clock and leg."""
    value = owned.episode
    return out.EpisodeOut(
        id=value.id,
        status=value.status,
        revision=value.revision,
        superseded_by=value.superseded_by or None,
        onset=local_text(history, value.onset_ns),
        end=local_text(history, value.end_ns),
        duration_s=round(value.duration_s, 3),
        zone=history.at(value.onset_ns),
        local_date=history.local(value.onset_ns).date(),
        period=out.PeriodRef(id=period.id, kind=period.kind, date=period.date, part=period.part),
        device=value.device,
        side=owned.assignment.side,
        site=value.site,
        sites=list(value.sites),
        severity=round(value.severity, 2),
        severity_parts=out.SeverityParts(
            amplitude=round(value.severity_amplitude, 2),
            duration=round(value.severity_duration, 2),
            load=round(value.severity_load, 2),
            recruitment=round(value.severity_recruitment, 2),
        ),
        grade=value.grade,
        load=round(value.load, 3),
        peak_uv=round(value.peak_uv, 2),
        peak_ratio=round(value.peak_ratio, 3),
        confidence=round(value.confidence, 3),
        flags=list(value.flags),
        detector=value.detector,
        params=value.params,
        updated=utc_text(value.updated_ns),
    )


def epoch(value: Joined, history: ZoneHistory) -> out.EpochOut:
    """What one site showed for a while."""
    measured = value.epoch
    return out.EpochOut(
        device=measured.device,
        side=value.assignment.side,
        site=measured.site,
        start=local_text(history, measured.start_ns),
        duration_s=float(value.seconds),
        coverage=coverage(value.coverage),
        rms_uv=_measured(measured.rms_uv),
        rest_uv=_measured(measured.rest_uv),
        median_hz=_measured(measured.median_hz),
        movement_g=_measured(measured.movement_g),
        angle_deg=_measured(measured.angle_deg),
        flags=list(measured.flags),
    )


def _share(share: DeviceShare, history: ZoneHistory) -> out.DeviceShareOut:
    return out.DeviceShareOut(
        device=share.assignment.device,
        side=share.assignment.side,
        muscle=share.assignment.muscle,
        coverage=coverage(share.coverage),
        timeline=[
            out.StretchOut(
                start=local_text(history, stretch.start_ns),
                end=local_text(history, stretch.end_ns),
                seen=stretch.seen,
            )
            for stretch in share.timeline
        ],
    )


def _instant(instant_ns: int) -> str | None:
    return utc_text(instant_ns) if instant_ns else None


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def _measured(value: float) -> float | None:
    return round(value, 4) if math.isfinite(value) else None
