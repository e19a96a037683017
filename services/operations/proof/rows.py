"""Checks the rows of each event and each order against the log."""

from collections import Counter
from collections.abc import Collection, Generator, Mapping
from datetime import UTC, date, datetime
from operator import itemgetter
from typing import Any

import msgspec
from sqlalchemy import Text, cast, select

from contracts.decoding.codec import Event, encode_data
from contracts.rejections import Rejection
from contracts.topics import topic_of
from services.operations.proof.books import Books, Found
from services.operations.proof.expected import SHOWN, Heard, Statement
from services.operations.proof.mismatch import Mismatch, unequal
from services.operations.rights.ageing import let_go_before
from services.records.ingest.envelopes import system_in
from services.records.ingest.guarding.rationing import kept as kept_of
from services.records.ingest.store import OUTCOMES
from services.records.ingest.tables import arrivals, records, refused_days, rejections
from services.records.model.fold import PutAside
from services.records.model.record import Entry, Record, load
from services.records.model.summary import Summary, summary


def rows_of_events(books: Books) -> Found:
    """Check that every event has the outcome that the log implies, and that refused ones are kept as they came until their time is over."""
    own = {one.place.offset: one for one in books.heard if one.kind is books.domain.own}
    gone = let_go_before(books.connection)
    held = {
        row.offset: (OUTCOMES[row.outcome], row.event_id, row.subject, row.arrived_at) for row in books.rows(arrivals)
    }
    rows = books.rows(rejections)
    counted = yield from _counted(books, own, {row.offset for row in rows})
    over = {offset for offset, one in own.items() if _time(one) < gone["receipts"]} | counted
    proved = {offset: _arrival(books, one) for offset, one in own.items() if offset in held or offset not in over}
    yield from _by_offset(books.name(arrivals), held, proved, own)
    emptied = {row.offset for row in rows if row.key is row.value is None and row.arrived_at < gone["refused"]}
    kept = {row.offset: _kept(row) for row in rows}
    refused = {
        offset: _refusal(books, one, emptied=offset in emptied)
        for offset, one in own.items()
        if one.event is None and offset not in counted
    }
    yield from _by_offset(books.name(rejections), kept, refused, own)
    yield from _mended(books, own)


def _counted(
    books: Books, own: Mapping[int, Heard], kept: Collection[int]
) -> Generator[Mismatch, None, frozenset[int]]:
    """Check that as many refused events are only counted as are not kept, and return their offsets."""
    days = [row for row in books.rows(refused_days) if row.counted]
    found: dict[str, list[int]] = {}
    for offset, one in own.items():
        if isinstance(one.content, Rejection) and not one.skipped and offset not in kept:
            reason = str(one.content.reason)
            if any(row.reason == reason and offset in _places(row) for row in days):
                found.setdefault(reason, []).append(offset)
    told = Counter[str]()
    for row in days:
        told[row.reason] += row.counted
    for reason in sorted(told.keys() | found.keys()):
        here = found.get(reason, [])
        if told[reason] != len(here):
            behind = tuple(str(own[offset]) for offset in here[:SHOWN])
            yield Mismatch(books.name(refused_days), f"only counted for {reason}", told[reason], len(here), behind)
    return frozenset(offset for offsets in found.values() for offset in offsets)


def _places(row: Any) -> range:
    return range(row.first or 0, (row.last or 0) + 1)


def _by_offset(table: str, held: Mapping[int, object], proved: Mapping[int, object], own: Mapping[int, Heard]) -> Found:
    for offset in unequal(held, proved):
        behind = (str(own[offset]),) if offset in own else ()
        yield Mismatch(table, f"offset {offset}", held.get(offset), proved.get(offset), behind)


def _arrival(books: Books, one: Heard) -> tuple[object, ...]:
    subject = None if one.event is None else one.event.subject
    return books.told.outcomes[one.place], one.content.id, subject, _time(one)


