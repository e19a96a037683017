"""The daily changes of cells, read from the row that each cell has for every day on which it changed."""

from datetime import date

from sqlalchemy import Connection, func, select

from services.reporting.read.tables import cells, positions
from services.reporting.read.vintages import Wanted
from services.reporting.statistics.causes import Step


def steps(connection: Connection, first_day: date, last_day: date, wanted: Wanted) -> list[Step]:
    """Return all changes after the first day, up to and including the last. Services are added up."""
    c, earlier = cells.c, cells.alias("earlier")
    key = (c.service, c.authority, c.generation, c.measure, c.category, c.period)
    until_then = (
        select(earlier.c.value)
        .where(*(earlier.c[column.name] == column for column in key), earlier.c.known_on <= first_day)
        .order_by(earlier.c.known_on.desc())
        .limit(1)
        .scalar_subquery()
    )
    before = func.coalesce(func.lag(c.value).over(partition_by=key, order_by=c.known_on), until_then, 0)
    visible = (
        (positions.c.service == c.service)
        & (positions.c.authority == c.authority)
        & (positions.c.generation == c.generation)
    )
    moved = (
        select(c.measure, c.authority, c.period, c.category, c.known_on, (c.value - before).label("by"))
        .select_from(cells.join(positions, visible))
        .where(c.known_on > first_day, c.known_on <= last_day, *wanted.conditions(cells))
        .subquery("moved")
    )
    place = (moved.c.measure, moved.c.authority, moved.c.period, moved.c.category, moved.c.known_on)
    total = func.sum(moved.c.by)
    found = connection.execute(select(*place, total).group_by(*place).having(total != 0))
    return [Step(m, a, p, category, day, int(by)) for m, a, p, category, day, by in found]
