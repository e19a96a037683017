"""Missed duties that managers acknowledged: who, when and why. An acknowledgement changes no national figure."""

from collections.abc import Iterable
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field
from sqlalchemy import Connection

from services.chassis.api.auth import OwnAuthority
from services.chassis.api.http import Written
from services.chassis.audit import watching
from services.chassis.database import transaction
from services.chassis.schema import Schema
from services.records.api import listing
from services.records.api.decisions.keeping import keep
from services.records.api.management import Deciding, Management
from services.records.api.order_schemas import Today
from services.records.api.paging import Day, Word
from services.records.ingest import notes
from services.records.ingest.notes import Kind, Note
from services.records.model.deadlines import State

MOST = 500
"""Duties in one request."""


class AcknowledgedFor(StrEnum):
    """Why a missed duty needs no further action."""

    DONE_NOT_REPORTED = "done_not_reported"
    TOO_LATE = "too_late"
    BACK_AT_COURT = "back_at_court"
    PERSON_AWAY = "person_away"
    PASSED_ON = "passed_on"

    @property
    def label(self) -> str:
        """Return the reason in words."""
        return _LABELS[self]


_LABELS = {
    AcknowledgedFor.DONE_NOT_REPORTED: "Done; our system will report it",
    AcknowledgedFor.TOO_LATE: "Too late to do; noted for the next review",
    AcknowledgedFor.BACK_AT_COURT: "The order is back at court",
    AcknowledgedFor.PERSON_AWAY: "The person is in custody, in hospital or abroad",
    AcknowledgedFor.PASSED_ON: "Passed on to the person responsible",
}


class Duty(
    Schema, description="One standard of one order, by the day on which it was due. Another due date is another duty."
):
    subject: Word
    standard: Word
    due_on: Day

    @property
    def key(self) -> str:
        return notes.key_of(self.standard, self.due_on, self.subject)


class Acknowledging(Schema, description="What is acknowledged."):
    duties: list[Duty] = Field(min_length=1, max_length=MOST)
    reason: AcknowledgedFor | None = Field(description="None undoes it: the duty is shown as missed again.")


class NotAcknowledged(Duty, description="A duty that cannot be acknowledged."):
    why: str


class Acknowledged(Schema, description="The result."):
    acknowledged: int
    refused: list[NotAcknowledged]


class Acknowledgement(Duty, description="A duty that was acknowledged, or whose acknowledgement was undone."):
    reason: AcknowledgedFor | None = Field(description="None where it was undone.")
    by: str
    at: datetime


class Acknowledgements(Schema, description="All acknowledgements, the latest first."):
    acknowledgements: list[Acknowledgement]


def router(management: Management) -> APIRouter:
    """Return the routes by which managers acknowledge missed duties."""
    routes = APIRouter(prefix="/v1", tags=["worklist"], route_class=Written)

    @routes.get("/acknowledgements", summary="Missed duties that were acknowledged, with who, when and why")
    def get_acknowledgements(
        authority: OwnAuthority, limit: Annotated[int, Query(ge=1, le=1000)] = 200
    ) -> Acknowledgements:
        with transaction(management.database) as connection:
            found = notes.history(connection, authority, Kind.ACKNOWLEDGEMENT, limit)
        return Acknowledgements(acknowledgements=[_told(note) for note in found])

    @routes.post("/acknowledgements", summary="Acknowledges missed duties, or undoes that")
    def post_acknowledgements(manager: Deciding, asked: Acknowledging) -> Acknowledged:
        now = management.now(manager.authority)
        with transaction(management.database) as connection:
            if asked.reason:
                refused = list(_refused(connection, management, now, manager.authority, asked))
            else:
                refused = list(_not_acknowledged(connection, manager.authority, asked))
            not_so = {one.key for one in refused}
            content = {"reason": asked.reason} if asked.reason else None
            taken = [duty for duty in asked.duties if duty.key not in not_so]
            at = management.clock()
            decided = [Note(Kind.ACKNOWLEDGEMENT, duty.key, content, manager.name, at) for duty in taken]
            keep(connection, manager.authority, decided)
            subjects = list(dict.fromkeys(duty.subject for duty in taken))
            watching.act(connection, at, subjects, acknowledged=len(taken), reason=asked.reason)
        return Acknowledged(acknowledged=len(taken), refused=refused)

    return routes


def acknowledged(connection: Connection, authority: str) -> dict[tuple[str, str, date], str]:
    """Return the order, standard and due date of each duty acknowledged now, with the reason."""
    found = notes.holding(connection, authority, Kind.ACKNOWLEDGEMENT)
    return {_named(note.key): note.content["reason"] for note in found if note.content}


def _refused(
    connection: Connection, management: Management, now: Today, authority: str, asked: Acknowledging
) -> Iterable[NotAcknowledged]:
    for duty in asked.duties:
        record = listing.one(connection, authority, duty.subject)
        readings = management.readings(record, now.calendar) if record else ()
        missed = {(r.standard.name, r.due) for r in readings if r.state is State.PENDING and r.due and r.due < now.day}
        if (duty.standard, duty.due_on) not in missed:
            yield NotAcknowledged(**duty.model_dump(), why="This order has nothing overdue under that standard and day")


def _not_acknowledged(connection: Connection, authority: str, asked: Acknowledging) -> Iterable[NotAcknowledged]:
    """Yield what cannot be undone: otherwise whatever somebody writes would be kept for good."""
    held = {note.key for note in notes.holding(connection, authority, Kind.ACKNOWLEDGEMENT)}
    for duty in asked.duties:
        if duty.key not in held:
            yield NotAcknowledged(**duty.model_dump(), why="This is not acknowledged")


def _named(key: str) -> tuple[str, str, date]:
    standard, due_on, subject = notes.parts_of(key)
    return subject, standard, date.fromisoformat(due_on)


def _told(note: Note) -> Acknowledgement:
    subject, standard, due_on = _named(note.key)
    reason = AcknowledgedFor(note.content["reason"]) if note.content else None
    return Acknowledgement(subject=subject, standard=standard, due_on=due_on, reason=reason, by=note.by, at=note.at)
