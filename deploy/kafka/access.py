"""Gives credentials, rights and quotas in Kafka, and removes them: `python -m deploy.kafka.access --help`.

PAYBACK_KAFKA_BOOTSTRAP names the Kafka; the user who runs this must be an administrator there.
"""

import secrets
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Annotated, Any

import typer
from kafka import KafkaAdminClient
from kafka.admin import (
    ACL,
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ResourcePattern,
    ResourcePatternFilter,
    ResourceType,
    ScramMechanism,
    UserScramCredentialDeletion,
    UserScramCredentialUpsertion,
)
from kafka.errors import KafkaError, NoError

from deploy.kafka import quotas, rights
from deploy.kafka.rights import Holder
from services.chassis.failures import Away, Refused
from services.chassis.settings import KafkaSettings, SettingsError
from services.chassis.streaming.clients.connection import connection, failure
from services.chassis.web.words import counted
from services.operations.topics import TopicsSettings

MECHANISM = ScramMechanism.SCRAM_SHA_512
ITERATIONS = 8192

commands = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


def grant(kafka: KafkaSettings, holder: Holder) -> str:
    """Give the holder their rights, their quota and a new password, and return the password. Raises Away or Refused."""
    password = secrets.token_urlsafe(32)
    with _administrator(kafka) as admin:
        _allow(admin, holder)
        quotas.give(admin, {holder.user: holder.quota})
        _credentials(admin, UserScramCredentialUpsertion(holder.user, MECHANISM, password, ITERATIONS))
    return password


def revoke(kafka: KafkaSettings, user: str) -> int:
    """Remove everything from the user: no right, no new connection. Returns how many rights. Raises Away or Refused.

    The quota goes last: if this is broken off half way, nobody is left with rights and no limit.
    """
    everything = ResourcePatternFilter(ResourceType.ANY, None, ACLResourcePatternType.ANY)
    theirs = ACLFilter(f"User:{user}", None, ACLOperation.ANY, ACLPermissionType.ANY, everything)
    with _administrator(kafka) as admin:
        _, gone, error = admin.delete_acls([theirs])[0]
        if error is not NoError:
            raise failure(error())
        if admin.describe_user_scram_credentials([user])[user]["credential_infos"]:
            _credentials(admin, UserScramCredentialDeletion(user, MECHANISM))
        quotas.take(admin, user)
        return len(gone)


def grant_services(kafka: KafkaSettings) -> None:
    """Give our own processes their rights, if the broker's own settings hold their passwords. Raises Away or Refused."""
    with _administrator(kafka) as admin:
        _allow(admin, *rights.SERVICES.values())


def limit_all(kafka: KafkaSettings) -> int:
    """Set the quota of everybody known and of every subscriber with credentials. Returns how many. Raises Away or Refused."""
    with _administrator(kafka) as admin:
        names = (user for user in admin.describe_user_scram_credentials() if user.startswith(rights.SUBSCRIBER))
        subscribers = [rights.subscriber(user.removeprefix(rights.SUBSCRIBER)) for user in names]
        limits = {holder.user: holder.quota for holder in (*rights.known(), *subscribers)}
        quotas.give(admin, limits)
    return len(limits)


def _allow(admin: Any, *holders: Holder) -> None:
    failed = admin.create_acls([acl for holder in holders for acl in _acls(holder)])["failed"]
    if failed:
        raise failure(failed[0]())


def _acls(holder: Holder) -> list[ACL]:
    return [
        ACL(
            f"User:{holder.user}",
            "*",
            ACLOperation[operation],
            ACLPermissionType.ALLOW,
            ResourcePattern(
                ResourceType[right.kind.name],
                right.name,
                ACLResourcePatternType.PREFIXED if right.beginning else ACLResourcePatternType.LITERAL,
            ),
        )
        for right in holder.rights
        for operation in right.operations
    ]


def _credentials(admin: Any, change: object) -> None:
    for user, message in admin.alter_user_scram_credentials([change]).items():
        if message:
            raise Refused(f"Kafka did not change the credentials of {user}: {message}")


@contextmanager
def _administrator(kafka: KafkaSettings) -> Iterator[Any]:
    try:
        with closing(KafkaAdminClient(**connection(kafka))) as admin:
            yield admin
    except KafkaError as error:
        raise failure(error) from error


@commands.command(help="An authority that sends to Kafka directly: write access to its own two topics.")
def authority(code: Annotated[str, typer.Argument(help="The authority's current code.")]) -> None:
    try:
        _grant(rights.authority(code))
    except ValueError as fault:
        raise typer.BadParameter(str(fault), param_hint="CODE") from None


@commands.command(help="Somebody entitled to the live national aggregates: read access to them.")
def subscriber(name: Annotated[str, typer.Argument(help="Short and lower case, e.g. statistics.")]) -> None:
    _grant(rights.subscriber(name))


@commands.command(help="A process of the platform, where even the inner listener asks for a sign-in.")
def service(name: Annotated[str, typer.Argument(help=", ".join(rights.SERVICES))]) -> None:
    if name not in rights.SERVICES:
        raise typer.BadParameter(f"must be one of {', '.join(rights.SERVICES)}", param_hint="NAME")
    _grant(rights.SERVICES[name])


@commands.command(
    help="In a Kafka that is to hold a copy: `payback copy` makes and fills its topics, as the user `copier`."
)
def copier() -> None:
    _grant(rights.COPIER)


@commands.command(
    help="All processes of the platform, where the broker's own settings hold their passwords, and everybody's quota."
)
def services() -> None:
    kafka = TopicsSettings.load().kafka
    grant_services(kafka)
    typer.echo(f"{len(rights.SERVICES)} processes have their rights, {limit_all(kafka)} users their quotas")


@commands.command(
    "quotas", help="Set everybody's quota as this version has it. Whoever is given access has theirs from then on."
)
def limit() -> None:
    typer.echo(f"{limit_all(TopicsSettings.load().kafka)} users have their quotas")


@commands.command("revoke", help="Take the credentials, all rights and the quota away.")
def take_away(user: Annotated[str, typer.Argument(help="E.g. authority-s12000036.")]) -> None:
    gone = revoke(TopicsSettings.load().kafka, user)
    typer.echo(
        f"{user} had {counted(gone, 'right')} and has none now; connections that are open may still live for a while"
    )


def _grant(holder: Holder) -> None:
    """Write the password to standard output, so that it can be piped to its destination; it is shown only once."""
    password = grant(TopicsSettings.load().kafka, holder)
    for right in holder.rights:
        named = f"{right.name}*" if right.beginning else right.name
        typer.echo(f"{holder.user}: {', '.join(right.operations)} on {right.kind} {named}", err=True)
    typer.echo(password)


if __name__ == "__main__":
    try:
        commands()
    except (SettingsError, Away, Refused) as failed:
        typer.echo(str(failed), err=True)
        sys.exit({SettingsError: 2, Refused: 3, Away: 4}[type(failed)])
