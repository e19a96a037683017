"""The command that writes what the pretend authorities say, and what must come of it."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from contracts.authorities import AUTHORITIES
from contracts.events import Topic
from contracts.topics import topic_of
from services.chassis.clock import system_clock
from services.simulate.nation import Simulation
from services.simulate.untidy import SECOND

commands = typer.Typer()

_SHORT = {Topic.ORDERS: "orders", Topic.UNPAID_WORK: "unpaid-work"}


@commands.command()
def simulate(
    out: Annotated[Path, typer.Option(help="Directory for the files; made if it is not there.")],
    months: Annotated[int, typer.Option(min=1, max=240, help="How many months of events.")] = 12,
    seed: Annotated[int, typer.Option(help="The same seed and end give the same files.")] = 1,
    end: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="The first day that is not told of; today if left out."),
    ] = None,
    authority: Annotated[list[str] | None, typer.Option(help="Only this authority's code; may be repeated.")] = None,
) -> None:
    """Write the events of pretend authorities as NDJSON, a file per topic in order of arrival, and the cells that must come out."""
    codes = authority or list(AUTHORITIES)
    unknown = [code for code in codes if code not in AUTHORITIES]
    if unknown:
        raise typer.BadParameter(f"no such authority: {', '.join(unknown)}", param_hint="--authority")
    simulation = Simulation(seed, months, (end or system_clock()).date(), codes)
    written = write(simulation, out)
    typer.echo(f"{written} events of {len(codes)} authorities in {out}")


def write(simulation: Simulation, out: Path) -> int:
    """Writes a file per topic and `truth.json`; answers with the number of events. Progress goes to standard error."""
    out.mkdir(parents=True, exist_ok=True)
    written = 0
    with _files(simulation, out) as files, _progress() as progress:
        days = (simulation.end - simulation.first).days
        task = progress.add_task("events", total=days)
        for delivery in simulation.deliveries():
            files[delivery.topic].write(delivery.value + b"\n")
            written += 1
            if written % 5_000 == 0:
                day = datetime.fromtimestamp(delivery.arrived / SECOND, UTC).date()
                told = (day - simulation.first).days
                progress.update(task, completed=told, description=f"{written} events, to {day}")
        progress.update(task, completed=days, description=f"{written} events")
    (out / "truth.json").write_text(json.dumps(simulation.truth(), indent=0), encoding="utf-8")
    return written


@contextmanager
def _files(simulation: Simulation, out: Path) -> Iterator[dict[str, BinaryIO]]:
    """The file of each topic, by its name."""
    with ExitStack() as stack:
        yield {
            topic_of(kind, code): stack.enter_context((out / f"{_SHORT[kind]}.{code}.ndjson").open("wb"))
            for kind in Topic
            for code in simulation.authorities
        }


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True))
