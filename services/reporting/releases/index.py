"""Releases: which there are, and which one a viewer reads."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Column, Connection, literal, select, tuple_

from services.chassis.api.auth import Identity
from services.reporting.disclosure.numbers import Change, NumberKey
from services.reporting.read.tables import release_changes, release_hidden, releases
from services.reporting.registry.absent import NotThere
from services.reporting.registry.areas import SCOTLAND
from services.reporting.registry.indicators import Form

DRAFT, PUBLISHED, WITHDRAWN = "draft", "published", "withdrawn"


@dataclass(frozen=True, slots=True)
class ReleaseInfo:
    """A frozen cut, without its figures."""

    id: str
    status: str
    last_month: date
    known_on: date
    content_hash: str
    made_at: datetime
    published_at: datetime | None
    withdrawn_at: datetime | None
    note: str | None
    definitions: Mapping[str, Any]

    @property
    def versions(self) -> Mapping[str, int]:
        """The version of each indicator that was in force, and answers for this release."""
        found: Mapping[str, int] = self.definitions["indicators"]
        return found

    @property
    def protected(self) -> frozenset[Form]:
        """The sums for which the hiding was worked out. The public is told no others from this release."""
        return frozenset(Form(measure, grouping.split("+")) for measure, grouping in self.definitions["forms"])


_COLUMNS: tuple[Column[Any], ...] = (
    releases.c.id,
    releases.c.status,
    releases.c.last_month,
    releases.c.known_on,
    releases.c.content_hash,
    releases.c.made_at,
    releases.c.published_at,
    releases.c.withdrawn_at,
    releases.c.note,
    releases.c.definitions,
)


def all_releases(connection: Connection, viewer: Identity) -> list[ReleaseInfo]:
    """Newest first. Drafts are for national viewers."""
    query = select(*_COLUMNS).order_by(releases.c.last_month.desc(), releases.c.made_at.desc())
    if viewer.audience != "national":
        query = query.where(releases.c.status != DRAFT)
    return [ReleaseInfo(*row) for row in connection.execute(query)]


def release_for(connection: Connection, viewer: Identity, wanted: str | None, as_of: date | None) -> ReleaseInfo | None:
    """The release asked for, or the latest that was published (by the end of that day). None where there is none.

    Raises NotThere where the one asked for is not there, or not for this viewer.
    """
    if wanted is not None:
        return _named(connection, viewer, wanted)
    query = select(*_COLUMNS).where(releases.c.status == PUBLISHED)
    if as_of is not None:
        end = datetime.combine(as_of + timedelta(days=1), time(), UTC)
        query = query.where(releases.c.published_at < end)
    found = connection.execute(query.order_by(releases.c.last_month.desc(), releases.c.published_at.desc()).limit(1))
    row = found.one_or_none()
    return None if row is None else ReleaseInfo(*row)


def _named(connection: Connection, viewer: Identity, wanted: str) -> ReleaseInfo:
    row = connection.execute(select(*_COLUMNS).where(releases.c.id == wanted)).one_or_none()
    if row is None or (row.status != PUBLISHED and viewer.audience != "national"):
        raise NotThere(f"There is no published release {wanted}"[:80])
    return ReleaseInfo(*row)


def hidden_numbers(
    connection: Connection, release: str, forms: Iterable[Form], areas: Iterable[str], periods: Iterable[str]
) -> frozenset[NumberKey]:
    """Those of these numbers that the public does not see."""
    c = release_hidden.c
    names = sorted({(form.measure, form.grouping) for form in forms})
    query = select(c.measure, c.grouping, c.period, c.area).where(
        c.release == release,
        tuple_(c.measure, c.grouping).in_(names),
        c.area.in_(sorted(areas)),
        c.period.in_(sorted(periods)),
    )
    return frozenset(NumberKey(*row) for row in connection.execute(query))


def hidden_flows(connection: Connection, release: str, forms: Iterable[Form]) -> frozenset[NumberKey]:
    """Everything hidden of these forms for Scotland, at any time: a stock would tell it."""
    c = release_hidden.c
    names = sorted({(form.measure, form.grouping) for form in forms})
    query = select(c.measure, c.grouping, c.period, c.area).where(
        c.release == release, tuple_(c.measure, c.grouping).in_(names), c.area == SCOTLAND
    )
    return frozenset(NumberKey(*row) for row in connection.execute(query))


def changes_of(
    connection: Connection, release: str, behind: tuple[str, str, date, str] | None, limit: int
) -> list[Change]:
    """What moved since the release before, in the order of keys, from the one behind the key given."""
    c = release_changes.c
    key = (c.measure, c.category, c.period, c.authority)
    query = select(*key, c.before, c.after, c.why).where(c.release == release)
    if behind is not None:
        query = query.where(tuple_(*key) > tuple_(*(literal(part) for part in behind)))
    query = query.order_by(*key, c.place).limit(limit)
    return [Change(*row) for row in connection.execute(query)]


def hidden_around(connection: Connection, release: ReleaseInfo) -> frozenset[NumberKey]:
    """What this release or any published before it hides."""
    columns = (release_hidden.c.measure, release_hidden.c.grouping, release_hidden.c.period, release_hidden.c.area)
    earlier = select(releases.c.id).where(releases.c.made_at <= release.made_at)
    query = select(*columns).distinct().where(release_hidden.c.release.in_(earlier))
    return frozenset(NumberKey(*row) for row in connection.execute(query))