def _time(one: Heard) -> datetime:
    return datetime.fromtimestamp(one.timestamp / 1000, UTC)


def _kept(row: Any) -> tuple[object, ...]:
    """Return what must be equal of a refusal; its wording may change from version to version."""
    return row.topic, row.event_id, row.reason, row.path, row.key, row.value, row.arrived_at, row.system


def _refusal(books: Books, one: Heard, *, emptied: bool) -> tuple[object, ...]:
    content = PutAside(one.content.id) if one.skipped else one.content
    assert not isinstance(content, Event)
    said = (topic_of(one.kind, books.authority), content.id, str(content.reason), content.path)
    kept = (None, None) if emptied else (kept_of(one.key), kept_of(one.value))
    return *said, *kept, _time(one), system_in(one.value, books.authority)


def _mended(books: Books, own: Mapping[int, Heard]) -> Found:
    for row in books.rows(rejections):
        by = None if row.mended_by is None else own.get(row.mended_by)
        if row.mended_by is not None and (by is None or by.event is None or by.event.id != row.event_id):
            yield Mismatch(books.name(rejections), f"mended_by of offset {row.offset}", row.mended_by, None)


def rows_of_orders(books: Books) -> Found:
    """Check that every record has the facts that hold, since when they are known, and the summary that follows from them."""
    columns = [records.c[name] for name in Summary._fields if name != "standing"]
    facts, standing = (cast(records.c[name], Text).label(name) for name in ("facts", "standing"))
    query = select(records.c.subject, facts, standing, *columns).where(records.c.authority == books.authority)
    held = {row.subject: row for row in books.connection.execute(query)}
    for subject in sorted(held.keys() | books.records.keys()):
        if subject in held and subject in books.records:
            yield from _facts(books, subject, load(held[subject].facts.encode()))
            yield from _summary(books, subject, held[subject])
        else:
            here, proved = ("there", None) if subject in held else (None, "there")
            yield Mismatch(books.name(records), f"order {subject}", here, proved, books.behind(subject))


def _facts(books: Books, subject: str, kept: Record) -> Found:
    stated = books.told.facts[subject]
    for key in sorted(kept.keys() | stated.keys()):
        of_key = stated.get(key, [])
        for what, held, proved in _compared(kept.get(key), books.records[subject].get(key), of_key):
            behind = tuple(str(one.heard) for one in of_key[-SHOWN:])
            yield Mismatch(books.name(records), f"fact {key} of order {subject}{what}", held, proved, behind)


def _compared(kept: Entry | None, proved: Entry | None, stated: list[Statement]) -> list[tuple[str, object, object]]:
    if kept is None or proved is None or _statement(kept) != _statement(proved):
        return [("", kept, proved)]
    days = sorted({one.heard.day for one in stated})
    by_day = [(day, _known(kept, day), _latest(stated, day).says) for day in days]
    return [(f", as known on {day},", held, known) for day, held, known in by_day if held != known]


def _latest(stated: list[Statement], day: date) -> Statement:
    return max((one for one in stated if one.heard.day <= day), key=itemgetter(0))


def _statement(entry: Entry) -> tuple[object, ...]:
    return entry.time, entry.id, entry.type, entry.data, entry.sequence, entry.caseload


def _known(entry: Entry, day: date) -> tuple[str, bytes] | None:
    known = entry.on(day)
    return None if known is None else (known.type, b"" if known.data is None else encode_data(known.data))


def _summary(books: Books, subject: str, row: Any) -> Found:
    proved = summary(books.domain.counted(books.records[subject]))
    for name, value in zip(Summary._fields, proved, strict=True):
        held, due = (_plain(name, one) for one in (getattr(row, name), value))
        if held != due:
            yield Mismatch(books.name(records), f"{name} of order {subject}", held, due, books.behind(subject))


def _plain(name: str, value: Any) -> object:
    """Return a value without the order that PostgreSQL gives to JSON."""
    return msgspec.json.decode(value) if name == "standing" and value is not None else value
