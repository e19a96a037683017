"""The use that each caller has made in the current minute, in all processes of a service together.

Each process counts for itself and exchanges counts with the others every second, so that no request waits; a caller gains at most what one
process allows in a second. While PostgreSQL is away, each process uses its own count. The table holds hashes, and is unlogged: after a
crash all counts begin at zero.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from threading import Event, Lock, Thread
from typing import NamedTuple

from cachetools import LRUCache
from sqlalchemy import Engine, text

from services.chassis.clock import Clock, system_clock
from services.chassis.database import transaction
from services.chassis.failures import Away

log = logging.getLogger(__name__)

WINDOW_SECONDS = 60
SETTLE_SECONDS = 1.0
MOST_CALLERS = 100_000
"""Most callers counted in one minute; beyond them, the counts of the least recent callers begin again."""
TABLE = """
CREATE UNLOGGED TABLE budgets (
    minute BIGINT NOT NULL,
    caller TEXT NOT NULL,
    requests BIGINT NOT NULL,
    seconds DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (minute, caller)
);
COMMENT ON TABLE budgets IS 'What callers, of whom only hashes are kept, took in a minute: shared by processes, and lost in a crash.';
"""
_SETTLE = text(
    "INSERT INTO budgets AS b (minute, caller, requests, seconds) SELECT :minute, * FROM unnest("
    "CAST(:callers AS text[]), CAST(:requests AS bigint[]), CAST(:seconds AS double precision[])) "
    "ON CONFLICT (minute, caller) DO UPDATE SET requests = b.requests + excluded.requests, seconds = b.seconds + excluded.seconds "
    "RETURNING caller, requests, seconds"
)
_CLEAR = text("DELETE FROM budgets WHERE minute < :minute")


class Spent(NamedTuple):
    """How many requests a caller made, and how long they were worked on, in seconds."""

    requests: int = 0
    seconds: float = 0.0

    def plus(self, other: "Spent") -> "Spent":
        """Return the sum of both."""
        return Spent(self.requests + other.requests, self.seconds + other.seconds)

    def minus(self, other: "Spent") -> "Spent":
        """Return the difference of both."""
        return Spent(self.requests - other.requests, self.seconds - other.seconds)


NOTHING = Spent()


@dataclass(slots=True)
class _Account:
    """The use that one caller made here, how much of it the other processes know, and the use that they report."""

    own: Spent = NOTHING
    told: Spent = NOTHING
    others: Spent = NOTHING


class Budgets:
    """The use of all callers in this minute. Threads may share it."""

    def __init__(self, clock: Clock = system_clock) -> None:
        self._clock, self._lock = clock, Lock()
        self._minute, self._accounts = 0, LRUCache[str, _Account](MOST_CALLERS)

    def take(self, caller: str, spent: Spent) -> Spent:
        """Count what was used, and return what the caller has used so far."""
        with self._lock:
            account = self._now().setdefault(caller, _Account())
            account.own = account.own.plus(spent)
            return account.own.plus(account.others)

    def spent(self, caller: str) -> Spent:
        """Return what the caller has used."""
        return self.take(caller, NOTHING)

    def seconds_left(self) -> float:
        """Return the rest of the minute in seconds."""
        return WINDOW_SECONDS - self._clock().timestamp() % WINDOW_SECONDS

    def settle(self, database: Engine) -> None:
        """Exchange counts with the other processes: what was used here since the last time, and what was used there. Raises Away."""
        minute, untold = self._untold()
        if not untold:
            return
        callers = sorted(untold)  # sorted, so that processes never wait for one another in a circle
        given = {
            "minute": minute,
            "callers": callers,
            "requests": [untold[one][1].requests for one in callers],
            "seconds": [untold[one][1].seconds for one in callers],
        }
        with transaction(database) as connection:
            rows = connection.execute(_SETTLE, given).all()
            connection.execute(_CLEAR, {"minute": minute - 1})
        with self._lock:
            for row in rows:
                account, told = untold[row.caller]
                account.told = account.told.plus(told)
                account.others = Spent(row.requests, row.seconds).minus(account.told)

    def _untold(self) -> tuple[int, dict[str, tuple[_Account, Spent]]]:
        """Return the minute, and by hash what each caller used that the other processes do not know of."""
        with self._lock:
            found = {caller: (account, account.own.minus(account.told)) for caller, account in self._now().items()}
            return self._minute, {_hash(caller): one for caller, one in found.items() if one[1] != NOTHING}

    def _now(self) -> LRUCache[str, _Account]:
        """Return the accounts of the present minute."""
        minute = int(self._clock().timestamp() // WINDOW_SECONDS)
        if minute != self._minute:
            self._minute, self._accounts = minute, LRUCache(MOST_CALLERS)
        return self._accounts


def _hash(caller: str) -> str:
    return sha256(caller.encode()).hexdigest()[:32]


@contextmanager
def shared(budgets: Budgets, database: Engine | None, every: float = SETTLE_SECONDS) -> Iterator[None]:
    """Exchange counts with the other processes repeatedly during the block; without a database, do nothing."""
    stop = Event()
    if database is not None:
        Thread(target=_settling, args=(budgets, database, stop, every), name="budgets", daemon=True).start()
    try:
        yield
    finally:
        stop.set()


def _settling(budgets: Budgets, database: Engine, stop: Event, every: float) -> None:
    while not stop.wait(every):
        try:
            budgets.settle(database)
        except Away:
            pass  # until it is back, each process uses its own count
        except Exception:
            log.exception("budgets cannot be settled")
