"""The command line of the connector alone: `payback connect`, `payback validate` and `payback publish`."""

import typer

from contracts.commands import commands as files
from services.connect.commands import commands as tables


def main() -> None:
    """Run the console script of an installation without the platform."""
    app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
    app.add_typer(files)
    app.add_typer(tables)
    app()


if __name__ == "__main__":
    main()
