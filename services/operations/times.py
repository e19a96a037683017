"""The command that corrects the arrival times of messages, after a clock was wrong."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from contracts.events import Topic
from contracts.topics import source_topics
from services.chassis.audit.operators import operated
from services.chassis.clock import system_clock
from services.chassis.database import transaction
from services.chassis.streaming.batches import TopicPartition
from services.chassis.web.words import counted
from services.operations.books import BooksSettings, opened
from services.records.ingest import times
from services.records.upkeep.rebuild import alone

commands = typer.Typer()


@commands.command(
    help=(
        "Record when messages really came whose times in Kafka are wrong, for instance after a broker's clock "
        "jumped. `payback rebuild` then uses those times.\n\n"
        "The database is where PAYBACK_DATABASE_URL says, of the service that PAYBACK_DATABASE_SCHEMA_NAME names."
    ),
)
def redate(
    topic: Annotated[str, typer.Argument(help="As in orders.events.S12000005.")],
    first: Annotated[int, typer.Argument(min=0, help="Offset of the first message with a wrong time.")],
    last: Annotated[int, typer.Argument(min=0, help="Offset of the last.")],
    came: Annotated[datetime, typer.Argument(formats=["%Y-%m-%dT%H:%M"], help="When they came, in UTC.")],
) -> None:
    at = came.replace(tzinfo=UTC)
    if topic not in source_topics(*Topic):
        raise typer.BadParameter("no such topic of events", param_hint="TOPIC")
    if not first <= last or at > system_clock():
        raise typer.BadParameter("LAST must not come before FIRST, and the time must not lie in the future")
    settings = BooksSettings.load()
    with alone(settings.database), opened(settings) as (database, domain), transaction(database) as connection:
        number = times.redate(connection, TopicPartition(topic, 0), first, last, at)
        operated(connection, "redate", topic[-9:], topic=topic, first=first, last=last, came=f"{at:%Y-%m-%dT%H:%M}Z")
    typer.echo(
        f"{domain.service}: {counted(number, 'message is', 'messages are')} counted as "
        f"come at {at:%Y-%m-%d %H:%M}, once payback rebuild has run"
    )
