"""Lists as files, with the same rows as the page."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

from services.chassis import sheets
from services.chassis.sheets import Value
from services.desk.model.duties import WorkItem
from services.desk.model.hours import LateForecast

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

WIDEST = 60
"""Widest column, in characters."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table with a title."""

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[Value]]


def duties(tasks: Iterable[WorkItem]) -> Sheet:
    """Return a row for each task."""
    headings = (
        *("Order", "Standard", "State", "Due on", "Working days left", "Imposed on"),
        *("Nationally due on", "Own target on", "Acknowledged for", "Caseload"),
    )
    rows = [
        (
            *(task.subject, task.title, task.urgency.heading, task.day, task.working_days_left),
            *(task.imposed_on, task.due_on, task.own_target_on, task.acknowledged, task.caseload),
        )
        for task in tasks
    ]
    return Sheet("To do", headings, rows)


def at_risk(late: Iterable[LateForecast]) -> Sheet:
    """Return a row for each order that will not be done in time."""
    headings = (
        *("Order", "Deadline", "Hours left", "Hours a week so far", "Hours a week needed"),
        *("Done at this pace", "Imposed on", "Caseload"),
    )
    rows = [
        (
            *(one.subject, one.deadline, one.forecast.hours_left, one.forecast.hours_a_week),
            *(one.forecast.hours_a_week_needed, one.forecast.done_on, one.imposed_on, one.caseload),
        )
        for one in late
    ]
    return Sheet("Hours at risk", headings, rows)


def as_csv(sheet: Sheet) -> bytes:
    """Return the table as CSV, in UTF-8 with the byte order mark by which spreadsheets recognise it."""
    return sheets.as_csv([sheet.headings, *sheet.rows]).encode("utf-8-sig")


def as_xlsx(*tables: Sheet) -> bytes:
    """Return the tables as a workbook: a sheet each, with the header row frozen and filters."""
    from xlsxwriter import Workbook  # noqa: PLC0415 - 2 MB that only workbooks need

    out = BytesIO()
    with Workbook(out, {"constant_memory": True, "default_date_format": "yyyy-mm-dd", **_AS_TEXT}) as book:
        heading = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
        for table in tables:
            _write(book.add_worksheet(table.title[:31]), table, heading)
    return out.getvalue()


_AS_TEXT = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


def _write(page: "Worksheet", table: Sheet, heading: "Format") -> None:
    """Write a table. Text stays text, whatever its first character is."""
    for number, title in enumerate(table.headings):
        page.set_column(number, number, _width(title, [row[number] for row in table.rows]))
    page.write_row(0, 0, table.headings, heading)
    for place, row in enumerate(table.rows, 1):
        page.write_row(place, 0, row)
    page.freeze_panes(1, 0)
    if table.rows:
        page.autofilter(0, 0, len(table.rows), len(table.headings) - 1)


def _width(heading: str, values: Iterable[Value]) -> int:
    longest = max([len(heading), *(len(str(value)) for value in values if value is not None)])
    return min(WIDEST, longest + 3)
