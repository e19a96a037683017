"""The whole nation: 32 simulated authorities together, in order of arrival."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from itertools import chain
from operator import itemgetter
from random import Random

from contracts.authorities import AUTHORITIES
from services.chassis.clock import Clock
from services.simulate.authority import PretendAuthority
from services.simulate.chances import Chances
from services.simulate.habits import Habit
from services.simulate.lives.transfers import plan_transfers
from services.simulate.population import orders_a_year
from services.simulate.telling.sending import Delivery
from services.simulate.telling.untidy import SECOND
from services.simulate.working_days import months_after

_TAKEN = ("applied", "superseded", "duplicate")


class Simulation:
    """The events of so many months before `end`, which is the first day with no reports. The same seed gives the same bytes.

    Memory holds what open orders have yet to report, whatever the number of months.
    """

    def __init__(
        self,
        seed: int,
        months: int,
        end: date,
        authorities: Iterable[str] = tuple(AUTHORITIES),
        habits: Mapping[str, Habit] | None = None,
    ) -> None:
        self.end = end
        self.first = months_after(end, -months)
        transfers = plan_transfers(seed, self.first, end)
        of = {code: (habits or {}).get(code, Habit.USUAL) for code in authorities}
        self.authorities = {
            code: PretendAuthority(code, seed, self.first, end, transfers, habit=habit)
            for code, habit in of.items()
            if habit is not Habit.SILENT
        }

    def deliveries(self) -> Iterator[Delivery]:
        """Yield all events, in order of arrival."""
        for _ in range((self.end - self.first).days):
            yield from self._next_day()

    def one_by_one(self) -> Iterator[Delivery]:
        """Yield all events, of one authority after the other, each in order of arrival."""
        for code in self.authorities:
            yield from self.of(code)

    def of(self, code: str) -> Iterator[Delivery]:
        """Yield the events of one authority, in order of arrival."""
        return self.authorities[code].deliver(self.end)

    def truth(self) -> dict[str, dict[str, int]]:
        """Return the cells, findings and outcomes that must result, and who must be heard. Complete once all deliveries were consumed."""
        cells: dict[str, int] = {}
        findings: dict[str, int] = {}
        heard: dict[str, int] = {}
        outcomes: Counter[str] = Counter()
        for code, authority in self.authorities.items():
            cells |= authority.truth.nonzero()
            findings |= authority.truth.dated_before
            outcomes += authority.outcomes
            taken = sum(authority.outcomes[outcome] for outcome in _TAKEN)
            heard |= {code: taken} if taken else {}
        valid = sum(outcomes[outcome] for outcome in _TAKEN)
        rejected = sum(n for key, n in outcomes.items() if key.startswith("reason."))
        outcomes |= Counter(lines=valid + rejected, valid=valid, rejected=rejected)
        return {"cells": cells, "findings": findings, "outcomes": dict(sorted(outcomes.items())), "heard": heard}

    def live(
        self, clock: Clock, per_second: float = 3.0, sleep: Callable[[float], None] = time.sleep
    ) -> Iterator[Delivery]:
        """Continue from where `deliveries` stopped, for ever and at this pace: what arrives on the day `end`, then new orders.

        `end` should be today. What it yields arrives now and was recorded no later than now.
        """
        everyone = list(self.authorities.values())
        for authority in everyone:
            authority.go_live(clock)
        for delivery in chain(self._next_day(), _newcomers(everyone)):
            sleep(1 / per_second)
            yield delivery._replace(arrived=int(clock().timestamp() * SECOND))

    def _next_day(self) -> list[Delivery]:
        day = [delivery for authority in self.authorities.values() for delivery in authority.next_day()]
        day.sort(key=itemgetter(0))
        return day


def _newcomers(everyone: list[PretendAuthority]) -> Iterator[Delivery]:
    """Yield the first events of one order after another, all imposed on the last day."""
    shares = Chances({authority: orders_a_year(authority.home.code) for authority in everyone})
    rng = Random("newcomers")  # noqa: S311
    while True:
        yield from shares.pick(rng).begin_order()
