"""Keeps what managers decide, as often as they may: closed days have workers count again, and every decision is kept for good."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from sqlalchemy import Connection, func, select

from services.chassis.api.problems import Problem
from services.records.ingest import notes
from services.records.ingest.notes import Kind, Note

MOST_HELD = 500
"""Most entries of one kind in force: an authority has some closed days and targets in a year, and a calendar for each of its teams."""
MOST_CHANGES = 100
"""Most changes of one kind in an hour. A worker counts a large authority again in seconds, in which the others wait."""
MOST_ACKNOWLEDGED = 20_000
"""Most duties acknowledged, or not any more, in an hour."""
WITHIN = timedelta(hours=1)


def keep(connection: Connection, authority: str, decided: Sequence[Note]) -> list[Note]:
    """Keep these decisions in the present transaction, and return those that change anything: nothing is kept of taking back what is not
    there. Raises Problem 422, 429.

    What is there can be taken back at any time: an address that is known to too many must be closed at once.
    """
    connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"notes {authority}", 0))))
    held = {(note.kind, note.key) for note in notes.holding(connection, authority, *{note.kind for note in decided})}
    kept = [note for note in decided if note.content is not None or (note.kind, note.key) in held]
    told = [note for note in kept if note.content is not None]
    _check_number(Counter(kind for kind, _ in held), {(note.kind, note.key) for note in told} - held)
    for kind, number in Counter(note.kind for note in told).items():
        _check_often(notes.number_since(connection, authority, kind, told[0].at - WITHIN) + number, kind)
    notes.write(connection, authority, kept)
    return kept


def _check_number(held: Mapping[Kind, int], new: Iterable[tuple[Kind, str]]) -> None:
    """Raise Problem 422 where more of a kind would be in force than may be."""
    for kind, number in Counter(kind for kind, _ in new).items():
        if kind is not Kind.ACKNOWLEDGEMENT and held[kind] + number > MOST_HELD:
            raise Problem(422, f"There are {MOST_HELD} of these already: take some back first")


def _check_often(number: int, kind: Kind) -> None:
    """Raise Problem 429 beyond the changes of an hour."""
    most = MOST_ACKNOWLEDGED if kind is Kind.ACKNOWLEDGEMENT else MOST_CHANGES
    if number > most:
        wait = {"Retry-After": f"{WITHIN.seconds}"}
        raise Problem(429, f"More than {most} changes in an hour: go on later", headers=wait)
