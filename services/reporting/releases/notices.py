"""Notices for readers of a release: notes, corrections and withdrawals, in the order in which they were given."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import chain
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, func, insert, literal_column, or_, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from services.reporting.read.tables import release_notices, releases


class NoticeKind(StrEnum):
    """The subject of a notice."""

    NOTE = "note"
    CORRECTION = "correction"
    """Something was wrong, and another release has it right."""
    WITHDRAWAL = "withdrawal"
    """Its figures are no longer shown."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice. A release has those about itself, and those about releases that it corrects."""

    release: str
    """The release that it is about."""
    at: datetime
    kind: NoticeKind
    reason: str
    who: str
    """Who gave it, for national viewers; to the public, the publisher speaks."""
    successor: str | None = None
    """The release that has the corrected figures."""


def read_notices(found: Any) -> tuple[Notice, ...]:
    """Read the value of the column `NOTICES`."""
    return msgspec.convert(found, tuple[Notice, ...])


def _notices() -> ColumnElement[Any]:
    c = release_notices.c
    columns = (c.release, c.at, c.kind, c.reason, c.who, c.successor)
    named = list(chain.from_iterable((literal_column(f"'{each.name}'"), each) for each in columns))
    listed = func.json_agg(aggregate_order_by(func.json_build_object(*named), c.at, c.release, c.number))
    mine = or_(c.release == releases.c.id, c.successor == releases.c.id)
    return select(func.coalesce(listed, literal_column("'[]'::json"))).where(mine).scalar_subquery().label("notices")


NOTICES = _notices()
"""A column beside those of a release: all notices about it, and about releases that it corrects."""


def _set_right_by() -> ColumnElement[Any]:
    c, last = release_notices.c, releases.alias("last")
    steps = select(c.release, c.successor).where(c.successor.is_not(None))
    line = steps.cte("corrections", recursive=True)
    further = release_notices.alias("further")
    line = line.union(
        select(line.c.release, further.c.successor).where(
            further.c.release == line.c.successor, further.c.successor.is_not(None)
        )
    )
    is_last = last.c.id.not_in(select(c.release).where(c.successor.is_not(None)))
    found = select(line.c.successor).join(last, last.c.id == line.c.successor)
    found = found.where(line.c.release == releases.c.id, is_last, last.c.withdrawn_at.is_(None))
    return found.correlate(releases).scalar_subquery().label("set_right_by")


SET_RIGHT_BY = _set_right_by()
"""A column beside those of a release: the last of the releases that correct it and one another, unless it was withdrawn."""


def leads_to(connection: Connection, release: str) -> str | None:
    """Return the release at which readers of a corrected one continue: the correct one, or else the one meant to correct it."""
    c = release_notices.c
    first = select(c.successor).where(c.release == release, c.successor.is_not(None)).scalar_subquery()
    found: str | None = connection.scalar(select(func.coalesce(SET_RIGHT_BY, first)).where(releases.c.id == release))
    return found


def add_notice(connection: Connection, notice: Notice) -> None:
    """Add a notice. Earlier notices stay."""
    c = release_notices.c
    last = select(func.coalesce(func.max(c.number), 0)).where(c.release == notice.release)
    values = {"at": notice.at, "kind": str(notice.kind), "reason": notice.reason, "who": notice.who}
    number = int(connection.scalar(last) or 0) + 1
    connection.execute(
        insert(release_notices).values(release=notice.release, number=number, successor=notice.successor, **values)
    )
