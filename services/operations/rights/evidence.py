"""The commands about signed trees of what was accepted."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from pydantic import Field
from sqlalchemy import Engine

from contracts.authorities import AUTHORITIES
from contracts.receipts.keys import SigningKey, new_key
from contracts.receipts.receipt import Head
from contracts.topics import topic_of
from services.chassis.clock import system_clock
from services.chassis.database import unhurried
from services.chassis.failures import Refused
from services.chassis.settings import Group, KafkaSettings
from services.operations.books import BooksSettings
from services.operations.rights.erasing import OWN, opened
from services.records.trees.closing import Tree, close
from services.records.trees.events import events_of

commands = typer.Typer()
evidence = typer.Typer(
    no_args_is_help=True,
    help="Signed trees of what was accepted. PAYBACK_DATABASE_URL and PAYBACK_KAFKA_BOOTSTRAP say where, for a user "
    "who may take the"
    "roles of both services of records, as the role maintenance is.",
)
commands.add_typer(evidence, name="evidence")


class KeySettings(Group):
    """What heads are signed with."""

    key_path: Path = Field(description="a private key of Ed25519 in PEM, as `payback evidence new-key` makes it")


class EvidenceSettings(BooksSettings):
    """Where everything is. The schema that is named does not matter."""

    kafka: KafkaSettings
    evidence: KeySettings


@evidence.command(
    name="new-key",
    help="Make a key to sign heads with. Give it to `close` in place of an older one, whose public key stays "
    "published.",
)
def make_key(path: Annotated[Path, typer.Argument(help="The file to write, for whoever is signed in only.")]) -> None:
    try:
        typer.echo(f"{path}: key {new_key(path).name}")
    except FileExistsError:
        raise Refused(f"{path} is there already") from None


@evidence.command(
    name="close",
    help="Close yesterday for every authority: what was accepted by then is added to its tree, and the head is "
    "signed. Meant for every night. Done again on the same day, it does nothing. An authority of which Kafka "
    "lacks something is left out, with status 3 at the end.",
)
def close_day() -> None:
    settings = EvidenceSettings.load()
    key, now, faults = _key(settings.evidence.key_path), system_clock(), list[Refused]()
    with opened(settings) as books:
        for service, database in books.items():
            heads = []
            for authority in AUTHORITIES:
                try:
                    tree = Tree(authority, topic_of(OWN[service], authority))
                    heads.append(close_one(settings.kafka, database, tree, key, now))
                except Refused as fault:  # the others go on
                    faults.append(fault)
            signed = [head for head in heads if head]
            typer.echo(f"{service}: {len(signed)} heads signed, {sum(head.size for head in signed)} events in them")
    if faults:
        raise Refused("\n".join(map(str, faults)))


def close_one(kafka: KafkaSettings, database: Engine, tree: Tree, key: SigningKey, now: datetime) -> Head | None:
    """See `close`. Raises Away or Refused; then nothing of this authority was closed."""
    with events_of(kafka, tree.topic) as events, unhurried(database) as connection:
        return close(connection, tree, events, key, now)


def _key(path: Path) -> SigningKey:
    try:
        return SigningKey(path.read_bytes())
    except (OSError, ValueError) as fault:
        raise Refused(f"{path}: {fault}") from None
