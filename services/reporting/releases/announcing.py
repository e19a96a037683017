"""Announces releases, and reads announcements."""

import getpass
from datetime import date, datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Engine, delete, insert, select

from services.chassis.audit.operators import operated
from services.chassis.clock import Clock
from services.chassis.database import transaction
from services.reporting.read.tables import announcements, release_files, releases
from services.reporting.releases.calendar import (
    Announcement,
    CannotRelease,
    Said,
    check_change,
    check_first,
    check_order,
)
from services.reporting.releases.index import alone


def calendar(connection: Connection) -> list[Announcement]:
    """Return all announcements, by month, the newest first."""
    c = announcements.c
    out = _published(connection)
    rows = connection.execute(select(c.month, c.day, c.at, c.reason, c.who).order_by(c.month.desc(), c.number))
    return [
        Announcement(month, tuple(Said(*row[1:]) for row in said), month in out)
        for month, said in groupby(rows, key=lambda row: row.month)
    ]


def announcement_of(connection: Connection, month: date) -> Announcement | None:
    """Return the announcement of the figures up to a month."""
    return next((each for each in calendar(connection) if each.month == month), None)


def due_at(connection: Connection, month: date) -> datetime | None:
    """Return when the figures up to a month are due; None if they were not announced, or have already come."""
    found = announcement_of(connection, month)
    return found.moment if found and found.is_to_come else None


def announce(database: Engine, month: date, day: date, clock: Clock) -> None:
    """Announce the figures up to a month for the first time. Raises CannotRelease."""
    with transaction(database) as connection:
        before = _locked(connection, month)
        if before is not None:
            raise CannotRelease(f"Figures up to {month:%Y-%m} were announced before; move that, and say why")
        check_first(month, day, clock())
        check_order(month, day, calendar(connection), _published(connection))
        _say(connection, month, Said(day, clock(), "", getpass.getuser()), 1)
        operated(connection, "release announce", month=f"{month:%Y-%m}", day=f"{day}")


def change(database: Engine, month: date, day: date | None, reason: str, clock: Clock) -> None:
    """Announce another day instead, or None if the figures will not come. Raises CannotRelease."""
    with transaction(database) as connection:
        before = _locked(connection, month)
        if before is None:
            raise CannotRelease(f"Figures up to {month:%Y-%m} were not announced")
        check_change(before, day, reason, clock())
        if day is not None:
            check_order(month, day, calendar(connection), _published(connection))
        said = Said(day, clock(), reason.strip(), getpass.getuser())
        _say(connection, month, said, len(before.said) + 1)
        _forget_files(connection, month)
        told: dict[str, Any] = {
            "month": f"{month:%Y-%m}",
            "day": None if day is None else f"{day}",
            "reason": said.reason,
        }
        operated(connection, "release move" if day else "release call-off", **told)


def _locked(connection: Connection, month: date) -> Announcement | None:
    alone(connection)
    found = announcement_of(connection, month)
    if found is None and month in _published(connection):
        raise CannotRelease(f"Figures up to {month:%Y-%m} were published already")
    return found


def _forget_files(connection: Connection, month: date) -> None:
    """Delete the files of a release that is held, since they state the day on which it came. They are made again
    when they are requested.
    """
    held = select(releases.c.id).where(releases.c.last_month == month, releases.c.held_at.is_not(None))
    connection.execute(delete(release_files).where(release_files.c.release.in_(held)))


def _published(connection: Connection) -> set[date]:
    return set(connection.scalars(select(releases.c.last_month).where(releases.c.published_at.is_not(None))))


def _say(connection: Connection, month: date, said: Said, number: int) -> None:
    values = {"day": said.day, "at": said.at, "reason": said.reason, "who": said.who}
    connection.execute(insert(announcements).values(month=month, number=number, **values))
