"""Everything that a worker reads from and writes to PostgreSQL, in one transaction that ends with the offsets."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import partial
from typing import Any, NamedTuple, Self

from msgspec import json
from sqlalchemy import Connection, select, text

from contracts.decoding.codec import Event
from contracts.events import Topic
from services.chassis import database
from services.chassis.failures import Fenced
from services.records.ingest import news
from services.records.ingest.envelopes import system_in
from services.records.ingest.guarding import rationing
from services.records.ingest.guarding.floods import Rationed
from services.records.ingest.guarding.turns import fill_a_turn
from services.records.ingest.news import News
from services.records.ingest.tables import arrivals, cells, persons, records, rejections, shards
from services.records.model.counting import Counted
from services.records.model.domain import Domain
from services.records.model.fold import Arrival, Folded, Settled
from services.records.model.limit import marked_only
from services.records.model.people import MOST_STAYS, Stay, Stays
from services.records.model.record import Outcome, Record, dump, load
from services.records.model.summary import Summary, summary

_PERSON_KEY = ("authority", "person_ref", "begun", "ended", "is_new")
OUTCOMES = (Outcome.APPLIED, Outcome.SUPERSEDED, Outcome.DUPLICATE, Outcome.REJECTED, Outcome.PUT_ASIDE)
"""An outcome is stored in `arrivals` as its place in this list."""

EARLIEST = date(2000, 1, 1)
CellRow = tuple[str, str, date, str, date, int, int]
"""Authority, measure, period, category, known_on, delta and version."""


@dataclass(frozen=True, slots=True)
class Shard:
    """The state of one authority's records."""

    authority: str
    generation: int
    version: int
    reached: dict[Topic, date] = field(compare=False)
    """The day up to which each of its topics was read."""
    heard_at: datetime | None
    """When the last event that was accepted reached the log."""
    counted_by: str
    """The version of the rules and calendar by which its cells were counted; empty before the first count."""

    @property
    def known_on(self) -> date:
        """Return the last day on which anything about the shard became known."""
        return max(self.reached.values(), default=EARLIEST)

    def next_commit(self, **changes: Any) -> Self:
        """Return the shard after one more commit, with its other changes."""
        return replace(self, version=self.version + 1, **changes)

    def after(self, arrived: Sequence[Arrival], **changes: Any) -> Self:
        """Return the shard after a commit of these arrivals, with its other changes."""
        taken = [a.message.timestamp for a in arrived if isinstance(a.content, Event)]
        heard_at = max(filter(None, [at(max(taken)) if taken else None, self.heard_at]), default=None)
        days = {arrival.topic: arrival.day for arrival in arrived}
        # A day ahead of all clocks stays, since there are cells on it. What comes later counts before it, until a rebuild.
        reached = {topic: max(day, self.reached.get(topic, day)) for topic, day in days.items()}
        return self.next_commit(reached=self.reached | reached, heard_at=heard_at, **changes)


def load_shards(connection: Connection, authorities: Iterable[str]) -> dict[str, Shard]:
    """Return the shards of these authorities, making those that are missing."""
    wanted = sorted(set(authorities))
    connection.execute(
        text(
            "INSERT INTO shards (authority, generation, version, reached, counted_by) "
            "SELECT unnest(CAST(:codes AS text[])), 1, 0, '{}', '' ON CONFLICT DO NOTHING"
        ),
        {"codes": wanted},
    )
    found = connection.execute(select(shards).where(shards.c.authority.in_(wanted)))
    return {
        r.authority: Shard(r.authority, r.generation, r.version, _reached(r.reached), r.heard_at, r.counted_by)
        for r in found
    }


def _reached(stored: Mapping[str, str]) -> dict[Topic, date]:
    return {Topic(topic): date.fromisoformat(day) for topic, day in stored.items()}


STAND_STILL_SECONDS = 5.0
"""A worker that pauses longer than this between two statements of a commit loses the commit to its successor."""
LOCK_SECONDS = 10.0
"""How long a commit waits for somebody else's."""


def hurry(connection: Connection) -> None:
    """Limit waits from here on. Call it before the first write for which others wait, when all slow work is done."""
    database.hurry(connection, stand_still=STAND_STILL_SECONDS, wait=LOCK_SECONDS)


class Needed(NamedTuple):
    """A record that arrivals may change."""

    authority: str
    subject: str
    marked: str = ""
    """If this topic stated too many facts of it, no more than that is needed, since all that arrived will be refused."""


