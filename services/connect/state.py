"""The last statement that was sent of each fact, on disk: SQLite, synchronised at every commit. One import is one
transaction, or nothing.
"""

import json
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from contracts.client.private import private
from contracts.decoding.envelope import TYPE_PREFIX
from contracts.events import AUTHORITY_SUBJECT
from services.connect.comparing.difference import Known
from services.connect.faults import Later

_WAIT_SECONDS = 30
_SCHEMA = """
CREATE TABLE IF NOT EXISTS facts (
  id INTEGER PRIMARY KEY, sheet TEXT NOT NULL, subject TEXT NOT NULL, key TEXT NOT NULL, said BLOB NOT NULL,
  time INTEGER NOT NULL, event TEXT NOT NULL, seen INTEGER, gone INTEGER, withdrawn INTEGER NOT NULL DEFAULT 0,
  made INTEGER NOT NULL DEFAULT 0, UNIQUE (subject, key));
CREATE INDEX IF NOT EXISTS facts_sheet ON facts (sheet);
CREATE INDEX IF NOT EXISTS facts_event ON facts (event);
CREATE INDEX IF NOT EXISTS facts_gone ON facts (sheet) WHERE gone IS NOT NULL;
CREATE TABLE IF NOT EXISTS rows (digest BLOB NOT NULL, fact INTEGER NOT NULL, PRIMARY KEY (digest, fact)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS rows_fact ON rows (fact);
CREATE TABLE IF NOT EXISTS sheets (name TEXT PRIMARY KEY, newest INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS held (sheet TEXT NOT NULL, subject TEXT NOT NULL, key TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS held_sheet ON held (sheet, subject);
CREATE TABLE IF NOT EXISTS files (digest BLOB PRIMARY KEY, taken INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS outbox (
  place INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, body BLOB NOT NULL, origin TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS outbox_id ON outbox (id);
CREATE TABLE IF NOT EXISTS notes (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
_PASSING = """
CREATE TEMP TABLE stated (
  n INTEGER PRIMARY KEY, sheet TEXT NOT NULL, subject TEXT NOT NULL, key TEXT NOT NULL, name TEXT NOT NULL,
  said BLOB NOT NULL, time INTEGER NOT NULL, id TEXT NOT NULL, body BLOB NOT NULL, digest BLOB, origin TEXT NOT NULL, known INTEGER,
  row INTEGER NOT NULL, tab TEXT NOT NULL);
