"""The command that tells what stands behind one of an authority's own numbers."""

from typing import Annotated

import typer
from sqlalchemy import text

from services.chassis.database import engine, transaction
from services.chassis.settings import DatabaseSettings, Settings
from services.orders.domain import domain as orders
from services.records.closed_days import calendars
from services.records.explain import CellName, Explanation, cell_name, explain
from services.records.recount import records_of
from services.records.settings import CalendarSettings
from services.unpaid_work.domain import domain as unpaid_work

commands = typer.Typer()
DOMAINS = {"orders": orders, "unpaid_work": unpaid_work}
MOST = 20
"""Orders shown, unless all are asked for."""


class ExplainSettings(Settings):
    """What `payback explain` reads from the environment."""

    database: DatabaseSettings
    calendar: CalendarSettings = CalendarSettings()


@commands.command("explain")
def explain_cell(
    cell: Annotated[
        str, typer.Argument(help="measure|authority|period|category, as the API of reporting names cells.")
    ],
    everything: Annotated[bool, typer.Option("--all", help="Show every order behind it.")] = False,
) -> None:
    """Show the orders and facts behind an authority's own number, and why others did not count.

    The database is where PAYBACK_DATABASE_URL says, of the service that PAYBACK_DATABASE_SCHEMA_NAME names.
    """
    try:
        name = cell_name(cell)
    except ValueError as fault:
        raise typer.BadParameter(str(fault), param_hint="CELL") from None
    settings = ExplainSettings.load()
    make = DOMAINS.get(settings.database.schema_name)
    if make is None:
        raise typer.BadParameter("PAYBACK_DATABASE_SCHEMA_NAME must be orders or unpaid_work")
    database = engine(settings.database)
    try:
        with transaction(database) as connection:
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            domain = make(*calendars(settings.calendar.closed_days_path)).of(name.authority)
            found = explain(name, records_of(connection, name.authority), domain)
    finally:
        database.dispose()
    for line in _lines(name, found, None if everything else MOST):
        typer.echo(line)


def _lines(cell: CellName, found: Explanation, most: int | None) -> list[str]:
    lines = [f"{'|'.join(map(str, cell))} = {found.value}", ""]
    lines.append(f"{len(found.behind)} orders count here:")
    lines += [f"  {one.subject}: {one.value}, by {', '.join(one.facts)}" for one in found.behind[:most]]
    if most is not None and len(found.behind) > most:
        lines.append(f"  and {len(found.behind) - most} more (--all shows them)")
    lines += ["", f"{sum(found.elsewhere.values())} orders do not:"]
    for reason, number in found.elsewhere.most_common():
        lines.append(f"  {number}: {reason} (as {', '.join(found.examples[reason])})")
    return lines