_LOAD = text(
    "SELECT r.authority, r.subject, CASE WHEN r.standing -> 'overfull' ? w.marked THEN NULL ELSE CAST(r.facts AS text) END AS facts, "
    "w.marked FROM records r JOIN unnest(CAST(:authorities AS text[]), CAST(:subjects AS text[]), CAST(:marked AS text[])) "
    "AS w (authority, subject, marked) USING (authority, subject)"
)


_FACTS = text(
    "SELECT r.authority, r.subject, CASE WHEN r.standing -> 'overfull' ? w.marked THEN 0 ELSE CAST(r.standing ->> 'facts' AS int) END "
    "AS facts FROM records r JOIN unnest(CAST(:authorities AS text[]), CAST(:subjects AS text[]), CAST(:marked AS text[])) "
    "AS w (authority, subject, marked) USING (authority, subject) WHERE r.standing ? 'facts'"
)


def numbers_of_facts(connection: Connection, wanted: Sequence[Needed]) -> dict[tuple[str, str], int]:
    """Return how many facts would be loaded of each of these records that is large, by (authority, subject)."""
    if not wanted:
        return {}
    rows = connection.execute(_FACTS, _named(wanted))
    return {(row.authority, row.subject): row.facts for row in rows}


def load_records(connection: Connection, wanted: Sequence[Needed]) -> dict[tuple[str, str], Record]:
    """Load records by (authority, subject). Records that are missing, which are empty, are left out."""
    if not wanted:
        return {}
    rows = connection.execute(_LOAD, _named(wanted))
    return {
        (row.authority, row.subject): marked_only(Topic(row.marked)) if row.facts is None else load(row.facts.encode())
        for row in rows
    }


def _named(wanted: Sequence[Needed]) -> dict[str, list[str]]:
    authorities, subjects, marked = map(list, zip(*wanted, strict=True))
    return {"authorities": authorities, "subjects": subjects, "marked": marked}


def bump(connection: Connection, afters: Sequence[Shard]) -> None:
    """Count a commit of each shard; `afters` come from `next_commit`.

    Raises Fenced if another worker committed, to this topic or the other.
    """
    moved = connection.execute(
        text(
            "UPDATE shards s SET version = a.version, reached = a.reached, heard_at = a.heard_at, "
            "counted_by = a.counted_by FROM unnest(CAST(:authorities AS text[]), CAST(:generations AS int[]), "
            "CAST(:versions AS bigint[]), CAST(CAST(:reached AS text[]) AS jsonb[]), CAST(:heard_ats AS timestamptz[]), "
            "CAST(:counted_bys AS text[])) AS a (authority, generation, version, reached, heard_at, counted_by) "
            "WHERE s.authority = a.authority AND s.generation = a.generation AND s.version = a.version - 1"
        ),
        {
            "authorities": [after.authority for after in afters],
            "generations": [after.generation for after in afters],
            "versions": [after.version for after in afters],
            "reached": [json.encode(after.reached).decode() for after in afters],
            "heard_ats": [after.heard_at for after in afters],
            "counted_bys": [after.counted_by for after in afters],
        },
    )
    if moved.rowcount != len(afters):
        raise Fenced(
            f"{len(afters) - moved.rowcount} of {len(afters)} authorities are not at the version this worker knows"
        )


Write = Callable[[], object]
"""The rest of a write whose rows are staged. Others wait from the first one on."""


def stage(
    connection: Connection, domain: Domain, changes: Mapping[Shard, Folded], people: Mapping[str, Stays]
) -> list[Write]:
    """Stage the changes of a batch, for all its shards at once, with shards as they are after this commit."""
    stays = [(code, *stay, orders) for code, found in people.items() for stay, orders in found.items()]
    rationed = _rationed(connection, changes)
    return [
        *_stage_records(connection, changes),
        *_stage_people(connection, stays),
        *_stage_cells(connection, changes),
        *_stage_arrivals(connection, changes, rationed),
        *_stage_refusals(connection, domain, changes, rationed),
        partial(_close_rejections, connection, changes),
    ]


def _rationed(connection: Connection, changes: Mapping[Shard, Folded]) -> Rationed:
    """Return the decision about refused events."""
    return rationing.ration(
        connection, [(shard.authority, s) for shard, folded in changes.items() for s in folded.refused]
    )


def _stage_refusals(
    connection: Connection, domain: Domain, changes: Mapping[Shard, Folded], rationed: Rationed
) -> Iterator[Write]:
    yield from _stage_rejections(connection, domain, changes, rationed)
    yield from rationing.stage(connection, rationed)
    yield from news.stage(connection, changes, rationed.counted)


