"""One platform for all tests of this directory: its Kafka and PostgreSQL may be stopped, its processes killed.

Each test leaves all six processes running, and has authorities of its own, so that what one test counts is no other's.
"""

import uuid
from collections.abc import Iterator

import pytest

from deploy.local.postgres import Postgres, create_database
from tests.support.kafka import KafkaProcess, remove_topics
from tests.support.processes import WORKERS, Platform, running_platform

# Small batches, so that there are many moments to be killed at; the rest, so that tests need not wait long.
QUICK = {
    "kafka_session_timeout_seconds": "3",
    "stream_batch_max_messages": "25",
    "stream_retry_longest_seconds": "2",
    "stream_identity_every_seconds": "2",
    "stream_still_after_seconds": "30",
    "database_idle_transaction_seconds": "3",
}


@pytest.fixture(scope="package")
def _platform(
    _kafka_process: KafkaProcess, _postgres_process: Postgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Platform]:
    _kafka_process.ensure_running()
    _postgres_process.ensure_running()
    remove_topics(_kafka_process.address)
    database = create_database(_postgres_process.url, f"platform_{uuid.uuid4().hex}")
    settings = dict.fromkeys(WORKERS, QUICK)
    settings["reporting-worker"] = QUICK | {"stream_batch_max_messages": "500"}
    with running_platform(
        tmp_path_factory.mktemp("platform"), _kafka_process.address, database, settings, forked=True
    ) as running:
        yield running


@pytest.fixture
def platform(_platform: Platform) -> Platform:
    """Return the platform in good order, whatever the test before left."""
    _platform.mend()
    return _platform
