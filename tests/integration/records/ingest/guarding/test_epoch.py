"""A database that was restored or failed over: what it publishes from then on is believed, whatever versions were seen before."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import text

from contracts.cells import Aggregate, decode_aggregate
from services.chassis.failures import Fenced
from services.chassis.streaming.clients.outgoing import Outgoing
from services.records.ingest.metrics import RecordsMetrics
from services.records.ingest.publishing.publications import Publications
from services.records.ingest.publishing.publisher import Publisher
from services.records.ingest.worker import Worker
from services.reporting.ingest.fold import fold
from tests.integration.records.conftest import Bench
from tests.support import scenario


class Topic:
    """Keeps what is published."""

    def __init__(self) -> None:
        self.kept: list[Aggregate] = []

    def transaction(self) -> AbstractContextManager[None]:
        return nullcontext()

    def send_all(self, records: Iterable[Outgoing]) -> None:
        self.kept += [decode_aggregate(record.value or b"") for record in records]


def _publish(bench: Bench, worker: Worker, topic: Topic) -> int:
    publications = Publications(bench.database, bench.domain.service)
    return Publisher(publications, topic, worker.owned, RecordsMetrics(CollectorRegistry())).publish()


def test_a_database_that_went_back_is_believed_again(bench: Callable[[str], Bench]) -> None:
    one, topic = bench("unpaid_work"), Topic()
    lines = [found for found in scenario.topics() if found[0] in one.domain.kinds]
    *before, last = list(scenario.slices(lines, 7))
    worker = one.worker()
    for fetch in before:
        worker.process(fetch)
    rows = _publish(one, worker, topic)
    assert rows > 0
    assert _publish(one, one.worker(), topic) == 0
    with one.database.begin() as connection:
        connection.execute(text("UPDATE epoch SET lineage = 'another server'"))
        connection.execute(text("UPDATE shards SET version = version - 1"))
        connection.execute(text("UPDATE publications SET version = version - 1"))
    worker.start(one.sources)
    assert _publish(one, worker, topic) >= rows
    shown = fold(topic.kept)
    assert {position.generation for position in shown.positions.values()} == {2}
    worker.process(last)
    with one.database.begin() as connection:
        connection.execute(text("UPDATE epoch SET lineage = 'a third'"))
    one.worker()
    with pytest.raises(Fenced):
        worker.process(next(iter(scenario.slices(lines, 7, 100_000))))
