"""Pages of changes of an authority's refusals and findings, in order, as `GET /v1/changes` answers and webhooks send them."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple, Self

from pydantic import Field
from sqlalchemy import Connection, Row, select, tuple_

from contracts.rejections import Reason
from services.chassis.schema import Schema
from services.records.ingest.news import News
from services.records.ingest.tables import changes, shards
from services.records.model.findings import Rule
from services.records.model.record import Outcome

_PUT_ASIDE = "Nothing: the error is the platform's. It is sent through again once the error is corrected."


class Place(NamedTuple):
    """The change of a commit after which a piece begins. A rebuild makes a new generation of commits."""

    generation: int
    version: int = 0
    number: int = 0

    def __str__(self) -> str:
        return ".".join(map(str, self))

    @classmethod
    def of(cls, cursor: str) -> Self:
        """Return the place of a change."""
        return cls(*map(int, cursor.split(".")))

    def in_generation(self, generation: int) -> Self:
        """Return the same place, or the beginning if the tables were rebuilt since."""
        return self if self.generation == generation else type(self)(generation)


class Told(Schema, description="One thing that changed."):
    cursor: str
    kind: News
    at: datetime
    subject: str | None = Field(description="The order that now breaks a rule, or no longer does.")
    rule: str | None = Field(description="The rule, or the reason of a refusal.")
    remedy: str | None = Field(description="How to correct it.")
    event: str | None = Field(description="The id of the refused event, where it could be read.")
    offset: int | None = Field(description="The place of the refused event in its topic.")


class Feed:
    """The feed of one service, which gives its rules of data quality."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._remedies: Mapping[str, str] = {rule.code: rule.remedy for rule in rules}

    def piece(self, connection: Connection, authority: str, begin: Place, limit: int) -> list[Told]:
        """Return the changes after a place of the present generation, the earliest first."""
        place = tuple_(changes.c.version, changes.c.number)
        query = select(changes).where(changes.c.authority == authority, place > tuple_(begin.version, begin.number))
        rows = connection.execute(query.order_by(changes.c.version, changes.c.number).limit(limit))
        return [self._told(row, begin.generation) for row in rows]

    def _told(self, row: Row[Any], generation: int) -> Told:
        return Told(
            cursor=str(Place(generation, row.version, row.number)),
            kind=row.kind,
            at=row.at,
            subject=row.subject,
            rule=row.rule,
            remedy=self._remedy(row),
            event=row.event_id,
            offset=row.offset,
        )

    def _remedy(self, row: Row[Any]) -> str | None:
        match row.kind:
            case News.FOUND:
                return self._remedies.get(row.rule)
            case News.REFUSED:
                return _PUT_ASIDE if row.rule == Outcome.PUT_ASIDE else Reason.of(row.rule).remedy
            case _:
                return None


def generation_of(connection: Connection, authority: str) -> int:
    """Return the present generation of the authority's tables."""
    return connection.scalar(select(shards.c.generation).where(shards.c.authority == authority)) or 1


def end_of(connection: Connection, authority: str) -> Place:
    """Return the place after everything so far."""
    place = (changes.c.version, changes.c.number)
    query = select(*place).where(changes.c.authority == authority).order_by(*(column.desc() for column in place))
    row = connection.execute(query.limit(1)).one_or_none()
    return Place(generation_of(connection, authority), *(row or ()))
