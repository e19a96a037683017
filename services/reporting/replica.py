"""Checks that the replica of PostgreSQL that serves readers still follows the primary."""

from collections.abc import Callable
from time import monotonic
from typing import NamedTuple

from sqlalchemy import Engine, text

from services.chassis.database import transaction
from services.chassis.failures import Away

_WHERE = text(
    "SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END - '0/0'::pg_lsn, "
    "pg_is_in_recovery(), pg_postmaster_start_time()::text"
)


class Place(NamedTuple):
    """A server's position in the write-ahead log, whether it is a replica, and its identity."""

    written: int
    follows: bool
    run: str


class Following:
    """A replica that has stopped shows old data and withdrawn releases, so nobody is served from it for long."""

    def __init__(
        self, first: Engine, copy: Engine, patience_seconds: float, clock: Callable[[], float] = monotonic
    ) -> None:
        self._first, self._copy = first, copy
        self._patience, self._clock = patience_seconds, clock
        self._awaited, self._since = 0, clock()

    def check(self) -> None:
        """Raise Away if either server is away, or if the replica is behind by more than the allowed seconds."""
        first, copy = _place(self._first), _place(self._copy)
        follows = copy.follows or copy.run == first.run
        # The primary may have lost the end of its log, and be another server by now: then no replica of it gets to where it was.
        if follows and copy.written >= min(self._awaited, first.written):
            self._awaited, self._since = first.written, self._clock()
        elif self._clock() - self._since > self._patience:
            raise Away("the copy that figures are read from does not follow")


def _place(database: Engine) -> Place:
    with transaction(database) as connection:
        return Place(*connection.execute(_WHERE).one())
