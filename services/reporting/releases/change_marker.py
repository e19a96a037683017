"""A marker of changes in what a viewer may see, without saying what changed."""

import hashlib

from sqlalchemy import Connection, func, select

from services.chassis.api.auth import Identity
from services.reporting.read.tables import checkpoints, positions, releases
from services.reporting.releases.index import DRAFT


def marker(connection: Connection, viewer: Identity) -> str:
    """Differs whenever what the viewer may see does. Tells nothing itself: counting events would be counting people."""
    parts = [*_releases(connection, viewer), *_live(connection, viewer)]
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def _releases(connection: Connection, viewer: Identity) -> list[object]:
    query = select(releases.c.id, releases.c.status).order_by(releases.c.id)
    if viewer.audience != "national":
        query = query.where(releases.c.status != DRAFT)
    return [tuple(row) for row in connection.execute(query)]


def _live(connection: Connection, viewer: Identity) -> list[object]:
    """How far live figures have got, of those that the viewer sees live."""
    match viewer.audience:
        case "public":
            return []
        case "authority":
            own = select(positions.c.service, positions.c.generation, positions.c.version)
            query = own.where(positions.c.authority == viewer.authority).order_by(positions.c.service)
            return [tuple(row) for row in connection.execute(query)]
        case "national":
            return [connection.scalar(select(func.sum(checkpoints.c.next_offset)))]
