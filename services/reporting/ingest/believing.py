"""Accepts only aggregates that are sealed by the service that they name, and whose measures this service counts."""

from collections.abc import Mapping
from typing import NamedTuple

from contracts.authorities import AUTHORITIES
from contracts.cells import MEASURES, Aggregate, Cell, decode_aggregate
from services.chassis.streaming.seal import Sealer


class Disbelieved(ValueError):
    """The message does not come from the service that it names, or that service may not send it."""


class Believing:
    """The sealers of each service. A service without one, as in tests, may send anything."""

    def __init__(self, sealers: Mapping[str, Sealer | None]) -> None:
        self._sealers = sealers

    def read(self, key: bytes | None, value: bytes, seal: bytes | None) -> Aggregate:
        """Return the aggregate of a message. Raises Disbelieved, or msgspec.DecodeError if this version cannot read it."""
        aggregate: Aggregate = decode_aggregate(value)
        if sealer := self._sealers.get(aggregate.service):
            _check_sender(aggregate, sealer, Sealed(key, value, seal))
            _check_owner(aggregate)
        return aggregate


class Sealed(NamedTuple):
    """A message with its seal."""

    key: bytes | None
    value: bytes
    seal: bytes | None


def _check_sender(aggregate: Aggregate, sealer: Sealer, message: Sealed) -> None:
    if message.key != aggregate.key.encode():
        raise Disbelieved("the key of the message is another cell's")
    if not sealer.knows(message.seal, message.key, message.value):
        raise Disbelieved(f"not sealed by {aggregate.service}")
    if aggregate.authority not in AUTHORITIES:
        raise Disbelieved("there is no such authority")


def _check_owner(aggregate: Aggregate) -> None:
    """Refuse a measure that another service counts. One that this version does not know may come from a newer service; nothing shows it."""
    measure = MEASURES.get(aggregate.measure) if isinstance(aggregate, Cell) else None
    if measure is not None and aggregate.service not in measure.services:
        raise Disbelieved(f"{measure.name} is not for {aggregate.service} to count")


ANYBODY = Believing({})
