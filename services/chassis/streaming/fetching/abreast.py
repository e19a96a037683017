"""Hands over a consumer's fetches so that topics with the same suffix keep in step by time.

Facts that belong together then come together, and are read and written once and not with every fetch. A worker that reads a topic ahead of
its sibling must count again each day between the two.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping
from time import monotonic
from typing import Any, Protocol

from aiokafka.errors import KafkaError

from services.chassis.streaming.batches import TopicPartition
from services.chassis.streaming.fetching.bounded import FETCHED, Portion
from services.chassis.streaming.placement import suffix

STEP = 200
"""How many messages to take of a topic before checking which one is behind."""
SHARE = 10_000
"""How many to take of one suffix before the next one's turn: as many as possible, so that each record is written seldom."""
TAKEN = 4 * FETCHED
"""How many bytes to take of all together, where the share of each suffix is as many as are handed over of one topic at once."""
PATIENCE_SECONDS = 2.0
"""How long a topic with more on its way holds up the others of its suffix; one that cannot be read does not hold them up longer."""

Fetched = dict[Any, list[Any]]
"""Messages by partition."""


class Give(Protocol):
    """Hands over what was fetched of some partitions, `most` messages in all; waits up to `timeout` seconds if there is nothing."""

    def __call__(self, partitions: set[Any], timeout: float, most: int) -> Awaitable[Mapping[Any, list[Any]]]: ...


class Abreast:
    """Hands over the fetches of one consumer. Partitions are named by tuples of topic and number."""

    def __init__(self, give: Give, lacks: Callable[[Any], bool], clock: Callable[[], float] = monotonic) -> None:
        """Prepare for one consumer. `lacks` says whether Kafka has more of a partition than was handed over, as far as is known."""
        self._give, self._lacks, self._clock = give, lacks, clock
        self._turn = 0
        self._taken: Fetched = {}
        self._cost = 0
        """How many bytes were taken since `take` began."""
        self.forget()

    def forget(self) -> None:
        """Forget how far topics are, since nothing is known of that after a seek, and messages from before it come again."""
        self._taken.clear()
        self._reached: dict[Any, int] = {}
        self._awaited: dict[Any, float] = {}
        """Topics that ran dry although Kafka has more of them, and since when."""
        self._fault: KafkaError | None = None

    async def take(self, partitions: Collection[TopicPartition], timeout: float, most: int) -> Fetched:  # noqa: ASYNC109
        """Return all messages for which there is room. An error of a partition is raised once the messages beside
        it have been handed over.
        """
        self._raise_fault()
        taken: Fetched = {}
        self._taken, self._cost = taken, 0
        dry = await self._round(taken, partitions, most)
        if (
            dry
            and not taken
            and self._fault is None
            and await self._get(taken, dry, min(timeout, PATIENCE_SECONDS), STEP)
        ):
            await self._round(taken, partitions, most - _number(taken))
        if not taken:
            self._raise_fault()
        return taken

    def _raise_fault(self) -> None:
        """Raise an error once, however many messages other partitions still have: while they are busy, nobody would see it otherwise."""
        fault, self._fault = self._fault, None
        if fault is not None:
            raise fault

    async def _round(self, taken: Fetched, partitions: Collection[Any], room: int) -> set[Any]:
        """Take from each suffix in turn. Returns the partitions that have nothing more."""
        groups: dict[str, set[Any]] = {}
        for at in sorted(partitions):
            groups.setdefault(suffix(at[0]), set()).add(at)
        names, dry = list(groups), set[Any]()
        first = self._turn
        for place in range(first, first + len(names)):
            if room <= 0 or self._cost >= TAKEN:
                break
            room -= await self._side_by_side(taken, groups[names[place % len(names)]], min(room, SHARE), dry)
            self._turn = (place + 1) % len(names)
        return dry

    async def _side_by_side(self, taken: Fetched, group: set[Any], room: int, dry: set[Any]) -> int:
        """Take from the topic that is behind, again and again. Returns how many messages."""
        left, able, end = room, set(group), self._cost + FETCHED
        while left > 0 and able and self._cost < end:
            at = min(sorted(able), key=lambda one: self._reached.get(one, 0))
            number = await self._get(taken, {at}, 0, left if len(group) == 1 else min(STEP, left))
            left -= number
            if not number:
                able.discard(at)
                dry.add(at)
                if self._holds(at):
                    break
        return room - left

    async def _get(self, taken: Fetched, partitions: set[Any], timeout: float, most: int) -> int:  # noqa: ASYNC109
        try:
            found = await self._give(partitions, timeout, most)
        except KafkaError as fault:
            self._fault = fault
            return 0
        for at, messages in found.items():
            taken.setdefault(at, []).extend(messages)
            self._cost += messages.cost if isinstance(messages, Portion) else 0
            self._reached[at] = messages[-1].timestamp
            self._awaited.pop(at, None)
        return _number(found)

    def _holds(self, dry: Any) -> bool:
        """Return whether the others of its suffix wait for it."""
        if not self._lacks(dry):
            self._awaited.pop(dry, None)
            return False
        now = self._clock()
        return now - self._awaited.setdefault(dry, now) < PATIENCE_SECONDS


def lacks(consumer: Any, partition: Any) -> bool:
    """Return whether Kafka has more of a partition than this consumer of aiokafka has handed over, or has not answered yet."""
    subscription = consumer._subscription.subscription  # noqa: SLF001
    assignment = subscription and subscription.assignment
    state = assignment and assignment.state_value(partition)
    if state is None or not state.has_valid_position:
        return False
    return state.highwater is None or bool(state.position < state.highwater)


def _number(fetched: Mapping[Any, list[Any]]) -> int:
    return sum(map(len, fetched.values()))
