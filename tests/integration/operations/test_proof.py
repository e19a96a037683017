"""The proof of the whole chain finds whatever is altered, in each table of each schema, and finds nothing where nothing is."""

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import msgspec
import pytest
from sqlalchemy import Connection, Engine, text

from contracts.periods import add_months
from services.chassis.clock import FixedClock
from services.chassis.settings import KafkaSettings
from services.chassis.streaming.batches import Message, TopicPartition
from services.chassis.streaming.containment import Place
from services.operations.proof import recount
from services.operations.proof.books import Books
from services.operations.proof.mismatch import Mismatch
from services.operations.proof.progress import TopicState
from services.operations.proof.proving import Prover, compare, source_of
from services.operations.proof.releases import releases
from services.operations.proof.shown import read_shown
from services.records.ingest import tables as ours
from services.records.ingest.guarding import floods
from services.records.model import limit
from services.records.model.domain import Domain
from services.reporting.read import tables as theirs
from services.reporting.releases import publication
from tests.integration.test_as_of import Log, Platform, in_bits, log
from tests.support.scenario import Sent

SERVICES = ("orders", "unpaid_work")
AUTHORITY = "S12000029"


class Read:
    """The log as it was handed to the workers."""

    def __init__(self, told: Log, domain: Domain, identities: Mapping[TopicPartition, Any], authority: str) -> None:
        topics = [f"{kind}.{authority}" for kind in domain.kinds]
        self._messages: dict[TopicPartition, list[Message]] = {
            TopicPartition(topic, 0): list(told.get(topic, ())) for topic in topics
        }
        self._identities = identities

    def read_on(self, ends: Mapping[TopicPartition, int]) -> None:
        pass

    def before(self, source: TopicPartition, end: int) -> Iterator[Message]:
        return (message for message in self._messages[source] if message.offset < end)

    def sources(
        self, ends: Mapping[TopicPartition, int], times: Mapping[Place, int]
    ) -> dict[TopicPartition, TopicState]:
        wanted = {place.offset for place in times}
        return {at: source_of(self._identities[at], self._messages[at], end, wanted) for at, end in ends.items()}


class Chain(NamedTuple):
    """Everything, taken and shown, with two releases."""

    platform: Platform
    told: Log

    def compare(self, service: str, books: Connection, reporting: Connection) -> list[Mismatch]:
        bench = self.platform.bench(service)
        read = Read(self.told, bench.domain, bench.sources, AUTHORITY)
        found = read_shown(reporting, service, AUTHORITY)
        return list(compare(books, bench.domain.of(AUTHORITY), AUTHORITY, read, found))


def numbered(sent: list[Sent]) -> list[Sent]:
    """Return the events, some with a caseload, and numbers of the source of which every ninth is missing and every tenth comes twice."""
    found, number = [], 0
    for message in sent:
        number += 2 if message.offset % 9 == 0 else message.offset % 10 != 0
        try:
            event = msgspec.json.decode(message.value or b"")
        except msgspec.DecodeError:
            found.append(message)
        else:
            more = {"sequence": number} | ({"caseload": f"team-{number % 3}"} if message.offset % 4 == 0 else {})
            value = msgspec.json.encode({**event, **more}) if isinstance(event, dict) else message.value
            found.append(replace(message, value=value))
    return found


def unreadable(last: Sent) -> list[Sent]:
    """Return what comes last, on one day, so that not all of it is kept."""
    return [Sent(last.offset + number, b"nothing", last.timestamp) for number in range(1, 5)]


