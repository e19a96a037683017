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
    """The latest row of each key that a copy holds, with its seal. Both are known by their hashes, since there may be a million.

    What the copy lacks of a key that it knows, is known once the whole log was read: it may hold earlier rows of that key already.
    """

    def __init__(self, held: Iterable[Message]) -> None:
        self._latest = {hash(message.key): _content(message) for message in held}
        self._newer: dict[int, Message] = {}

    def lacking(self, messages: Sequence[Message]) -> list[Message]:
        """Return the messages whose keys the copy does not know, and note that each is being sent there."""
        return [message for message in messages if self._is_unknown(message)]

    def rest(self) -> list[Message]:
        """Return, in the order of the log, the latest row of each other key whose last row in the copy is not this one."""
        return sorted(self._newer.values(), key=lambda message: message.offset)

    def _is_unknown(self, message: Message) -> bool:
        key, content = hash(message.key), _content(message)
        if key not in self._latest:
            self._latest[key] = content
            return True
        self._newer.pop(key, None)
        if self._latest[key] != content:
            self._newer[key] = message
        return False


def _content(message: Message) -> int:
    """Return the hash of a row and of its headers. Sealed with a new key, the same row is another one, and the old seal may soon be
    rejected.
    """
    return hash((message.value, tuple(message.headers)))
