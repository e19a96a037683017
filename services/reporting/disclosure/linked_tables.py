"""Linked tables of public cells: a total, its splits, and the total of which it is a part. A cell in no table is never public."""

from collections.abc import Iterable
from dataclasses import dataclass

from services.reporting.registry.catalogue import DEFINITIONS, INDICATORS
from services.reporting.registry.deadlines import NOT_DONE
from services.reporting.registry.definitions.unpaid_work import COMPLETED, NOT_COMPLETED
from services.reporting.registry.indicators import Form, Indicator, Status, form

STEP = 5
"""Counts of people, orders and sessions are published as multiples of this."""
STEP_OF_HOURS = 100 * 60
"""Minutes of unpaid work imposed: less than half of what one order can hold."""
STEP_OF_WORK = 50 * 60
"""Minutes of unpaid work done: what five long sessions hold."""
STEP_OF_MONTHS = 60
"""Months of supervision: what five orders of a year hold."""
STEP_OF_DAYS = 500
STEP_OF_SCORES = 5
"""Points of a score."""

UNBOUNDED = 10**9
CellName = tuple[str, str]
"""Measure and category."""
Span = tuple[int, int]
"""Least and most."""
_HOURS: tuple[Span, ...] = ((20 * 60, 100 * 60), (101 * 60, 300 * 60))
"""Least and most minutes of an order, by level."""


@dataclass(frozen=True, slots=True)
class Split:
    """One way to split a total into categories."""

    measure: str
    categories: tuple[str, ...]
    exhaustive: bool = True
    """Whether the categories always add up to the total; otherwise there is a remainder, which is not published."""
    national_only: bool = False
    """Too detailed for single authorities: only sums for Scotland are public."""
    counted: str | None = None
    """For sums: the measure, from an earlier table, that counts the same categories."""
    each: tuple[Span, ...] = ()
    """For sums: the least and most that one counted item of each category holds."""

    @property
    def cells(self) -> tuple[CellName, ...]:
        return tuple((self.measure, category) for category in self.categories)


@dataclass(frozen=True, slots=True)
class Table:
    """Cells that add up to one total, all of them published as multiples of one step."""

    name: str
    totals: tuple[Form, ...]
    """Sums that all equal the total. A total that is a single cell is published as that cell."""
    splits: tuple[Split, ...] = ()
    within: Form | None = None
    """A larger total, from an earlier table, that this one never exceeds."""
    none_without: Form | None = None
    """The count, from an earlier table, of the items over which this is a sum."""
    each: Span = (0, UNBOUNDED)
    """The least and most that one counted item holds. A published sum lies within what the published count can hold."""
    step: int = STEP
    yearly: bool = False
    """Whether it is counted by whole years only, under the first month of the year."""

    @property
    def total_cells(self) -> tuple[CellName, ...]:
        return tuple((each.measure, each.categories[0]) for each in self.totals if len(each.categories) == 1)

    @property
    def cells(self) -> tuple[CellName, ...]:
        """Return each cell once."""
        return tuple(dict.fromkeys((*self.total_cells, *(cell for split in self.splits for cell in split.cells))))


PUBLISHED = tuple(each for each in DEFINITIONS if each.status is not Status.PROPOSED)
"""Definitions by which the public may ask."""


def categories_of(measure: str, indicators: Iterable[Indicator] = PUBLISHED) -> tuple[str, ...]:
    """Return the categories of this measure that any indicator sums."""
    return tuple(
        dict.fromkeys(
            category
            for indicator in indicators
            for each in indicator.forms
            if each.measure == measure
            for category in each.categories
            if category
        )
    )


def _split(measure: str, *prefixes: str, exhaustive: bool = True, national_only: bool = False) -> Split:
    """Split a measure into all categories with these prefixes that an indicator shows."""
    categories = tuple(each for each in categories_of(measure) if each.startswith(prefixes))
    return Split(measure, categories, exhaustive, national_only)


def _clock(measure: str) -> tuple[Split, ...]:
    return (_split(measure, "band=", *NOT_DONE, exhaustive=False), *_reasons(measure))


def _reasons(measure: str) -> tuple[Split, ...]:
    """Split a measure by the reasons for lateness; no split if it takes no reason."""
    found = _split(measure, "reason=", exhaustive=False, national_only=True)
    return (found,) if found.categories else ()


_OPENED, _ORDERS, _ENDED = form("orders_opened"), form("orders_imposed"), form("orders_ended")
_NOMINATED = Form("officer", categories_of("officer"))
_ASKED = form("exit_questionnaires", "returned", "not_returned")
_UNPAID_WORK = form("requirements_imposed", "requirement=unpaid_work")
_SUPERVISION = form("requirements_imposed", "requirement=supervision")
_LEVELS = ("level=1", "level=2")
_OTHER_REQUIREMENTS = tuple(
    part.numerator
    for part in INDICATORS["requirements"].breakdown("requirement")
    if part.numerator not in {_UNPAID_WORK, _SUPERVISION}
)


def _of_shares(indicator: str) -> Table:
    """Return the table of a measure whose only total is the denominator of a share."""
    found = INDICATORS[indicator]
    whole = found.denominator or found.numerator
    return Table(found.id, (whole,), (Split(whole.measure, whole.categories), *_reasons(whole.measure)))


