"""Wires and runs the sender of a service of records."""

import asyncio
import signal
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from contracts.authorities import AUTHORITIES
from services.chassis import logs
from services.chassis.database import engine
from services.chassis.failures import Refused
from services.chassis.guarding.pending_migrations import schema_ready
from services.chassis.metrics import exposed, new_registry
from services.records.config.settings import SenderSettings, WebhookSettings
from services.records.model.findings import Rule
from services.records.webhooks.delivering import Limits, Postman
from services.records.webhooks.feed import Feed
from services.records.webhooks.metrics import WebhookMetrics
from services.records.webhooks.names import EACH, Names
from services.records.webhooks.retrying import Retries
from services.records.webhooks.sender import LONGEST_ROUND, Pace, Sender, Tools
from services.records.webhooks.signing import Safe

NAMES_AT_ONCE = EACH * len(AUTHORITIES)
"""As many as all authorities may look up, so that a name that takes long delays no other's."""
SLACK_SECONDS = 30.0
"""Time for the database at the beginning and end of a round."""


def run_webhooks(service: str, rules: Sequence[Rule], settings: SenderSettings) -> int:
    """Send until told to stop. Raises Refused if webhooks are off, and Away before the tables exist."""
    logs.configure(settings.logs, f"{service}-webhooks")
    if not settings.webhooks.keys:
        raise Refused("PAYBACK_WEBHOOKS_KEY is not set: webhooks are off, and there is nothing to send")
    schema_ready(settings.database).check()
    registry, database = new_registry(), engine(settings.database)
    with (
        ThreadPoolExecutor(settings.database.pool_size, "database") as threads,
        ThreadPoolExecutor(NAMES_AT_ONCE, "names") as names,
        exposed(settings.metrics, registry),
    ):
        safe, metrics = Safe(settings.webhooks.keys), WebhookMetrics(registry)
        tools = Tools(database, threads, postman(settings.webhooks, names), safe, metrics)
        try:
            asyncio.run(_until_told(Sender(service, Feed(rules), tools, pace(settings.webhooks))))
        finally:
            database.dispose()
    return 0


def postman(settings: WebhookSettings, names: ThreadPoolExecutor) -> Postman:
    """Return the sender of single messages that the operator's settings describe."""
    ca = str(settings.ca_path) if settings.ca_path else None
    return Postman(Limits(settings.networks, settings.timeout_seconds), Names(names), ca)


def pace(settings: WebhookSettings) -> Pace:
    """Return the pace that the operator has set."""
    retries = Retries(settings.retry_first_seconds, settings.retry_longest_seconds, settings.give_up_hours * 3600)
    lease = timedelta(seconds=LONGEST_ROUND + settings.timeout_seconds + SLACK_SECONDS)
    return Pace(settings.poll_seconds, lease, retries)


async def _until_told(sender: Sender) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await sender.run(stop)
