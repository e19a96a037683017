"""The commands about one person: show what is held, and erase it."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from contracts.authorities import current_code
from services.chassis.web.words import counted
from services.operations.rights.erasing import PersonSettings, forget, opened
from services.operations.rights.holding import Order, held

commands = typer.Typer()
person = typer.Typer(
    no_args_is_help=True,
    help="Show what is held about a person, or erase it. PAYBACK_DATABASE_URL and PAYBACK_KAFKA_BOOTSTRAP say where, for a user "
    "who may take the roles of both services of records, as the role maintenance is.",
)
commands.add_typer(person, name="person")

Pseudonym = Annotated[str, typer.Argument(help="The pseudonym, as the authority makes it.")]
Why = Annotated[str, typer.Option(help="Who asked for it, and when, without a name; kept on record.")]
By = Annotated[str | None, typer.Option(help="Who does it; by default the user who is signed in.")]
Authority = Annotated[
    str | None, typer.Option(help="Code of the authority that made the pseudonym, if only the log holds it.")
]
LEFT = """What this command cannot reach:
- Kafka's disk: the old records can be read no more, and the broker deletes their segments some minutes later. On the disk of a copy that
  payback copy keeps they may stay beside newer ones: make that copy anew. Copies that other tools made of the topics.
- Backups of Kafka and PostgreSQL, and archived WAL, until they are deleted. After a restore of an older one, run this command again.
- The authority's side: its case system, the spools of `payback connect` and of the client library, programs that follow changes or get
  webhooks, workbooks and lists from the desk. Events sent again from there count as new, and so count twice.
- Receipts that senders hold name places in the log that no longer exist.
To compare the figures with the log, run payback prove."""


@person.command(
    help="Write all that is held about a person into a file: orders, hours, refused events, receipts, and who looked."
)
def show(
    pseudonym: Pseudonym,
    out: Annotated[Path, typer.Option(help="The file to write, which only you can read.")],
    why: Why = "",
    by: By = None,
    authority: Authority = None,
) -> None:
    with opened(PersonSettings.load()) as books:
        found = held(books, Order(pseudonym, why, by, _code(authority)))
    out.unlink(missing_ok=True)  # the new file must not have the permissions of an old one
    out.touch(mode=0o600, exist_ok=False)
    out.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")
    typer.echo(f"{out}: {counted(len(found['references']), 'order')}")


@person.command(
    help=(
        "Erase a person without changing a count: write the topics anew with random names, and rebuild the tables "
        "from them.\n\n"
        "No event about the person may be sent meanwhile. Lists at the end what it cannot reach: Kafka's old "
        "segments, backups, and the authority's own side."
    ),
)
def erase(pseudonym: Pseudonym, why: Why, by: By = None, authority: Authority = None) -> None:
    settings = PersonSettings.load()
    with opened(settings) as books:
        number = forget(settings, books, Order(pseudonym, why, by, _code(authority)))
    typer.echo(f"{counted(number, 'record')} of the log renamed, and the tables rebuilt from it.\n{LEFT}")


def _code(authority: str | None) -> str | None:
    code = authority and current_code(authority)
    if authority and code is None:
        raise typer.BadParameter(f"no such authority: {authority}")
    return code or None
