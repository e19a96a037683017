"""Which public numbers hang together: a total, the ways it is split, and what moves with it.

The gate needs this to hide enough. A form of the catalogue that is in no family is never public.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from services.reporting.registry.catalogue import DEFINITIONS, INDICATORS
from services.reporting.registry.clocks import NOT_DONE
from services.reporting.registry.definitions.unpaid_work import COMPLETED, NOT_COMPLETED
from services.reporting.registry.indicators import Form, Indicator, Status, form

SMALL_COUNT = 4
FEWEST_FOR_A_RATE = 10
SMALL_MINUTES = 4 * 600
"""Minutes that four sessions can hold: up to here, they may be the work of fewer than five sessions."""


@dataclass(frozen=True, slots=True)
class Dimension:
    """One way to split a total. `forms` are the sums of its categories that are published."""

    measure: str
    categories: tuple[str, ...]
    forms: tuple[Form, ...]
    exhaustive: bool = True
    """Whether the categories always add up to the total, so that everybody knows what is missing."""
    national_only: bool = False
    """Too fine for single authorities: only sums for Scotland are public."""


@dataclass(frozen=True, slots=True)
class Family:
    """Numbers that can give each other away."""

    name: str
    totals: tuple[Form, ...]
    """Forms that all equal the total."""
    dimensions: tuple[Dimension, ...] = ()
    companions: tuple[tuple[Form, Form], ...] = ()
    """(count, sum over the same orders): the sum is hidden wherever the count is."""
    within: Form | None = None
    """A larger total, the difference from which is itself a count of orders."""
    small: int = SMALL_COUNT
    yearly: bool = False
    """Whether it is counted by whole years only, under the first month of the year."""
    step: int = 1
    """By how much a value must be uncertain for it to count as hidden."""


PUBLISHED = tuple(each for each in DEFINITIONS if each.status is not Status.PROPOSED)
"""Definitions by which the public may ask."""


def forms_of(measure: str, indicators: Iterable[Indicator] = PUBLISHED) -> tuple[Form, ...]:
    """The sums of this measure that any indicator shows, and what each share leaves of its whole."""
    found: dict[Form, None] = {}
    for indicator in indicators:
        parts = [part for _, parts in indicator.breakdowns for part in parts]
        pairs = [(indicator.numerator, indicator.denominator), *((p.numerator, p.denominator) for p in parts)]
        for numerator, denominator in pairs:
            for each in (numerator, denominator):
                if each is not None and each.measure == measure:
                    found[each] = None
            if denominator is not None and numerator.measure == denominator.measure == measure:
                found[complement(numerator, denominator)] = None
    return tuple(f for f in found if f.categories and f.categories != ("",))


def complement(part: Form, whole: Form) -> Form:
    """What is in the whole and not in the part."""
    return Form(whole.measure, (c for c in whole.categories if c and c not in part.categories))


def _dimension(measure: str, *prefixes: str, exhaustive: bool = True, national_only: bool = False) -> Dimension:
    """The dimension with all categories that begin so, and every published sum that lies inside it."""
    forms = tuple(f for f in forms_of(measure) if all(c.startswith(prefixes) for c in f.categories))
    categories = tuple(dict.fromkeys(c for f in forms for c in f.categories))
    singles = tuple(form(measure, c) for c in categories)
    whole = Form(measure, categories)
    others = tuple(complement(f, whole) for f in (*singles, *forms)) if exhaustive else ()
    shown = tuple(f for f in dict.fromkeys((*singles, *forms, *others)) if f.categories)
    return Dimension(measure, categories, shown, exhaustive, national_only)


def _clock(measure: str) -> tuple[Dimension, ...]:
    bands = _dimension(measure, "band=", *NOT_DONE, exhaustive=False)
    return (bands,) if measure == "officer" else (bands, *_reasons(measure))


def _reasons(measure: str) -> tuple[Dimension, ...]:
    """Why it was late; nothing for what takes no reason."""
    found = _dimension(measure, "reason=", exhaustive=False, national_only=True)
    return (found,) if found.categories else ()


def _whole(measure: str, *categories: str) -> tuple[Form, ...]:
    return (Form(measure, categories),)


_ORDERS = form("orders_imposed")
_UNPAID_WORK = form("requirements_imposed", "requirement=unpaid_work")
_SUPERVISION = form("requirements_imposed", "requirement=supervision")
_RETURNED, _NOT_RETURNED = "returned", "not_returned"
_OTHER_REQUIREMENTS = tuple(
    part.numerator
    for part in INDICATORS["requirements"].breakdown("requirement")
    if part.numerator not in {_UNPAID_WORK, _SUPERVISION}
)


def _of_shares(indicator: str) -> Family:
    """A measure whose only total is the whole of a share."""
    found = INDICATORS[indicator]
    whole = found.denominator or found.numerator
    shown = tuple(f for f in forms_of(whole.measure) if set(f.categories) <= set(whole.categories) and f != whole)
    singles = tuple(form(whole.measure, c) for c in whole.categories)
    others = tuple(complement(f, whole) for f in (*singles, *shown))
    forms = tuple(f for f in dict.fromkeys((*singles, *shown, *others)) if f.categories)
    dimension = Dimension(whole.measure, whole.categories, forms)
    return Family(found.id, (whole,), (dimension, *_reasons(whole.measure)))


FAMILIES: tuple[Family, ...] = (
    Family(
        "orders imposed",
        (_ORDERS, form("orders_opened")),
        (
            *(
                _dimension("orders_imposed", f"{name}=")
                for name in ("sex", "age_band", "ethnicity", "employment", "court_type")
            ),
            *_clock("first_contact"),
            *_clock("officer"),
        ),
    ),
    Family(
        "unpaid work imposed",
        (_UNPAID_WORK,),
        (_dimension("orders_imposed", "level="), *_clock("induction"), *_clock("placement")),
        companions=(
            (_UNPAID_WORK, form("unpaid_work_minutes_imposed")),
            (_UNPAID_WORK, form("minutes_outstanding_opened")),
            *((form("orders_imposed", f"level={n}"), form("unpaid_work_minutes_imposed", f"level={n}")) for n in "12"),
        ),
        within=_ORDERS,
    ),
    Family(
        "supervision imposed",
        (_SUPERVISION,),
        (*_clock("case_meeting"), *_clock("plan")),
        companions=((_SUPERVISION, form("supervision_months_imposed")),),
        within=_ORDERS,
    ),
    Family("people with a new order", (form("persons_with_new_order"),), within=_ORDERS),
    Family("people with a new order in a year", (form("persons_with_new_order_in_year"),), within=_ORDERS, yearly=True),
    *(Family(each.categories[0], (each,), within=_ORDERS) for each in _OTHER_REQUIREMENTS),
    Family(
        "orders ended",
        (form("orders_ended"), form("orders_closed"), Form("exit_questionnaires", (_RETURNED, _NOT_RETURNED))),
        (
            *(_dimension("orders_ended", f"{name}=") for name in ("end_reason", "age_band", "sex")),
            # Every order that ends has sent one back or has not, so these add up to the orders ended.
            Dimension(
                "exit_questionnaires",
                (_RETURNED, _NOT_RETURNED),
                (form("exit_questionnaires", _RETURNED), form("exit_questionnaires", _NOT_RETURNED)),
            ),
        ),
        companions=(
            (form("orders_ended"), form("minutes_outstanding_closed")),
            *(
                (form("exit_questionnaires", _RETURNED), INDICATORS[f"exit_{question}"].numerator)
                for question in ("helped", "treated_with_respect", "less_likely_to_offend")
            ),
        ),
    ),
    Family(
        "unpaid work completed",
        (COMPLETED,),
        (
            _dimension("unpaid_work_completed", "class="),
            _dimension("unpaid_work_completed", "level="),
            *_reasons("unpaid_work_completed"),
        ),
        companions=(
            (COMPLETED, form("unpaid_work_days")),
            *((form("unpaid_work_completed", f"level={n}"), form("unpaid_work_days", f"level={n}")) for n in "12"),
        ),
    ),
    Family(
        "unpaid work due and not completed",
        (NOT_COMPLETED,),
        (Dimension(NOT_COMPLETED.measure, NOT_DONE, tuple(form(NOT_COMPLETED.measure, each) for each in NOT_DONE)),),
    ),
    Family("sessions", (form("sessions"),), (_dimension("sessions", "attendance="),)),
    Family(
        "hours credited",
        (form("minutes_credited"),),
        (
            _dimension("minutes_credited", "activity="),
            _dimension("minutes_credited", "work_type=", exhaustive=False),
        ),
        small=SMALL_MINUTES,
        step=600,
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

PUBLIC_FORMS: dict[Form, bool] = {
    f: national
    for family in FAMILIES
    for f, national in (
        *((total, False) for total in family.totals),
        *((second, False) for _, second in family.companions),
        *((f, d.national_only) for d in family.dimensions for f in d.forms),
    )
}
"""Every form that may be public, and whether only for Scotland."""


YEARLY_FORMS = frozenset(total for family in FAMILIES if family.yearly for total in family.totals)
"""What is told of whole years only."""


def told_as(sum_of: Form) -> tuple[Form, ...]:
    """What has to be shown where this sum is: mostly itself. Work completed and not completed are of two families."""
    if sum_of.measure != COMPLETED.measure:
        return (sum_of,)
    parts = complement(NOT_COMPLETED, sum_of), complement(COMPLETED, sum_of)
    return tuple(part for part in parts if part.categories)


def left_over(part: Form, whole: Form) -> Form | None:
    """The sum that somebody who is told part and whole can work out; None where it is none of ours."""
    if part.measure != whole.measure:
        return None
    if whole.categories == ("",):
        split = next((d for f in FAMILIES for d in f.dimensions if d.exhaustive and part in d.forms), None)
        if split is None:
            return None
        whole = Form(split.measure, split.categories)
    found = complement(part, whole)
    return found if found.categories else None
