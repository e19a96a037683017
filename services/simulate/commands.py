"""The command that writes the events of the simulated authorities, and the results that must follow."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from contracts.authorities import AUTHORITIES
from services.chassis.clock import system_clock

commands = typer.Typer()


@commands.command(
    help="Write the events of pretend authorities as NDJSON, a file per topic in order of arrival, and the cells that must come out."
)
def simulate(  # noqa: PLR0913, PLR0917
    out: Annotated[Path, typer.Option(help="Directory for the files; made if it is not there.")],
    months: Annotated[int, typer.Option(min=1, max=240, help="How many months of events.")] = 12,
    seed: Annotated[int, typer.Option(help="The same seed and end give the same files.")] = 1,
    end: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="The first day without events; today if left out."),
    ] = None,
    authority: Annotated[list[str] | None, typer.Option(help="Only this authority's code; may be repeated.")] = None,
    odd: Annotated[
        bool, typer.Option("--odd", help="One authority never sends, one is always refused, the clock of one is ahead.")
    ] = False,
    extracts: Annotated[
        bool,
        typer.Option(
            "--extracts", help="Also write the tables that their own systems would export, for `payback connect`."
        ),
    ] = False,
    extract_days: Annotated[int, typer.Option(min=1, help="For how many of the last days to write extracts.")] = 7,
) -> None:
    codes = authority or list(AUTHORITIES)
    unknown = [code for code in codes if code not in AUTHORITIES]
    if unknown:
        raise typer.BadParameter(f"no such authority: {', '.join(unknown)}", param_hint="--authority")
    # Not at the top, since every command of payback imports this module.
    from services.simulate.habits import odd_habits  # noqa: PLC0415
    from services.simulate.nation import Simulation  # noqa: PLC0415
    from services.simulate.telling.files import write  # noqa: PLC0415

    habits = odd_habits(seed, codes) if odd else {}
    simulation = Simulation(seed, months, (end or system_clock()).date(), codes, habits)
    written = write(simulation, out, extract_days if extracts else 0)
    typer.echo(f"{written} events of {len(codes)} authorities in {out}")
