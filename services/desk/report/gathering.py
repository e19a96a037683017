"""Asks for everything that a report is made of, with the viewer's token."""

import asyncio
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import TypeVar

from msgspec.structs import replace

from contracts.periods import add_months, month_of, quarter_of, year_of
from services.chassis.api.problems import Problem
from services.chassis.web import words
from services.desk.model.decisions import Change, Decided
from services.desk.model.findings import FindingCounts
from services.desk.model.hours import Capacity
from services.desk.model.numbers import Held
from services.desk.platform import REPORTING, Asked, Parameters, Platform, Service
from services.desk.report.figures import Comparison, Comparisons, Indicator, Indicators, Series, SeveralSeries
from services.desk.report.model import Aim, Span, Told
from services.desk.words.capacity import foreseen

T = TypeVar("T")
SHARE, COUNTED = "share", ("orders_imposed", "hours_credited", "unpaid_work_hours_imposed")
MONTHS_OF_AIMS = 24
QUARTERS_OF_EVIDENCE = 8
AT_ONCE = 8
"""Questions of one report at the same time: a service refuses those who ask too many at once."""


def quarters_up_to(today: date) -> list[str]:
    """Return the last eight whole quarters, the latest first."""
    first = add_months(month_of(today), -((today.month - 1) % 3))
    return [quarter_of(add_months(first, -3 * number)) for number in range(1, 9)]


def years_up_to(today: date, number: int = 3) -> list[str]:
    """Return the last whole years from April to March, the latest first."""
    this = int(year_of(month_of(today))[:4])
    return [f"{year}-{(year + 1) % 100:02}" for year in range(this - 1, this - 1 - number, -1)]


def span_of(label: str) -> Span:
    """Return the months of a quarter as in 2026-Q3, or of a year as in 2025-26. Raises Problem 404 for anything else."""
    try:
        if "Q" in label:
            first = date(int(label[:4]), 3 * int(label[6:]) - 2, 1)
            length, said = 3, label == quarter_of(first)
        else:
            first = date(int(label[:4]), 4, 1)
            length, said = 12, label == year_of(first)
    except ValueError:
        said = False
    if not said:
        raise Problem(404, "There is no such quarter or year.")
    before, last = add_months(first, -length), add_months(first, length - 1)
    return Span(_name(first, last), first, last, _name(before, add_months(first, -1)), before, add_months(first, -1))


def told_shares(indicators: Sequence[Indicator]) -> list[Indicator]:
    """Return the shares that a report tells: each standard once, not again as published tables count it."""
    again = {one.published_as for one in indicators}
    return [one for one in indicators if one.kind == SHARE and one.id not in again]


def _name(first: date, last: date) -> str:
    if first.year == last.year:
        return f"{words.MONTHS[first.month - 1]} to {words.month_name(last)}"
    return f"{words.month_name(first)} to {words.month_name(last)}"


