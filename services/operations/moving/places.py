"""Finds which records follow one another in a log with unreadable offsets, and which rows a copy lacks. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from services.chassis.streaming.batches import Message


class Gap(NamedTuple):
    """Offsets without a readable record, up to this one."""

    end: int


class Run(NamedTuple):
    """Records at consecutive offsets; never empty."""

    messages: Sequence[Message]

    @property
    def end(self) -> int:
        """Return the offset after the last."""
        return self.messages[-1].offset + 1


def steps(messages: Sequence[Message], at: int) -> Iterator[Gap | Run]:
    """Yield what is in a log from an offset on, in order, given what can be read there."""
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
    """The latest row of each key that a copy holds, with its seal. Both are known by their hashes, since there may be a million."""

    def __init__(self, held: Iterable[Message]) -> None:
        self._latest = {hash(message.key): _content(message) for message in held}

    def lacking(self, messages: Sequence[Message]) -> list[Message]:
        """Return the messages that the copy lacks, and note that each is being sent there."""
        return [message for message in messages if self._is_new(message)]

    def _is_new(self, message: Message) -> bool:
        key, content = hash(message.key), _content(message)
        if self._latest.get(key) == content:
            return False
        self._latest[key] = content
        return True


def _content(message: Message) -> int:
    """Return the hash of a row and of its headers. Sealed with a new key, the same row is another one, and the old seal may soon be
    rejected.
    """
    return hash((message.value, tuple(message.headers)))
