"""The topics as Kafka must have them, and the command that makes and checks them."""

from collections.abc import Sequence
from typing import Annotated

import typer

from contracts.decoding.codec import MAX_BYTES
from contracts.events import Topic
from contracts.topics import NATIONAL_AGGREGATES, source_topics
from services.chassis.settings import KafkaSettings, Settings
from services.chassis.streaming.clients.admin import LONG, SEGMENTS, Admin, TopicSpec

FOR_EVER = "-1"

commands = typer.Typer()


class TopicsSettings(Settings):
    """Settings of `payback topics`, from the environment."""

    kafka: KafkaSettings


BATCH_BYTES = 10 * MAX_BYTES
"""How much Kafka accepts at once, compressed: ten of the largest events, and room for any batch of usual ones."""


def topic_specs(replication: int = -1, *, simulated: bool = False) -> list[TopicSpec]:
    """Return the specs of every topic. Events are kept for ever, since everything else can be rebuilt from them.

    The broker, not the sender, decides when an event came, except where the past is simulated or mirrored.
    """
    kept = {
        "cleanup.policy": "delete",
        "retention.ms": FOR_EVER,
        "retention.bytes": FOR_EVER,
        SEGMENTS: LONG,
        "message.timestamp.type": "CreateTime" if simulated else "LogAppendTime",
        "max.message.bytes": str(BATCH_BYTES),
    }
    compacted = {"cleanup.policy": "compact"}
    return [
        *(TopicSpec(name, replication=replication, configs=kept) for name in source_topics(*Topic)),
        TopicSpec(NATIONAL_AGGREGATES, replication=replication, configs=compacted),
    ]


def ensure(kafka: KafkaSettings, specs: Sequence[TopicSpec]) -> list[str]:
    """Create what is missing and return, in words, how an existing topic differs. Raises Away or Refused."""
    admin = Admin(kafka)
    try:
        return admin.ensure_topics(specs)
    finally:
        admin.close()


def examine(kafka: KafkaSettings, specs: Sequence[TopicSpec]) -> list[str]:
    """Return, in words, which topics are missing, or differ. Changes nothing. Raises Away or Refused."""
    admin = Admin(kafka)
    try:
        return admin.differences(specs)
    finally:
        admin.close()


@commands.command(help="Create the topics that are missing. Kafka is where PAYBACK_KAFKA_BOOTSTRAP says.")
def topics(
    replication: Annotated[int, typer.Option(help="Replicas of each topic; -1 takes the cluster's default.")] = -1,
    mirrored: Annotated[
        bool, typer.Option("--mirrored", help="With the settings that they need while another Kafka is copied to them.")
    ] = False,
    show: Annotated[bool, typer.Option("--show", help="Only show which topics there should be.")] = False,
) -> None:
    specs = topic_specs(replication, simulated=mirrored)
    if show:
        for spec in specs:
            typer.echo(" ".join([spec.name, *(f"{name}={value}" for name, value in spec.configs.items())]))
        return
    differences = ensure(TopicsSettings.load().kafka, specs)
    for difference in differences:
        typer.echo(difference, err=True)
    if differences:
        raise typer.Exit(1)
    typer.echo(f"{len(specs)} topics exist")