TABLES: tuple[Table, ...] = (
    Table("orders opened", (_OPENED,)),  # imposed, or received from elsewhere
    Table(
        "orders imposed",
        (_ORDERS,),
        (
            *(
                _split("orders_imposed", f"{name}=")
                for name in ("sex", "age_band", "ethnicity", "employment", "court_type")
            ),
            *_clock("first_contact"),
        ),
        within=_OPENED,
    ),
    Table("officer nominated", (_NOMINATED,), (Split(_NOMINATED.measure, _NOMINATED.categories),)),
    Table(
        "unpaid work imposed",
        (_UNPAID_WORK,),
        (_split("orders_imposed", "level="), *_clock("induction"), *_clock("placement")),
        within=_ORDERS,
    ),
    Table("supervision imposed", (_SUPERVISION,), (*_clock("case_meeting"), *_clock("plan")), within=_ORDERS),
    Table("people with a new order", (form("persons_with_new_order"),), within=_ORDERS),
    Table("people with a new order in a year", (form("persons_with_new_order_in_year"),), within=_ORDERS, yearly=True),
    *(Table(each.categories[0], (each,), within=_ORDERS) for each in _OTHER_REQUIREMENTS),
    Table(
        "hours imposed",
        (form("unpaid_work_minutes_imposed"),),
        (Split("unpaid_work_minutes_imposed", _LEVELS, counted="orders_imposed", each=_HOURS),),
        none_without=_UNPAID_WORK,
        each=(_HOURS[0][0], _HOURS[1][1]),
        step=STEP_OF_HOURS,
    ),
    Table("hours opened", (form("minutes_outstanding_opened"),), step=STEP_OF_HOURS),
    Table(
        "length of supervision",
        (form("supervision_months_imposed"),),
        none_without=_SUPERVISION,
        each=(6, 36),
        step=STEP_OF_MONTHS,
    ),
    Table(
        "orders ended",
        (_ENDED, form("orders_closed")),
        tuple(_split("orders_ended", f"{name}=") for name in ("end_reason", "age_band", "sex")),
    ),
    Table("exit questionnaires", (_ASKED,), (Split(_ASKED.measure, _ASKED.categories),), within=_ENDED),
    Table("hours closed", (form("minutes_outstanding_closed"),), step=STEP_OF_HOURS),
    *(
        Table(
            question,
            (INDICATORS[question].numerator,),
            none_without=form("exit_questionnaires", "returned"),
            each=(1, 5),
            step=STEP_OF_SCORES,
        )
        for question in ("exit_helped", "exit_treated_with_respect", "exit_less_likely_to_offend")
    ),
    Table(
        "unpaid work completed",
        (COMPLETED,),
        (
            _split("unpaid_work_completed", "class="),
            _split("unpaid_work_completed", "level="),
            *_reasons("unpaid_work_completed"),
        ),
    ),
    Table(
        "days to completion",
        (form("unpaid_work_days"),),
        (Split("unpaid_work_days", _LEVELS, counted="unpaid_work_completed", each=((0, UNBOUNDED),) * 2),),
        none_without=COMPLETED,
        step=STEP_OF_DAYS,
    ),
    Table("unpaid work due and not completed", (NOT_COMPLETED,), (Split(NOT_COMPLETED.measure, NOT_DONE),)),
    Table("sessions", (form("sessions"),), (_split("sessions", "attendance="),)),
    Table(
        "hours credited",
        (form("minutes_credited"),),
        (_split("minutes_credited", "activity="), _split("minutes_credited", "work_type=", exhaustive=False)),
        step=STEP_OF_WORK,
    ),
    *(
        _of_shares(name)
        for name in (
            "reviews_on_time",
            "breach_lodged_on_time",
            "transfer_answered_on_time",
            "breach_outcomes",
            "risk_change",
            "outcome_change",
        )
    ),
)

NATIONAL_ONLY: dict[CellName, bool] = {
    **{cell: False for table in TABLES for cell in table.cells},
    **{cell: split.national_only for table in TABLES for split in table.splits for cell in split.cells},
}
"""Every cell that may be public, and whether it is public only in sums for Scotland."""
STEPS: dict[CellName, int] = {cell: table.step for table in TABLES for cell in table.cells}
YEARLY = frozenset(cell for table in TABLES if table.yearly for cell in table.cells)
"""Cells that are published for whole years only."""


def cells_in(each: Form) -> tuple[CellName, ...]:
    """Return the cells that a form sums."""
    return tuple((each.measure, category) for category in each.categories)


def step_of(each: Form) -> int:
    """Return the step of which its sums are published as multiples."""
    return STEPS.get(cells_in(each)[0], STEP)


def is_made_good(each: Form) -> bool:
    """Return whether one authority's rounding up makes up for another's rounding down; sums over counts are rounded each by itself."""
    return not any(table.none_without for table in TABLES if cells_in(each)[0] in table.cells)


def is_public(each: Form) -> bool:
    """Return whether the public may see the sum at all, at least for Scotland."""
    return all(cell in NATIONAL_ONLY for cell in cells_in(each))
