"""Which records follow one another, and where a log has places that nobody can read. Pure."""

from collections.abc import Iterator, Sequence
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
