"""Which records follow one another, where a log has places that nobody can read, and which rows a copy lacks. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from services.chassis.streaming.batches import Message


class Gap(NamedTuple):
    """Places without a record to read, up to this one."""

    end: int


class Run(NamedTuple):
    """Records in places that follow one another; never empty."""

    messages: Sequence[Message]

    @property
    def end(self) -> int:
        """The place after the last."""
        return self.messages[-1].offset + 1


def steps(messages: Sequence[Message], at: int) -> Iterator[Gap | Run]:
    """What lies in a log from a place on, in order, given what can be read there."""
    run: list[Message] = []
    for message in messages:
        if message.offset != at:
            if run:
                yield Run(run)
                run = []
            yield Gap(message.offset)
        run.append(message)
        at = message.offset + 1
    if run:
        yield Run(run)


class Rows:
    """The latest row of each key that a copy holds, with its seal. Both are known by their hashes: there may be a million."""

    def __init__(self, held: Iterable[Message]) -> None:
        self._latest = {hash(message.key): _content(message) for message in held}

    def lacking(self, messages: Sequence[Message]) -> list[Message]:
        """Those that the copy does not end with, where each of them is sent there in turn."""
        return [message for message in messages if self._is_new(message)]

    def _is_new(self, message: Message) -> bool:
        key, content = hash(message.key), _content(message)
        if self._latest.get(key) == content:
            return False
        self._latest[key] = content
        return True


def _content(message: Message) -> int:
    """The hash of a row and of its headers: sealed with a new key the same row is another, and the old one may not be believed for long."""
    return hash((message.value, tuple(message.headers)))
