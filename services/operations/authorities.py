"""Changes in the list of authorities: which authority begins, ends or changes its name, and when."""

from collections.abc import Iterator
from datetime import date

import typer

from contracts.authorities import AUTHORITIES, LISTED, in_force
from contracts.clock import system_clock
from contracts.listing.reading import Authority
from contracts.periods import LONDON

commands = typer.Typer()


@commands.command(
    help="Show each dated change in the list of authorities, and how many authorities there are today.",
    epilog="A file of PAYBACK_AUTHORITIES_PATH that cannot be used is reported with every fault; exit status 2.",
)
def authorities() -> None:
    today = system_clock().astimezone(LONDON).date()
    typer.echo("\n".join([*told(), summary(today)]))


def told() -> Iterator[str]:
    """Yield a line for each day on which something changes, by authority."""
    for one in AUTHORITIES.values():
        yield from (f"{one.code} {words}" for words in _changes(one))


def _changes(one: Authority) -> Iterator[str]:
    if one.first_day:
        yield f"{one.first_name}: from {one.first_day}"
    yield from (f"{one.first_name}: from {each.on} called {each.name}" for each in one.renamed)
    if one.last_day:
        yield f"{one.first_name}: until {one.last_day}" + (f", then part of {one.successor}" if one.successor else "")


def summary(today: date) -> str:
    """Return the list in one line. Processes with the same digest have the same list."""
    return f"{len(in_force(today))} authorities today, {len(AUTHORITIES)} in the list {LISTED}"
