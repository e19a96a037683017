"""What everybody knows from the contract and the counting rules: which cells add up to which, and how large one can be."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from contracts.codes import Activity
from services.reporting.registry.catalogue import DEFINITIONS
from tests.support.attacker.program import Cell, Program

Name = tuple[str, str]
"""Measure and category."""

CELLS = sorted({(form.measure, c) for each in DEFINITIONS for form in each.forms for c in form.categories})
SPLITS = {
    "orders_imposed": ("sex", "age_band", "ethnicity", "employment", "court_type"),
    "orders_ended": ("end_reason", "age_band", "sex"),
    "sessions": ("attendance",),
    "minutes_credited": ("activity",),
}
"""Dimensions in which each order, session or minute counts exactly once."""
ORDERS, ENDED = ("orders_imposed", ""), ("orders_ended", "")
UNPAID_WORK = ("requirements_imposed", "requirement=unpaid_work")
SUPERVISION = ("requirements_imposed", "requirement=supervision")
LEVELS = [("orders_imposed", f"level={n}") for n in "12"]
MINUTES = [("unpaid_work_minutes_imposed", f"level={n}") for n in "12"]
RETURNED, NOT_RETURNED = ("exit_questionnaires", "returned"), ("exit_questionnaires", "not_returned")


def of(measure: str, prefix: str) -> list[Name]:
    """The categories of a dimension."""
    return [name for name in CELLS if name[0] == measure and name[1].startswith(prefix)]


def fell_due(measure: str) -> list[Name]:
    """Of a clock that runs from the imposition: no order counts twice."""
    return [*of(measure, "band="), (measure, "missed"), (measure, "overdue")]


SUMS: list[tuple[Name, list[Name]]] = [
    *(((measure, ""), of(measure, f"{name}=")) for measure, names in SPLITS.items() for name in names),
    (UNPAID_WORK, LEVELS),
    (("unpaid_work_minutes_imposed", ""), MINUTES),
    (ENDED, [RETURNED, NOT_RETURNED]),
    (ENDED, [("orders_closed", "")]),
    (ORDERS, [("orders_opened", "")]),  # as long as nobody hands orders over, which everybody can see
]
INSIDE: list[tuple[list[Name], list[Name]]] = [
    *(([ORDERS], [name]) for name in of("requirements_imposed", "")),
    ([ORDERS], [("persons_with_new_order", "")]),
    ([ORDERS], of("officer", "band=")),
    ([ORDERS], fell_due("first_contact")),
    *(([UNPAID_WORK], fell_due(measure)) for measure in ("induction", "placement")),
    *(([SUPERVISION], fell_due(measure)) for measure in ("case_meeting", "plan")),
    *(
        ([name for name in of(measure, "band=") if "=within" not in name[1]], of(measure, "reason="))
        for measure in ("first_contact", "induction", "placement", "case_meeting", "plan")
    ),
    *(([(measure, "late")], of(measure, "reason=")) for measure in ("breach_lodged", "transfer_answered")),
    ([("unpaid_work_completed", "class=late")], of("unpaid_work_completed", "reason=")),
    ([("minutes_credited", "")], of("minutes_credited", "work_type=")),
]
"""The second cannot be more than the first."""
EACH: list[tuple[Name, Name, float, float]] = [
    (MINUTES[0], LEVELS[0], 20 * 60, 100 * 60),
    (MINUTES[1], LEVELS[1], 101 * 60, 300 * 60),
    (("supervision_months_imposed", ""), SUPERVISION, 1, 36),
    *((name, RETURNED, 1, 5) for name in of("exit_questionnaires", "sum=")),
]
"""What one order or session adds to a sum, at least and at most."""


def apply(program: Program, places: Iterable[tuple[int, str, str]]) -> None:
    """To every release, month and area."""
    for release, month, area in places:
        for weights, lowest, highest in _rules():
            program.says({Cell(release, *name, month, area): w for name, w in weights.items()}, lowest, highest)


def _rules() -> Iterator[tuple[dict[Name, float], float, float]]:
    infinite = float("inf")
    for whole, parts in SUMS:
        yield {whole: -1.0} | dict.fromkeys(parts, 1.0), 0, 0
    yield _less(of("unpaid_work_completed", "class="), of("unpaid_work_completed", "level=")), 0, 0
    yield _less([("unpaid_work_days", "")], of("unpaid_work_days", "level=")), 0, 0
    for wholes, parts in INSIDE:
        yield _less(wholes, parts), 0, infinite
    done = dict.fromkeys((("minutes_credited", f"activity={a}") for a in Activity), -1.0)
    yield done | {("sessions", "attendance=attended"): 600.0}, 0, infinite
    for total, count, least, most in EACH:
        yield {total: 1.0, count: -least}, 0, infinite
        yield {total: -1.0, count: most}, 0, infinite


def _less(wholes: Iterable[Name], parts: Iterable[Name]) -> dict[Name, float]:
    found: dict[Name, float] = defaultdict(float)
    for name in wholes:
        found[name] += 1
    for name in parts:
        found[name] -= 1
    return dict(found)
