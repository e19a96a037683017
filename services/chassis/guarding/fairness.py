"""Shares turns at work fairly: first between groups, such as authorities, then between the callers of a group.

A group has a third of the turns at most, so three that want everything leave some free. Who waits gets the next turn that its group may
have, before groups and callers that have more of them already. Who waits for somebody outside rests, and others work in the meantime.
"""

from asyncio import Future, Lock, get_running_loop
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

GREEDY = 3
"""So many groups may want everything, and turns are left."""


class Worker(NamedTuple):
    """A caller, and the group of callers to which it belongs."""

    group: str
    caller: str


class Fair:
    """Turns, of which there are so many."""

    def __init__(self, most: int) -> None:
        self._most, self._each = most, max(1, (most - 1) // GREEDY)
        self._groups, self._callers = Counter[str](), Counter[Worker]()
        self._line: dict[Future[None], Worker] = {}

    @asynccontextmanager
    async def turn(self, who: Worker) -> AsyncIterator["Turn"]:
        """Hold a turn during the block, once it is one's own."""
        turn = Turn(self, who)
        await turn.take()
        try:
            yield turn
        finally:
            turn.end()

    async def take(self, who: Worker) -> None:
        """Wait for a turn."""
        if self._fits(who):  # nobody who waits does, so nobody is overtaken
            self._seat(who)
            return
        place = get_running_loop().create_future()
        self._line[place] = who
        try:
            await place
        except BaseException:
            if place.done() and not place.cancelled():
                self.give_back(who)
            raise
        finally:
            self._line.pop(place, None)

    def give_back(self, who: Worker) -> None:
        """End a turn, and give what is free to those who wait."""
        self._groups[who.group] -= 1
        self._callers[who] -= 1
        self._groups, self._callers = +self._groups, +self._callers  # without those that have none
        while fitting := [place for place, one in self._line.items() if not place.done() and self._fits(one)]:
            place = min(fitting, key=self._has)  # of several, the first that came
            self._seat(self._line.pop(place))
            place.set_result(None)

    def _fits(self, who: Worker) -> bool:
        return self._groups.total() < self._most and self._groups[who.group] < self._each

    def _has(self, place: Future[None]) -> tuple[int, int]:
        who = self._line[place]
        return self._groups[who.group], self._callers[who]

    def _seat(self, who: Worker) -> None:
        self._groups[who.group] += 1
        self._callers[who] += 1


class Turn:
    """A turn of one request, which may rest."""

    def __init__(self, fair: Fair, who: Worker) -> None:
        self._fair, self._who = fair, who
        self._held, self._over, self._resting, self._taking = False, False, 0, Lock()

    async def take(self) -> None:
        """Wait until it is one's turn, together with whoever in the request waits for it too. What has ended or rests again takes none."""
        async with self._taking:
            if self._held or not self._works():
                return
            await self._fair.take(self._who)
            self._held = True
            if not self._works():
                self._give_back()

    def end(self) -> None:
        """Give it back for good. Does nothing if it was given back."""
        self._over = True
        self._give_back()

    @asynccontextmanager
    async def rest(self) -> AsyncIterator[None]:
        """Let others work during the block, and wait for a turn afterwards, unless this one has ended or the block has failed."""
        self._resting += 1
        self._give_back()
        try:
            yield
        finally:
            self._resting -= 1
        await self.take()

    def _works(self) -> bool:
        return not (self._over or self._resting)

    def _give_back(self) -> None:
        if self._held:
            self._held = False
            self._fair.give_back(self._who)
