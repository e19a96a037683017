"""Whose cells cannot be published waits alone."""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry

from contracts.cells import Cell, Position
from services.chassis.failures import TimedOut
from services.chassis.streaming.kafka import Outgoing
from services.records.ingest.metrics import RecordsMetrics
from services.records.ingest.publishing.publications import Outstanding
from services.records.ingest.publishing.publisher import Publisher

LARGE = "S12000005"
ALL = [LARGE, "S12000006", "S12000008"]


class Turn:
    """Of authorities of which the large one has more rows than can be read in the time that a statement may take."""

    def __init__(self, authorities: Collection[str]) -> None:
        self._authorities = authorities

    def rows(self) -> list[Cell]:
        if LARGE in self._authorities:
            raise TimedOut("too many rows")
        return []

    def positions(self) -> list[Position]:
        return [Position("orders", code, 1, 1, {}, None) for code in self._authorities]

    def confirm(self) -> None:
        pass

    def record(self) -> None:
        pass


class Publications:
    def outstanding(self, authorities: Collection[str]) -> list[Outstanding]:
        return [Outstanding(code, begun=True) for code in ALL if code in authorities]

    @contextmanager
    def turn(self, authorities: Collection[str]) -> Iterator[Turn]:
        yield Turn(authorities)


class Producer:
    def __init__(self) -> None:
        self.sent: list[bytes] = []

    @contextmanager
    def transaction(self) -> Iterator[None]:
        yield

    def send_all(self, records: Iterable[Outgoing]) -> None:
        self.sent += [record.key or b"" for record in records]


def test_who_takes_longer_than_a_statement_may_holds_up_nobody_else() -> None:
    producer, registry = Producer(), CollectorRegistry()
    publisher = Publisher(Publications(), producer, lambda: ALL, RecordsMetrics(registry))
    publisher.publish()
    assert producer.sent == [f"position|orders|{code}".encode() for code in ALL[1:]]
    assert registry.get_sample_value("payback_publishing_put_off", {"authority": LARGE}) == 1
