"""The commands about signed trees of accepted events."""

import os
from datetime import datetime
from pathlib import Path
from typing import Annotated, NamedTuple

import msgspec
import typer
from pydantic import Field
from sqlalchemy import Engine

from contracts.authorities import AUTHORITIES
from contracts.receipts.keys import SigningKey, new_key
from contracts.receipts.receipt import Head, NotProven, read_head
from contracts.topics import topic_of
from services.chassis.clock import system_clock
from services.chassis.database import unhurried
from services.chassis.failures import Refused
from services.chassis.settings import Group, KafkaSettings
from services.chassis.web.words import counted
from services.operations.books import BooksSettings
from services.operations.rights.erasing import OWN, opened
from services.records.trees.closing import Tree, close
from services.records.trees.events import events_of

commands = typer.Typer()
evidence = typer.Typer(
    no_args_is_help=True,
    help="Signed trees of accepted events. PAYBACK_DATABASE_URL and PAYBACK_KAFKA_BOOTSTRAP say where, for a user "
    "who may take the"
    "roles of both services of records, as the role maintenance is.",
)
commands.add_typer(evidence, name="evidence")


class KeySettings(Group):
    """The key with which heads are signed."""

    key_path: Path = Field(description="a private key of Ed25519 in PEM, as `payback evidence new-key` makes it")
    heads_path: Path = Field(
        description="a folder apart from PostgreSQL and its backups, for the last head of each tree; no other history is signed"
    )


class EvidenceSettings(BooksSettings):
    """The addresses of all parts. The named schema does not matter."""

    kafka: KafkaSettings
    evidence: KeySettings


@evidence.command(
    name="new-key",
    help="Make a key to sign heads with. Give it to `close` in place of an older one, whose public key stays "
    "published.",
)
def make_key(path: Annotated[Path, typer.Argument(help="The file to write, which only you can read.")]) -> None:
    try:
        typer.echo(f"{path}: key {new_key(path).name}")
    except FileExistsError:
        raise Refused(f"{path} exists already") from None


@evidence.command(
    name="close",
    help="Close yesterday for every authority: add the events accepted by then to its tree, and sign the head. "
    "Meant for every night; a second run on the same day does nothing. If Kafka no longer has some events of an "
    "authority, the command leaves that authority out and ends with status 3.",
)
def close_day() -> None:
    settings = EvidenceSettings.load()
    key, now, faults = _key(settings.evidence.key_path), system_clock(), list[Refused]()
    kept = Heads(settings.evidence.heads_path)
    with opened(settings) as books:
        for service, database in books.items():
            heads = []
            for authority in AUTHORITIES:
                try:
                    tree = Tree(authority, topic_of(OWN[service], authority))
                    heads.append(close_one(settings.kafka, database, tree, Signing(key, kept), now))
                except Refused as fault:  # the other authorities continue
                    faults.append(fault)
            signed = [head for head in heads if head]
            typer.echo(
                f"{service}: {counted(len(signed), 'head')} signed, {counted(sum(head.size for head in signed), 'event')} in them"
            )
    if faults:
        raise Refused("\n".join(map(str, faults)))


class Heads:
    """The last head of each tree, in files. They reveal it if PostgreSQL was put back to an older copy."""

    def __init__(self, folder: Path) -> None:
        """Raise Refused if the folder does not exist: it is made by hand, so that a wrong path does not count as an empty one."""
        if not folder.is_dir():
            raise Refused(f"{folder}: there is no such folder to keep the last heads in")
        self._folder = folder

    def last(self, topic: str) -> Head | None:
        """Return the last head; None if none was kept. Raises Refused for a file that cannot be read."""
        path = self._path(topic)
        try:
            return read_head(path.read_bytes()) if path.exists() else None
        except (OSError, NotProven) as fault:
            raise Refused(f"{path}: {fault}") from None

    def keep(self, head: Head) -> None:
        """Replace the last head, at once. Raises Refused if the folder cannot be written to."""
        path = self._path(head.topic)
        fresh = path.with_suffix(".new")
        try:
            with fresh.open("wb") as stream:
                stream.write(msgspec.json.encode(head))
                stream.flush()
                os.fsync(stream.fileno())
            fresh.replace(path)
        except OSError as fault:
            raise Refused(f"{path}: {fault}: {head.day} was closed, and its head is not kept here") from None

    def _path(self, topic: str) -> Path:
        return self._folder / f"{topic}.json"


class Signing(NamedTuple):
    """The signing key, and what was signed."""

    key: SigningKey
    heads: Heads


def close_one(kafka: KafkaSettings, database: Engine, tree: Tree, signing: Signing, now: datetime) -> Head | None:
    """Close one authority's day, see `close`. Raises Away or Refused; then nothing of this authority was closed, unless the message says
    so.
    """
    signed = signing.heads.last(tree.topic)
    with events_of(kafka, tree.topic) as events, unhurried(database) as connection:
        head = close(connection, tree, events, signing.key, now, signed)
    if head:
        signing.heads.keep(head)
    return head


def _key(path: Path) -> SigningKey:
    try:
        return SigningKey(path.read_bytes())
    except (OSError, ValueError) as fault:
        raise Refused(f"{path}: {fault}") from None
