"""Commands for one machine: the embedded stack, and tokens for development."""

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from deploy.local.stack import running_stack
from deploy.local.tokens import DevelopmentKey, identity_of

commands = typer.Typer()


@commands.command(
    help="Run the whole platform here with nothing in it. Prints one line of JSON once it is ready; stop it with Ctrl-C."
)
def stack(
    directory: Annotated[
        Path | None, typer.Option("--dir", help="For logs, keys and data; a temporary one is used otherwise.")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(min=1024, max=65000, help="The first of fifteen ports; free ones are taken otherwise."),
    ] = None,
) -> None:
    with _until_stopped(), running_stack(directory, port, _progress, webhooks=True) as running:
        sys.stdout.write(json.dumps(running.announcement()) + "\n")
        sys.stdout.flush()
        running.keep_up(until=lambda: False)


@commands.command(
    help="Run the whole platform here, with 32 pretend authorities; check every cell against the truth; go on live until Ctrl-C."
)
def demo(
    months: Annotated[int, typer.Option(min=1, max=240, help="How many months of the whole nation.")] = 12,
    seed: Annotated[int, typer.Option(help="The same seed on the same day gives the same events.")] = 1,
    leave: Annotated[
        bool, typer.Option("--exit", help="Stop once the load is checked, with status 0 if all is right.")
    ] = False,
    directory: Annotated[
        Path | None, typer.Option("--dir", help="For logs; a temporary one is used otherwise.")
    ] = None,
    port: Annotated[int | None, typer.Option(min=1024, max=65000, help="The first of fifteen ports.")] = None,
) -> None:
    # Not at the top, since every command of payback imports this module.
    from deploy.local import demo as demonstration  # noqa: PLC0415

    with _until_stopped():
        demonstration.run(months, seed, directory, port, leave=leave)


@commands.command(help="Print a token for development.")
def token(
    role: Annotated[str, typer.Argument(help="An authority's code, or national, inspector or operator.")],
    key: Annotated[Path, typer.Option(help="The private key; a pair is made if there is none.")] = Path(
        "var/development-key.pem"
    ),
    scope: Annotated[
        list[str] | None, typer.Option(help="Instead of the role's usual scopes; may be repeated.")
    ] = None,
    days: Annotated[int, typer.Option(min=1, help="How long it is good for.")] = 1,
) -> None:
    try:
        identity = identity_of(role)
    except ValueError as fault:
        raise typer.BadParameter(str(fault), param_hint="ROLE") from None
    if scope:
        identity = replace(identity, scopes=frozenset(scope))
    pair = DevelopmentKey(key)
    _progress(f"services that know {pair.public_path} will believe this token")
    typer.echo(pair.mint(identity, timedelta(days=days)))


@contextmanager
def _until_stopped() -> Iterator[None]:
    """Have SIGTERM and SIGINT end the block in order.

    Scripts have what they start in the background ignore SIGINT, and then Python does too unless it is told otherwise.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        yield


def _progress(line: str) -> None:
    typer.echo(line, err=True)
