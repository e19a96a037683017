"""Makes releases, holds them for their day, publishes, corrects and withdraws them. A release's contents never change; its status does.

The audit records every act in the transaction that carries it out.
"""

import getpass
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Row, and_, delete, exists, func, select, update

from contracts.periods import LONDON, add_months, last_day
from services.chassis.audit.operators import operated
from services.chassis.clock import Clock
from services.chassis.database import transaction, unhurried
from services.reporting.disclosure.rounding import Told, rounded, untold
from services.reporting.read.coverage import coverage
from services.reporting.read.tables import cells as known_cells
from services.reporting.read.tables import release_files, release_notices, releases
from services.reporting.read.vintages import AsOf
from services.reporting.releases.announcing import calendar, due_at
from services.reporting.releases.calendar import CannotRelease, check_turn
from services.reporting.releases.freezing import Frozen, cells_of, earlier, key, write, write_changes
from services.reporting.releases.index import DRAFT, PUBLISHED, WITHDRAWN, alone, alone_in_making, last_published
from services.reporting.releases.notices import Notice, NoticeKind, add_notice

BY_ITSELF = "payback"
"""The name in the audit under which held releases are published."""
_WAITS = and_(releases.c.held_at.is_not(None), releases.c.status == DRAFT)
"""True of at most one release."""


def latest_day(database: Engine, clock: Clock) -> date:
    """Return the last day that is over; on the very first day with data, that day itself."""
    today = clock().astimezone(LONDON).date()
    yesterday = today - timedelta(days=1)
    with unhurried(database) as connection:
        known_before = connection.scalar(select(exists().where(known_cells.c.known_on <= yesterday)))
        known = connection.scalar(select(exists().where(known_cells.c.known_on <= today)))
    return today if known and not known_before else yesterday


def make(
    database: Engine,
    last_month: date,
    known_on: date,
    clock: Clock,
    note: str | None = None,
    told: Told = untold,
) -> str:
    """Freeze a draft of all months up to the last, as known at the end of a day. Returns its name. `told` is called with the progress.

    What it reads and writes grows with the nation, and nobody waits for it, so none of its statements has a timeout.
    """
    if not last_day(last_month) < known_on <= latest_day(database, clock):
        raise CannotRelease("A release shows whole months, as known at the end of a later day that is over")
    with unhurried(database) as connection:
        published = _published(connection)
        latest = last_published(connection)
        if latest and latest.last_month > last_month:
            raise CannotRelease("A later month was published already")
        heard = coverage(connection, AsOf(known_on))
        cells = cells_of(connection, known_on, last_month, heard)
        before = earlier(connection, latest)
        secret = key(connection)
    public = rounded(cells, last_month, secret, before, told)  # slow, so no transaction is open meanwhile
    with unhurried(database) as connection:
        alone_in_making(connection)
        name = _next_name(connection, last_month)
        frozen = Frozen(name, last_month, known_on, heard, cells, public)
        write(connection, frozen, clock())
        if note:
            add_notice(connection, Notice(name, clock(), NoticeKind.NOTE, note, getpass.getuser()))
        if latest:
            write_changes(connection, frozen, latest, before)
        alone(connection)
        if _published(connection) != published:
            raise CannotRelease("Another release was published meanwhile; make this one again")
        operated(connection, "release make", release=name, known_on=f"{known_on}")
    return name


@dataclass(frozen=True, slots=True)
class Correction:
    """The correction of one release by another."""

    of: str
    reason: str


def hold(database: Engine, name: str, clock: Clock) -> datetime:
    """Hold a draft for the announced moment, at which it is published automatically. Returns the moment.

    Until then it is only for those who may see drafts. One release is held at a time: another one published before it would make it out of
    date.
    """
    with transaction(database) as connection:
        draft = _locked(connection, name, DRAFT)
        _check_fresh(connection, draft)
        check_turn(draft.last_month, calendar(connection))
        due = due_at(connection, draft.last_month)
        if due is None:
            raise CannotRelease(
                f"Figures up to {draft.last_month:%Y-%m} are not announced; `payback release announce` does"
            )
        if _is_over(due, clock):
            raise CannotRelease(f"{name} was due at {due:%Y-%m-%d %H:%M}; publish it, or announce another day")
        if other := _held(connection):
            raise CannotRelease(f"{other} is held already")
        connection.execute(update(releases).where(releases.c.id == name).values(held_at=clock()))
        operated(connection, "release hold", release=name, until=due.isoformat())
    return due


def let_go(database: Engine, name: str) -> None:
    """Stop holding a draft."""
    with transaction(database) as connection:
        _locked(connection, name, DRAFT)
        if _held(connection) != name:
            raise CannotRelease(f"{name} is not held")
        connection.execute(update(releases).where(releases.c.id == name).values(held_at=None))
        connection.execute(delete(release_files).where(release_files.c.release == name))
        operated(connection, "release let-go", release=name)


def publish(database: Engine, name: str, clock: Clock, correction: Correction | None = None) -> None:
    """Make a draft public. It must have been made after the last publication, which it must take into account.

    A release that was announced waits for its moment.
    """
    with transaction(database) as connection:
        draft = _locked(connection, name, DRAFT)
        _check_fresh(connection, draft)
        check_turn(draft.last_month, calendar(connection))
        due = due_at(connection, draft.last_month)
        if due is not None and not _is_over(due, clock):
            raise CannotRelease(f"{name} was announced for {due:%Y-%m-%d %H:%M}; hold it until then")
        if (other := _held(connection)) and other != name:
            raise CannotRelease(f"{other} is held, and would be out of date; let it go, and make it again after {name}")
        told = {} if correction is None else _correct(connection, draft, correction, clock())
        _open(connection, name, clock(), None if correction else due)
        operated(connection, "release publish", release=name, **told)


