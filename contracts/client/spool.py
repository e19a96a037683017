"""Events on disk that wait to be sent. What `add` has accepted survives a crash, a power cut and a week without network.

It is SQLite with a write-ahead log, synchronised at every commit. There is one file; any number of processes may add, and one sends.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any, NamedTuple, Self

from contracts.client.private import private
from contracts.client.source import Message, later
from contracts.events import Topic

DEFAULT_LIMIT = 1 << 30
_WAIT_SECONDS = 30
"""How long another process may hold the lock before we give up."""
_OVERHEAD = 200
"""Roughly what SQLite needs for an event besides its bytes."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS queue (
  place INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, id TEXT NOT NULL, body BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS queue_kind ON queue (kind, place);
CREATE TABLE IF NOT EXISTS results (
  place INTEGER PRIMARY KEY, kind TEXT NOT NULL, id TEXT NOT NULL,
  topic TEXT, partition INTEGER, "offset" INTEGER, reason TEXT, path TEXT, message TEXT, remedy TEXT);
CREATE TABLE IF NOT EXISTS counters (
  source TEXT PRIMARY KEY, last INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS notes (name TEXT PRIMARY KEY, value TEXT NOT NULL);
INSERT OR IGNORE INTO notes VALUES ('held', '0');
CREATE TABLE IF NOT EXISTS taken_up (source TEXT PRIMARY KEY);
INSERT OR IGNORE INTO taken_up SELECT source FROM counters WHERE NOT EXISTS (SELECT 1 FROM notes WHERE name = 'takes_up');
INSERT OR IGNORE INTO notes VALUES ('takes_up', '1');
CREATE TABLE IF NOT EXISTS provisional (place INTEGER PRIMARY KEY, source TEXT NOT NULL);
"""
"""A source is taken up once the platform has said which of its numbers it holds. Until then, numbers are provisional."""
_FULL = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}


class SpoolFull(Exception):
    """Nothing was added. Send, forget results, raise the limit, or free the disk; then add again."""


class SpoolBusy(Exception):
    """Another process is sending from this spool."""


class Queued(NamedTuple):
    """An event that waits to be sent."""

    place: int
    kind: Topic
    id: str
    body: bytes


class Result(NamedTuple):
    """The result of one event: a receipt, or a reason for refusal."""

    place: int
    """The place that `add` returned."""
    kind: Topic
    id: str
    topic: str | None = None
    partition: int | None = None
    offset: int | None = None
    reason: str | None = None
    path: str | None = None
    message: str | None = None
    remedy: str | None = None

    @property
    def accepted(self) -> bool:
        return self.reason is None


class Spool:
    """A queue on disk, in order, with the results that nobody has fetched yet. `limit` bounds both together, in bytes."""

    def __init__(self, path: Path, limit: int = DEFAULT_LIMIT) -> None:
        self._path, self._limit, self._lock = path, limit, Lock()
        self._database = sqlite3.connect(
            private(path), timeout=_WAIT_SECONDS, isolation_level=None, check_same_thread=False
        )
        with _told_apart():
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = FULL")
            self._database.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} COMMIT;")

    def add(self, *messages: Message, numbered: bool = True, note: tuple[str, str] | None = None) -> list[int]:
        """Add all of these messages or none, and return their places. They are on the disk when this returns. Raises SpoolFull.

        Each gets the next number of its source, whichever topic it goes to, unless `numbered` is False. A note is kept with them, in the
        same transaction.
        """
        with self._transaction():
            places = [self._append_numbered(one) if numbered else self._append(one, one.body) for one in messages]
            if self._held() > self._limit:
                raise SpoolFull(f"the spool may hold {self._limit:,} bytes; it is not sent fast enough, or not at all")
            if note is not None:
                self._note(*note)
        return places

    def take(self, kind: Topic, most: int, most_bytes: int) -> list[Queued]:
        """Return the next events of a kind, in order, whose numbers are certain: at least one if any waits. They stay until they are
        settled.
        """
        query = (
            "SELECT place, id, body FROM queue WHERE kind = ? "
            "AND place < coalesce((SELECT min(place) FROM provisional), 9223372036854775807) ORDER BY place LIMIT ?"
        )
        taken: list[Queued] = []
        with self._lock:
            for place, event_id, body in self._database.execute(query, (kind, most)):
                most_bytes -= len(body)
                if taken and most_bytes < 0:
                    break
                taken.append(Queued(place, kind, event_id, body))
        return taken

    def settle(self, results: Sequence[Result]) -> None:
        """Remove events from the queue, and keep their results."""
        with self._transaction():
            for result in results:
                query = "DELETE FROM queue WHERE place = ? RETURNING length(body)"
                gone = self._database.execute(query, (result.place,)).fetchall()
                self._database.execute(
                    f"INSERT OR REPLACE INTO results VALUES ({', '.join('?' * len(result))})",  # noqa: S608
                    result,
                )
                self._hold(-sum(length for (length,) in gone))

    def results(self, most: int = 1000) -> list[Result]:
        """Return results of events, in the order of their places; each stays until it is forgotten."""
        with self._lock:
            rows = self._database.execute("SELECT * FROM results ORDER BY place LIMIT ?", (most,)).fetchall()
        return [Result(place, Topic(kind), *others) for place, kind, *others in rows]

    def forget(self, results: Sequence[Result], note: tuple[str, str] | None = None) -> None:
        """Remove results that have been dealt with. A note is kept in the same transaction."""
        with self._transaction():
            for result in results:
                gone = self._database.execute("DELETE FROM results WHERE place = ?", (result.place,)).rowcount
                self._hold(-_OVERHEAD * gone)
            if note is not None:
                self._note(*note)

    def waiting(self) -> int:
        """Return how many events wait to be sent."""
        with self._lock:
            (count,) = self._database.execute("SELECT count(*) FROM queue").fetchone()
        return int(count)

    def not_taken_up(self) -> list[str]:
        """Return the sources with events that wait until the platform says from where their numbers continue."""
        with self._lock:
            return [source for (source,) in self._database.execute("SELECT DISTINCT source FROM provisional")]

    def take_up(self, highest: Mapping[str, int], sources: Sequence[str]) -> None:
        """Continue the numbers of these sources after those that the platform holds, if it holds any."""
        with self._transaction():
            for source in sources:
                self._shift(source, highest.get(source, 0))
                self._database.execute("INSERT OR IGNORE INTO taken_up VALUES (?)", (source,))

    def note(self, name: str) -> str | None:
        """Return a note that was kept with events or results."""
        with self._lock:
            row = self._database.execute("SELECT value FROM notes WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    @contextmanager
    def sending(self) -> Iterator[None]:
        """Hold the sole right to send. It ends with the process, however that ends. Raises SpoolBusy."""
        lock = sqlite3.connect(f"{self._path}.lock", timeout=0, isolation_level=None, check_same_thread=False)
        try:
            try:
                lock.execute("BEGIN EXCLUSIVE")
            except sqlite3.OperationalError:
                raise SpoolBusy(f"{self._path} is being sent by another process") from None
            yield
        finally:
            lock.close()

    def close(self) -> None:
        with self._lock:
            self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock, _told_apart():
            try:
                self._database.execute("BEGIN IMMEDIATE")
                yield
                self._database.execute("COMMIT")
            except BaseException:
                if self._database.in_transaction:  # a full disk may have ended it already
                    self._database.execute("ROLLBACK")
                raise

    def _append(self, message: Message, body: bytes) -> int:
        query = "INSERT INTO queue (kind, id, body) VALUES (?, ?, ?)"
        place = self._database.execute(query, (message.kind, message.id, body)).lastrowid
        assert place is not None
        self._hold(len(body) + _OVERHEAD)
        return place

    def _append_numbered(self, message: Message) -> int:
        place = self._append(message, message.numbered(self._next_number(message)))
        known = self._database.execute("SELECT 1 FROM taken_up WHERE source = ?", (message.source,)).fetchone()
        if known is None:
            self._database.execute("INSERT INTO provisional VALUES (?, ?)", (place, message.source))
        return place

    def _shift(self, source: str, by: int) -> None:
        query = "SELECT place, body FROM queue JOIN provisional USING (place) WHERE source = ?"
        for place, body in self._database.execute(query, (source,)).fetchall():
            self._database.execute("UPDATE queue SET body = ? WHERE place = ?", (later(body, by), place))
        self._database.execute("DELETE FROM provisional WHERE source = ?", (source,))
        self._database.execute("UPDATE counters SET last = last + ? WHERE source = ?", (by, source))

    def _next_number(self, message: Message) -> int:
        query = "INSERT INTO counters VALUES (?, 1) ON CONFLICT DO UPDATE SET last = last + 1 RETURNING last"
        ((number,),) = self._database.execute(query, (message.source,)).fetchall()
        return int(number)

    def _held(self) -> int:
        return int(self._database.execute("SELECT value FROM notes WHERE name = 'held'").fetchone()[0])

    def _hold(self, size: int) -> None:
        self._database.execute("UPDATE notes SET value = value + ? WHERE name = 'held'", (size,))

    def _note(self, name: str, value: str) -> None:
        self._database.execute("INSERT OR REPLACE INTO notes VALUES (?, ?)", (name, value))


@contextmanager
def _told_apart() -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as fault:
        if _primary_code(fault) in _FULL:
            raise SpoolFull(f"the disk is full or cannot be written: {fault}") from fault
        raise


def _primary_code(fault: Any) -> int:
    return int(getattr(fault, "sqlite_errorcode", 0)) & 0xFF
