"""One message of Faust's stands for a whole fetch, since Faust spends some dozen callbacks on each."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import faust
from faust.transport.utils import DefaultSchedulingStrategy

from services.chassis.streaming.batches import Slice
from services.chassis.streaming.reader import Fetch, Mark


class Records(dict[Any, list[Any]]):
    """The consumer's answer: records by partition, with their mark."""

    def __init__(self, records: Mapping[Any, list[Any]], mark: Mark) -> None:
        super().__init__(records)
        self.mark = mark

    def fetch(self) -> Fetch:
        return Fetch(self.mark, [Slice(at.topic, at.partition, messages) for at, messages in self.items()])


class OneMessagePerFetch(DefaultSchedulingStrategy):
    """Lets the last record of the first partition stand for all records, which become its value."""

    def iterate(self, records: Mapping[Any, list[Any]]) -> Iterator[tuple[Any, Any]]:
        for partition, messages in records.items():
            yield partition, replace(messages[-1], value=records)
            return


class AsItIs(faust.Schema[Any, Any]):
    """Leaves key and value alone."""

    def loads_key(self, app: Any, message: Any, **_: Any) -> Any:  # noqa: ARG002
        return message.key

    def loads_value(self, app: Any, message: Any, **_: Any) -> Any:  # noqa: ARG002
        return message.value
