"""Server-sent events, at most one a second: a job's `snapshot` and its `end`, the fleet's `snapshot` and `changes`."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Annotated

from fastapi import APIRouter, Header, Request, Response
from fastapi.concurrency import run_in_threadpool
from sse_starlette import EventSourceResponse, ServerSentEvent

from libs.contracts.jobs import ENDED
from services.api.access import Access, Operator, Reader
from services.api.deps import Dependencies
from services.api.fleet import Fleet, changes
from services.api.hub import INTERVAL, Hub
from services.api.jobs import snapshot_of

END = "end"  # the id of the last event: who reconnects with it has seen everything
RETRY_MILLISECONDS = 2000
SEND_SECONDS = 30.0  # a client that takes nothing for so long is dropped

router = APIRouter(prefix="/api/jobs", tags=["jobs"])


@router.get("/events", dependencies=[Operator], response_class=EventSourceResponse)
async def fleet_events(request: Request) -> Response:
    """Every job that has not ended, then what has changed: `{changed: [job view], gone: [job id]}`. For the operator.

    A job that ends meanwhile stays for ten minutes.
    """
    hub: Hub = request.app.state.hub
    return _stream(_fleet_events(hub))


@router.get(
    "/{key}/events",
    response_class=EventSourceResponse,
    responses={204: {"description": "The job has ended, and this client knows it."}},
)
async def events(
    access: Reader,
    request: Request,
    deps: Dependencies,
    last_event_id: Annotated[str | None, Header()] = None,
) -> Response:
    """The job view and its breakdown whenever they change. It ends as `gone` when the key opens the job no longer."""
    # That the key opens a job was looked up before the stream starts: a 404 can't be sent after the 200. What it shows
    # comes from the hub, which reads for all: after a restart everybody comes back at once.
    if last_event_id == END and (await run_in_threadpool(snapshot_of, access.job_id, deps)).job.state in ENDED:
        return Response(status_code=204)
    hub: Hub = request.app.state.hub
    return _stream(_events(hub, access))


def _stream(found: AsyncGenerator[ServerSentEvent]) -> Response:
    return EventSourceResponse(
        found,
        send_timeout=SEND_SECONDS,
        cleanup_timeout=2.0,
        sep="\n",
        ping_message_factory=lambda: ServerSentEvent(comment="", sep="\n"),
    )


async def _events(hub: Hub, access: Access) -> AsyncGenerator[ServerSentEvent]:
    number = 0
    with hub.watch(access.job_id, access.opened_by) as watch:
        while (shown := await watch.next()) is not None:
            number += 1
            if shown.json:
                retry = RETRY_MILLISECONDS if number == 1 else None
                yield ServerSentEvent(shown.json, event="snapshot", id=str(number), retry=retry, sep="\n")
            if shown.last:
                yield ServerSentEvent(f'{{"state":"{shown.state}"}}', event="end", id=END, sep="\n")
                return
            await asyncio.sleep(INTERVAL)


async def _fleet_events(hub: Hub) -> AsyncGenerator[ServerSentEvent]:
    number, sent = 0, Fleet()
    with hub.watch_fleet() as watch:
        while (fleet := await watch.next()) is not None:
            name, data = ("changes", changes(sent, fleet)) if number else ("snapshot", fleet.json)
            if data is not None:
                number, sent = number + 1, fleet
                retry = RETRY_MILLISECONDS if number == 1 else None
                yield ServerSentEvent(data, event=name, id=str(number), retry=retry, sep="\n")
            await asyncio.sleep(INTERVAL)
