"""Sending refused events through again, after what refused them was mended on our side."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Row, select, update

from contracts.decoding.codec import decode
from contracts.events import Topic
from contracts.rejections import Reason, Rejection
from contracts.topics import kind_of_topic
from services.chassis.database import transaction
from services.chassis.streaming.kafka import Producer, Record
from services.records.ingest.tables import rejections

BATCH = 500
Refused = Row[Any, Any, Any, Any, Any, Any]


@dataclass(frozen=True, slots=True)
class Redriven:
    """What became of a look at refused events."""

    sent: int
    still_refused: int


def redrive(
    database: Engine, producer: Producer, now: datetime, authority: str | None = None, reason: Reason | None = None
) -> Redriven:
    """Sends again what today's contract accepts, and marks it. The old refusal stays on record.

    A crash between sending and marking sends an event twice, which has no effect. Raises Away.
    """
    sent = still = 0
    for batch in _waiting(database, authority, reason):
        good = [row for row in batch if _is_accepted(row, now)]
        still += len(batch) - len(good)
        producer.send_all(Record(row.topic, row.key, row.value) for row in good)
        with transaction(database) as connection:
            for row in good:
                connection.execute(
                    update(rejections)
                    .where(rejections.c.topic == row.topic, rejections.c.partition == row.partition)
                    .where(rejections.c.offset == row.offset)
                    .values(redriven_at=now)
                )
        sent += len(good)
    return Redriven(sent, still)


def _is_accepted(row: Refused, now: datetime) -> bool:
    topic: Topic = kind_of_topic(row.topic)
    return not isinstance(decode(row.value, topic, row.authority, now), Rejection)


def _waiting(database: Engine, authority: str | None, reason: Reason | None) -> Iterator[list[Refused]]:
    """Refused events not yet sent again, nor mended by their sender, in order of place, so that each is looked at once."""
    place = (rejections.c.topic, rejections.c.partition, rejections.c.offset)
    query = select(*place, rejections.c.authority, rejections.c.key, rejections.c.value)
    query = (
        query.where(rejections.c.redriven_at.is_(None), rejections.c.mended_by.is_(None)).order_by(*place).limit(BATCH)
    )
    if authority is not None:
        query = query.where(rejections.c.authority == authority)
    if reason is not None:
        query = query.where(rejections.c.reason == str(reason))
    topic, offset = "", -1
    while True:
        after = (rejections.c.topic > topic) | ((rejections.c.topic == topic) & (rejections.c.offset > offset))
        with transaction(database) as connection:
            batch = list(connection.execute(query.where(after)))
        if not batch:
            return
        yield batch
        topic, offset = batch[-1].topic, batch[-1].offset
