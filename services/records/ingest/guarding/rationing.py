"""Keeps the tallies of refused events, in the transaction that settles these."""

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import date
from functools import partial

from sqlalchemy import Connection, select, tuple_

from contracts.decoding.codec import MAX_BYTES
from contracts.rejections import Rejection
from services.chassis import database
from services.records.ingest.guarding.floods import Key, Rationed, RefusedEvent, Tally
from services.records.ingest.guarding.floods import ration as plan
from services.records.ingest.tables import refused_days
from services.records.model.fold import Settled

_COLUMNS = ("authority", "day", "reason", "kept", "counted", "first", "last")


def kept(part: bytes | None) -> bytes | None:
    """Return what is kept of the key or the value of a refused event."""
    return part and part[:MAX_BYTES]


def ration(connection: Connection, settled: Collection[tuple[str, Settled]]) -> Rationed:
    """Decide which of these refused events are kept. What an operator put aside is always kept, since it is sent again."""
    refused = [
        RefusedEvent(
            authority, one.arrival.day, str(one.arrival.content.reason), one.arrival.message.offset, _size(one)
        )
        for authority, one in settled
        if isinstance(one.arrival.content, Rejection)
    ]
    return plan(_load(connection, {(one.authority, one.day) for one in refused}), refused)


def stage(connection: Connection, rationed: Rationed) -> Iterator[Callable[[], object]]:
    """Stage the tallies that changed."""
    rows = [(*key, one.kept, one.counted, one.first, one.last) for key, one in rationed.tallies.items()]
    if rows:
        yield partial(database.stage(connection, refused_days, _COLUMNS, rows).merge, key=_COLUMNS[:3])


def _size(settled: Settled) -> int:
    message = settled.arrival.message
    return len(kept(message.key) or b"") + len(kept(message.value) or b"")


def _load(connection: Connection, days: Collection[tuple[str, date]]) -> Mapping[Key, Tally]:
    if not days:
        return {}
    found = connection.execute(
        select(refused_days).where(tuple_(refused_days.c.authority, refused_days.c.day).in_(days))
    )
    return {Key(row.authority, row.day, row.reason): Tally(row.kept, row.counted, row.first, row.last) for row in found}
