"""The answers about events that were sent or checked. Pure."""

from datetime import datetime

from msgspec import Struct

from services.desk.model.origin import ExtractRow, row_of, subject_of


class Refusal(Struct, frozen=True):
    """A refused event as it came."""

    offset: int
    id: str | None
    reason: str
    path: str
    message: str
    remedy: str
    arrived_at: datetime
    event: str | None
    mended_by: int | None = None

    @property
    def row(self) -> ExtractRow | None:
        """Return the row of a file that states it, if its sender gave one that can be read."""
        return row_of(self.event or "")

    @property
    def subject(self) -> str:
        """Return the order that it is about; empty if that cannot be read."""
        return subject_of(self.event or "")


class Arrival(Struct, frozen=True):
    """One arrival of an event."""

    offset: int
    arrived_at: datetime


class EventStory(Struct, frozen=True):
    """All arrivals of an event under one id, the latest first."""

    arrivals: list[Arrival]

    def at(self, offset: int | None) -> datetime | None:
        """Return when the arrival with this offset came; None if it is not among them."""
        return next((one.arrived_at for one in self.arrivals if one.offset == offset), None)


class RefusalPage(Struct, frozen=True):
    """A page of refused events, the latest first."""

    rejections: list[Refusal]
    next: str | None


class ToldRefusal(Struct, frozen=True):
    """Why one event was refused."""

    index: int
    id: str | None
    reason: str
    path: str
    message: str
    remedy: str


class Told(Struct, frozen=True):
    """The answer about events that were sent or checked."""

    accepted: int
    rejected: list[ToldRefusal]
