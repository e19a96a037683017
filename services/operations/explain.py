"""The command that shows what is behind one of an authority's own numbers."""

from datetime import datetime
from typing import Annotated

import typer
from sqlalchemy import text

from services.chassis.audit.operators import operated
from services.chassis.database import transaction
from services.chassis.web.words import counted
from services.operations.books import BooksSettings, opened
from services.records.ingest.recount import records_of
from services.records.upkeep.explain import MOST_TRIED, CellName, Explanation, cell_name, explain, known

commands = typer.Typer()
MOST = 20
"""Orders shown, unless all are asked for."""


@commands.command(
    "explain",
    help=(
        "Show the orders and facts behind an authority's own number, and why other orders do not count.\n\n"
        "The database is where PAYBACK_DATABASE_URL says, of the service that PAYBACK_DATABASE_SCHEMA_NAME names."
    ),
)
def explain_cell(
    cell: Annotated[
        str, typer.Argument(help="measure|authority|period|category, as the API of reporting names cells.")
    ],
    everything: Annotated[bool, typer.Option("--all", help="Show every order behind it.")] = False,
    as_of: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="As known at the end of that day.")
    ] = None,
) -> None:
    try:
        name = cell_name(cell)
    except ValueError as fault:
        raise typer.BadParameter(str(fault), param_hint="CELL") from None
    with opened(BooksSettings.load()) as (database, domain), transaction(database) as connection:
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        records = records_of(connection, name.authority)
        if as_of is not None:
            records = known(records, as_of.date())
        found = explain(name, records, domain.of(name.authority))
        operated(connection, "explain", name.authority, shown=[one.subject for one in found.behind])
    if as_of is not None:
        typer.echo(f"As known at the end of {as_of.date()}, by today's rules:")
    for line in _lines(name, found, None if everything else MOST):
        typer.echo(line)


def _facts(facts: tuple[str, ...] | None) -> str:
    if facts is None:
        return f"its more than {MOST_TRIED} facts"
    return ", ".join(facts) or "any of several facts"


def _lines(cell: CellName, found: Explanation, most: int | None) -> list[str]:
    lines = [f"{'|'.join(map(str, cell))} = {found.value}", ""]
    lines.append(f"{counted(len(found.behind), 'order')} behind it:")
    lines += [f"  {one.subject}: {one.value}, by {_facts(one.facts)}" for one in found.behind[:most]]
    if most is not None and len(found.behind) > most:
        lines.append(f"  and {len(found.behind) - most} more (--all shows them)")
    lines += ["", f"{counted(sum(found.elsewhere.values()), 'order')} not counted here:"]
    for reason, number in found.elsewhere.most_common():
        lines.append(f"  {number}: {reason} (as {', '.join(found.examples[reason])})")
    return lines
