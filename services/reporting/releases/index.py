"""The list of releases, and the one that a viewer reads."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, literal, or_, select, tuple_

from services.chassis.api.auth import Identity
from services.reporting.disclosure.linked_tables import CellName
from services.reporting.read.tables import release_changes, releases
from services.reporting.registry.absent import NotThere
from services.reporting.registry.areas import SCOTLAND
from services.reporting.releases.notices import NOTICES, SET_RIGHT_BY, Notice, NoticeKind, read_notices
from services.reporting.statistics.causes import Change

DRAFT, PUBLISHED, WITHDRAWN = "draft", "published", "withdrawn"


class Withdrawn(NotThere):
    """The figures of that release are no longer shown. The message says when it was withdrawn, and why."""


@dataclass(frozen=True, slots=True)
class ReleaseInfo:
    """A frozen vintage, without its figures."""

    id: str
    status: str
    last_month: date
    known_on: date
    content_hash: str
    made_at: datetime
    published_at: datetime | None
    withdrawn_at: datetime | None
    notices: tuple[Notice, ...]
    """Notices for its readers, in the order in which they were given; also of what it corrects in others."""
    definitions: Mapping[str, Any]
    held_at: datetime | None = None
    """Since when it waits for its announced day."""
    set_right_by: str | None = None
    """The published release that now has the correct figures: the last, if corrections were corrected."""

    @property
    def versions(self) -> Mapping[str, int]:
        """Return the version of each indicator that was in force, and that answers for this release."""
        found: Mapping[str, int] = self.definitions["indicators"]
        return found

    @property
    def public(self) -> frozenset[CellName]:
        """Return the cells of which it has rounded values. The public is shown no others of this release."""
        return frozenset((measure, category) for measure, category in self.definitions["public"])

    @property
    def own_notices(self) -> tuple[Notice, ...]:
        """Return the notices about itself."""
        return tuple(each for each in self.notices if each.release == self.id)

    @property
    def corrected_by(self) -> str | None:
        """Return the release that was published to correct this one. It may have been corrected itself, or withdrawn."""
        return next((each.successor for each in self.own_notices if each.successor), None)

    @property
    def corrects(self) -> tuple[str, ...]:
        """Return the releases that it corrects."""
        return tuple(each.release for each in self.notices if each.successor == self.id)

    @property
    def told_at(self) -> datetime:
        """Return when the last notice about it was given."""
        moments = (self.published_at or self.made_at, self.withdrawn_at, *(each.at for each in self.notices))
        return max(each for each in moments if each is not None)


_COLUMNS: tuple[ColumnElement[Any], ...] = (
    releases.c.id,
    releases.c.status,
    releases.c.last_month,
    releases.c.known_on,
    releases.c.content_hash,
    releases.c.made_at,
    releases.c.published_at,
    releases.c.withdrawn_at,
    NOTICES,
    releases.c.definitions,
    releases.c.held_at,
    SET_RIGHT_BY,
)


def alone(connection: Connection) -> None:
    """Ensure that nobody else holds, publishes or announces a release until this transaction ends, so that what is read stays valid.

    Publications wait for it, so nothing slow may come after it.
    """
    connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtext('releases'))")


def alone_in_making(connection: Connection) -> None:
    """Ensure that nobody else makes a draft until this transaction ends. Publications continue."""
    connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtext('drafts'))")


def _info(row: Row[Any]) -> ReleaseInfo:
    return ReleaseInfo(**{**row._mapping, "notices": read_notices(row.notices)})  # noqa: SLF001 - it is public, whatever its name


def all_releases(connection: Connection, viewer: Identity) -> list[ReleaseInfo]:
    """Return releases, newest first. Drafts are only for national viewers."""
    query = select(*_COLUMNS).order_by(releases.c.last_month.desc(), releases.c.made_at.desc())
    if viewer.audience != "national":
        query = query.where(releases.c.status != DRAFT)
    return [_info(row) for row in connection.execute(query)]


def release_for(connection: Connection, viewer: Identity, wanted: str | None, as_of: date | None) -> ReleaseInfo | None:
    """Return the release asked for, or the latest that was published (by the end of that day). None if there is none.

    Raises NotThere if the one asked for does not exist, or not for this viewer.
    """
    if wanted is not None:
        return _named(connection, viewer, wanted)
    query = select(*_COLUMNS).where(releases.c.status == PUBLISHED)
    if as_of is not None:
        end = datetime.combine(as_of + timedelta(days=1), time(), UTC)
        query = query.where(releases.c.published_at < end)
    found = connection.execute(query.order_by(releases.c.last_month.desc(), releases.c.published_at.desc()).limit(1))
    row = found.one_or_none()
    return None if row is None else _info(row)


def last_published(connection: Connection) -> ReleaseInfo | None:
    """Return the release that was published last, withdrawn or not, since what it showed is known. None before any was rounded."""
    return _last(connection, releases.c.published_at.is_not(None))


def newest_and_held(connection: Connection) -> list[str]:
    """Return the names of the newest published release, and of the drafts that are held for their day."""
    c = releases.c
    newest = select(c.id).where(c.status == PUBLISHED).order_by(c.published_at.desc()).limit(1)
    wanted = or_(c.id.in_(newest), (c.status == DRAFT) & c.held_at.is_not(None))
    return list(connection.scalars(select(c.id).where(wanted)))


def release_before(connection: Connection, release: ReleaseInfo) -> ReleaseInfo | None:
    """Return the release that was the last published one when this one was made, and that was not withdrawn then."""
    c = releases.c
    stood = or_(c.withdrawn_at.is_(None), c.withdrawn_at > release.made_at)
    return _last(connection, and_(c.published_at <= release.made_at, c.id != release.id, stood))


def _last(connection: Connection, condition: ColumnElement[bool]) -> ReleaseInfo | None:
    query = select(*_COLUMNS).where(condition, releases.c.definitions["public"] != [])
    newest = query.order_by(releases.c.published_at.desc(), releases.c.made_at.desc()).limit(1)
    row = connection.execute(newest).one_or_none()
    return None if row is None else _info(row)


def _named(connection: Connection, viewer: Identity, wanted: str) -> ReleaseInfo:
    row = connection.execute(select(*_COLUMNS).where(releases.c.id == wanted)).one_or_none()
    if row is None or (row.status == DRAFT and viewer.audience != "national"):
        raise NotThere(f"There is no published release {wanted}"[:80])
    found = _info(row)
    if found.status == WITHDRAWN and viewer.audience != "national":
        raise Withdrawn(_why_withdrawn(found))
    return found


def _why_withdrawn(release: ReleaseInfo) -> str:
    said = next((each.reason for each in reversed(release.own_notices) if each.kind is NoticeKind.WITHDRAWAL), "")
    right = f" Release {release.set_right_by} has it right." if release.set_right_by else ""
    return f"Release {release.id} was withdrawn on {release.withdrawn_at:%Y-%m-%d}: {said.rstrip('.')}.{right}"


def changes_of(
    connection: Connection, viewer: Identity, release: str, behind: tuple[str, str, date, str] | None, limit: int
) -> list[Change]:
    """Return what changed since the previous release, in the order of keys, beginning after the given key.

    National viewers read it cell by cell; others for Scotland, as it was published, and authorities their own besides.
    """
    c = release_changes.c
    key = (c.measure, c.category, c.period, c.authority)
    query = select(*key, c.before, c.after, c.why).where(c.release == release)
    if viewer.audience == "national":
        query = query.where(c.authority != SCOTLAND)
    else:
        query = query.where(c.authority.in_([SCOTLAND, viewer.authority or SCOTLAND]))
    if behind is not None:
        query = query.where(tuple_(*key) > tuple_(*(literal(part) for part in behind)))
    query = query.order_by(*key, c.place).limit(limit)
    return [Change(*row) for row in connection.execute(query)]
