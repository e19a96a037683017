"""When all figures were last compared with their events (services.operations.proof)."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from services.reporting.read.tables import proofs


@dataclass(frozen=True, slots=True)
class Proved:
    """The last comparison of everything together."""

    at: datetime | None
    """Since when nothing was left out; None before the first time."""
    mismatches: int
    """How many values differed from the events."""


def last_proof(connection: Connection) -> Proved:
    """Return the last comparison of everything, from the last one of each service and authority."""
    row = connection.execute(select(func.min(proofs.c.proved_at), func.sum(proofs.c.mismatches))).one()
    return Proved(row[0], int(row[1] or 0))
