"""Quix Streams: `python -m tests.load.peers.quix_flow memory|rocksdb`. It commits at least once, and keeps no changelog in Kafka."""

import pickle
import sys
from typing import Any

from quixstreams import Application, State

from services.records.model.counting import Counted
from tests.load.peers.folding import Folding, told


def main(store: str) -> None:
    """Process the topics to their ends."""
    kafka, topics, events = told()
    folding = Folding(events)
    app = Application(
        broker_address=kafka,
        consumer_group=f"quix-{store}",
        auto_offset_reset="earliest",
        auto_create_topics=False,
        use_changelog_topics=False,
        loglevel="WARNING",
        state_dir=f"quix-{store}",
    )
    orders: dict[bytes, Counted] = {}

    def in_memory(topic: str, value: bytes, key: bytes, timestamp: int) -> None:
        after = folding.take(topic, value, timestamp, orders.get(key))
        if after is not None:
            orders[key] = after

    def in_rocksdb(topic: str, value: bytes, state: State, timestamp: int) -> None:
        held = state.get_bytes("order")
        after = folding.take(topic, value, timestamp, None if held is None else pickle.loads(held))
        if after is not None:
            state.set_bytes("order", pickle.dumps(after, protocol=5))

    for name in topics:
        frame = app.dataframe(app.topic(name, key_deserializer="bytes", value_deserializer="bytes"))
        if store == "memory":

            def stateless(value: bytes, key: Any, timestamp: int, _: Any, name: str = name) -> None:
                in_memory(name, value, key, timestamp)

            frame.apply(stateless, metadata=True)
        else:

            def stateful(value: bytes, _: Any, timestamp: int, __: Any, state: State, name: str = name) -> None:
                in_rocksdb(name, value, state, timestamp)

            frame.apply(stateful, stateful=True, metadata=True)
    app.run(count=events)


if __name__ == "__main__":
    main(sys.argv[1])