@pytest.fixture(scope="module")
def chain(migrated: Any) -> Iterator[Chain]:
    platform = Platform(migrated())
    told = {
        topic: [*numbered(sent), *unreadable(sent[-1])]
        for topic, sent in log(random.Random(7)).items()
        if topic.endswith(AUTHORITY)
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(floods, "KEPT_A_DAY", 1)  # the first one of a day
        platform.take(told, in_bits(random.Random(7)))
    days = sorted({message.timestamp for sent in told.values() for message in sent})
    for number in (len(days) // 2, -1):
        day = datetime.fromtimestamp(days[number] / 1000, UTC).date()
        clock = FixedClock(datetime(2026, 10, 1, 9, tzinfo=UTC) + timedelta(days=number < 0))
        month = add_months(day.replace(day=1), -1)
        name = publication.make(platform.database, month, day, clock)
        publication.publish(platform.database, name, clock)
    yield Chain(platform, told)
    platform.close()


@pytest.fixture(scope="module", autouse=True)
def counted_once() -> Iterator[None]:
    """Have the queries of the recount answer once about the same messages: they read nothing else, and no alteration changes these."""
    counted, known = recount._counted, dict[Any, Any]()

    def once(connection: Any, books: Books) -> Any:
        told = (books.domain.service, *(one.value for one in books.heard if one.event is not None))
        if told not in known:
            known[told] = counted(connection, books)
        return known[told]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recount, "_counted", once)
        yield


@contextmanager
def altered(database: Engine) -> Iterator[Connection]:
    """Alter rows, and undo the change at the end."""
    with database.connect() as connection, connection.begin() as begun:
        yield connection
        begun.rollback()


@pytest.mark.parametrize("service", SERVICES)
def test_what_nobody_altered_is_proved(chain: Chain, service: str) -> None:
    with altered(chain.platform.bench(service).database) as books, altered(chain.platform.database) as reporting:
        assert chain.compare(service, books, reporting) == []
        assert list(releases(reporting)) == []


def test_orders_with_more_facts_than_they_may_have_are_proved_too(
    migrated: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limit, "MOST_FACTS", 3)
    monkeypatch.setattr(floods, "KEPT_A_DAY", 2**40)
    platform, chance = Platform(migrated()), random.Random(8)
    told = {topic: numbered(sent) for topic, sent in log(chance).items() if topic.endswith(AUTHORITY)}
    platform.take(told, in_bits(chance))
    chain = Chain(platform, told)
    for service in SERVICES:
        with altered(platform.bench(service).database) as books, altered(platform.database) as reporting:
            assert chain.compare(service, books, reporting) == []
            assert books.scalar(text("SELECT count(*) FROM rejections WHERE reason = 'too_many_facts'"))
            books.execute(text("UPDATE records SET facts = '{}' WHERE standing ? 'overfull'"))
            assert chain.compare(service, books, reporting)
    platform.close()


def _first(table: str, change: str, where: str = "true") -> str:
    return f"UPDATE {table} SET {change} WHERE ctid = (SELECT ctid FROM {table} WHERE {where} ORDER BY ctid LIMIT 1)"


ALTERED = {
    "arrivals": ["outcome = (outcome + 1) % 3", "event_id = 'x'", "subject = 'x'", "arrived_at = arrived_at + interval '1 s'"],
    "rejections": ["value = 'x'", "reason = 'bad_code'", "path = '$.x'", "event_id = 'x'", "mended_by = 999999"],
    "refused_days": ["counted = counted + 1", "last = 0", "reason = 'too_large'"],
    "records": [
        "facts = jsonb_set(facts::jsonb, ARRAY[(SELECT jsonb_object_keys(facts::jsonb) LIMIT 1), '1'], '\"x\"')::json",
        "next_due = date '2001-01-01'", "imposed_on = date '2001-01-01'", "ended_on = date '2001-01-01'",
        "standing = '{\"late\": [\"x\"]}'", "came_from = 'S12000036/x'", "left_on = date '2001-01-01'",
        "asked_of = 'S12000036'", "asked_on = date '2001-01-01'",
    ],
    "cells": ["delta = delta + 1", "version = version + 1000000", "period = period + 400", "known_on = known_on + 400"],
    "shards": ["version = 0", "counted_by = 'x'", "heard_at = heard_at + interval '1 s'", "reached = '{}'"],
    "checkpoints": ["next_offset = next_offset - 1", "last_checksum = last_checksum + 1", "topic_id = 'x'"],
    "publications": ["version = version + 1000000"],
    "persons": ["orders = orders + 1"],
    "counters": ["highest = highest + 1"],
    "gaps": ["last = last + 1"],
    "numbered": ["marks = set_byte(marks, 8, (get_byte(marks, 8) + 1) % 256)"],
    "reused": ["number = number + 100000"],
}  # fmt: skip
OF_BOTH = ("cells", "present", "positions")
WHERE = {
    "refused_days": "counted > 0",
    "checkpoints": "next_offset > 0",
    "persons": "orders > 0",
    "shards": f"authority = '{AUTHORITY}'",
    "publications": f"authority = '{AUTHORITY}'",
}
OF_ONE = {
    "persons": "orders",
    "counters": "unpaid_work",
    "gaps": "unpaid_work",
    "numbered": "unpaid_work",
    "reused": "unpaid_work",
}
CASES = [
    (service, table, change)
    for table, changes in ALTERED.items()
    for change in changes
    for service in ([OF_ONE[table]] if table in OF_ONE else SERVICES)
]


@pytest.mark.parametrize(("service", "table", "change"), CASES)
def test_a_row_of_a_service_that_is_altered_is_found(chain: Chain, service: str, table: str, change: str) -> None:
    with altered(chain.platform.bench(service).database) as books, altered(chain.platform.database) as reporting:
        assert books.execute(text(_first(table, change, WHERE.get(table, "true")))).rowcount == 1
        found = chain.compare(service, books, reporting)
    assert found
    assert {mismatch.table.split(".")[0] for mismatch in found} <= {service, "reporting"}


@pytest.mark.parametrize("table", ["arrivals", "rejections", "records", "cells", "persons", "numbered"])
def test_a_row_of_a_service_that_is_gone_is_found(chain: Chain, table: str) -> None:
    service = OF_ONE.get(table, "orders")
    with altered(chain.platform.bench(service).database) as books, altered(chain.platform.database) as reporting:
        books.execute(
            text(f"DELETE FROM {table} WHERE ctid = (SELECT min(ctid) FROM {table} WHERE {WHERE.get(table, 'true')})")
        )
        assert chain.compare(service, books, reporting)


REPORTING = {
    "cells": ["value = value + 1", "version = version - 1", "known_on = known_on + 400", "category = 'x'"],
    "present": ["value = value + 1", "known_on = known_on + 1", "version = version + 1"],
    "positions": ["version = version + 1", "offsets = '{}'", "heard_at = heard_at + interval '1 s'", "generation = 9"],
    "releases": ["content_hash = 'x'", "whole_hash = 'x'", "definitions = '{\"indicators\": {}, \"public\": []}'", "heard = '{}'",
                 "last_month = date '2001-01-01'", "known_on = date '2001-01-01'", "published_at = NULL"],
    "release_cells": ["value = value + 1", "category = 'x'"],
    "public_cells": ["value = value + 5", "category = 'x'"],
    "release_changes": ["after = after + 1", "before = before + 1"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("table", "change"), [(table, change) for table, found in REPORTING.items() for change in found]
)
def test_a_row_of_reporting_that_is_altered_is_found(chain: Chain, table: str, change: str) -> None:
    where = "category NOT LIKE '%/%'" if table == "release_changes" else "true"
    service = "unpaid_work" if "positions" in table else "orders"
    with altered(chain.platform.database) as reporting, altered(chain.platform.bench(service).database) as books:
        mine = f"service = '{service}' AND authority = '{AUTHORITY}'" if table in OF_BOTH else where
        assert reporting.execute(text(_first(table, change, mine))).rowcount == 1
        of_releases = table.startswith(("release", "public"))
        found = list(releases(reporting)) if of_releases else chain.compare(service, books, reporting)
    hashed = {"release_cells": "releases", "public_cells": "releases"}
    assert f"reporting.{hashed.get(table, table)}" in {mismatch.table for mismatch in found}


def test_a_file_of_a_release_that_is_altered_is_found(chain: Chain) -> None:
    with altered(chain.platform.database) as reporting:
        insert = "INSERT INTO release_files SELECT id, 'f.csv', 99, 'text/csv', 'F', encode(sha256('a'), 'hex'), 1, 'a' FROM releases"
        reporting.execute(text(insert))
        assert list(releases(reporting)) == []
        reporting.execute(text("UPDATE release_files SET content = 'b' WHERE name = 'f.csv'"))
        assert {mismatch.table for mismatch in releases(reporting)} == {"reporting.release_files"}


def test_a_table_that_is_gone_is_found_and_the_rest_is_looked_at(chain: Chain) -> None:
    prover = Prover(KafkaSettings(bootstrap="nowhere:1"), {}, chain.platform.database)
    aside = "INSERT INTO put_aside (topic, partition, \"offset\", key, value, fault, at) VALUES ('t', 0, 0, 'k', 'v', 'f', now())"
    with chain.platform.database.begin() as connection:
        connection.execute(text("ALTER TABLE releases RENAME TO gone"))
        connection.execute(text(aside))
    try:
        gone, put = prover.prove_releases()
    finally:
        with chain.platform.database.begin() as connection:
            connection.execute(text("ALTER TABLE gone RENAME TO releases"))
            connection.execute(text("DELETE FROM put_aside"))
    assert gone[:2] == ("reporting", "the comparison of releases")
    assert str(gone.held).startswith("ended by ProgrammingError at services/")
    assert put.table == "reporting.put_aside"
    assert prover.prove_releases() == []


def test_every_table_is_tried() -> None:
    """Those that are left out hold nothing that the log or another table tells."""
    assert set(ours.metadata.tables) - set(ALTERED) == {
        "changes",
        "epoch",
        "notes",
        "parks",
        "producers",
        "recounts",
        "record_times",
        "tree_heads",
        "tree_keys",
        "tree_leaves",
        "tree_nodes",
        "webhooks",
    }
    assert set(theirs.metadata.tables) - set(REPORTING) == {
        "announcements",
        "checkpoints",
        "put_aside",
        "proofs",
        "release_files",
        "release_notices",
        "rounding_key",
        "sessions",
    }


def test_a_mismatch_names_the_cell_both_values_and_the_events_behind(chain: Chain) -> None:
    change = _first("cells", "delta = delta + 2", "measure = 'orders_imposed' AND category = ''")
    with altered(chain.platform.bench("orders").database) as books, altered(chain.platform.database) as reporting:
        books.execute(text(change))
        found = [one for one in chain.compare("orders", books, reporting) if one.table == "orders.cells"]
    (one,) = found
    assert one.what.startswith("orders_imposed|S12")
    assert isinstance(one.held, int)
    assert isinstance(one.proved, int)
    assert one.held == one.proved + 2
    assert one.behind
    assert all(place.startswith("orders.events.S12") for place in one.behind)
