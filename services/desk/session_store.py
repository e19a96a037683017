"""Sessions of the desk, which has no database: reporting keeps their rows, and cannot open what is sealed in them."""

import logging
from base64 import b64encode
from datetime import datetime
from urllib.parse import quote

import httpx
import msgspec

from services.chassis.api.problems import Problem
from services.chassis.failures import Away
from services.chassis.web.sessions import Listed, Place, Session
from services.desk.platform import REPORTING, Platform, SignedOut

log = logging.getLogger(__name__)


class AskedSessions:
    """Sends each question as one request to reporting, with the person's token if it is known. Every method may raise Away."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    async def begin(self, session: Session, sealed: bytes, place: Place) -> None:
        """Keep a new session."""
        body = {"handle": session.handle, "sealed": b64encode(sealed).decode(), **place._asdict()}
        headers = _bearer(session) | {"Content-Type": "application/json"}
        await self._ask("POST", "sessions", headers, msgspec.json.encode(body))

    async def refused(self, place: Place, why: str) -> None:
        """Write to the log that somebody could not sign in: without a token, it cannot be recorded elsewhere."""
        log.warning("a sign-in at %s was refused: %s", place.site, why)

    async def find(self, handle: str, before: Session | None) -> bytes | None:
        """Return what was sealed for a session that has not ended; None if there is none."""
        try:
            answer = await self._ask("GET", "session", _bearer(before) | _named(handle))
        except Problem as problem:
            if problem.status_code == httpx.codes.NOT_FOUND:
                return None
            raise
        return answer.content

    async def end(self, handle: str) -> None:
        """End the session, if it exists."""
        await self._ask("DELETE", "session", _named(handle))

    async def listed(self, session: Session) -> list[Listed]:
        """Return all sessions of the same person, the latest first."""
        rows = msgspec.json.decode((await self._ask("GET", "sessions", _bearer(session))).content, type=list[_Row])
        return [Listed(**msgspec.structs.asdict(row)) for row in rows]

    async def end_other(self, session: Session, name: str) -> None:
        """End the session with this id, if it is the same person's."""
        await self._ask("DELETE", f"sessions/{quote(name, safe='')}", _bearer(session))

    async def _ask(self, method: str, path: str, headers: dict[str, str], body: bytes | None = None) -> httpx.Response:
        try:
            return await self._platform.send(REPORTING, method, path, headers=headers, content=body)
        except SignedOut:
            raise Away("reporting does not accept a token that the desk accepts") from None


class _Row(msgspec.Struct, frozen=True):
    id: str
    site: str
    browser: str
    began_at: datetime
    seen_at: datetime


def _bearer(session: Session | None) -> dict[str, str]:
    return {"Authorization": f"Bearer {session.token}"} if session else {}


def _named(handle: str) -> dict[str, str]:
    return {"Payback-Session": handle}
