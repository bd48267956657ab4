"""`/trials`: did it help? Plans that are registered, who takes part, and what came out.

Of a blinded trial no address tells which label is which treatment, but `key` and `unblind`; both are written down.
"""

from typing import Annotated, Literal, cast

from fastapi import APIRouter, Path, Query, Request, Response

from api.errors import Absent, Conflict, Unknown
from api.paging import Place, next_page, read_cursor
from api.reading import Sources
from api.routes.common import USUAL, Cursor, From, Limit, WearerId
from api.schemas import Page
from api.trials import keeping, views
from api.trials import schemas as out
from api.trials.jobs import RETRY_AFTER_S, Analyses
from api.trials.registered import Trial

router = APIRouter(prefix="/trials", tags=["trials"])
TrialId = Annotated[str, Path(max_length=64)]
Wearers = Annotated[list[str] | None, Query(max_length=500, description="Those that these take part in.")]
Ids = Annotated[list[str] | None, Query(max_length=500, description="Those of these ids.")]
For = Annotated[Literal["packing"] | None, Query(description="`packing` shows the key of a trial that stays blinded.")]
Why = Annotated[str, Query(max_length=400, description="Who packs, and what; it is written down.")]


@router.post("", status_code=201, summary="Register a trial")
def register_trial(body: out.PlanIn, response: Response, sources: From) -> out.TrialOut:
    """Check a plan, hash and date it; the schedule follows from it. Of a blinded plan a key is drawn and sealed."""
    now_ns = sources.now_ns()
    with sources.registry.write() as db:
        trial = keeping.register(db, body.value(), now_ns=now_ns, seed_given=body.seed is not None)
    response.headers["Location"] = f"/api/v1/trials/{trial.id}"
    return views.trial(trial, now_ns=now_ns)


@router.get("", summary="List trials")
def list_trials(
    request: Request,
    response: Response,
    sources: From,
    *,
    wearer: Wearers = None,
    id_: Annotated[Ids, Query(alias="id")] = None,
    cursor: Cursor = None,
    limit: Limit = USUAL,
) -> Page[out.TrialOut]:
    """Trials in order of registration; of some wearers or ids if asked."""
    place = read_cursor(request, cursor, shape=(int, str))
    after = (int(place.key[0]), str(place.key[1])) if place else None
    with sources.registry.read() as db:
        found = keeping.page(db, after=after, limit=limit + 1, among=id_, of_wearers=wearer)
    now_ns = sources.now_ns()
    last = Place((found[limit - 1].created_ns, found[limit - 1].id), now_ns) if len(found) > limit else None
    items = [views.trial(trial, now_ns=now_ns) for trial in found[:limit]]
    return Page(items=items, next=next_page(request, response, last))


@router.get("/{trial}", summary="Read a trial")
def read_trial(trial: TrialId, sources: From) -> out.TrialOut:
    """The plan with its hash, its versions, who takes part, and the schedule in the labels that are shown."""
    return views.trial(_find(sources, trial), now_ns=sources.now_ns())


@router.post("/{trial}/members", status_code=201, summary="Let a wearer join")
def join_trial(trial: TrialId, body: out.MemberIn, sources: From) -> out.TrialOut:
    """The wearer gets the next place in the allocation."""
    now_ns = sources.now_ns()
    try:
        with sources.registry.write() as db:
            found = keeping.join(db, trial, wearer=body.wearer, first=body.first, now_ns=now_ns)
    except Unknown as error:
        if str(error) == "wearer":
            raise Absent("wearer") from error
        raise
    return views.trial(found, now_ns=now_ns)


@router.post("/{trial}/members/{wearer}/leave", summary="Let a wearer leave")
def leave_trial(trial: TrialId, wearer: WearerId, body: out.LeaveIn, sources: From) -> out.TrialOut:
    """What was seen up to the last date still counts."""
    with sources.registry.write() as db:
        found = keeping.leave(db, trial, wearer=wearer, last=body.last, reason=body.reason)
    return views.trial(found, now_ns=sources.now_ns())


