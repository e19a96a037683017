"""The differences between the published cells of a release and those of the previous one, by cause. All of it is public."""

from sqlalchemy import Connection, case, func, select

from contracts.periods import last_day
from services.reporting.read.tables import public_cells
from services.reporting.releases.index import ReleaseInfo
from services.reporting.statistics.causes import Move, Step, moves


def published_moves(connection: Connection, before: ReleaseInfo, release: ReleaseInfo) -> list[Move]:
    """Return the differences in the months of the previous release, each cell's split by cause, in published numbers."""
    c, over = public_cells.c, last_day(before.last_month)
    by = func.sum(case((c.release == release.id, c.value), else_=-c.value))
    key = (c.measure, c.authority, c.period, c.category)
    query = select(*key, by).where(c.release.in_([before.id, release.id]), c.period <= over)
    found = connection.execute(query.group_by(*key).having(by != 0).order_by(*key))
    steps = (Step(measure, code, month, category, over, int(moved)) for measure, code, month, category, moved in found)
    return list(moves(steps, over))
