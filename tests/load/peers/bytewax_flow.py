"""Bytewax with its state in memory, without snapshots. Its tail ends where the topics end."""

import bytewax.operators as op
from bytewax.connectors.kafka import KafkaSource, KafkaSourceMessage
from bytewax.dataflow import Dataflow
from bytewax.testing import TestingSink, run_main

from services.records.model.counting import Counted
from tests.load.peers.folding import Folding, told


def main() -> None:
    """Process the topics to their ends."""
    kafka, topics, events = told()
    folding = Folding(events)

    def key(message: KafkaSourceMessage) -> str:
        return f"{message.topic}/{(message.key or b'').decode()}"

    def take(held: Counted | None, message: KafkaSourceMessage) -> tuple[Counted | None, list[None]]:
        _, timestamp = message.timestamp
        return folding.take(message.topic, message.value or b"", timestamp, held) or held, []

    flow = Dataflow("orders")
    source = KafkaSource([kafka], topics, tail=False, batch_size=10_000)
    keyed = op.key_on("key", op.input("events", flow, source), key)
    op.output("out", op.stateful_flat_map("fold", keyed, take), TestingSink([]))
    run_main(flow)


if __name__ == "__main__":
    main()
