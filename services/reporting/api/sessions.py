"""Sessions for the desk, which has no database. For a handle it returns the token that the desk sealed with a secret unknown here."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Header, Response
from pydantic import Base64Bytes, Field

from services.chassis.api.auth import Caller
from services.chassis.api.problems import Problem
from services.chassis.schema import Schema
from services.chassis.web.sessions import Place, Session
from services.reporting.api.session_store import SessionStore

Handle = Annotated[str, Header(alias="Payback-Session", pattern="^[0-9a-f]{64}$")]


class NewSession(Schema, description="Somebody signed in at another site."):
    handle: str = Field(pattern="^[0-9a-f]{64}$")
    sealed: Base64Bytes = Field(max_length=16 * 1024)
    site: str = Field(pattern="^[A-Za-z ]{1,40}$")
    browser: str = Field(pattern="^[A-Za-z ]{1,40}$")


class ListedSession(Schema, description="One session, as its person sees it."):
    id: str
    site: str
    browser: str
    began_at: datetime
    seen_at: datetime


def router(store: SessionStore) -> APIRouter:
    """Return the routes, which are not part of the public documents."""
    routes = APIRouter(prefix="/v1", include_in_schema=False)

    @routes.post("/sessions", status_code=204)
    async def begin(new: NewSession, caller: Caller) -> Response:
        await store.begin(Session(caller, "", new.handle), new.sealed, Place(new.site, new.browser))
        return Response(status_code=204)

    @routes.get("/sessions")
    async def listed(caller: Caller) -> list[ListedSession]:
        found = await store.listed(Session(caller, "", ""))
        return [ListedSession(**one._asdict()) for one in found]

    @routes.delete("/sessions/{id}", status_code=204)
    async def end_other(id: str, caller: Caller) -> Response:  # noqa: A002 - as the address has it
        await store.end_other(Session(caller, "", ""), id)
        return Response(status_code=204)

    @routes.get("/session")
    async def find(handle: Handle) -> Response:
        sealed = await store.find(handle)
        if sealed is None:
            raise Problem(404, "There is no such session")
        return Response(sealed, media_type="application/octet-stream")

    @routes.delete("/session", status_code=204)
    async def end(handle: Handle) -> Response:
        await store.end(handle)
        return Response(status_code=204)

    return routes
