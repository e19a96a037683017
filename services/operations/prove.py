"""The command that proves the whole chain: from the log to records, cells, what reporting shows, and releases."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from contracts.authorities import current_code
from services.chassis.web.words import counted

if TYPE_CHECKING:
    from services.operations.proof.proving import Prover

commands = typer.Typer()


@commands.command(
    help=(
        "Compare all tables and figures with the log, counted in another way. Exit status 1 if anything "
        "differs.\n\n"
        "Where DuckDB is installed, the main cells are also counted by queries that share no rule with the services. "
        "PAYBACK_DATABASE_URL and PAYBACK_KAFKA_BOOTSTRAP say where they are. Checks those of orders, unpaid_work "
        "and reporting whose schemas the database user may use; the role maintenance may use all."
    ),
)
def prove(
    authorities: Annotated[list[str] | None, typer.Argument(help="Codes of authorities; by default all.")] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Go on for ever; report in metrics and on the data quality page.")
    ] = False,
    share: Annotated[float, typer.Option(min=0.001, max=1, help="The share of time that --watch may use.")] = 0.1,
) -> None:
    from services.operations.proof.recount import possible  # noqa: PLC0415
    from services.operations.proof.settings import ProofSettings, opened  # noqa: PLC0415
    from services.operations.proof.watching import keep_proving  # noqa: PLC0415

    codes = [_code(authority) for authority in authorities or ()]
    settings = ProofSettings.load()
    if not possible():
        typer.echo("Without DuckDB, cells are not counted a second time: pip install 'payback[operations]'", err=True)
    with opened(settings) as prover:
        if watch:
            keep_proving(settings, prover, share)
        wrong = 0
        for line in _lines(prover, codes or prover.authorities()):
            typer.echo(line)
            wrong += 1
        looked = ", ".join([*prover.books, *(["reporting"] if prover.reporting is not None else [])])
    typer.echo(
        f"{looked}: {counted(wrong, 'thing does', 'things do') + ' not add up' if wrong else 'everything adds up'}"
    )
    raise typer.Exit(int(wrong > 0))


def _lines(prover: "Prover", authorities: Sequence[str]) -> Iterator[str]:
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import track  # noqa: PLC0415

    for authority in track(authorities, "proving", console=Console(stderr=True)):
        for service in prover.books:
            yield from map(str, prover.prove(service, authority).mismatches)
    yield from map(str, prover.prove_releases())


def _code(authority: str) -> str:
    code = current_code(authority)
    if code is None:
        raise typer.BadParameter(f"no such authority: {authority}")
    return code
