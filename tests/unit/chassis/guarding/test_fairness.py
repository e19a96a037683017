"""However many turns some groups want, others get theirs with the next that ends."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest

from services.chassis.guarding.fairness import Fair, Turn, Worker

MOST = 10


class Room:
    """Workers, each of which holds its turn until it is told to end."""

    def __init__(self) -> None:
        self.fair, self.at_work = Fair(MOST), list[Worker]()
        self.turns = dict[asyncio.Task[None], Turn]()
        self._ends = dict[asyncio.Task[None], asyncio.Event]()

    async def ask(self, group: str, number: int = 1, caller: str = "one") -> list[asyncio.Task[None]]:
        asked = []
        for _ in range(number):
            end = asyncio.Event()
            task = asyncio.create_task(self._work(Worker(group, caller), end))
            self._ends[task] = end
            asked.append(task)
        await settle()
        return asked

    async def _work(self, who: Worker, end: asyncio.Event) -> None:
        task = asyncio.current_task()
        assert task is not None
        async with self.fair.turn(who) as turn:
            self.turns[task] = turn
            self.at_work.append(who)
            await end.wait()
            self.at_work.remove(who)

    async def end(self, *asked: asyncio.Task[None]) -> None:
        for task in asked:
            self._ends[task].set()
            await task
        await settle()

    @property
    def groups(self) -> Counter[str]:
        return Counter(one.group for one in self.at_work)


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def tried(test: Callable[[Room], Awaitable[None]]) -> None:
    async def run() -> None:
        room = Room()
        await test(room)
        for task in room._ends:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        left = [room.fair._line, room.fair._groups, room.fair._callers]
        assert not any(left), left

    asyncio.run(run())


def test_three_that_want_everything_leave_a_turn_for_the_others() -> None:
    async def test(room: Room) -> None:
        for group in "abc":
            await room.ask(group, 50)
        assert room.groups == {"a": 3, "b": 3, "c": 3}
        await room.ask("d")
        assert room.groups["d"] == 1

    tried(test)


def test_who_has_nothing_is_before_those_who_have_more_and_came_before() -> None:
    async def test(room: Room) -> None:
        greedy = {group: await room.ask(group, 50) for group in "abcd"}
        assert room.groups == {"a": 3, "b": 3, "c": 3, "d": 1}
        await room.ask("e", 2)
        assert "e" not in room.groups
        await room.end(greedy["a"][0])
        assert room.groups == {"a": 2, "b": 3, "c": 3, "d": 1, "e": 1}
        await room.end(greedy["b"][0])
        assert room.groups["b"] == 2
        assert room.groups["d"] + room.groups["e"] == 3

    tried(test)


def test_of_one_group_the_caller_with_the_fewest_is_next() -> None:
    async def test(room: Room) -> None:
        machine = await room.ask("a", 50, "machine")
        await room.ask("a", 1, "somebody")
        await room.end(machine[0])
        assert Counter(room.at_work) == {Worker("a", "machine"): 2, Worker("a", "somebody"): 1}

    tried(test)


def test_who_rests_lets_another_work_and_goes_on_in_turn() -> None:
    async def test(room: Room) -> None:
        asked = await room.ask("a", 4)
        assert room.groups["a"] == 3
        resting = room.turns[asked[0]].rest()
        await resting.__aenter__()
        await settle()
        assert room.groups["a"] == 4, "one of whom rests"
        ended = asyncio.create_task(resting.__aexit__(None, None, None))
        await settle()
        assert not ended.done()
        await room.end(asked[3])
        assert ended.done()
        await ended

    tried(test)


@pytest.mark.parametrize("is_called", [True, False])
def test_whoever_goes_away_while_it_waits_takes_no_turn(is_called: bool) -> None:
    async def test(room: Room) -> None:
        first = await room.ask("a", 4)
        last = await room.ask("a")
        if is_called:  # in the same moment in which it would be its turn
            room._ends[first[0]].set()
            await asyncio.sleep(0)
        first[3].cancel()
        await settle()
        await room.end(*first[1:3])
        assert room.turns.keys() >= set(last)

    tried(test)


async def _resting(turn: Turn, until: asyncio.Event) -> None:
    async with turn.rest():
        await until.wait()


def test_a_turn_that_ends_while_it_is_waited_for_after_a_rest_is_left_to_others() -> None:
    async def test(room: Room) -> None:
        first, *_ = await room.ask("A", 3)
        arrived = asyncio.Event()
        rest = asyncio.create_task(_resting(room.turns[first], arrived))
        await settle()
        others = await room.ask("A")  # has the turn of the one that rests
        arrived.set()
        await settle()
        await room.end(first)
        await room.end(*others)
        await rest
        assert len(await room.ask("A")) == 1
        assert room.groups["A"] == 3

    tried(test)


def test_two_rests_of_one_request_take_one_turn_between_them() -> None:
    async def test(room: Room) -> None:
        first, *rest = await room.ask("A", 3)
        body, answer = asyncio.Event(), asyncio.Event()
        resting = [asyncio.create_task(_resting(room.turns[first], body))]
        await settle()
        other = await room.ask("A")
        body.set()
        await settle()  # waits for its turn
        resting.append(asyncio.create_task(_resting(room.turns[first], answer)))
        await settle()
        answer.set()
        await settle()  # waits for the same turn
        await room.end(*other)
        assert all(one.done() for one in resting)
        await room.end(first, *rest)
        await room.ask("A", 3)
        assert room.groups["A"] == 3

    tried(test)