def append(connection: Connection, domain: Domain, shard: Shard, folded: Folded, refused: set[str]) -> None:
    """Write the changes of one authority, apart from its records and people, into tables of which nobody else reads or writes its rows,
    and which have nothing of these days or later. `refused` has the ids of its refused events, and is added to.
    """
    changes = {shard: folded}
    rationed = _rationed(connection, changes)
    database.copy_rows(connection, cells, _CELL, _cell_rows(shard, folded))
    database.copy_rows(connection, arrivals, _ARRIVAL, _arrival_rows(changes, rationed))
    for write in list(_stage_refusals(connection, domain, changes, rationed)):
        write()
    refused.update(arrival.content.id for _, (arrival, _) in _kept(changes, rationed) if arrival.content.id)
    _close(connection, [one for one in _accepted(changes) if one[1] in refused] if refused else [])


def append_records(connection: Connection, rows: Iterable[tuple[Any, ...]]) -> None:
    """Write new records, made by `record_row`."""
    database.copy_rows(connection, records, _RECORD, rows)


def append_people(connection: Connection, authority: str, people: Iterable[Stays]) -> None:
    """Write the orders of people of whom there is nothing yet."""
    rows = ((authority, *stay, orders) for stays in people for stay, orders in stays.items() if orders)
    database.copy_rows(connection, persons, (*_PERSON_KEY, "orders"), rows)


_RECORD = ("authority", "subject", "facts", *Summary._fields)
_CELL = ("authority", "measure", "period", "category", "known_on", "delta", "version")
_ARRIVAL = ("authority", "offset", "outcome", "event_id", "subject", "arrived_at")


def record_row(authority: str, subject: str, held: Counted) -> tuple[Any, ...]:
    """Return a record as it is stored."""
    return authority, subject, dump(held.record), *summary(held)


def _stage_records(connection: Connection, changes: Mapping[Shard, Folded]) -> Iterator[Write]:
    rows = [
        record_row(shard.authority, subject, held)
        for shard, folded in changes.items()
        for subject, held in folded.records.items()
    ]
    if rows:
        yield partial(database.stage(connection, records, _RECORD, rows).merge, key=("authority", "subject"))


def stage_cells(connection: Connection, rows: Sequence[CellRow]) -> Iterator[Write]:
    """Add to cells, each as it became known on a day."""
    if rows:
        yield partial(database.stage(connection, cells, _CELL, rows).merge, key=_CELL[:5], add=("delta",))


def _cell_rows(shard: Shard, folded: Folded) -> Iterator[CellRow]:
    for day, deltas in folded.cells.items():
        for cell, delta in deltas.items():
            if delta:
                yield (shard.authority, *cell, day, delta, shard.version)


def _stage_cells(connection: Connection, changes: Mapping[Shard, Folded]) -> Iterator[Write]:
    yield from stage_cells(connection, [row for shard, folded in changes.items() for row in _cell_rows(shard, folded)])
    for shard, folded in changes.items():
        if late := folded.late_cells():
            yield partial(_renew_later, connection, shard, late)


_LATER = text(
    "UPDATE cells c SET version = :version FROM unnest(CAST(:measures AS text[]), CAST(:periods AS date[]), "
    "CAST(:categories AS text[]), CAST(:days AS date[])) AS l (measure, period, category, day) "
    "WHERE c.authority = :authority AND c.measure = l.measure AND c.period = l.period AND c.category = l.category "
    "AND c.known_on > l.day AND c.version < :version"
)


def _renew_later(connection: Connection, shard: Shard, late: Sequence[tuple[str, date, str, date]]) -> None:
    """Mark later days of these cells for publishing again, since a delta before them changes their values too."""
    measures, periods, categories, days = map(list, zip(*late, strict=True))
    names = {"measures": measures, "periods": periods, "categories": categories, "days": days}
    connection.execute(_LATER, {"authority": shard.authority, "version": shard.version, **names})


_STAYS = text(
    "SELECT w.person, s.number FROM unnest(CAST(:people AS text[])) AS w (person) CROSS JOIN LATERAL (SELECT count(*) AS number FROM "
    "(SELECT FROM persons WHERE authority = :authority AND person_ref = w.person AND orders > 0 LIMIT :most) p) s"
)
PEOPLE_AT_ONCE = 1_000
"""People whose orders are counted in one statement."""


