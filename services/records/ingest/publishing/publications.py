"""Publications due and done, in PostgreSQL. A publisher locks its rows of `publications` until it is done."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from time import monotonic
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, Row, func, select, text

from contracts.cells import Cell, Holdings, Position, Service
from contracts.topics import authority_of
from services.chassis.database import hurry, transaction
from services.records.ingest.tables import cells, checkpoints, publications, shards


class Outstanding(NamedTuple):
    """An authority with unpublished changes, and whether any of its cells were ever published in this generation."""

    authority: str
    begun: bool


_OUTSTANDING = text(
    "SELECT s.authority, p.version > 0 AND p.generation = s.generation AS begun "
    "FROM shards s LEFT JOIN publications p USING (authority) WHERE s.authority = ANY(:authorities) "
    "AND (s.generation, s.version) > (coalesce(p.generation, 0), coalesce(p.version, 0)) ORDER BY s.authority"
)
_CHANGED = text(
    "WITH wanted AS (SELECT * FROM unnest(CAST(:authorities AS text[]), CAST(:sinces AS bigint[])) AS w (authority, since)), "
    "changed AS (SELECT DISTINCT c.authority, c.measure, c.period, c.category "
    "FROM wanted w JOIN cells c ON c.authority = w.authority AND c.version > w.since) "
    "SELECT t.* FROM wanted w JOIN (SELECT c.authority, c.version, c.measure, c.period, c.category, c.known_on, "
    "CAST(sum(c.delta) OVER (PARTITION BY c.authority, c.measure, c.period, c.category ORDER BY c.known_on) AS bigint) AS value "
    "FROM changed JOIN cells c USING (authority, measure, period, category)) t "
    "ON t.authority = w.authority AND t.version > w.since"
)


STAND_STILL_SECONDS = 15.0
"""After which a publisher loses its turn; Kafka has ended its transaction before."""
AT_ONCE = 1_000
"""How many rows to take of an answer at once: one by one, they take twice the time (measured)."""
SHARE = 0.01
"""Share of the time that may be spent on counting what is held."""


class Counting:
    """When to count an authority's rows: the longer it takes, the less often."""

    def __init__(self) -> None:
        self._due: dict[str, float] = {}

    def holdings(self, connection: Connection, authorities: Collection[str]) -> dict[str, Holdings]:
        """Count the rows that are held, for the authorities whose turn it is."""
        began = monotonic()
        due = [authority for authority in authorities if self._due.get(authority, began) <= began]
        if not due:
            return {}
        versions = func.sum(cells.c.version).label("versions")
        query = select(cells.c.authority, func.count().label("rows"), versions).group_by(cells.c.authority)
        found = connection.execute(query.where(cells.c.authority.in_(due))).all()
        now = monotonic()
        self._due |= dict.fromkeys(due, now + (now - began) / SHARE)
        return {row.authority: Holdings(row.rows, int(row.versions)) for row in found}


class Turn:
    """The right to publish for some authorities, with their changes. It is lost with the session that holds it."""

    def __init__(self, connection: Connection, service: Service, held: Sequence[Row[Any]], counting: Counting) -> None:
        self._connection, self._service, self._counting = connection, service, counting
        self._held = {row.authority: row for row in held}
        query = select(shards).where(shards.c.authority.in_(self._held))
        self._shards = connection.execute(query.order_by(shards.c.authority)).all()

    def rows(self) -> list[Cell]:
        """Return every cell row that changed since the last publication, with its absolute value."""
        generations = {shard.authority: shard.generation for shard in self._shards}
        names = {"authorities": list(generations), "sinces": [self._since(shard) for shard in self._shards]}
        found = self._connection.execute(_CHANGED, names)
        return [
            Cell(self._service, authority, generations[authority], *rest)
            for some in found.partitions(AT_ONCE)
            for authority, *rest in some
        ]

    def positions(self) -> list[Position]:
        """Return how far the rows go."""
        sources = self._connection.execute(select(checkpoints).where(checkpoints.c.next_offset > 0)).all()
        holdings = self._counting.holdings(self._connection, self._held)
        return [
            Position(
                self._service, shard.authority, shard.generation, shard.version,
                _offsets(sources, shard.authority), shard.heard_at, holdings.get(shard.authority),
            )
            for shard in self._shards
        ]  # fmt: skip

    def confirm(self) -> None:
        """Raise Away if the turn was lost: somebody else may have published since."""
        self._connection.execute(select(1))

    def record(self) -> None:
        """Record what was published; this takes effect when the turn ends."""
        self._connection.execute(
            text(
                "UPDATE publications p SET generation = n.generation, version = n.version FROM unnest("
                "CAST(:authorities AS text[]), CAST(:generations AS int[]), CAST(:versions AS bigint[])) "
                "AS n (authority, generation, version) WHERE p.authority = n.authority"
            ),
            {
                "authorities": [shard.authority for shard in self._shards],
                "generations": [shard.generation for shard in self._shards],
                "versions": [shard.version for shard in self._shards],
            },
        )

    def _since(self, shard: Row[Any]) -> int:
        """Return the version that was published last; none of a new generation was."""
        held = self._held[shard.authority]
        return int(held.version) if held.generation == shard.generation else 0


class Publications:
    """The publications of one service."""

    def __init__(self, database: Engine, service: Service) -> None:
        self._database, self._service, self._counting = database, service, Counting()

    def outstanding(self, authorities: Collection[str]) -> list[Outstanding]:
        """Return the authorities that have something to publish."""
        with transaction(self._database) as connection:
            found = connection.execute(_OUTSTANDING, {"authorities": list(authorities)})
            return [Outstanding(row.authority, bool(row.begun)) for row in found]

    @contextmanager
    def turn(self, authorities: Collection[str]) -> Iterator[Turn]:
        """Hold the turn until the end of the block, for the authorities that nobody else is publishing."""
        wanted = sorted(authorities)
        with transaction(self._database) as connection:
            connection.execute(
                text("INSERT INTO publications SELECT unnest(CAST(:a AS text[])), 0, 0 ON CONFLICT DO NOTHING"),
                {"a": wanted},
            )
        at_one_moment = self._database.execution_options(isolation_level="REPEATABLE READ")
        with transaction(at_one_moment) as connection:
            hurry(connection, stand_still=STAND_STILL_SECONDS, wait=STAND_STILL_SECONDS)
            query = select(publications).where(publications.c.authority.in_(wanted)).order_by(publications.c.authority)
            held = connection.execute(query.with_for_update(skip_locked=True)).all()
            yield Turn(connection, self._service, held, self._counting)


def forget(connection: Connection, authority: str) -> None:
    """Publish everything of an authority again. Readers keep the newest version of each row, so repeats are harmless."""
    connection.execute(publications.update().where(publications.c.authority == authority).values(version=0))


def _offsets(sources: Sequence[Row[Any]], authority: str) -> dict[str, int]:
    """Return the last offset read of each of the authority's topics."""
    return {f"{at.topic}/{at.partition}": at.next_offset - 1 for at in sources if authority_of(at.topic) == authority}
