"""A job's events as they come: server-sent events that a client can take up again where it was cut off."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import PlainTextResponse, StreamingResponse

from atunner.api.context import Here, JobId, Service
from atunner.api.problems import documented
from atunner.api.strict import Strict
from atunner.core.job import ENDED
from atunner.knowledge_base.jobs import UnknownJob
from atunner.knowledge_base.streams import Event

router = APIRouter(route_class=Strict, prefix="/api/v1/jobs", tags=["jobs"])
POLL_S, KEEP_ALIVE_S = 0.3, 15.0
BATCH = 500
LastEventId = Annotated[int | None, Header(alias="Last-Event-ID", ge=0, le=1 << 53)]
TEXT = {"type": "string"}
EVENT = {"type": "object", "properties": {"id": TEXT, "event": TEXT, "data": TEXT}, "required": ["id", "event", "data"]}
Sse: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Events; each has its number as id.",
        "content": {"text/event-stream": {"schema": EVENT}},
    }
}


class EventStream(StreamingResponse):
    """`text/event-stream`."""

    media_type = "text/event-stream"


@router.get("/{job}/events", response_class=EventStream, responses={**documented(404), **Sse})
async def events(
    request: Request,
    here: Here,
    job: JobId,
    last_event_id: LastEventId = None,
    after: Annotated[int, Query(ge=0, le=1 << 53)] = 0,
    follow: bool = True,
) -> EventStream:
    """Every event of the job above Last-Event-ID (or `after`), in order, without gaps; ends when the job has ended.

    follow=false ends after what there is now.
    """
    await asyncio.to_thread(here.jobs.get, job)
    start = last_event_id if last_event_id is not None else after
    return EventStream(_lines(request, here, job, start, follow))


async def _lines(request: Request, here: Service, job: str, after: int, follow: bool) -> AsyncIterator[str]:
    here.streams += 1
    quiet = 0.0
    try:
        yield "retry: 2000\n\n"
        while not await request.is_disconnected():
            over = await asyncio.to_thread(_over, here, job)
            found = await asyncio.to_thread(here.store.events, job, after, BATCH)
            for event in found:
                after, quiet = event.seq, 0.0
                yield _sse(event)
            if len(found) == BATCH:
                continue
            if over or not follow:
                return
            await asyncio.sleep(POLL_S)
            quiet += POLL_S
            if quiet >= KEEP_ALIVE_S:
                quiet = 0.0
                yield ": still here\n\n"
    finally:
        here.streams -= 1


def _over(here: Service, job: str) -> bool:
    """Whether the job has ended; then its end is among its events, whoever ended it."""
    try:
        found = here.jobs.get(job)
    except UnknownJob:
        return True
    if found.state in ENDED:
        here.store.event(job, "state", {"state": found.state.value, "message": found.reason}, key="end")
        return True
    return False


def _sse(event: Event) -> str:
    body = json.dumps({"kind": event.kind, "created": event.created, "body": event.body})
    return f"id: {event.seq}\nevent: {event.kind}\ndata: {body}\n\n"


@router.get("/{job}/logs", response_class=PlainTextResponse, responses=documented(404))
def logs(
    here: Here,
    job: JobId,
    after: Annotated[int, Query(ge=0, le=1 << 53)] = 0,
    limit: Annotated[int, Query(ge=1, le=5000)] = 1000,
) -> str:
    """The events as lines of text: time, kind, message."""
    here.jobs.get(job)
    return "".join(line(event) for event in here.store.events(job, after, limit))


def line(event: Event) -> str:
    """One event for people."""
    body = event.body if isinstance(event.body, dict) else {}
    words = [str(body[name]) for name in ("state", "stage", "message") if body.get(name)]
    return f"{event.created} {event.kind:6} {' '.join(words)}\n"
