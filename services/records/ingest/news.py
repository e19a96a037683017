"""The feed of an authority: refusals, and records that begin or cease to break a rule. Written in the commit that caused the change.

Commits of an authority follow one another, so a reader who has got to a place has everything that will ever be before it.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, Protocol

import msgspec
from sqlalchemy import Connection, select

from contracts.decoding.codec import Event
from services.chassis import database
from services.records.ingest.tables import changes as table
from services.records.ingest.tables import records
from services.records.model.fold import Folded, Turn, turns_between
from services.records.model.summary import Standing

MENDED_FROM = 1_000_000
"""From this number on, the changes of a commit are refusals that were corrected."""
_COLUMNS = ("authority", "version", "number", "kind", "subject", "rule", "event_id", "offset")


class News(StrEnum):
    """Kinds of change."""

    REFUSED = "refused"
    MENDED = "mended"
    """A later event of the same source and id was accepted."""
    FOUND = "found"
    """An order came to break a rule of data quality."""
    SETTLED = "settled"
    """The order no longer breaks the rule."""


class Commit(Protocol):
    """The commit in which something changed."""

    @property
    def authority(self) -> str: ...
    @property
    def version(self) -> int: ...


def stage(
    connection: Connection, changes: Mapping[Any, Folded], counted: Collection[tuple[str, int]] = ()
) -> Iterator[Callable[[], object]]:
    """Stage the changes of a batch, with shards as they are after the commit, without the refused events that are only `counted`."""
    rows = [
        row for shard, folded in changes.items() for row in _numbered(shard, _told(folded, shard.authority, counted))
    ]
    if rows:
        yield database.stage(connection, table, _COLUMNS, rows).append


def note(connection: Connection, commit: Commit, standings: Iterable[tuple[str, bytes | None]]) -> None:
    """Record how new rules change the findings of all records. `standings` are the new ones."""
    query = select(records.c.subject, records.c.standing["findings"]).where(
        records.c.authority == commit.authority, records.c.standing.has_key("findings")
    )
    before = {subject: set(rules) for subject, rules in connection.execute(query)}
    after = {subject: _rules(standing) for subject, standing in standings}
    rows = list(_numbered(commit, map(_turned, turns_between(before, after))))
    if rows:
        database.stage(connection, table, _COLUMNS, rows).append()


_standing = msgspec.json.Decoder(Standing).decode


def _rules(standing: bytes | None) -> set[str]:
    return set(_standing(standing).findings) if standing else set()


def _told(folded: Folded, authority: str, counted: Collection[tuple[str, int]]) -> Iterator[tuple[Any, ...]]:
    for arrival, _ in folded.refused:
        assert not isinstance(arrival.content, Event)
        if (authority, arrival.message.offset) not in counted:
            yield News.REFUSED, None, str(arrival.content.reason), arrival.content.id, arrival.message.offset
    yield from map(_turned, folded.turns)


def _turned(turn: Turn) -> tuple[Any, ...]:
    return News.FOUND if turn.broken else News.SETTLED, turn.subject, turn.rule, None, None


def _numbered(commit: Commit, told: Iterable[Sequence[Any]]) -> Iterator[tuple[Any, ...]]:
    for number, one in enumerate(told, 1):
        yield commit.authority, commit.version, number, *one
