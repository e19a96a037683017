"""What each caller has used in the current minute, in all processes of a service together.

Each process counts for itself and settles with the others every second, so that no request waits; a caller gains at most what one process
allows in a second. While PostgreSQL is away, each process uses its own count. The table holds hashes, and is unlogged: after a crash all
counts begin at zero.
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
"""In one minute; beyond them the counts of those who came least lately begin anew."""
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
    """How many requests, and for how long they were worked on."""

    requests: int = 0
    seconds: float = 0.0

    def plus(self, other: "Spent") -> "Spent":
        """Both together."""
        return Spent(self.requests + other.requests, self.seconds + other.seconds)

    def minus(self, other: "Spent") -> "Spent":
        """The rest."""
        return Spent(self.requests - other.requests, self.seconds - other.seconds)


NOTHING = Spent()


@dataclass(slots=True)
class _Account:
    """What one caller took here, how much of that the others were told, and what they told."""

    own: Spent = NOTHING
    told: Spent = NOTHING
    others: Spent = NOTHING


class Budgets:
    """What callers took in this minute. Threads may share it."""

    def __init__(self, clock: Clock = system_clock) -> None:
        self._clock, self._lock = clock, Lock()
        self._minute, self._accounts = 0, LRUCache[str, _Account](MOST_CALLERS)

    def take(self, caller: str, spent: Spent) -> Spent:
        """Count it, and return what the caller has taken by now."""
        with self._lock:
            account = self._now().setdefault(caller, _Account())
            account.own = account.own.plus(spent)
            return account.own.plus(account.others)

    def spent(self, caller: str) -> Spent:
        """What the caller has taken."""
        return self.take(caller, NOTHING)

    def seconds_left(self) -> float:
        """Of the minute."""
        return WINDOW_SECONDS - self._clock().timestamp() % WINDOW_SECONDS

    def settle(self, database: Engine) -> None:
        """Report to the other processes what was used here since the last time, and read what was used there. Raises Away."""
        minute, untold = self._untold()
        if not untold:
            return
        callers = sorted(untold)  # so that processes never wait for one another in a circle
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
        """The minute, and by hash what each caller took that the others do not know of."""
        with self._lock:
            found = {caller: (account, account.own.minus(account.told)) for caller, account in self._now().items()}
            return self._minute, {_hash(caller): one for caller, one in found.items() if one[1] != NOTHING}

    def _now(self) -> LRUCache[str, _Account]:
        """The accounts of the minute that runs."""
        minute = int(self._clock().timestamp() // WINDOW_SECONDS)
        if minute != self._minute:
            self._minute, self._accounts = minute, LRUCache(MOST_CALLERS)
        return self._accounts


def _hash(caller: str) -> str:
    return sha256(caller.encode()).hexdigest()[:32]


@contextmanager
def shared(budgets: Budgets, database: Engine | None, every: float = SETTLE_SECONDS) -> Iterator[None]:
    """Meanwhile settle with the other processes, again and again; without a database, do nothing."""
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
            pass  # each process goes by its own count until it is back
        except Exception:
            log.exception("budgets cannot be settled")
