"""Counts of duties that fall due on each day, for calendar programs, which cannot sign in: a secret address shows counts only.

The database keeps only the hash of a secret, so nobody can read it there. Once a manager removes it, the address shows nothing.
"""

from collections import Counter
from datetime import date
from hashlib import sha256
from typing import Annotated

from fastapi import APIRouter, Header
from pydantic import Field

from services.chassis.api.http import Written
from services.chassis.api.problems import Problem, documented
from services.chassis.database import reading, transaction
from services.chassis.guarding.walls import Sight, seeing
from services.chassis.schema import Schema
from services.records.api import listing
from services.records.api.decisions import acknowledging
from services.records.api.management import Management, horizon
from services.records.ingest import notes
from services.records.model.standards import TITLES

AHEAD = 20
"""Working days that a feed looks ahead."""
MOST = 100_000


class DuesOfDay(Schema, description="How many duties of one standard fall due on a day."):
    day: date
    title: str
    number: int


class Dues(Schema, description="What a calendar may show: counts, but no orders."):
    today: date
    overdue: int = Field(description="Missed and not acknowledged.")
    days: list[DuesOfDay]


def hash_of(secret: str) -> str:
    """Return the hash under which a secret is kept."""
    return sha256(secret.encode()).hexdigest()


def router(management: Management) -> APIRouter:
    """Return the routes by which managers make and remove feeds, and the route that a calendar program reads."""
    routes = APIRouter(prefix="/v1", tags=["feeds"], route_class=Written)
    at_once = reading(management.database)

    @routes.get(
        "/feed",
        summary="How many duties fall due on each day, by the secret of a feed",
        responses=documented(404),
        openapi_extra={"security": [{}]},
    )
    def get_feed(payback_feed: Annotated[str, Header(min_length=32, max_length=128)]) -> Dues:
        with transaction(at_once) as connection:
            authority = notes.holder_of_feed(connection, hash_of(payback_feed))
        if authority is None:
            raise Problem(404, "There is no such feed, or it was closed")
        with seeing(Sight(authority)):
            return _dues(management, authority)

    return routes


def _dues(management: Management, authority: str) -> Dues:
    now = management.now(authority)
    with transaction(reading(management.database)) as connection:
        left_out = frozenset(acknowledging.acknowledged(connection, authority))
        dues = listing.worklist(connection, authority, horizon(now, AHEAD, left_out), None, MOST)
    number = Counter((due.due_on, TITLES[due.standard]) for due in dues if due.due_on >= now.day)
    days = [DuesOfDay(day=day, title=title, number=count) for (day, title), count in sorted(number.items())]
    return Dues(today=now.day, overdue=sum(due.due_on < now.day for due in dues), days=days)
