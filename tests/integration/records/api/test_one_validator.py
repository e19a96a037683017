"""One validator: the command line, the API and the stream say the same about the same bytes, in the same words."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from sqlalchemy import select
from typer.testing import CliRunner

from contracts.decoding.codec import decode
from contracts.decoding.foreign import kind_of_file
from contracts.decoding.reading import BOM
from contracts.events import Topic
from contracts.generate.samples import ARRIVED
from contracts.rejections import Rejection
from contracts.topics import topic_of
from services.chassis.api.auth import Identity, generate_keys, mint
from services.chassis.api.http import application
from services.chassis.clock import system_clock
from services.chassis.settings import HttpSettings, KafkaSettings, TokenSettings
from services.chassis.streaming.batches import Slice
from services.chassis.streaming.clients.producer import Producer
from services.cli import command_line
from services.records.api import intake
from services.records.ingest.tables import rejections
from services.records.ingest.worker import Worker
from tests.integration.records.conftest import Bench
from tests.support.generated import spoilt
from tests.support.made.policies import own_policies
from tests.support.scenario import Sent

payback = command_line()

AUTHORITY = "S12000005"
SERVICES = {"orders": (Topic.ORDERS, "orders"), "unpaid_work": (Topic.UNPAID_WORK, "unpaid-work")}
KEYS = generate_keys()
TOKEN = mint(
    KEYS.private,
    Identity("vendor", frozenset({"events:write"}), AUTHORITY),
    timedelta(hours=1),
    system_clock,
)


class Fault(NamedTuple):
    """The fault that each of the three tells of a refused line."""

    line: int
    id: str | None
    reason: str
    path: str
    message: str


class Stream:
    """A worker that reads on, and what it kept of what it refused."""

    def __init__(self, bench: Bench, topic: str) -> None:
        self._bench, self._topic, self._worker, self._next = bench, topic, bench.worker(), 0

    def faults(self, lines: list[bytes]) -> list[Fault]:
        start = self._next
        sent = [Sent(start + index, raw) for index, raw in enumerate(lines)]
        _process(self._worker, Slice(self._topic, 0, sent))
        self._next += len(lines)
        kept = rejections.c
        query = select(kept.offset, kept.event_id, kept.reason, kept.path, kept.message)
        with self._bench.database.connect() as connection:
            rows = connection.execute(query.where(kept.offset >= start).order_by(kept.offset)).all()
        return [Fault(row.offset - start, row.event_id, row.reason, row.path, row.message) for row in rows]


def _process(worker: Worker, piece: Slice) -> None:
    worker.process([piece])


class Places(NamedTuple):
    """Where a vendor may hear of a fault."""

    topic: Topic
    option: str
    client: TestClient
    stream: Stream
    file: Path

    def by_command(self) -> list[Fault]:
        arguments = ["validate", str(self.file), "--authority", AUTHORITY, "--topic", self.option, "--json"]
        result = CliRunner().invoke(payback, arguments)
        *faults, summary = map(json.loads, result.stdout.splitlines())
        assert result.exit_code == (1 if faults or not summary["accepted"] else 0)
        assert summary["events"] == summary["accepted"] + len(faults)
        return [_fault(fault, fault["line"] - 1) for fault in faults]

    def by_api(self) -> list[Fault]:
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/x-ndjson"}
        answer = self.client.post("/v1/validate", content=self.file.read_bytes(), headers=headers)
        assert answer.status_code in {200, 403, 422}
        return [_fault(fault, fault["index"]) for fault in answer.json()["rejected"]]


def _fault(told: dict[str, Any], line: int) -> Fault:
    return Fault(line, told["id"], told["reason"], told["path"], told["message"])


@pytest.fixture(params=SERVICES)
def places(request: pytest.FixtureRequest, bench: Callable[[str], Bench], tmp_path: Path) -> Iterator[Places]:
    topic, option = SERVICES[request.param]
    producer = Producer(KafkaSettings(bootstrap="127.0.0.1:1"))  # never asked: nothing is sent
    app = application(
        "validator",
        HttpSettings(port=0),
        CollectorRegistry(),
        [router := intake.router(topic, producer)],
        own_policies([router]),
        tokens=TokenSettings(public_key=KEYS.public),
    )
    with TestClient(app) as client:
        yield Places(
            topic, option, client, Stream(bench(request.param), topic_of(topic, AUTHORITY)), tmp_path / "lines"
        )
    producer.close()


def told_by_codec(topic: Topic, lines: list[bytes]) -> list[Fault]:
    found = [(index, decode(raw, topic, AUTHORITY, ARRIVED)) for index, raw in enumerate(lines)]
    return [
        Fault(index, content.id, str(content.reason), content.path, content.message)
        for index, content in found
        if isinstance(content, Rejection)
    ]


@settings(
    max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)
@given(st.data())
def test_all_ways_tell_the_same(places: Places, data: st.DataObject) -> None:
    lines = data.draw(st.lists(spoilt.lines(places.topic), min_size=1, max_size=12))
    assume(kind_of_file(b"\n".join(lines)) is None and lines[0].removeprefix(BOM))  # those are told once, as files
    places.file.write_bytes(b"\n".join(lines) + b"\n")
    expected = told_by_codec(places.topic, lines)
    assert places.by_command() == expected
    assert places.by_api() == expected
    assert places.stream.faults(lines) == expected


def test_lines_are_counted_alike(places: Places) -> None:
    places.file.write_bytes(b"\n\r\n  \n{}\r\n" + b"y" * 400_000 + b"\n\nnot json")
    assert [fault.line for fault in places.by_command()] == [3, 4, 6]
    assert places.by_api() == places.by_command()


def test_a_long_line_is_told_the_same_once_it_is_cut(places: Places) -> None:
    """The API passes on no more of it than is needed to refuse it."""
    raw = b'{"id":"1","x":"' + b"y" * 100_000 + b'"}'
    places.file.write_bytes(raw)
    told = places.by_command()
    assert places.by_api() == told
    assert places.stream.faults([raw]) == told
    assert places.stream.faults([raw[: 64 * 1024 + 1]]) == told
