"""The books of one service of records, for the commands that look into them."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine

from services.chassis.database import engine, transaction
from services.chassis.failures import Refused
from services.chassis.settings import DatabaseSettings, Settings
from services.orders.domain import domain as orders
from services.records.config.closed_days import calendars
from services.records.config.settings import CalendarSettings
from services.records.ingest.notes import with_own_days
from services.records.model.domain import Domain
from services.unpaid_work.domain import domain as unpaid_work

DOMAINS = {"orders": orders, "unpaid_work": unpaid_work}


class BooksSettings(Settings):
    """The address of the books: PAYBACK_DATABASE_SCHEMA_NAME names the service."""

    database: DatabaseSettings
    calendar: CalendarSettings = CalendarSettings()


def domain_of(settings: BooksSettings) -> Domain:
    """Return the service's domain as its database and files say. Raises Refused."""
    with opened(settings) as (_, domain):
        return domain


@contextmanager
def opened(settings: BooksSettings) -> Iterator[tuple[Engine, Domain]]:
    """Open the service's database, with the domain that makes it this service. Raises Refused."""
    make = DOMAINS.get(settings.database.schema_name)
    if make is None:
        raise Refused("PAYBACK_DATABASE_SCHEMA_NAME must be orders or unpaid_work")
    database = engine(settings.database)
    try:
        with transaction(database) as connection:
            domain = with_own_days(connection, make(*calendars(settings.calendar.closed_days_path)))
        yield database, domain
    finally:
        database.dispose()
