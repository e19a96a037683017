"""The space that the history takes, and will take, measured from the tables and topics as they are."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

import typer
from sqlalchemy import Connection, Engine, func, select, text

from services.chassis.clock import system_clock
from services.chassis.database import transaction
from services.chassis.web.words import counted
from services.operations.books import BooksSettings, opened
from services.records.ingest.tables import arrivals

commands = typer.Typer()
BACK = timedelta(days=28)
YEARS = (1, 5, 10)


class Held(NamedTuple):
    """The present content of a service's schema. Sizes are in bytes, with indexes."""

    events: int
    orders: int
    lately: float
    """Events a day, over the last four weeks."""
    tables: dict[str, int]

    @property
    def size(self) -> int:
        return sum(self.tables.values())


@commands.command(
    help=(
        "Show how much space this history takes in PostgreSQL, and how much it will take in one, five and ten years at the pace of "
        "the last four weeks.\n\n"
        "The database is where PAYBACK_DATABASE_URL says, of the service that PAYBACK_DATABASE_SCHEMA_NAME names."
    ),
)
def capacity() -> None:
    with opened(BooksSettings.load()) as (database, domain):
        for line in told(domain.service, held(database, system_clock())):
            typer.echo(line)


def held(database: Engine, now: datetime) -> Held:
    """Count and measure a schema at one moment."""
    with transaction(database) as connection:
        events = connection.scalar(select(func.count()).select_from(arrivals)) or 0
        late = (
            connection.scalar(select(func.count()).where(arrivals.c.arrived_at > now - BACK).select_from(arrivals)) or 0
        )
        orders = connection.scalar(text("SELECT count(*) FROM records")) or 0
        return Held(events, orders, late / BACK.days, _sizes(connection))


def _sizes(connection: Connection) -> dict[str, int]:
    found = connection.execute(
        text(
            "SELECT relname, pg_total_relation_size(oid) AS size FROM pg_class WHERE relkind = 'r' "
            "AND relnamespace = current_schema()::regnamespace ORDER BY size DESC"
        )
    )
    return {row.relname: row.size for row in found}


def told(service: str, now: Held) -> Iterator[str]:
    """Yield the measurements as lines for a person."""
    yield f"{service}: {counted(now.events, 'event')}, {counted(now.orders, 'order')}, {size(now.size)} in PostgreSQL"
    for table, taken in list(now.tables.items())[:5]:
        yield f"    {table:14} {size(taken):>9}"
    if not now.events:
        yield "    nothing has been sent yet, so there is no forecast"
        return
    each = now.size / now.events
    yield f"    {each:,.0f} bytes an event; {now.lately:,.1f} events a day in the last four weeks"
    for years in YEARS:
        more = now.lately * 365 * years
        yield f"    in {years:>2} years {now.events + more:>12,.0f} events, {size(now.size + more * each):>9}"


def size(taken: float) -> str:
    """Return a size in units that are easy to read."""
    for unit in ("B", "KB", "MB", "GB"):
        if taken < 1000 or unit == "GB":
            break
        taken /= 1000
    return f"{taken:,.1f} {unit}"