@router.post("/{trial}/members/{wearer}/exclude", summary="Leave a wearer out of the analysis")
def exclude_member(trial: TrialId, wearer: WearerId, body: out.ExcludeIn, sources: From) -> out.TrialOut:
    """The report counts them with the reason, and says if it was decided after unblinding."""
    now_ns = sources.now_ns()
    with sources.registry.write() as db:
        found = keeping.exclude(db, trial, wearer=wearer, reason=body.reason, now_ns=now_ns)
    return views.trial(found, now_ns=now_ns)


@router.post("/{trial}/members/{wearer}/impressions", summary="Say whether a wearer felt better")
def add_impression(trial: TrialId, wearer: WearerId, body: out.ImpressionIn, sources: From) -> out.TrialOut:
    """Asked at the end of each treatment phase; the last word counts."""
    now_ns = sources.now_ns()
    with sources.registry.write() as db:
        found = keeping.impress(
            db, trial, wearer=wearer, position=body.position, felt_better=body.felt_better, now_ns=now_ns
        )
    return views.trial(found, now_ns=now_ns)


@router.post("/{trial}/amendments", status_code=201, summary="Amend the plan")
def amend_trial(trial: TrialId, body: out.AmendmentIn, sources: From) -> out.TrialOut:
    """Another version with its reason and date; the report says what differs, and what was known by then."""
    now_ns = sources.now_ns()
    with sources.registry.write() as db:
        known = keeping.find(db, trial)
        seeded = body.plan if body.plan.seed is not None else body.plan.model_copy(update={"seed": known.plan.seed})
        found = keeping.amend(db, trial, seeded.value(), reason=body.reason, now_ns=now_ns)
    return views.trial(found, now_ns=now_ns)


@router.post("/{trial}/unblind", summary="Open the key")
def unblind_trial(trial: TrialId, body: out.UnblindIn, sources: From) -> out.KeyOut:
    """From now on results name the treatments. It is written down when and why, and cannot be undone."""
    with sources.registry.write() as db:
        found, key = keeping.open_key(db, trial, purpose="unblinding", reason=body.reason, now_ns=sources.now_ns())
    return views.key(found, key)


@router.get("/{trial}/key", summary="Read the key")
def read_key(
    trial: TrialId, sources: From, purpose: Annotated[For, Query(alias="for")] = None, reason: Why = ""
) -> out.KeyOut:
    """What each label stands for: of an unblinded trial; or `for=packing`, which is written down with its reason."""
    found = _find(sources, trial)
    if found.key is not None and found.unblinded:
        return views.key(found, found.key)
    if purpose is None and found.key is not None:
        raise Conflict(
            "The key is sealed. Who packs asks with `for=packing` and a reason; to end the blinding, unblind the trial."
        )
    with sources.registry.write() as db:
        found, key = keeping.open_key(db, trial, purpose="packing", reason=reason, now_ns=sources.now_ns())
    return views.key(found, key)


@router.get("/{trial}/analysis", summary="Analyse a trial")
def analyse_trial(trial: TrialId, request: Request, response: Response, sources: From) -> out.AnalysisStateOut:
    """By the plan in force, A against B as long as it is blinded. Until it is worked out: 202, and how far it is."""
    standing = analyses_of(request).ask(_find(sources, trial))
    ready = standing.analysis is not None
    if not ready:
        response.status_code = 202
        response.headers["Retry-After"] = str(RETRY_AFTER_S)
    return out.AnalysisStateOut(
        trial=trial,
        state="ready" if ready else "computing",
        progress=round(standing.progress, 3),
        analysis=None if standing.analysis is None else views.analysis(standing.analysis),
    )


def analyses_of(request: Request) -> Analyses:
    """The analyses of this service."""
    return cast("Analyses", request.app.state.analyses)


def _find(sources: Sources, trial: str) -> Trial:
    with sources.registry.read() as db:
        return keeping.find(db, trial)
