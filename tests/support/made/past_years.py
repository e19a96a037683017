"""Unit-level returns of ten past years as a small authority would find them in a drawer, and the cells that must come out of them.

The rows have the layout of `docs/examples/connect/past-years`. The cells are counted from the lives of which the rows tell, without the
platform's code.
"""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import NamedTuple

FIRST, YEARS = 2014, 10
ORDERS_A_YEAR = 60
"""As many as an authority of 22,000 people has."""
COURTS = {2: "sheriff_solemn", 3: "sheriff_summary", 5: "justice_of_the_peace"}
SEXES = {1: "male", 2: "female"}
REASONS = {1: "completed", 2: "early_discharge", 4: "revoked_breach", 6: "died"}
LIMIT = 100
"""Hours above which unpaid work is level 2."""
RETURN = Path(__file__).parents[3] / "docs/examples/connect/past-years/return-2021-22.csv"
"""Whose headings these have."""
Cells = Counter[tuple[str, str, str]]
"""By measure, month and category."""


class Life(NamedTuple):
    """One order."""

    urn: str
    person: int
    sex: int
    court: int
    imposed: date
    hours: int
    months: int
    contact: date
    induction: date | None
    placement: date | None
    done: date | None
    """When the hours were all worked."""
    ended: date | None
    reason: int

    @property
    def row(self) -> list[object]:
        """Return it as a return has it: dates of the day first, codes as numbers, blanks for what did not happen."""
        told = (self.contact, self.induction, self.placement)
        worked = (self.hours if self.done else 0, _said(self.done), int(self.done is not None))
        terms = (_said(self.imposed), 2, 2, self.hours or "", self.months or "")
        end = (_said(self.ended), self.reason if self.ended else "")
        return [self.urn, self.person, self.sex, 30, 1, 3, self.court, *terms, *map(_said, told), *worked, *end]

    @property
    def facts(self) -> list[date]:
        """Return the day of each fact that the row states."""
        days = (self.imposed, self.contact, self.induction, self.placement, self.done, self.done, self.ended)
        return [day for day in days if day is not None]


def lives(seed: int = 7) -> Iterator[Life]:
    """Yield the orders of all years. Of each of the last three years, some are still open."""
    chance = Random(seed)
    for year in range(FIRST, FIRST + YEARS):
        for number in range(1, ORDERS_A_YEAR + 1):
            yield _life(chance, year, number)


def _life(chance: Random, year: int, number: int) -> Life:
    imposed = date(year, 4, 1) + timedelta(days=6 * (number - 1) + chance.randrange(6))
    hours = chance.choice((0, 40, 80, 120, 200, 300))
    contact = imposed + timedelta(days=chance.randrange(4))
    induction = contact + timedelta(days=chance.randrange(1, 8)) if hours else None
    placement = induction and induction + timedelta(days=chance.randrange(1, 12))
    ended = imposed + timedelta(days=chance.randrange(200, 500))
    is_open = year >= FIRST + YEARS - 3 and chance.random() < 0.1
    done = ended if placement and not is_open and chance.random() < 0.8 else None
    reason = 1 if done or not hours else chance.choice((2, 4, 6))
    person, sex, court = chance.randrange(10_000, 99_999), chance.choice((1, 1, 1, 2)), chance.choice((*COURTS,))
    urn = f"{year % 100}/{number:04}"
    months = 12 if not hours else chance.choice((0, 12))
    when = (imposed, hours, months, contact, induction, placement, done, None if is_open else ended)
    return Life(urn, person, sex, court, *when, reason)


def write(folder: Path, told: Iterable[Life]) -> list[Path]:
    """Write one file for each year from April to March, in which its orders were imposed."""
    years: dict[int, list[Life]] = {}
    for life in told:
        years.setdefault(_year(life.imposed), []).append(life)
    return [_write(folder / f"return-{year}-{(year + 1) % 100:02}.csv", found) for year, found in sorted(years.items())]


def _write(path: Path, found: Iterable[Life]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        file.write(RETURN.read_text("utf-8").partition("\n")[0] + "\n")
        csv.writer(file).writerows(life.row for life in found)
    return path


def truth(told: Iterable[Life]) -> Cells:
    """Return the cells of orders, ends, hours and events that must come out."""
    cells: Cells = Counter()
    for life in told:
        begun, minutes = _month(life.imposed), life.hours * 60
        terms = (f"sex={SEXES[life.sex]}", f"court_type={COURTS[life.court]}")
        level = (f"level={1 + (life.hours > LIMIT)}",) if life.hours else ()
        for category in ("", *terms, *level):
            cells["orders_imposed", begun, category] += 1
        cells["orders_opened", begun, ""] += 1
        for category in ("", *level) if life.hours else ():
            cells["unpaid_work_minutes_imposed", begun, category] += minutes
        if life.done:
            for category in ("", "activity=adjustment"):
                cells["minutes_credited", _month(life.done), category] += minutes
        if life.ended:
            cells["orders_closed", _month(life.ended), ""] += 1
            for category in ("", terms[0], f"end_reason={REASONS[life.reason]}"):
                cells["orders_ended", _month(life.ended), category] += 1
        for day in life.facts:
            cells["events", _month(day), "outcome=applied"] += 1
    return cells


def open_at_the_end(told: Iterable[Life]) -> int:
    """Return how many orders have no end."""
    return sum(life.ended is None for life in told)


def _year(day: date) -> int:
    return day.year if day.month >= 4 else day.year - 1


def _month(day: date) -> str:
    return f"{day:%Y-%m}-01"


def _said(day: date | None) -> str:
    return f"{day:%d/%m/%Y}" if day else ""
