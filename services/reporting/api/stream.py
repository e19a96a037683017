"""Notification of every change, as server-sent events without figures."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request
from fastapi.responses import StreamingResponse
from sqlalchemy import Engine

from services.chassis.api.auth import PUBLIC, Caller, Identity
from services.chassis.api.callers import Caller as Listener
from services.chassis.api.callers import caller_of, named_by_token
from services.chassis.api.problems import Problem
from services.chassis.api.turns import Places
from services.chassis.database import transaction
from services.reporting.api.schemas import FOR_ANYBODY
from services.reporting.releases.change_marker import marker

MOST_LISTENERS = 100
"""Most listeners of one process; the public has half of the places."""
LISTENS_EACH = 6
LOOK_EVERY_SECONDS = 1.0
SIGN_OF_LIFE_EVERY = 15
RETRY_MILLISECONDS = 3_000

_EVENT: dict[str, Any] = {
    "type": "object",
    "properties": {
        "event": {"const": "change"},
        "id": {
            "type": "string",
            "description": "Changes whenever the figures that the caller may see change. Says nothing else",
        },
        "data": {"const": "{}"},
    },
    "required": ["event", "id", "data"],
}
_EVENTS: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {"text/event-stream": {"schema": _EVENT}},
        "description": "One event at once, and one for each change",
    }
}


def router(database: Engine) -> APIRouter:
    """Return `/v1/stream`."""
    api = APIRouter(prefix="/v1", tags=["figures"])
    places = Places(MOST_LISTENERS, LISTENS_EACH)

    @api.get(
        "/stream",
        summary="Notice of every change that the caller may see, as server-sent events without figures",
        response_class=StreamingResponse,
        responses=_EVENTS,
        openapi_extra=FOR_ANYBODY,
    )
    async def stream(
        request: Request, viewer: Caller, last_event_id: Annotated[str, Header(max_length=100)] = ""
    ) -> StreamingResponse:
        tokens = request.app.state.tokens
        listener = caller_of(request.scope, tokens)
        places.free(listener)
        headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
        events = _events(database, viewer, last_event_id, lambda: named_by_token(request.scope, tokens) is not None)
        return StreamingResponse(_held(places, listener, events), media_type="text/event-stream", headers=headers)

    return api


async def _held(places: Places, listener: Listener, events: AsyncIterator[str]) -> AsyncIterator[str]:
    with suppress(Problem):  # another caller took the last place meanwhile
        async with places.take(listener):
            async for event in events:
                yield event


async def _events(database: Engine, viewer: Identity, last: str, is_named: Callable[[], bool]) -> AsyncIterator[str]:
    """Yield one event at once, unless the caller has seen it, and one for every change; and regular comments, so that lost connections
    end. It ends with the token that names the viewer.
    """
    idle = 0
    yield f"retry: {RETRY_MILLISECONDS}\n\n"
    while viewer is PUBLIC or is_named():
        now = await asyncio.to_thread(_marker, database, viewer)
        if now != last:
            last, idle = now, 0
            yield f"event: change\nid: {now}\ndata: {{}}\n\n"
        elif (idle := idle + 1) % SIGN_OF_LIFE_EVERY == 0:
            yield ": nothing new\n\n"
        await asyncio.sleep(LOOK_EVERY_SECONDS)


def _marker(database: Engine, viewer: Identity) -> str:
    with transaction(database) as connection:
        return marker(connection, viewer)
