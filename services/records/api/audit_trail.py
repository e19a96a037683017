"""Shows an authority who viewed its orders, and what was done about them."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, Field
from sqlalchemy import Engine

from services.chassis.api.http import Written
from services.chassis.audit import store, watching
from services.chassis.audit.model import Kept, Kind, Purpose
from services.chassis.audit.store import Question
from services.chassis.database import transaction
from services.chassis.schema import Schema
from services.records.api.management import Deciding
from services.records.api.paging import Word
from services.records.api.receipts.outcomes import LAST_OFFSET


class AuditEntry(Schema, description="Somebody saw or did something."):
    number: int
    at: datetime
    who: str
    of: str = Field(description="Code of the authority that they belong to; empty for national viewers and operators.")
    role: str
    purpose: Purpose = Field(description="As they said in the header `Payback-Purpose`.")
    kind: Kind
    what: str = Field(description="The route or command.")
    count: int | None = Field(description="How many orders or refused events; none where it is not known.")
    references: list[str] = Field(description="Of orders. Empty where none were named, or where they were erased.")
    detail: dict[str, Any]
    hash: str = Field(description="It holds all the above and the hash of the entry before.")


class AuditPage(Schema, description="Entries, the latest first."):
    entries: list[AuditEntry]
    next: int | None = Field(description="Give it as `before` for the next page.")


def router(database: Engine) -> APIRouter:
    """Return the routes by which an authority looks back."""
    routes = APIRouter(prefix="/v1", tags=["audit"], route_class=Written)

    @routes.get("/audit", summary="Who has looked at the authority's orders, and what was done about them")
    def get_audit(  # noqa: PLR0913, PLR0917
        manager: Deciding,
        reference: Annotated[Word | None, Query(description="Only entries about this order")] = None,
        who: Annotated[
            Word | None, Query(description="Only entries of this person or machine, as their token names them")
        ] = None,
        since: AwareDatetime | None = None,
        until: Annotated[AwareDatetime | None, Query(description="Not included")] = None,
        before: Annotated[int | None, Query(description="`next` of the page before", ge=1, le=LAST_OFFSET)] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> AuditPage:
        asked = Question(since, until, who, reference, before)
        with transaction(database) as connection:
            found = store.search(connection, manager.authority, asked, limit)
        # Not what the entries name, which would be named again by each look at such an entry.
        watching.show([reference] if reference else [], len(found))
        last = found[-1].link.number if len(found) == limit else None
        return AuditPage(entries=[_told(kept) for kept in found], next=last)

    return routes


def _told(kept: Kept) -> AuditEntry:
    entry = kept.entry
    return AuditEntry(
        number=kept.link.number,
        at=entry.at,
        who=entry.who,
        of=entry.of,
        role=entry.role,
        purpose=entry.purpose,
        kind=entry.kind,
        what=entry.what,
        count=entry.count,
        references=list(entry.references),
        detail=dict(entry.detail),
        hash=kept.link.hash.hex(),
    )
