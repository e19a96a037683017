"""Counts what became of the events that were accepted, from the authority's records: it needs no cell, and reads every record."""

from typing import Any, NamedTuple, Self

from pydantic import Field
from sqlalchemy import Connection, Engine, func, select, text

from contracts.events import AUTHORITY_SUBJECT, FACTS, WHOLE_ORDER, Topic
from services.chassis.database import transaction
from services.chassis.schema import Schema
from services.records.ingest.store import OUTCOMES
from services.records.ingest.tables import arrivals, cells
from services.records.model.record import WITHDRAWN, Outcome


class FactsOfKind(Schema, description="Facts that one kind of event stated."):
    event: str = Field(examples=["session.recorded"])
    counting: int = Field(description="Facts that count now: compare them with the rows of your own system.")
    withdrawn: int = Field(description="Facts that were taken back.")


class HeldFacts(
    Schema,
    description="What the accepted events of the service's own topic say now. `accepted` is the sum of the five numbers after it.",
):
    accepted: int = Field(description="Accepted when they came, and not too late to matter: the outcome `applied`.")
    counting: int = Field(description="State a fact that counts now.")
    withdrawals: int = Field(description="Take back a fact or a whole order, and still do.")
    of_withdrawn_orders: int = Field(
        description="State a fact of an order that was withdrawn as a whole, or of which too many facts were sent: it counts nothing."
    )
    about_itself: int = Field(
        description="Signs of life, and totals of months: they are about no order. Counted for as long as receipts are kept."
    )
    replaced: int = Field(
        description="A later event about the same fact took their place: a correction, a withdrawal, or the same once more."
    )
    kinds: list[FactsOfKind] = Field(description="By kind of event, those that occur.")


_FACTS = text(
    "SELECT split_part(f.key, '/', 1) AS name, count(*) FILTER (WHERE f.value ->> 2 = :withdrawn) AS withdrawn, "
    "count(*) FILTER (WHERE f.value ->> 2 <> :withdrawn AND o.whole) AS void, "
    "count(*) FILTER (WHERE f.value ->> 2 <> :withdrawn AND NOT o.whole) AS counting "
    "FROM records r CROSS JOIN LATERAL "
    "(SELECT coalesce(r.standing @> '{\"withdrawn\": true}' OR r.standing ? 'overfull', false) AS whole) o "
    "CROSS JOIN json_each(r.facts) f WHERE r.authority = :authority AND r.subject <> :itself GROUP BY 1"
)


class _Facts(NamedTuple):
    """Facts of one kind."""

    withdrawn: int = 0
    void: int = 0
    counting: int = 0

    def plus(self, other: Self) -> "_Facts":
        return _Facts(*(mine + its for mine, its in zip(self, other, strict=True)))


def held_facts_of(database: Engine, authority: str, kind: Topic) -> HeldFacts:
    """Return what the events of one topic say now. All of it is read as of one moment."""
    with transaction(database.execution_options(isolation_level="REPEATABLE READ")) as connection:
        accepted, itself = _accepted(connection, authority), _about_itself(connection, authority, kind)
        found = _facts(connection, authority, kind)
    total = _Facts()
    for one in found.values():
        total = total.plus(one)
    names = {fact.KEY: fact.NAME for fact in FACTS.values()}
    return HeldFacts(
        accepted=accepted,
        counting=total.counting,
        withdrawals=total.withdrawn,
        of_withdrawn_orders=total.void,
        about_itself=itself,
        replaced=accepted - itself - sum(total),
        kinds=[
            FactsOfKind(event=names[name], counting=one.counting, withdrawn=one.withdrawn)
            for name, one in found.items()
            if name != WHOLE_ORDER and one.counting + one.withdrawn
        ],
    )


def _accepted(connection: Connection, authority: str) -> int:
    query = select(func.coalesce(func.sum(cells.c.delta), 0)).where(
        cells.c.authority == authority,
        cells.c.measure == "events",
        cells.c.category == f"outcome={Outcome.APPLIED}",
    )
    return int(connection.scalar(query) or 0)


def _about_itself(connection: Connection, authority: str, kind: Topic) -> int:
    if not any(fact.ABOUT_AUTHORITY and kind in fact.TOPICS for fact in FACTS.values()):
        return 0
    applied = arrivals.c.outcome == OUTCOMES.index(Outcome.APPLIED)
    mine = arrivals.c.authority == authority, arrivals.c.subject == AUTHORITY_SUBJECT, applied
    return connection.scalar(select(func.count()).where(*mine)) or 0


def _facts(connection: Connection, authority: str, kind: Topic) -> dict[str, _Facts]:
    """Return the facts that events of one topic stated, by the name of their keys, in the order of the contract."""
    asked: dict[str, Any] = {"authority": authority, "itself": AUTHORITY_SUBJECT, "withdrawn": WITHDRAWN}
    rows = {name: _Facts(*numbers) for name, *numbers in connection.execute(_FACTS, asked)}
    names = [fact.KEY for fact in FACTS.values() if fact.KEY and kind in fact.TOPICS]
    wanted = [*names, WHOLE_ORDER] if kind is Topic.ORDERS else names
    return {name: rows[name] for name in wanted if name in rows}