CREATE TEMP TABLE unread (sheet TEXT NOT NULL, tab TEXT NOT NULL, subject TEXT NOT NULL, row INTEGER NOT NULL);
CREATE TEMP TABLE present (fact INTEGER PRIMARY KEY, how INTEGER NOT NULL);
"""
_KNOWN = "id, sheet, said, time, seen, gone, withdrawn, made"
_AT_ONCE = 400
_INDEX = re.compile(r"\[\d+\]")
SIGN_OF_LIFE = "the extract"
"""The place of a heartbeat, which comes from no row."""

BY_ROW, BY_STATEMENT, HELD, CLEARED = 8, 4, 2, 1
"""How an extract accounts for a fact: an unchanged row, a changed one, one that cannot be read, one that leaves it blank."""


class Statement(NamedTuple):
    """A fact that a new or changed row states, as the event that would state it."""

    sheet: str
    subject: str
    key: str
    name: str
    """The name of the event."""
    said: bytes
    time: int
    id: str
    body: bytes
    digest: bytes | None
    """The digest of the row; None if something in it was refused, so that it is read again the next time."""
    origin: str
    """The place, as in `Orders, row 14`."""
    known: int | None
    row: int = 0
    """The number of the row in the sheet; 0 if no row states it."""
    tab: str = ""
    """The sheet of the row, by its name in messages."""


class Waiting(NamedTuple):
    """An event that was decided and is not settled."""

    place: int
    id: str
    body: bytes
    origin: str


class Vanished(NamedTuple):
    """A fact that the newest extract no longer states."""

    known: Known
    subject: str
    key: str
    cleared: bool
    """Whether its row still exists, without the fact."""


class Stranger(NamedTuple):
    """An order that rows of a table are about and that no table of orders has."""

    sheet: str
    """The sheet, by its name in messages."""
    subject: str
    rows: list[int]
    statements: list[int]
    """The numbers of the statements of these rows."""


class State:
    """The state of one mapping. Without a path, it is lost at the end."""

    def __init__(self, path: Path | None) -> None:
        there = "" if path is None else private(path)
        self._database = sqlite3.connect(there, timeout=_WAIT_SECONDS, isolation_level=None)
        run = self._database.execute
        run("PRAGMA journal_mode = WAL")
        run("PRAGMA synchronous = FULL")
        run("PRAGMA cache_size = -200000")
        self._database.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} COMMIT; {_PASSING}")
        self._run = run

    @contextmanager
    def transaction(self, keep: bool = True) -> Iterator[None]:
        """Open a transaction: all or nothing, and nothing if it is not to be kept. Raises Later if another process is at work."""
        try:
            self._run("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as fault:
            raise Later(f"the state cannot be written; is another import running? ({fault})") from None
        try:
            yield
            self._run("COMMIT" if keep else "ROLLBACK")
        finally:
            if self._database.in_transaction:
                self._run("ROLLBACK")

    def close(self) -> None:
        self._database.close()

    # One extract on its way

    def begin(self) -> None:
        self._run("DELETE FROM stated")
        self._run("DELETE FROM present")
        self._run("DELETE FROM unread")

    def states(self, digests: Sequence[bytes]) -> set[bytes]:
        """Return which rows are already known. What they state is recorded."""
        known: dict[bytes, list[int]] = {}
        for start in range(0, len(digests), _AT_ONCE):
            some = digests[start : start + _AT_ONCE]
            query = f"SELECT digest, fact FROM rows WHERE digest IN ({','.join('?' * len(some))})"  # noqa: S608
            for digest, fact in self._run(query, some):
                known.setdefault(digest, []).append(fact)
        self._present((fact for facts in known.values() for fact in facts), BY_ROW)
        return set(known)

    def account(self, subject: str, key: str, how: int) -> int | None:
        """Record how the extract accounts for a fact, if the fact is known. Returns its number."""
        row = self._run("SELECT id FROM facts WHERE subject = ? AND key = ?", (subject, key)).fetchone()
        if row is None:
            return None
        self._present([row[0]], how)
        return int(row[0])

    def state(self, statements: Iterable[Statement]) -> None:
        marks = ", ".join("?" * len(Statement._fields))
        self._database.executemany(f"INSERT INTO stated VALUES (NULL, {marks})", statements)  # noqa: S608

    def contradictions(self) -> Iterator[tuple[str, str, list[str]]]:
        """Yield facts that an extract states in different ways: subject, key, and the places."""
        query = """
            SELECT s.subject, s.key, group_concat(s.origin, char(10))
            FROM stated s LEFT JOIN present p ON p.fact = s.known LEFT JOIN facts f ON f.id = s.known
            GROUP BY s.subject, s.key
            HAVING count(DISTINCT s.said) > 1 OR (max(coalesce(p.how, 0)) & 8 AND max(s.said != f.said))
        """
        for subject, key, origins in self._run(query).fetchall():
            yield subject, key, origins.split("\n")

    def forget_statements(self, facts: Iterable[tuple[str, str]]) -> None:
        """Forget what is stated of these subjects and keys, so that rows that state any of it do not count as known."""
        told = json.dumps(list(facts))
        among = (
            """(subject, key) IN (SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(?))"""
        )
        rows = f"SELECT digest FROM stated WHERE {among}"  # noqa: S608
        self._run(f"UPDATE stated SET digest = NULL WHERE digest IN ({rows})", (told,))  # noqa: S608
        self._run(f"DELETE FROM stated WHERE {among}", (told,))  # noqa: S608

    def without_order(self, orders: Sequence[str]) -> list[Stranger]:
        """Return the orders of new or changed rows that are in none of these tables and were never sent, by table and row."""
        query = """
            WITH orders AS MATERIALIZED (SELECT value AS name FROM json_each(?)),
              named AS (SELECT n, sheet, tab, subject, row FROM stated UNION ALL SELECT NULL, sheet, tab, subject, row FROM unread)
            SELECT s.tab, s.subject, json_group_array(DISTINCT s.row), json_group_array(s.n) FILTER (WHERE s.n > 0) FROM named s
            WHERE s.subject != ? AND s.row > 0 AND s.sheet NOT IN (SELECT name FROM orders)
              AND s.subject NOT IN (SELECT subject FROM stated WHERE sheet IN (SELECT name FROM orders))
              AND s.subject NOT IN (SELECT subject FROM held WHERE sheet IN (SELECT name FROM orders))
              AND NOT EXISTS (SELECT 1 FROM facts f WHERE f.subject = s.subject AND NOT f.withdrawn
                AND (f.key = 'imposed' OR f.sheet IN (SELECT name FROM orders)))
            GROUP BY s.tab, s.subject ORDER BY s.tab, min(s.row)
        """
        rows = self._run(query, (json.dumps(orders), AUTHORITY_SUBJECT)).fetchall()
        return [Stranger(*row[:2], *(sorted(json.loads(found)) for found in row[2:])) for row in rows]

    def orders_in(self, orders: Sequence[str]) -> set[str]:
        """Return the references of all orders that these tables have or had."""
        query = """
            SELECT subject FROM facts WHERE sheet IN (SELECT value FROM json_each(?1)) AND NOT withdrawn
            UNION SELECT subject FROM stated WHERE sheet IN (SELECT value FROM json_each(?1))
            UNION SELECT subject FROM held WHERE sheet IN (SELECT value FROM json_each(?1)) AND subject != ''
        """
        return {subject for (subject,) in self._run(query, (json.dumps(orders),))}

    def read_again(self, strangers: Iterable[Stranger]) -> None:
        """Forget the rows about these, so that they do not count as known."""
        numbers = ((number,) for one in strangers for number in one.statements)
        self._database.executemany("UPDATE stated SET digest = NULL WHERE n = ?", numbers)

    def statements(self) -> Iterator[tuple[Statement, Known | None]]:
        """Yield statements in the order of the rows; one for each fact and row."""
        names = ", ".join(f"f.{name.strip()}" for name in _KNOWN.split(","))
        query = f"SELECT s.*, {names} FROM stated s LEFT JOIN facts f ON f.id = s.known ORDER BY n"  # noqa: S608
        split = 1 + len(Statement._fields)
        for row in self._database.cursor().execute(query):
            known = None if row[split] is None else _known(row[split:])
            yield Statement(*row[1:split]), known

    def release(self, sheet: str) -> None:
        """Forget what could not be read of a table: a newer extract is about to be."""
        self._run("DELETE FROM held WHERE sheet = ?", (sheet,))

    def hold(self, sheet: str, keys: Iterable[tuple[str, str]]) -> None:
        """Record facts that could not be read in the newest extract of a table."""
        self._database.executemany("INSERT INTO held VALUES (?, ?, ?)", ((sheet, *one) for one in keys))

    def name_unread(self, sheet: str, tab: str, named: Iterable[tuple[str, int]]) -> None:
        """Keep which orders rows are about, by order and row, that could not be read as a whole."""
        self._database.executemany("INSERT INTO unread VALUES (?, ?, ?, ?)", ((sheet, tab, *one) for one in named))

    def holds(self, sheet: str, subject: str, key: str) -> bool:
        """Return whether the newest extract may have the fact, in a cell or a row that could not be read."""
        query = "SELECT 1 FROM held WHERE sheet = ? AND subject IN ('', ?) AND (subject = '' OR key = ?) LIMIT 1"
        return self._run(query, (sheet, subject, key)).fetchone() is not None

    def row_seen(self, sheet: str, subject: str, key: str) -> int:
        """Return when the last extract with the row of a fact was taken, judged by other facts of the row; 0 if there is none."""
        ref = key.partition("/")[2]
        query = """
            SELECT key, coalesce(seen, newest) FROM facts JOIN sheets ON name = sheet
            WHERE subject = ? AND +sheet = ? AND made = 0 AND key != ?
        """
        rows = self._run(query, (subject, sheet, key)).fetchall()
        return max((seen for other, seen in rows if other.partition("/")[2] == ref), default=0)

    def vanished(self, sheet: str) -> list[Vanished]:
        """Return facts of a table that the extract does not account for, or leaves blank."""
        query = f"""
            SELECT {_KNOWN}, subject, key, coalesce(how, 0) FROM facts LEFT JOIN present ON fact = id
            WHERE sheet = ? AND made = 0 AND coalesce(how, 0) < 2
              AND (gone IS NULL OR (how = {CLEARED} AND withdrawn = 0)) ORDER BY id
        """  # noqa: S608
        rows = self._run(query, (sheet,)).fetchall()
        return [Vanished(_known(row), row[-3], row[-2], row[-1] == CLEARED) for row in rows]

    def still_counting(self, sheet: str) -> list[Vanished]:
        """Return facts of a table that are in no row any more and were not withdrawn, except orders that ended and left the table.

        The + keeps SQLite from reading the whole table for each of them.
        """
        ref = "CASE instr({0}.key, '/') WHEN 0 THEN '' ELSE substr({0}.key, instr({0}.key, '/')) END"
        query = f"""
            SELECT {_KNOWN}, subject, key, coalesce(how, 0) = {CLEARED} OR EXISTS
              (SELECT 1 FROM facts o WHERE o.subject = f.subject AND +o.sheet = f.sheet AND o.gone IS NULL AND NOT o.made
                AND {ref.format("o")} = {ref.format("f")})
            FROM facts f LEFT JOIN present ON fact = id
            WHERE sheet = ? AND NOT made AND NOT withdrawn AND gone IS NOT NULL AND coalesce(how, 0) < {HELD} AND NOT
              (EXISTS (SELECT 1 FROM facts e WHERE e.subject = f.subject AND e.key = 'ended' AND NOT e.withdrawn)
               AND NOT EXISTS (SELECT 1 FROM facts i WHERE i.subject = f.subject AND i.key = 'imposed' AND i.gone IS NULL))
            ORDER BY id
        """  # noqa: S608
        return [Vanished(_known(row), row[-3], row[-2], bool(row[-1])) for row in self._run(query, (sheet,)).fetchall()]

    def cleared(self, sheet: str, taken: int) -> list[Vanished]:
        """Return facts that an older extract leaves blank, of those for which no later extract has a row. They may have vanished
        before it with their row, which came back without them.
        """
        query = f"""
            SELECT {_KNOWN}, subject, key FROM facts JOIN present ON fact = id
            WHERE sheet = ? AND how = {CLEARED} AND withdrawn = 0 AND seen <= ? AND gone IS NOT NULL ORDER BY id
        """  # noqa: S608
        rows = self._run(query, (sheet, taken)).fetchall()
        return [Vanished(_known(row), row[-2], row[-1], cleared=True) for row in rows]

    def facts_of(self, sheet: str) -> int:
        """Return how many facts of a table there are now."""
        return int(self._run("SELECT count(*) FROM facts WHERE sheet = ? AND gone IS NULL", (sheet,)).fetchone()[0])

    def open_orders(self) -> int:
        """Return how many orders are imposed and have no end."""
        query = """
            SELECT count(*) FROM facts i WHERE key = 'imposed' AND NOT withdrawn AND NOT EXISTS
            (SELECT 1 FROM facts e WHERE e.subject = i.subject AND e.key = 'ended' AND NOT e.withdrawn)
        """
        return int(self._run(query).fetchone()[0])

    # What follows from it

    def find(self, subject: str, key: str) -> Known | None:
        query = f"SELECT {_KNOWN} FROM facts WHERE subject = ? AND key = ?"  # noqa: S608
        row = self._run(query, (subject, key)).fetchone()
        return None if row is None else _known(row)

    def keys_of(self, subject: str, name: str) -> list[str]:
        """Return the keys of all facts of an order that begin with this name and are not withdrawn."""
        query = "SELECT key FROM facts WHERE subject = ? AND key >= ? AND key < ? AND NOT withdrawn ORDER BY id"
        return [key for (key,) in self._run(query, (subject, f"{name}/", f"{name}0"))]

    def say(self, statement: Statement, body: bytes, event: str, time: int, made: bool = False) -> int:
        """Record that a fact is sent now, with its event. Returns the number of the fact."""
        query = """
            INSERT INTO facts (sheet, subject, key, said, time, event, made) VALUES (?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT DO UPDATE SET sheet = excluded.sheet, said = excluded.said, time = excluded.time, event = excluded.event,
              made = excluded.made, seen = NULL, gone = NULL, withdrawn = 0
            RETURNING id
        """
        values = (statement.sheet, statement.subject, statement.key, statement.said, time, event, made)
        ((fact,),) = self._run(query, values).fetchall()
        self.put(event, body, statement.origin)
        return int(fact)

    def put(self, event: str, body: bytes, origin: str) -> None:
        """Keep an event to be sent."""
        self._run("INSERT INTO outbox (id, body, origin) VALUES (?, ?, ?)", (event, body, origin))

    def link(self, digest: bytes, fact: int, new: bool) -> None:
        """Link a row to the fact that it states. Any other row that stated it is read again if it comes back."""
        if not new:
            query = "DELETE FROM rows WHERE digest IN (SELECT digest FROM rows WHERE fact = ? AND digest != ?)"
            self._run(query, (fact, digest))
        self._run("INSERT OR IGNORE INTO rows VALUES (?, ?)", (digest, fact))

    def keep(self, fact: int, sheet: str) -> None:
        """Record that the fact is in the newest extract of this table."""
        query = "UPDATE facts SET sheet = ?, seen = NULL, gone = NULL WHERE id = ? AND (gone IS NOT NULL OR sheet != ?)"
        self._run(query, (sheet, fact, sheet))

    def go(self, fact: int, seen: int | None, gone: int) -> None:
        """Record that the fact is in no row any more."""
        self.drop_rows_with(fact)
        self._run("UPDATE facts SET seen = ?, gone = ? WHERE id = ?", (seen, gone, fact))

    def seen_again(self, fact: int, seen: int) -> None:
        """Record that an extract in between still had it."""
        self._run("UPDATE facts SET seen = max(coalesce(seen, 0), ?) WHERE id = ?", (seen, fact))

    def withdraw(self, fact: int, event: str, body: bytes, time: int, origin: str) -> None:
        self._run("UPDATE facts SET withdrawn = 1, time = ?, event = ? WHERE id = ?", (time, event, fact))
        self.put(event, body, origin)

    def drop_rows_about(self, subject: str) -> None:
        """Forget the rows about an order, so that they are read again."""
        query = "DELETE FROM rows WHERE fact IN (SELECT id FROM facts WHERE subject = ?)"
        self._run(query, (subject,))

    def drop_rows_with(self, fact: int) -> None:
        """Forget rows that stated the fact as it was, so that they are read again if they come back."""
        self._run("DELETE FROM rows WHERE digest IN (SELECT digest FROM rows WHERE fact = ?)", (fact,))

    def _present(self, facts: Iterable[int], how: int) -> None:
        query = "INSERT INTO present VALUES (?, ?) ON CONFLICT DO UPDATE SET how = how | excluded.how"
        self._database.executemany(query, ((fact, how) for fact in facts))

    # Extracts

    def newest(self, sheet: str) -> int | None:
        """Return when the newest extract of a table was taken."""
        row = self._run("SELECT newest FROM sheets WHERE name = ?", (sheet,)).fetchone()
        return None if row is None else int(row[0])

    def advance(self, sheet: str, taken: int) -> None:
        self._run(
            "INSERT INTO sheets VALUES (?, ?) ON CONFLICT DO UPDATE SET newest = max(newest, excluded.newest)",
            (sheet, taken),
        )

    def taken(self, digest: bytes) -> int | None:
        """Return when the file with this content was taken, if it was imported before."""
        row = self._run("SELECT taken FROM files WHERE digest = ?", (digest,)).fetchone()
        return None if row is None else int(row[0])

    def keep_file(self, digest: bytes, taken: int) -> None:
        """Keep when a content was last taken: a copy of it with an earlier date of change takes nothing back."""
        self._run(
            "INSERT INTO files VALUES (?, ?) ON CONFLICT DO UPDATE SET taken = max(taken, excluded.taken)",
            (digest, taken),
        )

    def note(self, name: str) -> str | None:
        row = self._run("SELECT value FROM notes WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def keep_note(self, name: str, value: str) -> None:
        self._run("INSERT OR REPLACE INTO notes VALUES (?, ?)", (name, value))

    def keep_columns(self, sheet: str, columns: Mapping[str, str]) -> None:
        """Keep in which columns of a sheet the members of events stand, to name the cell of one that the platform refuses."""
        self.keep_note(f"columns {sheet}", json.dumps(columns))

    # What is to be sent

    def waiting(self, after: int, most: int) -> list[Waiting]:
        rows = self._run("SELECT * FROM outbox WHERE place > ? ORDER BY place LIMIT ?", (after, most)).fetchall()
        return [Waiting(*row) for row in rows]

    def last_place(self) -> int:
        """Return the highest place of any event that was ever to be sent."""
        row = self._run("SELECT seq FROM sqlite_sequence WHERE name = 'outbox'").fetchone()
        return 0 if row is None else int(row[0])

    def settle(self, accepted: Sequence[str], refused: Mapping[str, str]) -> dict[str, str]:
        """Settle these events, and return the cells of the refused ones, of which the path to the fault is given. A refused fact counts as
        never sent.
        """
        with self.transaction():
            found = {event: self.cell(event, path) for event, path in refused.items()}
            for event in refused:
                for (fact,) in self._run("SELECT id FROM facts WHERE event = ?", (event,)).fetchall():
                    self.drop_rows_with(fact)
                    self._run("UPDATE facts SET said = x'' WHERE id = ?", (fact,))
            self._database.executemany("DELETE FROM outbox WHERE id = ?", ((event,) for event in (*accepted, *refused)))
        return found

    def signs_of_life(self, events: Sequence[str]) -> int:
        """Return how many of these events, which are not settled, only say that there is nothing to say."""
        query = "SELECT count(*) FROM outbox WHERE origin = ? AND id IN (SELECT value FROM json_each(?))"
        return int(self._run(query, (SIGN_OF_LIFE, json.dumps(list(events)))).fetchone()[0])

    def cell(self, event: str, path: str) -> str:
        """Return the cell of an event, which is not settled, in which a part of it stands; its row if that is all that is known."""
        row = self._run("SELECT origin, body FROM outbox WHERE id = ?", (event,)).fetchone()
        if row is None:
            return ""
        origin, name = str(row[0]), json.loads(row[1])["type"].removeprefix(TYPE_PREFIX).rpartition(".")[0]
        sheet, _, number = origin.rpartition(", row ")
        columns = json.loads(self.note(f"columns {sheet}") or "{}")
        member = " ".join(_INDEX.sub("", path).split(".")[1:])
        column = columns.get(f"{name} {member.removeprefix('data ')}" if member.startswith("data ") else member)
        return f"{sheet}!{column}{number}" if column and number else origin


def _known(row: Sequence[object]) -> Known:
    number, sheet, said, time, seen, gone, withdrawn, made = row[:8]
    return Known(number, sheet, said, time, seen, gone, bool(withdrawn), bool(made))  # type: ignore[arg-type]
