"""Sends refused events again, after our own error that caused the refusals was corrected."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from sqlalchemy import Connection, Engine, select, update

from contracts.rejections import Reason
from services.chassis.audit.operators import operated
from services.chassis.database import transaction
from services.chassis.streaming.clients.outgoing import Outgoing
from services.chassis.streaming.clients.producer import Producer
from services.records.ingest.tables import rejections
from services.records.model.domain import Domain
from services.records.upkeep.effect import Effect, RefusedRow, accepted, effect

BATCH = 500


@dataclass(frozen=True, slots=True)
class Redriven:
    """The result of a redrive."""

    sent: int
    still_refused: int


class Wanted(NamedTuple):
    """Which refused events to send again; None stands for all."""

    authority: str | None = None
    reason: Reason | None = None


class Order(NamedTuple):
    """The operator who sends them again, and why. Both are kept on record."""

    by: str = ""
    why: str = ""


def redrive(  # noqa: PLR0913
    database: Engine,
    producer: Producer,
    now: datetime,
    wanted: Wanted = Wanted(),  # noqa: B008 - it cannot change
    order: Order = Order(),  # noqa: B008
    *,
    pause: Callable[[int], object] = lambda sent: sent,
    batch: int = BATCH,
) -> Redriven:
    """Send again what today's contract accepts, mark it, and record who had it done. The old refusal stays on record.

    `pause` is called after each batch with how many were sent. A crash between sending and marking sends events twice, which has no effect.
    Raises Away.
    """
    sent = still = 0
    for rows in _waiting(database, wanted, batch):
        good = [row for row in rows if accepted(row, now)]
        still += len(rows) - len(good)
        producer.send_all(Outgoing(row.topic, row.key, row.value) for row in good)
        if good:
            with transaction(database) as connection:
                _mark(connection, good, now, order)
            pause(len(good))
        sent += len(good)
    return Redriven(sent, still)


def foresee(database: Engine, domain: Domain, now: datetime, wanted: Wanted = Wanted()) -> Iterator[tuple[str, Effect]]:  # noqa: B008
    """Yield what sending them again would do, by authority. Sends, marks and writes nothing."""
    rows = sorted((row for batch in _waiting(database, wanted, BATCH) for row in batch), key=attrgetter("authority"))
    for authority, its in groupby(rows, key=attrgetter("authority")):
        good, refused = [], 0
        for row in its:
            if accepted(row, now):
                good.append(row)
            else:
                refused += 1
        with transaction(database) as connection:
            found = effect(connection, domain, authority, good, now)
        found.still_refused = refused
        yield authority, found


def _mark(connection: Connection, rows: Sequence[RefusedRow], now: datetime, order: Order) -> None:
    for row in rows:
        connection.execute(
            update(rejections)
            .where(rejections.c.topic == row.topic, rejections.c.partition == row.partition)
            .where(rejections.c.offset == row.offset)
            .values(redriven_at=now)
        )
    for authority, number in Counter(row.authority for row in rows).items():
        operated(connection, "redrive", authority, by=order.by, events=number, why=order.why)


def _waiting(database: Engine, wanted: Wanted, batch: int) -> Iterator[list[RefusedRow]]:
    """Yield refused events that were neither sent again nor corrected by their sender, in order of place, so that
    each is considered once.
    """
    place = (rejections.c.topic, rejections.c.partition, rejections.c.offset)
    query = select(*place, rejections.c.authority, rejections.c.key, rejections.c.value, rejections.c.reason)
    query = (
        query.where(rejections.c.redriven_at.is_(None), rejections.c.mended_by.is_(None)).order_by(*place).limit(batch)
    )
    if wanted.authority is not None:
        query = query.where(rejections.c.authority == wanted.authority)
    if wanted.reason is not None:
        query = query.where(rejections.c.reason == str(wanted.reason))
    topic, offset = "", -1
    while True:
        after = (rejections.c.topic > topic) | ((rejections.c.topic == topic) & (rejections.c.offset > offset))
        with transaction(database) as connection:
            rows = list(connection.execute(query.where(after)))
        if not rows:
            return
        yield rows
        topic, offset = rows[-1].topic, rows[-1].offset
