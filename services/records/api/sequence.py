"""Up to which number the platform holds the events of each source, so that who has lost its count can take it up again."""

from fastapi import APIRouter
from pydantic import BaseModel, Field
from sqlalchemy import Engine, select

from services.chassis.api.http import Written
from services.chassis.database import transaction
from services.records.api.receipts import OwnAuthority
from services.records.ingest.tables import counters


class Counter(BaseModel):
    """The counter of one source."""

    source: str = Field(description="As events say it, under the authority's current code.")
    highest: int = Field(description="The highest number that came, in an event that was accepted or refused.")


class Counters(BaseModel):
    """The counters of an authority's sources."""

    sources: list[Counter]


def router(database: Engine) -> APIRouter:
    """The route by which an authority's systems learn where their numbers go on."""
    routes = APIRouter(prefix="/v1", tags=["mirror"], route_class=Written)

    @routes.get("/sequence", summary="The highest number of each source's own counter")
    def get_sequence(authority: OwnAuthority) -> Counters:
        query = select(counters.c.system, counters.c.highest).where(counters.c.authority == authority)
        with transaction(database) as connection:
            rows = connection.execute(query.order_by(counters.c.system)).all()
        return Counters(sources=[Counter(source=_source(authority, row.system), highest=row.highest) for row in rows])

    return routes


def _source(authority: str, system: str) -> str:
    return f"/authorities/{authority}/systems/{system}" if system else f"/authorities/{authority}"
