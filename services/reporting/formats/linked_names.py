"""The names of areas, periods and breakdowns as linked data, in the forms that statistics.gov.scot uses. Pure.

The forms were taken from public queries of that site. That every address answers could not be verified.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from contracts.periods import months_between, parse_first
from services.chassis.web.categories import category_label
from services.reporting.registry.areas import AREA_NAMES

AREA_URI = "http://statistics.gov.scot/id/statistical-geography/{authority}"
"""Areas of every kind: Scotland, health board areas and authorities have codes of one series."""
REF_AREA = "http://purl.org/linked-data/sdmx/2009/dimension#refArea"
REF_PERIOD = "http://purl.org/linked-data/sdmx/2009/dimension#refPeriod"
_PERIODS = "http://reference.data.gov.uk/id"
_SCOT = "http://statistics.gov.scot/def"
_BREAKDOWNS = {"sex": "sex", "age_band": "age", "ethnicity": "ethnicity"}
"""Breakdowns that are dimensions there, with their names there."""
_CONCEPTS = {"sex=male": "sex/male", "sex=female": "sex/female"}
"""Categories that mean the same there; its age bands and ethnic groups are divided differently."""


@dataclass(frozen=True, slots=True)
class Value:
    """The meaning of one code. `uri` is None if statistics.gov.scot has no name for it."""

    label: str
    uri: str | None = None


@dataclass(frozen=True, slots=True)
class Dimension:
    """The meaning of one column's values. `property` is None if it is not a dimension there."""

    property: str | None
    values: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Codes:
    """The codes of the rows, each once, in the order of appearance."""

    areas: Iterable[str]
    periods: Iterable[str]
    categories: Iterable[str]


def dimensions(found: Codes, breakdown: str | None, *, monthly: bool) -> dict[str, Dimension]:
    """Return areas, periods and categories of a measure. `monthly` says whether the periods are months, which may look like years."""
    known_there = _BREAKDOWNS.get(breakdown or "")
    return {
        "authority": Dimension(REF_AREA, {code: Value(AREA_NAMES[code], area_uri(code)) for code in found.areas}),
        "period": Dimension(
            REF_PERIOD,
            {
                label: Value(period_label(label, monthly=monthly), period_uri(label, monthly=monthly))
                for label in found.periods
            },
        ),
        "category": Dimension(
            None if known_there is None else f"{_SCOT}/dimension/{known_there}",
            {each: Value(category_label(each), _concept(each)) for each in found.categories},
        ),
    }


def area_uri(code: str) -> str:
    return AREA_URI.format(authority=code)


def _concept(category: str) -> str | None:
    return f"{_SCOT}/concept/{_CONCEPTS[category]}" if category in _CONCEPTS else None


def period_uri(label: str, *, monthly: bool = False) -> str:
    """Return the address of a month, a quarter, a year from April to March, or consecutive months."""
    if "/" in label:
        first, last = (parse_first(words) for words in label.split("/"))
        return f"{_PERIODS}/gregorian-interval/{first}T00:00:00/P{len(months_between(first, last))}M"
    if "Q" in label:
        return f"{_PERIODS}/quarter/{label}"
    year = None if monthly else _year(label)
    return f"{_PERIODS}/month/{label}" if year is None else f"{_PERIODS}/government-year/{year}-{year + 1}"


def period_label(label: str, *, monthly: bool = False) -> str:
    """Return `2025/2026` for the year that is `2025-26` here. Months, quarters and other spans have the same name."""
    year = None if monthly else _year(label)
    return label if year is None else f"{year}/{year + 1}"


def _year(label: str) -> int | None:
    """Return the calendar year in which a year like 2025-26 begins; None for a month, which looks the same."""
    if len(label) != 7 or "Q" in label or int(label[5:]) != (int(label[2:4]) + 1) % 100:
        return None
    return int(label[:4])
