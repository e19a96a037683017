"""What changed of an authority's refusals and findings, in its order, for programs that follow it."""

import re
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from sqlalchemy import Connection, Row, select, tuple_

from contracts.rejections import Reason
from services.chassis.api.auth import OwnAuthority
from services.chassis.api.http import Written
from services.chassis.api.problems import Problem, documented
from services.chassis.database import reading, transaction
from services.records.api.management import Desk, Limit
from services.records.ingest.news import News
from services.records.ingest.tables import changes, shards
from services.records.model.record import Outcome

_CURSOR = re.compile(r"(\d{1,9})\.(\d{1,18})\.(\d{1,9})")
_PUT_ASIDE = "Nothing: the fault is the platform's. It is sent through again once that is mended."


class Told(BaseModel):
    """One thing that changed."""

    cursor: str
    kind: News
    at: datetime
    subject: str | None = Field(description="The order that came to break a rule, or breaks it no longer.")
    rule: str | None = Field(description="The rule, or the reason of a refusal.")
    remedy: str | None = Field(description="How to put it right.")
    event: str | None = Field(description="The id of the refused event, where it could be read.")
    offset: int | None = Field(description="Where the refused event stands in its topic.")


class Following(BaseModel):
    """A piece of what changed."""

    changes: list[Told]
    next: str = Field(description="Where to go on. It is always there.")


def router(desk: Desk) -> APIRouter:
    """The route."""
    routes = APIRouter(prefix="/v1", tags=["mirror"], route_class=Written)
    at_once = reading(desk.database)
    remedies = {rule.code: rule.remedy for rule in desk.rules}

    @routes.get(
        "/changes",
        summary="Refusals and findings about orders as they come and go, the earliest first",
        responses=documented(422),
    )
    def get_changes(
        authority: OwnAuthority,
        after: Annotated[
            str,
            Query(
                max_length=40,
                description="`next` of the piece before; empty for the beginning. After the platform was rebuilt, it begins anew.",
            ),
        ] = "",
        limit: Limit = 100,
    ) -> Following:
        with transaction(at_once) as connection:
            generation = connection.scalar(select(shards.c.generation).where(shards.c.authority == authority)) or 1
            begin = _place(after, generation)
            rows = _rows(connection, authority, begin, limit)
        told = [_told(row, generation, remedies) for row in rows]
        return Following(changes=told, next=told[-1].cursor if told else ".".join(map(str, (generation, *begin))))

    return routes


def _place(after: str, generation: int) -> tuple[int, int]:
    """Behind which commit and number to go on. Raises Problem 422 for what no piece gave."""
    if not after:
        return 0, 0
    found = _CURSOR.fullmatch(after)
    if found is None:
        raise Problem(422, "`after` is not the `next` of a piece")
    of, version, number = map(int, found.groups())
    return (version, number) if of == generation else (0, 0)


def _rows(connection: Connection, authority: str, begin: tuple[int, int], limit: int) -> list[Row[Any]]:
    place = tuple_(changes.c.version, changes.c.number)
    query = select(changes).where(changes.c.authority == authority, place > tuple_(*begin))
    return list(connection.execute(query.order_by(changes.c.version, changes.c.number).limit(limit)))


def _told(row: Row[Any], generation: int, remedies: dict[str, str]) -> Told:
    return Told(
        cursor=f"{generation}.{row.version}.{row.number}",
        kind=row.kind,
        at=row.at,
        subject=row.subject,
        rule=row.rule,
        remedy=_remedy(row, remedies),
        event=row.event_id,
        offset=row.offset,
    )


def _remedy(row: Row[Any], remedies: dict[str, str]) -> str | None:
    match row.kind:
        case News.FOUND:
            return remedies.get(row.rule)
        case News.REFUSED:
            return _PUT_ASIDE if row.rule == Outcome.PUT_ASIDE else Reason.of(row.rule).remedy
        case _:
            return None
