"""Transactional publishers. If one dies, the next ends its open transaction at once, since no reader can pass it."""

import logging
from collections.abc import Callable

from sqlalchemy import Connection, Engine, delete, select, text
from sqlalchemy.dialects.postgresql import insert

from services.chassis.database import away_told
from services.records.ingest.tables import producers

log = logging.getLogger(__name__)

_IS_THERE = text("SELECT to_regclass('producers')::text")
_HOLD = text("SELECT pg_advisory_lock(hashtextextended(:id, 0))")
_IS_FREE = text("SELECT pg_try_advisory_lock(hashtextextended(:id, 0))")
_LET_GO = text("SELECT pg_advisory_unlock(hashtextextended(:id, 0))")


class Producers:
    """Each producer holds a lock in a session of its own for as long as its process lives. Raises Away."""

    def __init__(self, database: Engine, own: str | None, end: Callable[[str], None]) -> None:
        """Prepare for one process. `own` is its transactional id, None if Kafka has none; `end` ends what another producer left open."""
        self._database, self._own, self._end = database, own, end
        self._session: Connection | None = None

    def end_dead(self) -> None:
        """End the transactions of producers whose process is gone."""
        if self._own is None:
            return
        try:
            with away_told():
                session = self._held(self._own)
                if session is None:
                    return
                others = select(producers.c.id).where(producers.c.id != self._own).order_by(producers.c.id)
                for other in session.scalars(others).all():
                    self._end_if_dead(session, other)
        except BaseException:
            self.close()
            raise

    def _held(self, own: str) -> Connection | None:
        """Take the lock of this producer; None while its table has not been made yet."""
        if self._session is None:
            with self._database.connect() as connection:
                if connection.scalar(_IS_THERE) is None:
                    return None
            self._session = self._database.connect().execution_options(isolation_level="AUTOCOMMIT")
            self._session.detach()  # a detached connection is closed, and not put back into the pool
            self._session.execute(_HOLD, {"id": own})
            self._session.execute(insert(producers).values(id=own).on_conflict_do_nothing())
        return self._session

    def _end_if_dead(self, session: Connection, other: str) -> None:
        if not session.scalar(_IS_FREE, {"id": other}):
            return
        self._end(other)
        session.execute(delete(producers).where(producers.c.id == other))
        session.execute(_LET_GO, {"id": other})
        log.warning("ended what a publisher left open that is gone: %s", other)

    def close(self) -> None:
        """Release the lock: from now on this producer counts as gone."""
        session, self._session = self._session, None
        if session is not None:
            session.close()
