"""Whose cells cannot be published waits alone."""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from threading import Event

import pytest
from prometheus_client import CollectorRegistry

from contracts.cells import Cell, Position
from services.chassis.failures import Away, TimedOut
from services.chassis.streaming.clients.outgoing import Outgoing
from services.chassis.streaming.fetching.waits import LONGER, QUIET_SECONDS, Waits
from services.chassis.streaming.told import header, told_in
from services.records.ingest.metrics import RecordsMetrics
from services.records.ingest.publishing import publisher as publisher_module
from services.records.ingest.publishing.publications import Outstanding
from services.records.ingest.publishing.publisher import IDLE_SECONDS, Publisher

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
        self.told: list[float | None] = []
        self.away = False

    @contextmanager
    def transaction(self) -> Iterator[None]:
        yield

    def send_all(self, records: Iterable[Outgoing]) -> None:
        if self.away:
            raise Away("Kafka")
        for record in records:
            self.sent.append(record.key or b"")
            self.told.append(told_in(record.headers))


def test_who_takes_longer_than_a_statement_may_holds_up_nobody_else() -> None:
    producer, registry = Producer(), CollectorRegistry()
    publisher = Publisher(Publications(), producer, lambda: ALL, RecordsMetrics(registry))
    publisher.publish()
    assert producer.sent == [f"position|orders|{code}".encode() for code in ALL[1:]]
    assert registry.get_sample_value("payback_publishing_put_off", {"authority": LARGE}) == 1


def test_a_publication_tells_once_when_its_latest_event_happened() -> None:
    """Also one that had to be tried again."""
    producer, metrics = Producer(), RecordsMetrics(CollectorRegistry())
    publisher = Publisher(Publications(), producer, lambda: ALL[1:], metrics)
    for at in (70.25, 60.0):
        metrics.latest.note({ALL[1]: at})
    producer.away = True
    with pytest.raises(Away):
        publisher.publish()
    producer.away = False
    publisher.publish()
    assert producer.told == [70.25, None]
    publisher.publish()
    assert producer.told[2:] == [None, None]


class Changed(Event):
    """Is set on some waits, and ends the publisher after the last."""

    def __init__(self, stop: Event, *set_on: bool) -> None:
        super().__init__()
        self._stop, self._set_on, self.waits = stop, list(set_on), list[float]()

    def wait(self, timeout: float | None = None) -> bool:
        self.waits.append(timeout or 0)
        found = self._set_on.pop(0)
        if not self._set_on:
            self._stop.set()
        return found


def test_a_publisher_looks_seldom_only_while_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    stop, often = Event(), round(QUIET_SECONDS / IDLE_SECONDS)
    changed = Changed(stop, *[False] * (often + 1), True, False)
    monkeypatch.setattr(publisher_module, "PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(publisher_module, "Waits", partial(Waits, clock=lambda: sum(changed.waits)))
    Publisher(Publications(), Producer(), list, RecordsMetrics(CollectorRegistry())).run(changed, stop)
    seldom = IDLE_SECONDS * LONGER
    assert changed.waits == [*[IDLE_SECONDS] * often, seldom, seldom, IDLE_SECONDS]


@pytest.mark.parametrize("content", [b"", b"-1", b"1.5", "\u0661".encode(), b"9" * 14, None])
def test_what_is_no_moment_is_told_by_nobody(content: bytes | None) -> None:
    name, _ = header(0)
    assert told_in([(name, content)]) is None
    assert told_in([("another", b"1"), header(1.5)]) == 1.5