class Gathering:
    """Asks on behalf of one person of one authority."""

    def __init__(self, platform: Platform, token: str, authority: str, name: str) -> None:
        self._platform, self._token, self._authority, self._name = platform, token, authority, name
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def told(self, span: Span) -> Told:
        """Return everything about these months."""
        return await self._told(span, by_quarter=False)

    async def evidence(self, span: Span) -> Told:
        """Return everything about these months, with each share by quarter."""
        return await self._told(span, by_quarter=True)

    async def _told(self, span: Span, *, by_quarter: bool) -> Told:
        indicators, decided = await asyncio.gather(self._indicators(), self._decided())
        aims = [_aim(change) for change in decided["Aim"].now]
        shares = told_shares(indicators)
        (comparisons, earlier, months, counts), quarters, (held, counted, capacity) = await asyncio.gather(
            self._figures(indicators, shares, aims, span),
            self._before(shares if by_quarter else [], "quarter", 3 * QUARTERS_OF_EVIDENCE - 1, span.last),
            self._state(),
        )
        rules = [rule for one in counted for rule in one.rules]
        return Told(
            authority=self._authority,
            name=self._name,
            span=span,
            today=capacity.today,
            comparisons=comparisons,
            earlier={one.indicator.id: one for one in earlier},
            months=months,
            counts=counts,
            quarters=quarters,
            aims=aims,
            wrong=sum(rule.number for rule in rules),
            newly_wrong=sum(rule.newly for rule in rules),
            refused=sum(one.rejected_open for one in held),
            changes=_changes(decided, span),
            capacity=foreseen(capacity).sentence,
            first_heard=min((one.first_heard_on for one in held if one.first_heard_on), default=None),
        )

    async def _figures(
        self, indicators: Iterable[Indicator], shares: Sequence[Indicator], aims: Iterable[Aim], span: Span
    ) -> tuple[list[Comparison], list[Comparison], dict[str, Series], list[Series]]:
        return await asyncio.gather(
            self._compared(shares, span.first, span.last),
            self._compared(shares, span.first_before, span.last_before),
            self._months(shares, aims, span.last),
            self._counts([one for one in indicators if one.id in COUNTED], span),
        )

    async def _state(self) -> tuple[list[Held], list[FindingCounts], Capacity]:
        """Return the state of the data today, and the hours."""
        return await asyncio.gather(
            self._both("held", Held),
            self._both("findings/counts", FindingCounts),
            self._ask(Service.UNPAID_WORK, "capacity", Capacity),
        )

    async def _both(self, path: str, kind: type[T]) -> list[T]:
        return await asyncio.gather(*(self._ask(s, path, kind) for s in Service))

    async def _ask(self, service: Asked, path: str, kind: type[T], asked: Parameters | None = None) -> T:
        async with self._turns:
            return await self._platform.ask(self._token, service, path, kind, asked)

    async def _indicators(self) -> list[Indicator]:
        return (await self._ask(REPORTING, "indicators", Indicators)).indicators

    async def _compared(self, shares: Iterable[Indicator], first: date, last: date) -> list[Comparison]:
        found = (await self._several("compare", Comparisons, shares, first, last)).comparisons
        return [replace(one, indicator=_titled(one.indicator)) for one in found]

    async def _series(self, indicators: Sequence[Indicator], by: str, first: date, last: date) -> list[Series]:
        """Return series of this authority."""
        if not indicators:
            return []
        return (
            await self._several("data", SeveralSeries, indicators, first, last, by=by, area=self._authority)
        ).apart()

    async def _several(
        self, path: str, kind: type[T], indicators: Iterable[Indicator], first: date, last: date, **asked: str
    ) -> T:
        """Ask one question about all indicators: asking for each by itself took longer than answering."""
        names = [one.id for one in indicators]
        months = {"from": f"{first:%Y-%m}", "to": f"{last:%Y-%m}"}
        return await self._ask(REPORTING, path, kind, {**asked, **months, "indicator": names})

    async def _months(self, shares: Iterable[Indicator], aims: Iterable[Aim], last: date) -> dict[str, Series]:
        wanted = [one for one in shares if any(one.id.startswith(aim.standard) for aim in aims)]
        return await self._before(wanted, "month", MONTHS_OF_AIMS, last)

    async def _before(self, indicators: Sequence[Indicator], by: str, months: int, last: date) -> dict[str, Series]:
        """Return series by indicator, beginning so many months before the last one."""
        found = await self._series(indicators, by, add_months(last, -months), last)
        return {series.indicator.id: series for series in found}

    async def _counts(self, indicators: Sequence[Indicator], span: Span) -> list[Series]:
        by = "quarter" if add_months(span.first, 2) == span.last else "year"
        return await self._series(indicators, by, span.first_before, span.last)

    async def _decided(self) -> dict[str, Decided]:
        """Return what managers have set, by its name in a report."""
        names = {"Closed day": "closed-days", "Target": "targets", "Aim": "aims"}
        found = await asyncio.gather(*(self._ask(Service.ORDERS, f"own/{path}", Decided) for path in names.values()))
        return dict(zip(names, found, strict=True))


def _aim(change: Change) -> Aim:
    standard, since = change.key.split(" ")
    content = change.content or {}
    return Aim(standard, date.fromisoformat(since), content["target"], content["change"])


def _changes(decided: Mapping[str, Decided], span: Span) -> list[str]:
    """Return what was set within the months, the earliest first."""
    last = add_months(span.last, 1) - timedelta(days=1)
    found = [(name, one) for name, of_kind in decided.items() for one in of_kind.changes]
    shown = [(name, one) for name, one in found if span.first <= one.at.date() <= last]
    return [_change(name, one) for name, one in sorted(shown, key=lambda each: each[1].at)]


HEADLINES = {"requirements": "Orders with unpaid work"}
"""What the figure is of an indicator whose title is about its breakdown."""


def _titled(indicator: Indicator) -> Indicator:
    return replace(indicator, title=HEADLINES.get(indicator.id, indicator.title))


_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def _change(name: str, change: Change) -> str:
    key = _DAY.sub(lambda day: f"from {words.iso_date(day[0])}", change.key.replace("_", " "))
    key = key.removeprefix("from ") if name == "Closed day" else key
    if change.content is None:
        return f"{words.long_date(change.at)}: {name.lower()} {key} was taken back by {change.by}."
    values = ", ".join(map(str, change.content.values()))
    return f"{words.long_date(change.at)}: {name.lower()} {key} was set by {change.by}: {values}."