def publish_due(database: Engine, clock: Clock) -> str | None:
    """Publish the held release, once its moment has come. Returns its name. Several processes may try at once."""
    with transaction(database) as connection:
        if not _is_over(next_due(connection), clock):
            return None
        alone(connection)
        name, due = _held(connection), next_due(connection)
        if name is None or due is None or not _is_over(due, clock):  # another process was first, or it was moved
            return None
        _open(connection, name, clock(), due)
        operated(connection, "release publish", by=BY_ITSELF, release=name, announced=due.isoformat())
        return name


def _is_over(moment: datetime | None, clock: Clock) -> bool:
    return moment is not None and moment <= clock()


def next_due(connection: Connection) -> datetime | None:
    """Return when the held release will be published. None if none is held, or its announcement was called off."""
    month = connection.scalar(select(releases.c.last_month).where(_WAITS))
    return None if month is None else due_at(connection, month)


def withdraw(database: Engine, name: str, clock: Clock, reason: str) -> None:
    """Withdraw a published release. It stays listed, and what it showed counts as known for ever."""
    with transaction(database) as connection:
        _locked(connection, name, PUBLISHED)
        values = {"status": WITHDRAWN, "withdrawn_at": clock()}
        connection.execute(update(releases).where(releases.c.id == name).values(**values))
        _notice(connection, Notice(name, clock(), NoticeKind.WITHDRAWAL, reason, getpass.getuser()))
        operated(connection, "release withdraw", release=name, reason=reason)


def note(database: Engine, name: str, clock: Clock, reason: str) -> None:
    """Add a note for readers of a release."""
    with transaction(database) as connection:
        _locked(connection, name)
        _notice(connection, Notice(name, clock(), NoticeKind.NOTE, reason, getpass.getuser()))
        operated(connection, "release note", release=name, reason=reason)


def _open(connection: Connection, name: str, now: datetime, due: datetime | None) -> None:
    """Publish a release, and delete its files if they are wrong: they say that it came on the day on which it was due.

    A correction has no due moment here, so its files are always deleted: they do not mention what it corrects.
    """
    if due is None or now.astimezone(LONDON).date() != due.date():
        connection.execute(delete(release_files).where(release_files.c.release == name))
    values = {"status": PUBLISHED, "published_at": now, "held_at": None}
    connection.execute(update(releases).where(releases.c.id == name).values(**values))


def _correct(connection: Connection, draft: Row[Any], correction: Correction, now: datetime) -> dict[str, str]:
    wrong, c = _locked(connection, correction.of), release_notices.c
    if wrong.published_at is None:
        raise CannotRelease(f"{wrong.id} was never published; there is nothing to correct")
    if wrong.last_month > draft.last_month:
        raise CannotRelease(
            f"{draft.id} has figures up to {draft.last_month:%Y-%m} only, and cannot correct {wrong.id}"
        )
    if connection.scalar(select(exists().where(c.release == wrong.id, c.successor.is_not(None)))):
        raise CannotRelease(f"{wrong.id} has been corrected already; correct the release that corrected it")
    said = correction.reason
    _notice(connection, Notice(wrong.id, now, NoticeKind.CORRECTION, said, getpass.getuser(), draft.id))
    return {"corrects": wrong.id, "reason": said}


def _notice(connection: Connection, notice: Notice) -> None:
    if not notice.reason.strip():
        raise CannotRelease("Say why, in words that readers will see")
    add_notice(connection, notice)


def _locked(connection: Connection, name: str, status: str | None = None) -> Row[Any]:
    """Return the release, and prevent other changes meanwhile. Raises CannotRelease if it does not exist, or has another status."""
    alone(connection)
    row = connection.execute(select(releases).where(releases.c.id == name)).one_or_none()
    if row is None:
        raise CannotRelease(f"There is no release {name}")
    if status is not None and row.status != status:
        raise CannotRelease(f"{name} is {row.status}, not {status}")
    return row


def _check_fresh(connection: Connection, draft: Row[Any]) -> None:
    newest = connection.scalar(select(func.max(releases.c.published_at)))
    if newest is not None and draft.made_at < newest:
        raise CannotRelease(f"{draft.id} was made before the last publication; make a new one")


def _held(connection: Connection) -> str | None:
    found: str | None = connection.scalar(select(releases.c.id).where(_WAITS))
    return found


def _next_name(connection: Connection, last_month: date) -> str:
    names = set(connection.scalars(select(releases.c.id)))
    number = next(n for n in range(1, len(names) + 2) if f"{last_month:%Y-%m}.{n}" not in names)
    return f"{last_month:%Y-%m}.{number}"


def _published(connection: Connection) -> list[str]:
    """Return every release that was ever published, in that order."""
    found = select(releases.c.id).where(releases.c.published_at.is_not(None)).order_by(releases.c.published_at)
    return list(connection.scalars(found))


def default_month(clock: Clock) -> date:
    """Return the month before the last: by then, most late reports have come."""
    return add_months(clock().date().replace(day=1), -2)
