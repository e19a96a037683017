"""Duties that fall due on each day, for calendar programs, which cannot sign in: a secret address shows counts, and orders only where the
authority allows it.

The database keeps only the hash of a secret, so nobody can read it there. Once a manager removes it, the address shows nothing. Each answer
that names orders is in the audit before it is sent.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from hashlib import sha256
from math import ceil
from typing import Annotated

from fastapi import APIRouter, Header, Request
from pydantic import Field
from sqlalchemy import Connection

from services.chassis.api.http import Written
from services.chassis.api.problems import Problem, documented
from services.chassis.audit import watching
from services.chassis.database import reading, transaction
from services.chassis.guarding.budgets import Budgets, Spent
from services.chassis.guarding.walls import Sight, seeing
from services.chassis.schema import Schema
from services.records.api import listing
from services.records.api.decisions import acknowledging
from services.records.api.duties.due import Due
from services.records.api.management import Management, horizon
from services.records.api.order_schemas import Today
from services.records.ingest import notes
from services.records.model.standards import TITLES

AHEAD = 20
"""Working days that a feed looks ahead."""
MOST = 100_000
MOST_NAMED = 2_000
"""Most duties whose orders one answer names. The counts hold all."""
READS_PER_MINUTE = 10
"""How often one address that names orders is answered, since each answer goes into the audit."""


class DuesOfDay(Schema, description="How many duties of one standard fall due on a day."):
    day: date
    title: str
    number: int


class DueOrder(Schema, description="An order that has something due on a day. Nothing else is said of it."):
    day: date
    title: str
    subject: str = Field(description="The authority's own reference.")


class Dues(Schema, description="What a calendar may show."):
    today: date
    overdue: int = Field(description="Missed and not acknowledged.")
    days: list[DuesOfDay]
    orders: list[DueOrder] | None = Field(
        None,
        description=f"The first {MOST_NAMED:,} of these duties, each with its order; null if the address shows counts only.",
    )


def hash_of(secret: str) -> str:
    """Return the hash under which a secret is kept."""
    return sha256(secret.encode()).hexdigest()


def name_in_audit(key: str) -> str:
    """Return what the audit calls a feed."""
    return f"calendar {key[:8]}"


def router(management: Management) -> APIRouter:
    """Return the route that a calendar program reads."""
    routes = APIRouter(prefix="/v1", tags=["feeds"], route_class=Written)
    at_once = reading(management.database)

    @routes.get(
        "/feed",
        summary="What falls due on each day, by the secret of a feed",
        responses=documented(404, 429),
        openapi_extra={"security": [{}]},
    )
    def get_feed(request: Request, payback_feed: Annotated[str, Header(min_length=32, max_length=128)]) -> Dues:
        key = hash_of(payback_feed)
        with transaction(at_once) as connection:
            authority = notes.holder_of_feed(connection, key)
        if authority is None:
            raise Problem(404, "There is no such feed, or it was closed")
        with seeing(Sight(authority)):
            now = management.now(authority)
            with transaction(at_once) as connection:
                dues = _due(connection, authority, now)
                if not notes.feed_names_orders(connection, authority, key):
                    return _counted(now, dues)
            _take_turn(request.app.state.budgets, key)
            return _named(management, authority, key, now, dues)

    return routes


def _due(connection: Connection, authority: str, now: Today) -> list[Due]:
    left_out = frozenset(acknowledging.acknowledged(connection, authority))
    return listing.worklist(connection, authority, horizon(now, AHEAD, left_out), None, MOST)


def _shown(now: Today, dues: Iterable[Due]) -> Iterator[tuple[date, str, str]]:
    """Yield the day, the title and the order of each duty that is not missed."""
    for due in dues:
        if due.due_on >= now.day:
            by, title = due.next_day(now.day), TITLES[due.standard]
            yield by, title if by == due.due_on else f"{title} (our own target)", due.subject


def _counted(now: Today, dues: Sequence[Due]) -> Dues:
    number = Counter((day, title) for day, title, _ in _shown(now, dues))
    days = [DuesOfDay(day=day, title=title, number=count) for (day, title), count in sorted(number.items())]
    return Dues(today=now.day, overdue=sum(due.due_on < now.day for due in dues), days=days)


def _take_turn(budgets: Budgets, key: str) -> None:
    """Count this answer. Raises Problem 429 beyond what one address may have in a minute."""
    if budgets.take(name_in_audit(key), Spent(1)).requests > READS_PER_MINUTE:
        wait = {"Retry-After": f"{ceil(budgets.seconds_left())}"}
        raise Problem(429, f"This calendar is read more than {READS_PER_MINUTE} times in a minute", headers=wait)


def _named(management: Management, authority: str, key: str, now: Today, dues: Sequence[Due]) -> Dues:
    """Return the counts with the orders, once the audit has them. Whether it may name them is asked again in that same transaction."""
    found = sorted(_shown(now, dues))[:MOST_NAMED]
    with transaction(management.database) as connection:
        if not notes.feed_names_orders(connection, authority, key):
            return _counted(now, dues)
        references = list(dict.fromkeys(subject for *_, subject in found))
        watching.look_without_token(connection, management.clock(), authority, name_in_audit(key), references)
    orders = [DueOrder(day=day, title=title, subject=subject) for day, title, subject in found]
    return _counted(now, dues).model_copy(update={"orders": orders})