def numbers_of_stays(connection: Connection, authority: str, people: Sequence[str]) -> dict[str, int]:
    """Return how many orders would be read of each person, up to those with whom a turn is full."""
    found: dict[str, int] = {}
    for begin in range(0, len(people), PEOPLE_AT_ONCE):
        some = {"authority": authority, "people": list(people[begin : begin + PEOPLE_AT_ONCE]), "most": MOST_STAYS + 1}
        found |= {row.person: row.number for row in connection.execute(_STAYS, some)}
        if fill_a_turn(found.values()):
            break
    return found


_PEOPLE = text(
    "SELECT p.* FROM (SELECT a, p, :most + count(*) AS most "
    "FROM unnest(CAST(:a AS text[]), CAST(:p AS text[])) AS w (a, p) GROUP BY a, p) w "
    "CROSS JOIN LATERAL (SELECT * FROM persons WHERE authority = w.a AND person_ref = w.p AND orders > 0 LIMIT w.most) p "
    "UNION SELECT p.* FROM persons p JOIN unnest(CAST(:a AS text[]), CAST(:p AS text[]), CAST(:b AS date[]), CAST(:e AS date[]), "
    "CAST(:n AS boolean[])) AS t (authority, person_ref, begun, ended, is_new) USING (authority, person_ref, begun, ended, is_new) "
    "WHERE p.orders > 0"
)


def load_people(connection: Connection, changing: Sequence[tuple[str, Stay]]) -> dict[str, dict[str, Stays]]:
    """Load the orders of the people whose stays change, by authority and person: as many as `plan` needs."""
    known: dict[str, dict[str, Stays]] = {}
    for authority, stay in changing:
        known.setdefault(authority, {})[stay.person] = Stays()
    if changing:
        codes, stays = zip(*changing, strict=True)
        people, begun, ended, new = map(list, zip(*stays, strict=True))
        named = {"a": list(codes), "p": people, "b": begun, "e": ended, "n": new, "most": MOST_STAYS + 1}
        for row in connection.execute(_PEOPLE, named):
            stay = Stay(row.person_ref, row.begun, row.ended, row.is_new)
            known[row.authority][row.person_ref][stay] = row.orders
    return known


def replace_people(connection: Connection, authority: str, stays: Stays) -> Iterator[Write]:
    """Replace the orders of all people of an authority."""
    yield partial(connection.execute, persons.delete().where(persons.c.authority == authority))
    yield from _stage_people(connection, [(authority, *stay, orders) for stay, orders in stays.items()])


def _stage_people(connection: Connection, rows: Sequence[tuple[Any, ...]]) -> Iterator[Write]:
    """Stage the orders of people. One that no longer exists stays as a row with the number 0."""
    if rows:
        yield partial(database.stage(connection, persons, (*_PERSON_KEY, "orders"), rows).merge, key=_PERSON_KEY)


def _stage_arrivals(connection: Connection, changes: Mapping[Shard, Folded], rationed: Rationed) -> Iterator[Write]:
    if rows := list(_arrival_rows(changes, rationed)):
        yield database.stage(connection, arrivals, _ARRIVAL, rows).append


def _arrival_rows(changes: Mapping[Shard, Folded], rationed: Rationed) -> Iterator[tuple[Any, ...]]:
    for shard, folded in changes.items():
        authority = shard.authority
        for (_, message, _, content), outcome in folded.settled:
            if isinstance(content, Event):
                subject: str | None = content.subject
            elif (authority, message.offset) in rationed.counted:
                continue
            else:
                subject = None
            yield authority, message.offset, OUTCOMES.index(outcome), content.id, subject, at(message.timestamp)


def _kept(changes: Mapping[Shard, Folded], rationed: Rationed) -> Iterator[tuple[str, Settled]]:
    """Yield the refused events that are kept, each with its authority."""
    for shard, folded in changes.items():
        for one in folded.refused:
            if (shard.authority, one.arrival.message.offset) not in rationed.counted:
                yield shard.authority, one


