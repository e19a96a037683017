"""A marker of changes in what a viewer may see, without saying what changed."""

import hashlib

from sqlalchemy import Connection, exists, func, select

from services.chassis.api.auth import Identity
from services.reporting.read.tables import announcements, release_files, release_notices, releases
from services.reporting.releases.index import DRAFT

_ALL = "SELECT coalesce(sum(next_offset), 0) FROM checkpoints"
_OWN = "SELECT service, generation, version FROM positions WHERE authority = %s ORDER BY service"


def marker(connection: Connection, viewer: Identity) -> str:
    """Return a marker that differs whenever what the viewer may see does. It says nothing else: a count of events would be a count of
    people.
    """
    parts = [*_releases(connection, viewer), *how_far(connection, viewer)]
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def _releases(connection: Connection, viewer: Identity) -> list[object]:
    query = select(releases.c.id, releases.c.status).order_by(releases.c.id)
    if viewer.audience != "national":
        query = query.where(releases.c.status != DRAFT)
    return [tuple(row) for row in connection.execute(query)]


def how_far(connection: Connection, viewer: Identity) -> list[object]:
    """Return how far live figures have got, of those that the viewer sees live.

    The queries are text, since building them took longer than running them.
    """
    match viewer.audience:
        case "public":
            return []
        case "authority":
            return [tuple(row) for row in connection.exec_driver_sql(_OWN, (viewer.authority,))]
        case "national":
            return [connection.exec_driver_sql(_ALL).scalar_one()]


def public_state(connection: Connection) -> tuple[tuple[object, ...], ...]:
    """Return everything that can change on public pages: the releases, their status, and their notices and announcements."""
    files = exists().where(release_files.c.release == releases.c.id)
    columns = (
        releases.c.id,
        releases.c.content_hash,
        releases.c.status,
        releases.c.published_at,
        releases.c.withdrawn_at,
        files,
    )
    said = select(
        *(select(func.count()).select_from(table).scalar_subquery() for table in (announcements, release_notices))
    )
    found = *connection.execute(select(*columns).order_by(releases.c.id)), *connection.execute(said)
    return tuple(tuple(row) for row in found)
