"""The routes of a job: asked for, looked at, changed, deleted."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Body, Query, Request, Response
from pydantic import AwareDatetime, BaseModel

from libs.contracts.ids import JobId
from libs.contracts.jobs import JobForm
from libs.contracts.views import BatchRow, BreakdownRow, FailureRow, JobView, Snapshot
from services.api import links, requests
from services.api import retry as retries
from services.api.access import Operator, Owner, Reader
from services.api.deps import ClientAddress, Dependencies, Deps
from services.api.errors import NoSuchJob
from services.api.failures import csv
from services.api.hub import Hub
from services.api.requests import JobAccepted, LimitsChange
from services.api.retry import RetryForm

FINISHED = timedelta(days=7)  # how far back the list of finished jobs goes

router = APIRouter(prefix="/api/jobs", tags=["jobs"])


class Taken(BaseModel):
    """The order is in the log; the job view shows when it is carried out."""

    job_id: JobId


def snapshot_of(job_id: JobId, deps: Deps) -> Snapshot:
    snapshot = deps.views.views([job_id], deps.now()).get(job_id)
    if snapshot is None:
        raise NoSuchJob
    return snapshot


def base_url(request: Request, deps: Deps) -> str:
    return deps.public_url or str(request.base_url).rstrip("/")


@router.post("", status_code=202)
def request_job(form: JobForm, request: Request, client: ClientAddress, deps: Dependencies) -> JobAccepted:
    """Start a migration. `key` is shown only here: whoever has it owns the job."""
    deps.jobs.take(client)
    return requests.request_job(form, deps, base_url(request, deps))


@router.get("", dependencies=[Operator])
def jobs(deps: Dependencies, state: Literal["active", "finished"] = "active") -> list[JobView]:
    """Every job that has not ended, oldest first, or those that ended in the last 7 days. For the operator."""
    now = deps.now()
    job_ids = deps.views.live() if state == "active" else deps.views.finished(now - FINISHED)
    found = deps.views.jobs(job_ids, now)
    return [found[job_id] for job_id in job_ids if job_id in found]


@router.get("/{key}")
def job(access: Reader, deps: Dependencies) -> JobView:
    return snapshot_of(access.job_id, deps).job


@router.get("/{key}/breakdown")
def breakdown(access: Reader, deps: Dependencies) -> list[BreakdownRow]:
    """One row a destination folder."""
    return snapshot_of(access.job_id, deps).breakdown


@router.get("/{key}/batches")
def batches(
    access: Reader,
    deps: Dependencies,
    after: Annotated[AwareDatetime | None, Query(description="`at` of the last batch of the answer before")] = None,
    limit: Annotated[int, Query(ge=1, le=10_000, description="of batches; to read on 2 at least")] = 1000,
    resolution_seconds: Annotated[int, Query(ge=1, le=86_400, description="sum up batches of this many seconds")] = 1,
) -> list[BatchRow]:
    """Progress batches in time order. With `after` the batch of that time comes once more, and the later ones: it may
    have grown since, and replaces the one you have.
    """
    since: datetime | None = after.astimezone(UTC) if after else None
    return deps.views.batches(access.job_id, after=since, limit=limit, resolution_seconds=resolution_seconds)


@router.get("/{key}/failures")
def failures(access: Reader, deps: Dependencies) -> list[FailureRow]:
    """Messages that are not at the destination, and why; and those that are, with something to be said of them
    (`outcome` is `noted`), which are not in `items_failed`. Of an agent's job: what the agent said.
    """
    return deps.views.failures(access.job_id)


@router.get("/{key}/failures.csv", response_class=Response, responses={200: {"content": {"text/csv": {}}}})
def failures_csv(access: Reader, deps: Dependencies) -> Response:
    text = csv(deps.views.failures(access.job_id))
    headers = {"Content-Disposition": 'attachment; filename="failures.csv"'}
    return Response(text, media_type="text/csv; charset=utf-8", headers=headers)


@router.post("/{key}/cancel", status_code=202)
def cancel(access: Owner, deps: Dependencies) -> Taken:
    """Stop for good. What has been copied stays at the destination."""
    requests.cancel(access.job_id, deps)
    return Taken(job_id=access.job_id)


@router.post("/{key}/pause", status_code=202)
def pause(access: Owner, deps: Dependencies) -> Taken:
    requests.pause(access.job_id, deps)
    return Taken(job_id=access.job_id)


@router.post("/{key}/resume", status_code=202)
def resume(access: Owner, deps: Dependencies) -> Taken:
    requests.resume(access.job_id, deps)
    return Taken(job_id=access.job_id)


@router.patch("/{key}/limits", status_code=202)
def change_limits(change: LimitsChange, access: Owner, deps: Dependencies) -> Taken:
    requests.change_limits(access.job_id, change, deps)
    return Taken(job_id=access.job_id)


@router.post("/{key}/retry", status_code=202)
def retry(
    key: str,
    form: Annotated[RetryForm, Body(default_factory=RetryForm)],
    access: Owner,
    request: Request,
    client: ClientAddress,
    deps: Dependencies,
) -> Taken:
    """Try again what failed or was not done. What was delivered is never copied again."""
    deps.jobs.take(client)
    own = None if access.opened_by is None else key
    retries.retry(access.job_id, form, deps, own, base_url(request, deps))
    return Taken(job_id=access.job_id)


@router.get("/{key}/links")
def links_of(key: str, access: Owner, request: Request, deps: Dependencies) -> JobAccepted:
    """The addresses of the job, for its owner: the one in hand, and the one that only reads."""
    return links.links(access.job_id, key, deps, base_url(request, deps))


@router.post("/{key}/rotate-links")
def rotate_links(access: Owner, request: Request, deps: Dependencies) -> JobAccepted:
    """New keys: whoever has the old addresses sees nothing from now on. `key` is shown only here."""
    renewed = links.rotate(access.job_id, deps, base_url(request, deps))
    hub: Hub = request.app.state.hub
    hub.wake(access.job_id)  # streams that were opened with the old ones end
    return renewed


@router.delete("/{key}", status_code=204)
def delete(access: Owner, deps: Dependencies) -> None:
    """Stop it and erase everything about it. Mail that was copied stays at the destination."""
    requests.delete(access.job_id, deps)
