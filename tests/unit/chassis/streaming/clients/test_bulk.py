"""Records go into batches as they are made."""

import asyncio
from collections.abc import Awaitable, Iterator
from contextlib import closing
from types import SimpleNamespace
from typing import Any

from aiokafka.producer.message_accumulator import BatchBuilder

from services.chassis.settings import KafkaSettings
from services.chassis.streaming.clients.bulk import BATCH_BYTES, BulkProducer
from services.chassis.streaming.clients.outgoing import Outgoing

RECORD_BYTES = 1000
NUMBER = 3 * BATCH_BYTES // RECORD_BYTES


def test_no_more_are_made_ahead_than_fill_a_batch() -> None:
    made, sent = list[int](), list[int]()

    class Client:
        def create_batch(self) -> Any:
            return BatchBuilder(BATCH_BYTES, 0, is_transactional=0)

        async def send_batch(self, batch: Any, topic: str, *, partition: int) -> Awaitable[Any]:  # noqa: ARG002
            sent.append(len(made))
            kept: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
            kept.set_result(SimpleNamespace(offset=0, timestamp_type=0))
            return kept

    def records() -> Iterator[Outgoing]:
        for number in range(NUMBER):
            made.append(number)
            yield Outgoing("topic", b"k", b"x" * RECORD_BYTES)

    with closing(BulkProducer(KafkaSettings(bootstrap="nowhere:9092"))) as producer:
        receipts = asyncio.run(producer._send_batches(Client(), records()))
    assert len(sent) > 2
    assert sent[0] <= BATCH_BYTES // RECORD_BYTES + 1
    assert len(receipts) == NUMBER