def _stage_rejections(
    connection: Connection, domain: Domain, changes: Mapping[Shard, Folded], rationed: Rationed
) -> Iterator[Write]:
    rows = []
    for authority, (arrival, _) in _kept(changes, rationed):
        content, message = arrival.content, arrival.message
        assert not isinstance(content, Event)
        refusal = (content.id, str(content.reason), content.path, content.message)
        place = (f"{domain.own}.{authority}", 0, message.offset, authority)
        rows.append(
            (
                *place,
                *refusal,
                rationing.kept(message.key),
                rationing.kept(message.value),
                at(message.timestamp),
                system_in(message.value, authority),
            )
        )
    if rows:
        place_columns = ("topic", "partition", "offset", "authority")
        refusal_columns = ("event_id", "reason", "path", "message")
        columns = (*place_columns, *refusal_columns, "key", "value", "arrived_at", "system")
        yield database.stage(connection, rejections, columns, rows).append


_CLOSE = text(
    "WITH came AS (SELECT * FROM unnest(CAST(:authorities AS text[]), CAST(:ids AS text[]), CAST(:systems AS text[]), "
    'CAST(:offsets AS bigint[])) AS a (authority, id, system, "offset")), '
    'line AS (SELECT r.authority, r.event_id AS id, r.system, r."offset", r.topic, r.partition, CAST(NULL AS bigint) AS taken '
    "FROM (SELECT DISTINCT authority, id FROM came) a JOIN rejections r ON r.authority = a.authority AND r.event_id = a.id "
    'WHERE r.mended_by IS NULL UNION ALL SELECT authority, id, system, "offset", NULL, NULL, "offset" FROM came), '
    'next AS (SELECT *, min(taken) OVER (PARTITION BY authority, id, system ORDER BY "offset" DESC) AS of_its_system, '
    'min(taken) OVER (PARTITION BY authority, id ORDER BY "offset" DESC) AS of_any FROM line), '
    'mending AS (SELECT topic, partition, "offset", CASE WHEN system IS NULL THEN of_any ELSE of_its_system END AS by '
    "FROM next WHERE topic IS NOT NULL), "
    "closed AS (UPDATE rejections r SET mended_by = m.by FROM mending m WHERE m.by IS NOT NULL AND "
    '(r.topic, r.partition, r."offset") = (m.topic, m.partition, m."offset") RETURNING r.authority, r.event_id, r."offset") '
    'INSERT INTO changes (authority, version, number, kind, event_id, "offset") '
    'SELECT c.authority, s.version, :first + row_number() OVER (PARTITION BY c.authority ORDER BY c."offset"), :kind, '
    'c.event_id, c."offset" FROM closed c JOIN shards s USING (authority)'
)
"""The first accepted event after a refusal closes it, wherever batches end. Refusals and events are laid in one line and gone through once:
a sender decides how many of both have the same id.
"""


_Accepted = tuple[str, str, str, int]
"""Authority, id, system and offset of an event that was accepted."""


def _accepted(changes: Mapping[Shard, Folded]) -> list[_Accepted]:
    return [
        (shard.authority, arrival.content.id, arrival.content.system or "", arrival.message.offset)
        for shard, folded in changes.items()
        for arrival, _ in folded.settled
        if isinstance(arrival.content, Event)
    ]


def _close_rejections(connection: Connection, changes: Mapping[Shard, Folded]) -> None:
    """Close refusals for which the event came again, corrected: the same source and id, and accepted."""
    _close(connection, _that_may_close(connection, changes))


def _close(connection: Connection, closing: Sequence[_Accepted]) -> None:
    if closing:
        authorities, ids, systems, offsets = map(list, zip(*closing, strict=True))
        names = {"authorities": authorities, "ids": ids, "systems": systems, "offsets": offsets}
        connection.execute(_CLOSE, names | {"first": news.MENDED_FROM, "kind": News.MENDED})


def _that_may_close(connection: Connection, changes: Mapping[Shard, Folded]) -> Sequence[_Accepted]:
    """Return the events of many that have the id of an open refusal. To ask which are open takes less time, unless that is more."""
    number = sum(len(folded.settled) - len(folded.refused) for folded in changes.values())
    if number <= database.FEW:
        return _accepted(changes)
    is_open = rejections.c.mended_by.is_(None) & rejections.c.event_id.is_not(None)
    of_these = rejections.c.authority.in_([shard.authority for shard in changes])
    query = select(rejections.c.authority, rejections.c.event_id).where(is_open, of_these).limit(number)
    found = [(row.authority, row.event_id) for row in connection.execute(query)]
    accepted = _accepted(changes) if found else []
    if len(found) == number:
        return accepted
    ids = set(found)
    return [one for one in accepted if one[:2] in ids]


def at(timestamp: int) -> datetime:
    """Return a Kafka timestamp in milliseconds as a time."""
    return datetime.fromtimestamp(timestamp / 1000, UTC)
