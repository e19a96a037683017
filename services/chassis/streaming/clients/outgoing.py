"""Records to send, and the places that Kafka gives them. Pure."""

from typing import NamedTuple

Headers = tuple[tuple[str, bytes | None], ...]


class Outgoing(NamedTuple):
    """A record to send. A `value` of None deletes the key in a compacted topic."""

    topic: str
    key: bytes | None
    value: bytes | None
    timestamp: int | None = None
    """Milliseconds since 1970; the present time if left out. Brokers of a real cluster use their own time instead."""
    headers: Headers = ()


class Receipt(NamedTuple):
    """The place of a record in Kafka, once it has acknowledged it."""

    topic: str
    partition: int
    offset: int
    redated: bool = False
    """Whether the broker is known to have used its own time instead of the sender's."""
