"""The returns of a year as one workbook with labels that people read."""

import csv
import re
from collections.abc import Iterator, Sequence
from datetime import date

from services.chassis.sheets import Value
from services.chassis.web.categories import headed_label
from services.desk.files import Sheet
from services.desk.model.returns import Reconciliation, YearlyReport

UNIT_TITLES = {"cpo": "Orders, one a row", "unpaid-work": "Unpaid work, one a row"}


def about(year: str, name: str) -> Sheet:
    """Return the first sheet, which explains the others."""
    rows: list[Sequence[Value]] = [
        ("Authority", name),
        ("Year", f"April {year[:4]} to March {int(year[:4]) + 1}"),
        ("Orders, one a row", "The unit-level return: every order imposed or ended in the year."),
        ("Unpaid work, one a row", "The same for its unpaid work."),
        ("Tables", "Sums of what the nation counts, one sheet for all tables of each service."),
        ("Reconciliation", "The unit-level returns beside the nation's numbers: each pair must agree."),
        (
            "Note",
            "The specification of the national return is not public. The columns are a mapping that an analyst can change.",
        ),
    ]
    return Sheet("About", ("Sheet", "What it holds"), rows)


def of_units(name: str, text: str) -> Sheet:
    """Return the rows of a unit-level return that came as CSV."""
    heading, *rows = list(csv.reader(text.removeprefix("\ufeff").splitlines())) or [[]]
    return Sheet(UNIT_TITLES[name], [_readable(one) for one in heading], [list(map(_typed, row)) for row in rows])


def of_tables(title: str, report: YearlyReport) -> Sheet:
    """Return all tables of a service below one another, with labels in place of codes."""
    rows = [
        (table.title, headed_label(category) or "Total", value, table.unit)
        for table in report.tables
        for category, value in table.rows.items()
    ]
    return Sheet(title, ("Table", "Of these", "Number", "Unit"), rows)


def of_checks(found: Sequence[Reconciliation]) -> Sheet:
    """Return every comparison of the returns with the nation's numbers."""
    rows = [
        (check.title, headed_label(check.category) or "Total", check.unit_return, check.cells, _said(check.agrees))
        for one in found
        for check in one.checks
    ]
    return Sheet("Reconciliation", ("What", "Of these", "In the return", "Counted nationally", "Agreement"), rows)


_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def _said(agrees: bool) -> str:
    return "agrees" if agrees else "DIFFERS"


def _readable(name: str) -> str:
    text = name.replace("_", " ")
    return text[:1].upper() + text[1:]


def _typed(text: str) -> Value:
    if _DAY.fullmatch(text):
        return date.fromisoformat(text)
    return int(text) if text.isdecimal() and len(text) < 10 and not (len(text) > 1 and text[0] == "0") else text or None


def sheets(
    year: str, name: str, units: dict[str, str], tables: dict[str, YearlyReport], checks: Sequence[Reconciliation]
) -> Iterator[Sheet]:
    """Yield the sheets in order."""
    yield about(year, name)
    for unit, text in units.items():
        yield of_units(unit, text)
    for title, report in tables.items():
        yield of_tables(title, report)
    yield of_checks(checks)
