"""The form of an indicator. The catalogue of them is data (`catalogue`); queries, the API's metadata, the gate and
the pages all read it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Self

from contracts.cells import MEASURES, Service
from services.records.model.standards import Length, Unit

WHOLE_MONTH = Length(0, Unit.DAYS)


class _Form(NamedTuple):
    measure: str
    categories: tuple[str, ...] = ("",)


class Form(_Form):
    """A sum of cells of one measure over categories, which are sorted, so that equal sums are equal forms."""

    __slots__ = ()

    def __new__(cls, measure: str, categories: Iterable[str] = ("",)) -> Self:
        return super().__new__(cls, measure, tuple(sorted(categories)))

    @property
    def grouping(self) -> str:
        """Return the categories as one name, as in `band=within_1`."""
        return "+".join(self.categories)


def form(measure: str, *categories: str) -> Form:
    """Return the total of a measure, or the sum of some of its categories."""
    return Form(measure, categories or ("",))


class Kind(StrEnum):
    """How the value is computed from numerator and denominator."""

    COUNT = "count"
    SHARE = "share"
    MEAN = "mean"
    POPULATION_RATE = "population_rate"
    STOCK = "stock"
    OVERDUE = "overdue"
    """Pending duties that were due before the day of the figures."""
    AGREEMENT = "agreement"
    """The share of authority-months whose numerator equals the denominator, out of those with a denominator."""
    YEARLY = "yearly"
    """A count of a whole year from April to March, which is not the sum of its months: it is only ever shown by year."""


class Status(StrEnum):
    """The state of a version of a definition."""

    EARLIER = "earlier"
    CURRENT = "current"
    PROPOSED = "proposed"
    """Runs beside the current one, over the whole history, for national viewers only."""


class Good(StrEnum):
    """Which direction is better."""

    HIGHER = "higher"
    LOWER = "lower"
    NEITHER = "neither"


class Citation(NamedTuple):
    """The source of a standard, and whether we saw it in a public source."""

    words: str
    verified: bool = True


class Part(NamedTuple):
    """One category of a breakdown."""

    category: str
    numerator: Form
    denominator: Form | None


@dataclass(frozen=True, slots=True)
class Indicator:
    """One indicator: its words, and the cells of which it is made."""

    id: str
    title: str
    definition: str
    theme: str
    kind: Kind
    unit: str
    numerator: Form
    denominator: Form | None = None
    minus: Form | None = None
    """For a stock: what closes that which the numerator opens."""
    divide: int = 1
    """How many units of a cell make one unit shown: 60 if minutes are shown as hours."""
    exclusions: str = "None."
    good: Good = Good.NEITHER
    standard: str | None = None
    source: Citation | None = None
    note: str | None = None
    breakdowns: tuple[tuple[str, tuple[Part, ...]], ...] = ()
    version: int = 1
    status: Status = Status.CURRENT
    change: str | None = None
    """The change from the previous version, and the reason."""
    open_for: Length = WHOLE_MONTH
    """How long after the end of a month anything that counts in it can still happen: until then the month is provisional."""
    per_year: bool = False
    """Whether a rate of the population is given as the rate of a year."""
    of_reported: bool = False
    """Whether it counts only the people of authorities that reported on the period."""
    published_as: str | None = None
    """The indicator that counts as published tables do, for comparison with them."""

    def breakdown(self, name: str) -> tuple[Part, ...]:
        """Return the parts of a breakdown. Raises KeyError for an unknown one."""
        return dict(self.breakdowns)[name]

    @property
    def services(self) -> frozenset[Service]:
        """Return the services of which any must have heard from the authority for there to be a figure."""
        return frozenset.intersection(*(MEASURES[each.measure].services for each in self.forms))

    @property
    def forms(self) -> tuple[Form, ...]:
        """Return every form that must be read to show it."""
        parts = [part for _, parts in self.breakdowns for part in parts]
        found: Iterable[Form | None] = (
            self.numerator,
            self.denominator,
            self.minus,
            *(part.numerator for part in parts),
            *(part.denominator for part in parts),
        )
        return tuple(dict.fromkeys(each for each in found if each is not None))


def counts(measure: str, prefix: str, codes: Iterable[str]) -> tuple[Part, ...]:
    """Return a breakdown that only counts."""
    return tuple(Part(f"{prefix}={code}", form(measure, f"{prefix}={code}"), None) for code in codes)


def shares(measure: str, categories: Iterable[str], whole: Form) -> tuple[Part, ...]:
    """Return a breakdown whose parts are shares of one whole."""
    return tuple(Part(category, form(measure, category), whole) for category in categories)
