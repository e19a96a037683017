"""Changes of an authority's refusals and findings, in order, for programs that follow them."""

import re
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from services.chassis.api.auth import OwnAuthority
from services.chassis.api.http import Written
from services.chassis.api.problems import Problem, documented
from services.chassis.database import reading, transaction
from services.chassis.schema import Schema
from services.records.api.management import Limit, Management
from services.records.webhooks.feed import Feed, Place, Told, generation_of

_CURSOR = re.compile(r"\d{1,9}\.\d{1,18}\.\d{1,9}")


class Following(Schema, description="One page of changes."):
    changes: list[Told]
    next: str = Field(description="Where to go on. Always present.")


def router(management: Management) -> APIRouter:
    """Return the route that a program follows."""
    routes = APIRouter(prefix="/v1", tags=["receipts"], route_class=Written)
    at_once, feed = reading(management.database), Feed(management.findings.rules)

    @routes.get(
        "/changes",
        summary="Refusals and findings about orders, as they appear and are settled, the earliest first",
        responses=documented(422),
    )
    def get_changes(
        authority: OwnAuthority,
        after: Annotated[
            str,
            Query(
                max_length=40,
                description="`next` of the page before; empty for the beginning. After a rebuild of the platform, it begins anew.",
            ),
        ] = "",
        limit: Limit = 100,
    ) -> Following:
        with transaction(at_once) as connection:
            begin = place_of(after, generation_of(connection, authority))
            told = feed.piece(connection, authority, begin, limit)
        return Following(changes=told, next=told[-1].cursor if told else str(begin))

    return routes


def place_of(after: str, generation: int) -> Place:
    """Return the place from which a page of changes continues. Raises Problem 422 for a cursor that no page gave."""
    if not after:
        return Place(generation)
    if not _CURSOR.fullmatch(after):
        raise Problem(422, "`after` must be the `next` of an earlier answer")
    return Place.of(after).in_generation(generation)
