"""Computes what an indicator must show from cells alone: sums over authorities, months and categories."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date, timedelta
from functools import cached_property
from typing import NamedTuple

from contracts.authorities import HEALTH_BOARDS
from contracts.cells import MEASURES
from contracts.decoding.codec import Event
from contracts.events import Topic
from contracts.periods import LONDON, months_between
from services.records.model.bank_holidays import scotland
from services.reporting.registry.areas import SCOTLAND
from services.reporting.registry.deadlines import AWAITED
from services.reporting.registry.indicators import Form, Indicator, Kind, Part

Place = tuple[str, str]
"""Area and period."""


class Cells(dict[str, int]):
    """Values by key, which must not change once they were looked up by kind."""

    @cached_property
    def by_kind(self) -> Mapping[tuple[str, str], list[str]]:
        """Return keys by measure and category."""
        found: dict[tuple[str, str], list[str]] = defaultdict(list)
        for key in self:
            measure, _, _, category = key.split("|")
            found[measure, category].append(key)
        return found

    @cached_property
    def spoken(self) -> frozenset[tuple[str, str]]:
        """Return measures, with the dimensions by which they are divided."""
        return frozenset((measure, category.partition("=")[0]) for measure, category in self.by_kind)


class Figure(NamedTuple):
    """One column of the rows of an indicator."""

    name: str
    forms: tuple[Form, ...]
    by_place: Mapping[Place, int]
    divide: int = 1


_BOARD_OF = {code: board.code for board in HEALTH_BOARDS.values() for code in board.members}


def divisions(indicator: Indicator) -> Iterator[tuple[str, tuple[Part, ...]]]:
    """Yield the figure itself, and each of its breakdowns."""
    yield "", (Part("", indicator.numerator, indicator.denominator),)
    yield from indicator.breakdowns


def with_overdue(cells: Mapping[str, int], day: date) -> dict[str, int]:
    """Return the cells, with what is overdue on the day as one more category of its clock, derived from the due dates."""
    found = dict(cells)
    measures = {awaited.replace("awaited", "pending"): measure for measure, awaited in AWAITED.items()}
    for key, value in cells.items():
        pending, authority, due, _ = key.split("|")
        if pending in measures and due < f"{day}":
            month = _month_counted(measures[pending], date.fromisoformat(due))
            place = f"{measures[pending]}|{authority}|{month}-01|overdue"
            found[place] = found.get(place, 0) + value
    return found


_WORKING_DAYS = {"first_contact": 1, "case_meeting": 5, "induction": 5, "placement": 7, "plan": 20}


def _month_counted(measure: str, due: date) -> str:
    """Return the month of imposition if the clock runs from it."""
    if measure not in _WORKING_DAYS:
        return f"{due:%Y-%m}"
    calendar = scotland()
    imposed = due
    while calendar.working_days(imposed, due) < _WORKING_DAYS[measure]:
        imposed -= timedelta(days=1)
    while not calendar.working_days(imposed - timedelta(days=1), imposed):
        imposed -= timedelta(days=1)
    return f"{imposed:%Y-%m}"


def figures(cells: Cells, indicator: Indicator, part: Part, area: str, period: str) -> Iterator[Figure]:
    """Yield what can be computed of one row: numerators as they are shown, and denominators that are sums of cells."""
    if indicator.kind is Kind.YEARLY:
        period = "year"
    if indicator.minus is not None:
        level = stocks(cells, indicator.numerator, indicator.minus, area, period)
        yield Figure("numerator", (indicator.numerator, indicator.minus), level, indicator.divide)
    elif indicator.kind is not Kind.AGREEMENT:
        yield Figure("numerator", (part.numerator,), sums(cells, part.numerator, area, period), indicator.divide)
        if part.denominator is not None:
            yield Figure("denominator", (part.denominator,), sums(cells, part.denominator, area, period))


def stocks(cells: Cells, opens: Form, closes: Form, area: str, period: str) -> Mapping[Place, int]:
    """Return what is open at the end of each period, out of all that was opened until then."""
    opened, closed = sums(cells, opens, area, period), sums(cells, closes, area, period)
    found: dict[Place, int] = {}
    for where in {place[0] for place in (*opened, *closed)}:
        level = 0
        for at in sorted({place[1] for place in (*opened, *closed)}):
            level += opened.get((where, at), 0) - closed.get((where, at), 0)
            found[where, at] = level
    return found


def sums(cells: Cells, form: Form, area: str, period: str) -> Mapping[Place, int]:
    """Return sums by `authority` or `health_board`, and `month`, `quarter` or `year`; for Scotland too."""
    found: dict[Place, int] = defaultdict(int)
    for key in keys_of(cells, form):
        _, authority, day, _ = key.split("|")
        at = _period(day, period)
        found[authority if area == "authority" else _BOARD_OF[authority], at] += cells[key]
        found[SCOTLAND, at] += cells[key]
    return found


Month = tuple[str, str]
"""Authority and month."""


def months_told(
    cells: Mapping[str, int], events: Mapping[str, Iterable[Event]], kind: Topic, today: date
) -> set[Month]:
    """Return on which months authorities reported with these events: from that of the first until now, and earlier ones of which they
    stated facts.
    """
    found = set[Month]()
    for authority, of_one in events.items():
        latest = dict[tuple[str, str], Event]()
        first = today
        for event in of_one:
            first = min(first, event.time.astimezone(LONDON).date())
            at = event.subject, event.data.key
            if event.data.DATES and (at not in latest or event.time > latest[at].time):
                latest[at] = event
                found.add((authority, f"{getattr(event.data, event.data.DATES[0]):%Y-%m}"))
        found |= {(authority, f"{month:%Y-%m}") for month in months_between(first, today)}
    if kind is Topic.UNPAID_WORK:  # an order on which anything was done was known when it was imposed
        done = (key.split("|") for key in cells if key.startswith(("induction|", "placement|")) and "|band=" in key)
        found |= {(authority, day[:7]) for _, authority, day, _ in done}
    return found


def places(told: Iterable[Month], area: str, period: str, today: date, *, at_ends: bool = False) -> set[Place]:
    """Return the places for which that makes a figure. `at_ends` uses only the last month of each period, of those until now."""
    months = [f"{month:%Y-%m}" for month in months_between(date(2010, 1, 1), today)]
    ends = {_period(month, period): month for month in months}
    found = set[Place]()
    for authority, month in told:
        label = _period(month, period)
        if not at_ends or ends.get(label) == month:
            found |= {(authority if area == "authority" else _BOARD_OF[authority], label), (SCOTLAND, label)}
    return found


def without_unheard(cells: Mapping[str, int], work_told: Collection[Month]) -> Cells:
    """Remove what unpaid work only learned from orders, in months on which nothing was reported to it."""

    def counts(key: str) -> bool:
        measure, authority, day, _ = key.split("|")
        if measure.startswith("minutes_outstanding"):  # a level
            return any(code == authority for code, _ in work_told)
        return MEASURES[measure].services != {"unpaid_work"} or (authority, day[:7]) in work_told

    return Cells({key: value for key, value in cells.items() if counts(key)})


def keys_of(cells: Cells, form: Form) -> Iterator[str]:
    """Yield the cells that the form sums."""
    return (key for category in form.categories for key in cells.by_kind.get((form.measure, category), ()))


def _period(day: str, kind: str) -> str:
    year, month = int(day[:4]), int(day[5:7])
    match kind:
        case "month":
            return day[:7]
        case "quarter":
            return f"{year}-Q{(month + 2) // 3}"
        case _:
            start = year - (month < 4)
            return f"{start}-{(start + 1) % 100:02}"


def is_known(cells: Cells, form: Form) -> bool:
    """Return whether the cells have everything that the form sums."""
    return all((form.measure, each.partition("=")[0]) in cells.spoken for each in form.categories)
