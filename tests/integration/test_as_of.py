"""As of any past day the platform answers as if only the log up to that day had ever come: orders, unpaid work and reporting together."""

import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from contracts.cells import decode_aggregate
from contracts.topics import topic_of
from services.chassis.api.auth import Identity, generate_keys, mint
from services.chassis.clock import FixedClock
from services.chassis.database import engine
from services.chassis.metrics import new_registry
from services.chassis.settings import DatabaseSettings, TokenSettings
from services.chassis.streaming.batches import Slice, SourceIdentity, TopicPartition
from services.chassis.streaming.clients.outgoing import Outgoing
from services.records.ingest.metrics import RecordsMetrics
from services.records.ingest.publishing.publications import Publications
from services.records.ingest.publishing.publisher import Publisher
from services.records.model import limit
from services.reporting.app import build
from services.reporting.ingest.worker import Aggregates
from services.reporting.registry.catalogue import INDICATORS
from services.reporting.settings import SCHEMA, ApiSettings
from tests.integration.records.conftest import Bench
from tests.support import scenario
from tests.support.asking import InThisThread
from tests.support.generated.thorough import TURN, turns
from tests.support.scenario import Sent

FIRST = date(2026, 8, 20)
DAYS = 12
NOW = datetime(2026, 9, 20, 9, tzinfo=UTC)
ASKED = (3, 8)
QUESTIONS = 40
ON_ARRIVAL = "sequence"
"""Which numbers of a source are missing depends on how far both of its topics were read."""

Log = dict[str, list[Sent]]


def log(chance: random.Random) -> Log:
    """Return the scenario, each topic arriving over some days."""
    found: Log = {}
    for kind, code, lines in scenario.topics():
        days = sorted(chance.randrange(DAYS) for _ in lines)
        found[topic_of(kind, code)] = [
            Sent(offset, line, _noon(FIRST + timedelta(days=day)))
            for offset, (line, day) in enumerate(zip(lines, days, strict=True))
        ]
    return found


def _noon(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, 12, tzinfo=UTC).timestamp() * 1000)


class Pipe:
    """Stands between a publisher and the worker of reporting, as the topic would."""

    def __init__(self, reader: Aggregates) -> None:
        self._reader, self._source = reader, TopicPartition("national.aggregates", 0)
        self._next = reader.start({self._source: SourceIdentity("cluster", "aggregates")})[self._source]

    def transaction(self) -> AbstractContextManager[None]:
        return nullcontext()

    def send_all(self, records: Iterable[Outgoing]) -> list[object]:
        messages = [Sent(self._next + number, record.value) for number, record in enumerate(records)]
        if messages:
            assert all(decode_aggregate(message.value or b"") for message in messages)
            self._reader.process([Slice(*self._source, messages)])
            self._next += len(messages)
        return []


class Platform:
    """All services on one database, without a broker."""

    def __init__(self, url: str) -> None:
        self._benches = [Bench(url, name) for name in ("orders", "unpaid_work")]
        settings = DatabaseSettings(url=url, schema_name=SCHEMA)
        self.database = engine(settings)
        self._pipe = Pipe(Aggregates(self.database))
        keys = generate_keys()
        serving = ApiSettings(database=settings, tokens=TokenSettings(public_key=keys.public))
        token = mint(
            keys.private, Identity("a", frozenset({"national:read"})), timedelta(hours=1), lambda: datetime.now(UTC)
        )
        self._client = InThisThread(
            build(serving, self.database, new_registry(), FixedClock(NOW)),
            headers={"authorization": f"Bearer {token}"},
        )

        self.public = InThisThread(self._client.app)
        """Without a token."""

    def bench(self, service: str) -> Bench:
        return next(bench for bench in self._benches if bench.domain.service == service)

    def close(self) -> None:
        for bench in self._benches:
            bench.database.dispose()
        self.database.dispose()

    def take(self, told: Log, fetches: Callable[[Log], Iterator[list[Slice]]]) -> None:
        for bench in self._benches:
            worker = bench.worker()
            metrics = RecordsMetrics(CollectorRegistry())
            publisher = Publisher(Publications(bench.database, bench.domain.service), self._pipe, worker.owned, metrics)
            ours = {source.topic for source in bench.sources}
            for fetch in fetches({topic: sent for topic, sent in told.items() if topic in ours}):
                worker.process(fetch)
                publisher.publish()

    def ask(self, path: str, **parameters: str) -> Any:
        return self._client.get(f"/v1/{path}", params=parameters).raise_for_status().json()

    def cells(self, **parameters: str) -> dict[tuple[str, ...], int]:
        found: dict[tuple[str, ...], int] = {}
        cursor: dict[str, str] | None = {}
        while cursor is not None:
            page = self.ask("cells", **parameters, **cursor)
            for cell in page["cells"]:
                if cell["measure"] != ON_ARRIVAL:
                    found[cell["measure"], cell["authority"], cell["period"], cell["category"]] = cell["value"]
            cursor = {"cursor": page["next"]} if page["next"] else None
        return found


def at_once(told: Log) -> Iterator[list[Slice]]:
    yield [Slice(topic, 0, sent) for topic, sent in told.items() if sent]


def in_bits(chance: random.Random) -> Callable[[Log], Iterator[list[Slice]]]:
    """Yield a few messages of some topics at a time, so that one topic is read far ahead of another."""

    def fetches(told: Log) -> Iterator[list[Slice]]:
        left = {topic: list(sent) for topic, sent in told.items()}
        while any(left.values()):
            fetch = []
            for topic, sent in left.items():
                taken = chance.choice((0, 0, 5, 60, 400))
                if sent[:taken]:
                    fetch.append(Slice(topic, 0, sent[:taken]))
                del sent[:taken]
            if fetch:
                yield fetch

    return fetches


@pytest.mark.parametrize("most", [3, limit.MOST_FACTS])
def test_any_query_at_any_day_is_the_recount_of_the_log_up_to_it(
    migrated: Callable[[], str], monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    """Also if many orders have more facts than they may, and count nothing from some day on. Each is asked at one of the days, and at the
    other tomorrow.
    """
    monkeypatch.setattr(limit, "MOST_FACTS", most)
    chance = random.Random(1)
    told = log(chance)
    whole = Platform(migrated())
    whole.take(told, in_bits(chance))
    for number in turns(ASKED, TURN + most):
        day = FIRST + timedelta(days=number)
        then = {topic: [one for one in sent if one.timestamp <= _noon(day)] for topic, sent in told.items()}
        recount = Platform(migrated())
        recount.take(then, at_once)
        assert whole.cells(as_of=f"{day}") == recount.cells() != {}
        for path, parameters in questions(chance):
            assert whole.ask(path, as_of=f"{day}", **parameters)["rows"] == recount.ask(path, **parameters)["rows"], (
                path,
                parameters,
                day,
            )
        recount.close()
    assert whole.cells(as_of=f"{FIRST + timedelta(days=DAYS)}") == whole.cells()
    whole.close()


def questions(chance: random.Random) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield questions for any indicator, over any time, told apart in any way."""
    for _ in range(QUESTIONS):
        indicator = chance.choice(list(INDICATORS.values()))
        parts = chance.sample(["authority", chance.choice(["month", "year"])], chance.randrange(3))
        if indicator.breakdowns and chance.random() < 0.5:
            parts.append(chance.choice(indicator.breakdowns)[0])
        first, last = sorted(f"{chance.choice((2023, 2024))}-{chance.randrange(1, 13):02}" for _ in range(2))
        yield f"indicators/{indicator.id}/data", {"by": ",".join(parts), "from": first, "to": last}
