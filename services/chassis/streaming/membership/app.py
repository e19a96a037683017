"""Faust's application, as a consumer and nothing else."""

import asyncio
from collections.abc import Collection
from typing import Any, cast

import faust
from faust.app.base import BootStrategy
from faust.tables import TableManager

from services.chassis.settings import KafkaSettings, StreamSettings
from services.chassis.streaming.clients.connection import tls_context
from services.chassis.streaming.engine import StreamEngine
from services.chassis.streaming.membership.assignor import SuffixAssignor
from services.chassis.streaming.membership.consumer import REQUEST_SECONDS, Consumer, Transport
from services.chassis.streaming.membership.fetches import AsItIs, OneMessagePerFetch
from services.chassis.streaming.membership.wired import Wired

YEAR_SECONDS = 365 * 86400.0


def consumer_options(kafka: KafkaSettings, settings: StreamSettings) -> dict[str, Any]:
    """Return settings of Faust as a consumer and nothing else: no tables, no web server, no topics of its own."""
    return {
        "broker": [f"kafka://{server.strip()}" for server in kafka.bootstrap.split(",")],
        "broker_client_id": kafka.client_id,
        "broker_credentials": _credentials(kafka),
        "broker_session_timeout": kafka.session_timeout_seconds,
        "broker_heartbeat_interval": kafka.session_timeout_seconds / 5,
        # For this long, a member that died while it joined holds up all the others.
        "broker_rebalance_timeout": kafka.session_timeout_seconds * 3,
        "broker_request_timeout": max(REQUEST_SECONDS, kafka.session_timeout_seconds),
        # While something is away nothing is fetched; that must not end the membership.
        "broker_max_poll_interval": YEAR_SECONDS / 52,
        "broker_max_poll_records": settings.batch_max_messages,
        "consumer_metadata_max_age_ms": int(kafka.metadata_seconds * 1000),
        "consumer_max_fetch_size": kafka.partition_fetch_max_bytes,
        # A position that Kafka does not have must be an error, never a silent jump.
        "consumer_auto_offset_reset": "none",
        "stream_buffer_maxsize": 1,
        "stream_wait_empty": False,
        "topic_allow_declare": False,
        "topic_disable_leader": True,
        "store": "memory://",
        "web_enabled": False,
        "autodiscover": False,
        "ConsumerScheduler": OneMessagePerFetch,
        "TableManager": NoTables,
        "PartitionAssignor": SuffixAssignor,
    }


def _credentials(kafka: KafkaSettings) -> faust.SASLCredentials | faust.SSLCredentials | None:
    context = tls_context(kafka)
    if kafka.sasl_password is not None:
        return faust.SASLCredentials(
            username=kafka.sasl_username,
            password=kafka.sasl_password.get_secret_value(),
            mechanism=kafka.sasl_mechanism,
            ssl_context=context,
        )
    return None if context is None else faust.SSLCredentials(context)


class ConsumerOnly(BootStrategy):
    enable_kafka_producer = False
    enable_web = False
    enable_sensors = False


class NoTables(TableManager):
    """Waits for none. Faust would sleep a second before it joins the group, in case some are still being defined."""

    async def on_start(self) -> None:
        await self._update_channels()
        await self.recovery.start()


class App(Wired):
    """Faust's application, which gives every fetch to the engine."""

    BootStrategy = ConsumerOnly

    def read(self, topics: Collection[str]) -> None:
        """Give every fetch of the topics to the engine."""

        async def batches(stream: Any) -> None:
            async for records in stream:
                # An agent that raises is started again in silence, so nothing may raise here.
                await asyncio.wait({self.engine.begin(self.engine.take(records.fetch()))})

        # Without the decorator, which looks at every module of the process for scans that nobody makes.
        topic = self.topic(*topics, schema=AsItIs(), acks=False)
        agent = faust.Agent(batches, app=self, channel=topic, name="batches", on_error=self._on_agent_error)
        self.agents[agent.name] = agent
        self.engine.attach(cast(Consumer, self.consumer))

    def discard(self) -> None:
        """Close what it has although it was never started."""
        cast(Consumer, self.consumer).discard()

    def _new_transport(self) -> Transport:
        return Transport(self.conf.broker_consumer, self)

    def _create_directories(self) -> None:
        """Do nothing: nothing is kept on disk."""


def reading(
    engine: StreamEngine, kafka: KafkaSettings, settings: StreamSettings, name: str, topics: Collection[str]
) -> App:
    """Return what gives the engine every fetch of the topics once it is started. Connects to nothing before. Call it within a loop."""
    app = App(engine, kafka, name, consumer_options(kafka, settings))
    app.read(topics)
    return app
