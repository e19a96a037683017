"""The rows of sessions in PostgreSQL, for our own pages and, over HTTP, for the desk."""

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from sqlalchemy import ColumnElement, Connection, Engine, delete, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from starlette.concurrency import run_in_threadpool

from services.chassis.api.auth import PUBLIC, Identity
from services.chassis.api.policy import role_of
from services.chassis.audit.model import WHOLE_SERVICE, Entry, Kind, Purpose
from services.chassis.audit.store import append
from services.chassis.clock import Clock
from services.chassis.database import transaction
from services.chassis.settings import SiteSettings
from services.chassis.web.sessions import ID_LENGTH, Listed, Place, Session
from services.reporting.read.tables import sessions

T = TypeVar("T")
MOST_EACH = 20
"""Most sessions of one person: the oldest ends when one more begins."""
NOTED_EVERY = timedelta(minutes=1)
"""How precisely the last use of a session is recorded, so that not every request writes."""


class SessionStore:
    """Rows of sessions. A session ends when somebody ends it, after a while without use, and in any case after some hours."""

    def __init__(self, database: Engine, clock: Clock, settings: SiteSettings) -> None:
        self._database, self._clock = database, clock
        self._longest = timedelta(hours=settings.session_hours)
        self._idle = timedelta(minutes=settings.idle_minutes)

    async def begin(self, session: Session, sealed: bytes, place: Place) -> None:
        """Keep a new session, and delete those that have ended. Raises Away."""
        await self._run(lambda connection: self._begin(connection, session, sealed, place))

    def _begin(self, connection: Connection, session: Session, sealed: bytes, place: Place) -> None:
        now, account = self._clock(), session.identity.subject
        connection.execute(delete(sessions).where(self._ended()))
        theirs = select(sessions.c.handle).where(sessions.c.account == account).order_by(sessions.c.began_at.desc())
        connection.execute(delete(sessions).where(sessions.c.handle.in_(theirs.offset(MOST_EACH - 1))))
        row = {"handle": session.handle, "account": account, "sealed": sealed, **place._asdict()}
        begun = insert(sessions).values(**row, began_at=now, seen_at=now, ends_at=now + self._longest)
        connection.execute(begun.on_conflict_do_nothing())  # nobody takes over a session that is there
        append(connection, self._entry(session.identity, "sign in", site=place.site))

    async def refused(self, place: Place, why: str) -> None:
        """Record that somebody, who is unknown, could not sign in. Raises Away."""
        await self._run(
            lambda connection: append(connection, self._entry(PUBLIC, "sign in refused", site=place.site, why=why))
        )

    async def find(self, handle: str, _before: Session | None = None) -> bytes | None:
        """Return the sealed token of a session that has not ended. Raises Away."""
        return await self._run(lambda connection: self._find(connection, handle))

    def _find(self, connection: Connection, handle: str) -> bytes | None:
        query = select(sessions.c.sealed, sessions.c.seen_at).where(sessions.c.handle == handle, ~self._ended())
        row = connection.execute(query).one_or_none()
        if row is None:
            return None
        if self._clock() - row.seen_at > NOTED_EVERY:
            connection.execute(update(sessions).where(sessions.c.handle == handle).values(seen_at=self._clock()))
        return bytes(row.sealed)

    async def end(self, handle: str) -> None:
        """End the session, if it exists. Raises Away."""
        await self._run(lambda connection: self._end(connection, sessions.c.handle == handle))

    def _end(self, connection: Connection, *which: ColumnElement[bool]) -> None:
        for row in connection.execute(
            delete(sessions).where(*which).returning(sessions.c.account, sessions.c.site)
        ).all():
            append(connection, self._entry(Identity(row.account), "sign out", site=row.site))

    def _entry(self, who: Identity, what: str, **detail: str) -> Entry:
        by = (who.subject, who.authority or "", role_of(who) if who.scopes else "", Purpose.NOT_STATED, Kind.ACT)
        return Entry(WHOLE_SERVICE, self._clock(), *by, what, None, (), detail)

    async def listed(self, session: Session) -> list[Listed]:
        """Return all sessions of the same person, the latest first. Raises Away."""
        return await self._run(lambda connection: self._listed(connection, session.identity.subject))

    def _listed(self, connection: Connection, account: str) -> list[Listed]:
        columns = sessions.c.handle, sessions.c.site, sessions.c.browser, sessions.c.began_at, sessions.c.seen_at
        query = select(*columns).where(sessions.c.account == account, ~self._ended())
        rows = connection.execute(query.order_by(sessions.c.began_at.desc()))
        return [Listed(row.handle[:ID_LENGTH], *row[1:]) for row in rows]

    async def end_other(self, session: Session, name: str) -> None:
        """End the session with this id, if it is the same person's. Raises Away."""
        theirs = sessions.c.account == session.identity.subject
        named = sessions.c.handle.startswith(name, autoescape=True)
        if len(name) == ID_LENGTH:
            await self._run(lambda connection: self._end(connection, theirs, named))

    def _ended(self) -> ColumnElement[bool]:
        now = self._clock()
        return or_(sessions.c.ends_at <= now, sessions.c.seen_at <= now - self._idle)

    async def _run(self, work: Callable[[Connection], T]) -> T:
        def run() -> T:
            with transaction(self._database) as connection:
                return work(connection)

        return await run_in_threadpool(run)
