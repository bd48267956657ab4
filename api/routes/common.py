"""What the addresses share: the sources, page parameters."""

from typing import Annotated, cast

from fastapi import Depends, Path, Query, Request

from api.liveness import StateCode
from api.paging import MAX_LIMIT, USUAL_LIMIT
from api.reading import Sources


def _sources(request: Request) -> Sources:
    return cast("Sources", request.app.state.sources)


From = Annotated[Sources, Depends(_sources)]
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Items on a page.")]
Cursor = Annotated[str | None, Query(description="As given in `next`; opaque.")]
WearerId = Annotated[str, Path(max_length=64)]
DeviceId = Annotated[str, Path(max_length=64)]
AssignmentId = Annotated[str, Path(max_length=64)]
Begin = Annotated[str | None, Query(alias="from", max_length=40, description="Local date or, for lists, instant.")]
End = Annotated[str | None, Query(alias="to", max_length=40, description="Local date, included; or instant, not.")]
AnyState = Annotated[list[StateCode] | None, Query(description="Only devices in this state; may be repeated.")]
USUAL: int = USUAL_LIMIT
